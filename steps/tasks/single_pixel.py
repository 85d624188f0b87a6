"""Single-pixel camera: y = A x + n with M = N / compression patterns for N pixels."""

from typing import Annotated, Literal

import numpy as np

from steps.base.errors import BadInput
from steps.inverse.dense import Dense
from steps.inverse.operators import LinearOperator

SYMBOLS = {"compression": ("N/M", "Pixels / patterns N/M")}
TRIED = [{"compression": 1.0}, {"patterns": "hadamard"}, {"patterns": "hadamard", "compression": 5.0, "seed": 3}]
LARGEST = 4 * 2**30  # bytes of dense patterns in float32


def hadamard_transform(x):
    """Return H x along the last dimension of size P, a power of 2, in P log P steps; H is Sylvester's ±1 matrix."""
    import torch

    shape = x.shape
    step = 1
    while step < shape[-1]:
        pairs = x.reshape(*shape[:-1], -1, 2, step)
        x = torch.stack((pairs[..., 0, :] + pairs[..., 1, :], pairs[..., 0, :] - pairs[..., 1, :]), dim=-2)
        step *= 2
    return x.reshape(shape)


def memory_mb(image_mb, *, compression, patterns, **_):
    """Return the MB of dense patterns, a filtered copy or one in float64, and their factor: for a gray image's MB."""
    pixels = image_mb * 1e6 / 4
    dense = min(4 * pixels * pixels / compression, LARGEST) / 1e6
    return (3 + 3 / compression) * dense if patterns == "gaussian" else 16 * image_mb


class Operator(LinearOperator):
    """M patterns measure the N pixels of each channel; y is (C, M), M = round(N / compression).

    compression  N / M, at least 1 (the paper's compression factor).
    patterns     "gaussian": dense, entries N(0, 1/M), the paper's;
                 "hadamard": entries ±1/√M, rows of a Hadamard matrix with its pixels scrambled, never stored. The image
                 is padded with zeros to a power of two; the constant pattern is always the first.
    seed         of the patterns (the corruption's noise has the same seed and its own generator).

    Both have rows of squared norm N/M, so E[AᵀA] = I and one sigma is the same noise for both.
    Raises BadInput if dense patterns would take more than 4 GiB. Source: Duarte et al. (2008), Anderson 5.3.
    """

    def __init__(
        self,
        shape,
        *,
        compression: Annotated[float, ">= 1"] = 2.0,
        patterns: Literal["gaussian", "hadamard"] = "gaussian",
        seed: Annotated[int, ">= 0"] = 0,
    ):
        import torch

        super().__init__(shape)
        pixels = self.shape[-2] * self.shape[-1]
        self.count = max(1, round(pixels / compression))
        self.patterns = patterns
        self._factors = {}
        random = np.random.default_rng([seed, 1])  # [seed, 0] draws the noise
        if patterns == "gaussian":
            if 4 * self.count * pixels > LARGEST:
                raise BadInput(
                    f"patterns: {self.count} gaussian patterns of {self.shape[-2]}x{self.shape[-1]} pixels take "
                    f"{4 * self.count * pixels / 2**30:.0f} GiB, over {LARGEST / 2**30:.0f}; use patterns=hadamard"
                )
            matrix = random.standard_normal((self.count, pixels), dtype=np.float32)
            self.matrix = torch.from_numpy(matrix).div_(self.count**0.5)
        else:
            self.padded = 1 << (pixels - 1).bit_length()
            self.place = torch.from_numpy(random.permutation(self.padded)[:pixels].copy())
            rows = 1 + random.permutation(self.padded - 1)[: self.count - 1]
            self.rows = torch.from_numpy(np.concatenate([[0], np.sort(rows)]))

    def forward(self, x):
        """Return A x, (..., C, M)."""
        flat = x.reshape(*x.shape[:-2], -1)
        if self.patterns == "gaussian":
            return flat @ self.at("matrix", x).T
        scrambled = flat.new_zeros(*flat.shape[:-1], self.padded)
        scrambled = scrambled.index_copy(-1, self.at("place", x), flat)
        return hadamard_transform(scrambled)[..., self.at("rows", x)] / self.count**0.5

    def adjoint(self, y):
        """Return Aᵀ y, (..., C, H, W)."""
        if self.patterns == "gaussian":
            flat = y @ self.at("matrix", y)
        else:
            spectrum = y.new_zeros(*y.shape[:-1], self.padded).index_copy(-1, self.at("rows", y), y)
            flat = hadamard_transform(spectrum)[..., self.at("place", y)] / self.count**0.5
        return flat.reshape(*y.shape[:-1], *self.shape[-2:])

    def solve(self, b, rho):
        """Return (AᵀA + rho I)⁻¹ b = (b − Aᵀ(AAᵀ + rho I)⁻¹ A b) / rho (Woodbury).

        AAᵀ + rho I is a number for unpadded Hadamard patterns (orthogonal rows), one Cholesky factor, kept, for
        Gaussian ones; for padded Hadamard patterns it is by conjugate gradients. All in float64: the difference
        cancels, and in float32 would be wrong by 8 % for rho = 1e-4 and as many Gaussian patterns as pixels.
        """
        exact = b.double()
        if self.patterns == "gaussian":
            key = (exact.device, float(rho))
            if key not in self._factors:
                self._factors = {key: Dense(self, exact.new_zeros(()), rho)}
            return self._factors[key](exact / rho, self.forward(exact) / rho)[0].to(b.dtype)
        if self.padded == self.shape[-2] * self.shape[-1]:
            inner = self.forward(exact) / (self.padded / self.count + rho)
            return ((exact - self.adjoint(inner)) / rho).to(b.dtype)
        return super().solve(exact, rho, iterations=2000, tolerance=1e-6 * min(1, rho)).to(b.dtype)
