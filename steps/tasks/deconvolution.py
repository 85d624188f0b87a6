"""Deconvolution: y = k * x + n, with a known kernel k, Gaussian or from a file, and a circular boundary."""

from typing import Annotated

from steps.base.errors import BadInput
from steps.inverse.operators import Convolution, File

SYMBOLS = {"blur": ("blur", "Blur σ [pixels]"), "kernel": ("kernel", "Kernel size [pixels]"), "psf": ("PSF", "PSF")}
EITHER = (("blur", "kernel"), ("psf",))  # one in the place of the other; the first if none is said
TRIED = [{"blur": 2.0, "kernel": 9}, {"blur": 1.0, "kernel": 1}]


def gaussian(size, width):
    """Return the size × size Gaussian kernel of standard deviation `width` pixels, centred, with sum 1, float64."""
    import torch

    offset = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    line = torch.exp(-(offset**2) / (2 * width**2))
    return torch.outer(line, line) / line.sum() ** 2


def point_spread(numbers, size=None):
    """Return the kernel in an array, divided by its sum, float64 (height, width); one gray channel is taken off.

    Values may be negative. Raises BadInput for another shape, for values that are not finite, for a sum of 0, and for a
    kernel that is larger than the image of a size (height, width).
    """
    import numpy as np

    shape = numbers.shape
    if len(shape) == 3 and 1 in (shape[0], shape[-1]):
        numbers = numbers[0] if shape[0] == 1 else numbers[..., 0]
    if numbers.ndim != 2 or not numbers.size:
        raise BadInput(f"shape {shape} is no kernel; must be (height, width), gray")
    if not np.isfinite(numbers).all():
        raise BadInput("the kernel has values that are not finite")
    total, most = numbers.sum(), np.abs(numbers).sum()
    if abs(total) <= 1e-6 * most:
        raise BadInput(f"the kernel's values sum to {total:.2g}; must be another sum than 0, which becomes 1")
    height, width = numbers.shape
    if size and (height > size[0] or width > size[1]):
        raise BadInput(f"the {height}x{width} kernel is larger than the {size[0]}x{size[1]} image")
    return numbers / total


class Operator(Convolution):
    """Circular convolution with a kernel, by default Gaussian (Anderson, section 5.1: blur 5 px); y has x's shape.

    blur    standard deviation of the Gaussian in pixels.
    kernel  its size in pixels, odd, at most the image's height and width.
    psf     in their place a file with the kernel, of any size up to the image's: see `point_spread`. Its centre is the
            value at the index size // 2 of each side; (k * x)[i] = Σ_j k[j] x[i − (j − centre)].

    Raises BadInput if the kernel is even or larger than the image.
    """

    def __init__(
        self,
        shape,
        *,
        blur: Annotated[float, "> 0"] = 5.0,
        kernel: Annotated[int, ">= 1"] = 35,
        psf: Annotated[str | None, File(point_spread)] = None,
    ):
        import torch

        super().__init__(shape)
        height, width = self.shape[-2:]
        if psf is None and kernel % 2 == 0:
            raise BadInput(f"kernel: {kernel} is not allowed; must be odd, so that it has a centre")
        if psf is None and kernel > min(height, width):
            raise BadInput(f"kernel: {kernel} is larger than the {height}x{width} image; at most {min(height, width)}")
        k = gaussian(kernel, blur) if psf is None else torch.from_numpy(point_spread(psf, (height, width)))
        padded = torch.zeros(height, width, dtype=torch.float64)
        padded[: k.shape[0], : k.shape[1]] = k
        self.transfer = torch.fft.rfft2(padded.roll((-(k.shape[0] // 2), -(k.shape[1] // 2)), (0, 1)))
