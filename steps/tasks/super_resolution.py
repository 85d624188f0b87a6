"""Super-resolution: y = D x Dᵀ + n, an image reduced by a whole-number factor, by one matrix D each way."""

import math
from typing import Annotated, Literal

from steps.inverse.operators import LinearOperator

SYMBOLS = {"factor": ("factor", "Factor of reduction")}
TRIED = [{"factor": 2}, {"factor": 3, "filter": "lanczos"}, {"factor": 2, "filter": "box"}, {"factor": 8}]


def cubic(t):
    """Return Keys' (1981) cubic kernel, a = −1/2, that of "bicubic": 1 at t = 0, 0 from |t| = 2 on."""
    t = t.abs()
    near, far = (1.5 * t - 2.5) * t**2 + 1, ((-0.5 * t + 2.5) * t - 4) * t + 2
    return near.where(t <= 1, far.where(t < 2, 0 * t))


def lanczos(t):
    """Return Lanczos' kernel sinc(t) sinc(t / 2), 0 from |t| = 2 on."""
    return (t.sinc() * (t / 2).sinc()).where(t.abs() < 2, 0 * t)


def box(t):
    """Return 1 for |t| < 1/2, else 0."""
    return (t.abs() < 0.5).to(t)


FILTERS = {"bicubic": cubic, "lanczos": lanczos, "box": box}


def resizing(size, count, scale, kernel):
    """Return the (count, size) matrix, float64, that resizes a line of pixels by a scale, below or above 1.

    Value i is the mean of the pixels j with the weights kernel((c − j) / s), of sum 1. Its centre is
    c = (i + 1/2) / scale − 1/2, and s = max(1, 1 / scale) widens the kernel against aliasing. Beyond its ends the line
    is mirrored, the last pixel twice. It is the rule of MATLAB's imresize.
    """
    import torch

    stretch = max(1, 1 / scale)
    reach = math.ceil(2 * stretch) + 1
    centre = (torch.arange(count, dtype=torch.float64)[:, None] + 0.5) / scale - 0.5
    index = centre.floor().long() + torch.arange(-reach, reach + 1)
    weights = kernel((centre - index) / stretch)
    period = index % (2 * size)
    matrix = torch.zeros(count, size, dtype=torch.float64)
    return matrix.scatter_add_(1, period.minimum(2 * size - 1 - period), weights / weights.sum(1, keepdim=True))


class Operator(LinearOperator):
    """Reduction by a factor: y = D x Dᵀ is (C, ⌈H / factor⌉, ⌈W / factor⌉); the two D are those of `resizing`.

    factor  how many times fewer pixels y has along each side.
    filter  what keeps from aliasing, `factor` times as wide as when it interpolates:
            "bicubic": MATLAB's imresize, in which the literature's test sets are made;
            "lanczos": Lanczos2, that of the deep image prior (Ulyanov et al. 2018);
            "box": the mean of factor × factor pixels, as a coarser sensor sees them.

    A constant stays what it is. An image whose sides the factor does not divide goes on, mirrored, in its last pixels.
    """

    pictures = True

    def __init__(
        self,
        shape,
        *,
        factor: Annotated[int, ">= 2", "<= 8"] = 4,
        filter: Literal["bicubic", "lanczos", "box"] = "bicubic",
    ):
        import torch

        super().__init__(shape)
        self.factor = factor
        self.rows, self.columns = (
            resizing(size, -(-size // factor), 1 / factor, FILTERS[filter]) for size in self.shape[-2:]
        )
        _, s, self.V = torch.linalg.svd(self.rows, full_matrices=False)
        _, t, self.W = torch.linalg.svd(self.columns, full_matrices=False)
        self.gains = torch.outer(s**2, t**2)

    @classmethod
    def image_shape(cls, shape, *, factor=4, **_):
        """Return (C, factor · h, factor · w), the shape of the image of which a picture (C, h, w) is a reduction."""
        return shape[0], factor * shape[1], factor * shape[2]

    def forward(self, x):
        """Return D x Dᵀ, (..., C, h, w)."""
        return self.at("rows", x) @ x @ self.at("columns", x).T

    def adjoint(self, y):
        """Return Dᵀ y D, (..., C, H, W)."""
        return self.at("rows", y).T @ y @ self.at("columns", y)

    def solve(self, b, rho):
        """Return (AᵀA + rho I)⁻¹ b = (b − Vᵀ (g / (g + rho) · V b Wᵀ) W) / rho, g = s² t², by the SVDs of the two D.

        s and V, t and W are the singular values and right singular vectors, of which there are as many as y has rows
        and columns. In float64: what y sees of b all but cancels where rho is small.
        """
        exact = b.double()
        V, W, g = (self.at(name, exact) for name in ("V", "W", "gains"))
        seen = V.T @ (g / (g + rho) * (V @ exact @ W.T)) @ W
        return ((exact - seen) / rho).to(b.dtype)

    def backproject(self, y):
        """Return what one sees: each pixel of y as factor × factor, cropped to the image's shape."""
        blocks = y.repeat_interleave(self.factor, -2).repeat_interleave(self.factor, -1)
        return blocks[..., : self.shape[-2], : self.shape[-1]]
