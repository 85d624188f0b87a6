"""Single-pixel camera: y = A x + n with M = N / compression patterns for N pixels."""

import math
from typing import Annotated, Literal

import numpy as np

from steps.base.errors import BadInput
from steps.inverse.dense import Dense, of_ones
from steps.inverse.operators import File, LinearOperator
from steps.inverse.patterns import (
    as_patterns,
    check_powers,
    common,
    fourier_order,
    fourier_power,
    hadamard_transform,
    least_squares_picture,
    walsh_order,
)

WORDS = ("gaussian", "hadamard", "bernoulli", "fourier")  # patterns that are no file's
DENSE = ("gaussian", "bernoulli")
SYMBOLS = {
    "compression": ("compression", "Compression N/M (pixels / patterns)"),
    "patterns": ("patterns", "Patterns"),
    "order": ("order", "Order of patterns"),
}
WITH = {"patterns": {word: ("compression", *(["order"] * (word == "hadamard"))) for word in WORDS}}
TRIED = [
    {"compression": 1.0},
    {"patterns": "hadamard"},
    {"patterns": "hadamard", "compression": 5.0, "seed": 3},
    *({"patterns": "hadamard", "order": order} for order in ("natural", "sequency", "cake_cutting")),
    {"patterns": "bernoulli"},
    {"patterns": "fourier"},
    {"patterns": "fourier", "compression": 1.3},
]
LARGEST = 4 * 2**30  # bytes of dense patterns in float32


def memory_mb(image_mb, *, compression, patterns, **_):
    """Return the MB of dense patterns, a filtered copy or one in float64, and their factor: for a gray image's MB.

    Those of a file, of which only the name is known, are taken to be as many as at compression 1.
    """
    pixels = image_mb * 1e6 / 4
    compression = compression if patterns in WORDS else 1
    dense = min(4 * pixels * pixels / compression, LARGEST) / 1e6
    return 16 * image_mb if patterns in ("hadamard", "fourier") else (3 + 3 / compression) * dense


