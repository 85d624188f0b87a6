"""Deconvolution: y = k * x + n, with a known Gaussian kernel k and a circular boundary."""

from typing import Annotated

from steps.base.errors import BadInput
from steps.inverse.operators import Convolution

SYMBOLS = {"blur": ("blur", "Blur σ [pixels]"), "kernel": ("kernel", "Kernel size [pixels]")}
TRIED = [{"blur": 2.0, "kernel": 9}, {"blur": 1.0, "kernel": 1}]


def gaussian(size, width):
    """Return the size × size Gaussian kernel of standard deviation `width` pixels, centred, with sum 1, float64."""
    import torch

    offset = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    line = torch.exp(-(offset**2) / (2 * width**2))
    return torch.outer(line, line) / line.sum() ** 2


class Operator(Convolution):
    """Circular convolution with a Gaussian kernel (Anderson, section 5.1: blur 5 px); y has the shape of x.

    blur    standard deviation of the kernel in pixels.
    kernel  its size in pixels, odd, at most the image's height and width.

    Raises BadInput if the kernel is even or larger than the image.
    """

    def __init__(self, shape, *, blur: Annotated[float, "> 0"] = 5.0, kernel: Annotated[int, ">= 1"] = 35):
        import torch

        super().__init__(shape)
        height, width = self.shape[-2:]
        if kernel % 2 == 0:
            raise BadInput(f"kernel: {kernel} is not allowed; must be odd, so that it has a centre")
        if kernel > min(height, width):
            raise BadInput(f"kernel: {kernel} is larger than the {height}x{width} image; at most {min(height, width)}")
        padded = torch.zeros(height, width, dtype=torch.float64)
        padded[:kernel, :kernel] = gaussian(kernel, blur)
        centred = padded.roll((-(kernel // 2), -(kernel // 2)), (0, 1))
        self.transfer = torch.fft.rfft2(centred)
