"""Demosaicking: y = M x + n, where M keeps one of the three colours of each pixel, as a camera's Bayer filter does."""

from typing import Literal

from steps.base.errors import BadInput
from steps.inverse.operators import LinearOperator

SYMBOLS = {"pattern": ("pattern", "Bayer pattern")}
TRIED = [{"pattern": "BGGR"}, {"pattern": "GRBG"}, {"pattern": "GBRG"}]


class Operator(LinearOperator):
    """The Bayer mosaic of colour images; y is (1, H, W).

    pattern  the colours of the four pixels at the top left, row by row, repeated all over the image.

    Raises BadInput if the image is not in colour, or has fewer than 2 pixels a side. Source: Bayer (1976).
    """

    channels = 3
    pictures = True

    @classmethod
    def image_shape(cls, shape, **parameters):
        """Return (3, H, W) for a raw mosaic, gray, (1, H, W). Raises BadInput if it has colours."""
        if shape[0] != 1:
            raise BadInput(f"demosaicking: the mosaic has {shape[0]} channels; must have 1, gray")
        return (3, *shape[1:])

    def __init__(self, shape, *, pattern: Literal["RGGB", "BGGR", "GRBG", "GBRG"] = "RGGB"):
        import torch

        super().__init__(shape)
        height, width = self.shape[-2:]
        if min(height, width) < 2:
            raise BadInput(f"demosaicking: the {height}x{width} image is too small; must have 2 pixels a side")
        self.mask = torch.zeros(self.shape)
        for place, colour in enumerate(pattern):
            self.mask["RGB".index(colour), place // 2 :: 2, place % 2 :: 2] = 1

    def forward(self, x):
        """Return M x, (..., 1, H, W)."""
        return (self.at("mask", x) * x).sum(-3, keepdim=True)

    def adjoint(self, y):
        """Return Mᵀ y, (..., 3, H, W): 0 where a colour is not seen."""
        return self.at("mask", y) * y

    def solve(self, b, rho):
        """Return (MᵀM + rho I)⁻¹ b: MᵀM is diagonal, 1 where a colour is seen."""
        return b / (self.at("mask", b) + rho)

    def guess(self, y):
        """Return (x, 0.05): Malvar, He and Cutler's interpolation, and about the standard deviation of its error."""
        from steps.inverse import mosaic

        return mosaic.malvar(y, self), 0.05