class Operator(LinearOperator):
    """M patterns measure the N pixels of each channel; y is (C, M), M = round(N / compression).

    compression  N / M, at least 1 (the paper's compression factor).
    patterns     "gaussian": dense, entries N(0, 1/M), the paper's;
                 "bernoulli": dense, entries ±1/√M;
                 "hadamard": entries ±1/√M, rows of a Hadamard matrix, never stored;
                 "fourier": cosines and sines, low frequencies first, never stored, see `patterns.fourier_order`;
                 or a file with the patterns of a camera, see `patterns.as_patterns`; M is the file's.
    order        of Hadamard patterns. "scrambled": rows by chance, pixels scrambled; the image is padded with zeros to
                 a power of two, and the constant pattern is always the first. "natural", "sequency", "cake_cutting":
                 the first M in that order, see `patterns.walsh_order`; for sides that are powers of 2.
    seed         of the patterns (the corruption's noise has the same seed and its own generator).

    All have rows of squared norm N/M, those of a file in the mean: A is the file's P, less what all have in common
    (`patterns.common`), divided by `unit`. So for dense random patterns E[AᵀA] = I, and one sigma is the same noise
    for all. Numbers that a camera has measured, and their sigma, are on the scale of P x: of patterns ±1 ("bernoulli",
    "hadamard"), N(0, 1), orthonormal ("fourier"), or as in the file.
    Raises BadInput if dense patterns would take more than 4 GiB. Source: Duarte et al. (2008), Anderson 5.3.
    """

    numbers = True

    @classmethod
    def image_shape(cls, shape, *, compression=2.0, patterns=None, order="scrambled", **_):
        """Return (C, height, width) of the image that (C, 1, M) numbers are of: as the file's patterns, else a square.

        Raises BadInput if there is none.
        """
        channels, _, count = shape
        if patterns is None:
            raise BadInput("patterns: missing; of numbers that a camera measured it must be said which it showed")
        if isinstance(patterns, str):
            near = round(math.sqrt(count * compression))
            sides = [side for side in (near, near - 1, near + 1) if side > 1 and _count(side**2, compression) == count]
            if not sides:
                words = f"{count} numbers at compression {compression:g} are of no square image"
                raise BadInput(f"compression: {words}; must be pixels / numbers")
            if patterns == "hadamard" and order != "scrambled":
                check_powers(sides[0], sides[0], order)
            return channels, sides[0], sides[0]
        if len(patterns) != count:
            raise BadInput(
                f"patterns: the file has {len(patterns)} patterns, the measurement {count} numbers; must be one each"
            )
        if patterns.ndim == 3:
            return channels, *patterns.shape[1:]
        side = math.isqrt(patterns.shape[1])
        if side**2 != patterns.shape[1]:
            raise BadInput(f"patterns: {patterns.shape[1]} pixels are no square; must be of shape (M, height, width)")
        return channels, side, side

    def __init__(
        self,
        shape,
        *,
        compression: Annotated[float, ">= 1"] = 2.0,
        patterns: Annotated[str, File(as_patterns, WORDS)] = "gaussian",
        order: Literal["scrambled", "natural", "sequency", "cake_cutting"] = "scrambled",
        seed: Annotated[int, ">= 0"] = 0,
    ):
        import torch

        super().__init__(shape)
        height, width = self.shape[-2:]
        pixels = height * width
        self.patterns = patterns if isinstance(patterns, str) else "file"
        self.count = _count(pixels, compression) if isinstance(patterns, str) else len(patterns)
        self.unit, self.share = self.count**0.5, 0.0
        self._factors = {}
        random = np.random.default_rng([seed, 1])  # [seed, 0] draws the noise
        if self.patterns == "file":
            matrix = as_patterns(patterns, (height, width)).reshape(self.count, pixels)
            mean, self.share = common(matrix)
            matrix = matrix - np.float32(self.share) * mean
            self.unit = float(np.sqrt(np.square(matrix, dtype=np.float64).sum() / pixels))
            self.matrix = torch.from_numpy(matrix) / self.unit
            self.blind = not of_ones(self, torch.ones(1, height, width), pixels).any()
        elif patterns in DENSE:
            if 4 * self.count * pixels > LARGEST:
                raise BadInput(
                    f"patterns: {self.count} {patterns} patterns of {height}x{width} pixels take "
                    f"{4 * self.count * pixels / 2**30:.0f} GiB, over {LARGEST / 2**30:.0f}; use patterns=hadamard"
                )
            if patterns == "gaussian":
                matrix = random.standard_normal((self.count, pixels), dtype=np.float32)
            else:
                matrix = random.integers(0, 2, (self.count, pixels), dtype=np.int8).astype(np.float32) * 2 - 1
            self.matrix = torch.from_numpy(matrix).div_(self.count**0.5)
        elif patterns == "fourier":
            self.padded = pixels
            self.unit = (self.count / pixels) ** 0.5
            index, weight = fourier_order(height, width)
            self.rows = torch.from_numpy(index[: self.count])
            self.weight = torch.from_numpy(weight[: self.count] / self.unit)
            seen = fourier_power(height, width, index[: self.count]) / self.unit**2
            self.nearly = torch.from_numpy(np.sqrt(seen[:, : width // 2 + 1]))
        elif order == "scrambled":
            self.padded = 1 << (pixels - 1).bit_length()
            self.place = torch.from_numpy(random.permutation(self.padded)[:pixels].copy())
            rows = 1 + random.permutation(self.padded - 1)[: self.count - 1]
            self.rows = torch.from_numpy(np.concatenate([[0], np.sort(rows)]))
        else:
            self.padded = pixels
            self.place = torch.arange(pixels)
            self.rows = torch.from_numpy(walsh_order(height, width, order)[: self.count])

    def forward(self, x):
        """Return A x, (..., C, M)."""
        import torch

        if self.patterns == "fourier":
            parts = torch.view_as_real(torch.fft.fft2(x, norm="ortho")).flatten(-3)
            return self.at("weight", x) * parts[..., self.at("rows", x)]
        flat = x.reshape(*x.shape[:-2], -1)
        if self.matrix is not None:
            return flat @ self.at("matrix", x).T
        scrambled = flat.new_zeros(*flat.shape[:-1], self.padded)
        scrambled = scrambled.index_copy(-1, self.at("place", x), flat)
        return hadamard_transform(scrambled)[..., self.at("rows", x)] / self.count**0.5

    def adjoint(self, y):
        """Return Aᵀ y, (..., C, H, W)."""
        import torch

        if self.patterns == "fourier":
            parts = y.new_zeros(*y.shape[:-1], 2 * self.padded)
            parts = parts.index_copy(-1, self.at("rows", y), self.at("weight", y) * y)
            spectrum = torch.view_as_complex(parts.reshape(*y.shape[:-1], *self.shape[-2:], 2))
            return torch.fft.ifft2(spectrum, norm="ortho").real
        if self.matrix is not None:
            flat = y @ self.at("matrix", y)
        else:
            spectrum = y.new_zeros(*y.shape[:-1], self.padded).index_copy(-1, self.at("rows", y), y)
            flat = hadamard_transform(spectrum)[..., self.at("place", y)] / self.count**0.5
        return flat.reshape(*y.shape[:-1], *self.shape[-2:])

    def measured(self, picture):
        """Return the y, (C, M), that numbers of a camera, (C, 1, M), are, on the scale of A."""
        y = picture.flatten(-2)
        return (y - self.share * y.mean(-1, keepdim=True)) / self.unit

    def backproject(self, y):
        """Return Aᵀ y for dense random patterns; for others, as E[AᵀA] is not I, `patterns.least_squares_picture`."""
        return self.adjoint(y) if self.patterns in DENSE else least_squares_picture(self, y)

    def solve(self, b, rho):
        """Return (AᵀA + rho I)⁻¹ b = (b − Aᵀ(AAᵀ + rho I)⁻¹ A b) / rho (Woodbury).

        AAᵀ + rho I is a number for unpadded Hadamard and for Fourier patterns (orthogonal rows), one Cholesky factor,
        kept, for dense ones; for padded Hadamard patterns it is by conjugate gradients. All in float64: the difference
        cancels, and in float32 would be wrong by 8 % for rho = 1e-4 and as many Gaussian patterns as pixels.
        """
        exact = b.double()
        if self.matrix is not None:
            key = (exact.device, float(rho))
            if key not in self._factors:
                self._factors = {key: Dense(self, exact.new_zeros(()), rho)}
            return self._factors[key](exact / rho, self.forward(exact) / rho)[0].to(b.dtype)
        if self.padded == self.shape[-2] * self.shape[-1]:
            inner = self.forward(exact) / (self.padded / self.count + rho)
            return ((exact - self.adjoint(inner)) / rho).to(b.dtype)
        return super().solve(exact, rho, iterations=2000, tolerance=1e-6 * min(1, rho)).to(b.dtype)


def _count(pixels, compression):
    return max(1, round(pixels / compression))
