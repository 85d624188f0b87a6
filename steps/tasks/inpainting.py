"""Inpainting: y = S x + n, where S keeps the pixels that a mask sees, the same in every channel."""

from typing import Annotated

import numpy as np

from steps.base.errors import BadInput
from steps.inverse.operators import File, LinearOperator, one_channel

WORDS = ("random", "text", "scratches", "rectangle")
WITH = {"mask": {"random": ("seen",), "rectangle": ("hole",)}}  # the seed is the noise's, too
SYMBOLS = {"mask": ("mask", "Mask"), "seen": ("seen", "Share of pixels seen"), "hole": ("hole", "Hole / image side")}
TRIED = [{"seen": 0.25, "seed": 3}, *({"mask": word} for word in WORDS[1:]), {"mask": "rectangle", "hole": 0.5}]
TEXT = "PRIORBENCH "
GLYPHS = {  # 7 rows of 5 bits, the highest on the left
    " ": (0, 0, 0, 0, 0, 0, 0),
    "B": (30, 17, 17, 30, 17, 17, 30),
    "C": (14, 17, 16, 16, 16, 17, 14),
    "E": (31, 16, 16, 30, 16, 16, 31),
    "H": (17, 17, 17, 31, 17, 17, 17),
    "I": (14, 4, 4, 4, 4, 4, 14),
    "N": (17, 25, 21, 21, 19, 17, 17),
    "O": (14, 17, 17, 17, 17, 17, 14),
    "P": (30, 17, 17, 30, 16, 16, 16),
    "R": (30, 17, 17, 30, 20, 18, 17),
}


def as_mask(numbers, size=None):
    """Return where an array sees the image, bool (height, width): where it is above 0.5, as white is.

    One gray channel is taken off, and colours that are all gray are one. Raises BadInput for another shape, or another
    than the image's size (height, width); for values that are not finite; and if no pixel is seen.
    """
    shape = numbers.shape
    numbers = one_channel(numbers)
    if numbers.ndim != 2 or not numbers.size:
        raise BadInput(f"shape {shape} is no mask; must be (height, width), gray")
    if size and numbers.shape != tuple(size):
        raise BadInput(f"the mask has {numbers.shape[0]}x{numbers.shape[1]} pixels; the image has {size[0]}x{size[1]}")
    if not np.isfinite(numbers).all():
        raise BadInput("the mask has values that are not finite")
    if not (numbers > 0.5).any():
        raise BadInput("the mask sees no pixel; must be above 0.5, such as white, where a pixel is seen")
    return numbers > 0.5


def choice(height, width, seen, random):
    """Return a mask that sees a random choice of pixels, a share `seen` of them, at least one."""
    mask = np.zeros(height * width, dtype=bool)
    mask[random.permutation(height * width)[: max(1, round(seen * height * width))]] = True
    return mask.reshape(height, width)


def rectangle(height, width, hole):
    """Return a mask with a hole in its centre: a share `hole` of each side, from 1 pixel to all but one."""
    mask = np.ones((height, width), dtype=bool)
    rows, columns = (min(max(1, round(hole * side)), side - 1) for side in (height, width))
    top, left = (height - rows) // 2, (width - columns) // 2
    mask[top : top + rows, left : left + columns] = False
    return mask


def stroke(height, width):
    """Return the width of a line in pixels: a hundredth of the shorter side, at least 1."""
    return max(1, round(min(height, width) / 100))


def text(height, width):
    """Return a mask with lines of TEXT over all of it, in letters of 5 x 7 strokes; a line goes on from the last."""
    wide = stroke(height, width)
    rows, columns = -(-height // (9 * wide)), -(-width // (6 * wide))
    page = np.zeros((9 * rows, 6 * columns), dtype=bool)  # a letter has a stroke above and left of it, one below
    for place in range(rows * columns):
        row, column = divmod(place, columns)
        bits = [[line >> bit & 1 for bit in (4, 3, 2, 1, 0)] for line in GLYPHS[TEXT[place % len(TEXT)]]]
        page[9 * row + 1 : 9 * row + 8, 6 * column + 1 : 6 * column + 6] = bits
    return ~page.repeat(wide, 0).repeat(wide, 1)[:height, :width]


def scratches(height, width, random, count=10):
    """Return a mask with thin curves from border to border: parabolas whose three points are drawn."""
    wide = stroke(height, width)
    mask = np.ones((height, width), dtype=bool)
    t = np.linspace(0, 1, 4 * (height + width))[:, None]
    for number in range(count):
        start, bend, end = random.random((3, 2))
        start[number % 2], end[number % 2] = 0, 1  # from the top, the next from the left
        points = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
        corner = np.rint(points * (height - wide, width - wide)).astype(int).clip(0)
        for row, column in np.ndindex(wide, wide):
            mask[corner[:, 0] + row, corner[:, 1] + column] = False
    return mask


class Operator(LinearOperator):
    """The M pixels that a mask sees, in the order of rows; y is (C, M), so that noise is on what is seen only.

    mask  "random": a share of the pixels, anywhere;  "text": all but lines of letters;  "scratches": all but ten thin
          curves;  "rectangle": all but a hole in the centre; or a file with the mask, see `as_mask`: white is seen.
    seen  the share of the pixels that a random mask sees.
    hole  a rectangle's height and width, as a share of the image's.
    seed  of the random mask and of the scratches (the corruption's noise has the same seed and its own generator).

    Of a picture that is a measurement, no method gets what the mask does not see. Raises BadInput for a file that is no
    mask of the image's size, and for scratches that hide all of a tiny image.
    """

    pictures = True

    def __init__(
        self,
        shape,
        *,
        mask: Annotated[str, File(as_mask, WORDS)] = "random",
        seen: Annotated[float, "> 0", "<= 1"] = 0.5,
        hole: Annotated[float, "> 0", "< 1"] = 0.25,
        seed: Annotated[int, ">= 0"] = 0,
    ):
        import torch

        super().__init__(shape)
        size = self.shape[-2:]
        random = np.random.default_rng([seed, 1])  # [seed, 0] draws the noise
        if not isinstance(mask, str):
            where = as_mask(mask, size)
        elif mask == "random":
            where = choice(*size, seen, random)
        elif mask == "rectangle":
            where = rectangle(*size, hole)
        else:
            where = text(*size) if mask == "text" else scratches(*size, random)
        if not where.any():
            raise BadInput(f"mask: {mask} hides all of the {size[0]}x{size[1]} image")
        self.mask = torch.from_numpy(where.astype(np.float64))
        self.index = torch.from_numpy(np.flatnonzero(where))
        self.nearly = torch.full((size[0], size[1] // 2 + 1), where.mean() ** 0.5, dtype=torch.float64)

    def forward(self, x):
        """Return S x, (..., C, M)."""
        return x.flatten(-2).index_select(-1, self.at("index", x))

    def adjoint(self, y):
        """Return Sᵀ y, (..., C, H, W): 0 where nothing is seen."""
        flat = y.new_zeros(*y.shape[:-1], self.mask.numel())
        return flat.index_copy(-1, self.at("index", y), y).reshape(*y.shape[:-1], *self.shape[-2:])

    def measured(self, picture):
        """Return the pixels (C, M) of a picture (C, H, W) that the mask sees."""
        return self.forward(picture)

    def solve(self, b, rho):
        """Return (SᵀS + rho I)⁻¹ b: SᵀS is diagonal, 1 where a pixel is seen."""
        return b / (self.at("mask", b) + rho)
