"""Blur kernels: those that have a name, and those in a file. All have sum 1 and are float64 (height, width)."""

import numpy as np

from steps.base.errors import BadInput
from steps.inverse.operators import one_channel

FINE = 32  # points along each side of a pixel that a disk's edge is drawn by; a hundred times as many along a path


def named(psf, *, blur, kernel, length, angle):
    """Return the kernel of a name; i and j are the distances from its centre in pixels.

    gaussian        exp(−(i² + j²) / (2 blur²)), kernel × kernel.
    uniform         1, kernel × kernel: a box.
    disk            a disk of `kernel` pixels in diameter, a lens out of focus: the share of each pixel that is in it.
    inverse_square  1 / (1 + i² + j²), kernel × kernel.
    binomial        the outer product of a row of Pascal's triangle: [1 4 6 4 1] for a kernel of 5.
    motion          a straight path of `length` pixels at `angle` degrees, counterclockwise from a row: the share of it
                    that lies in each pixel.

    Raises BadInput for an even `kernel`, which has no centre.
    """
    if psf == "motion":
        return _motion(length, angle)
    if kernel % 2 == 0:
        raise BadInput(f"kernel: {kernel} is not allowed; must be odd, so that it has a centre")
    offset = np.arange(kernel) - (kernel - 1) / 2
    square = offset[:, None] ** 2 + offset**2
    if psf == "gaussian":
        k = gaussian(kernel, blur)
    elif psf == "uniform":
        k = np.ones((kernel, kernel))
    elif psf == "disk":
        k = _disk(kernel)
    elif psf == "inverse_square":
        k = 1 / (1 + square)
    else:
        line = np.array([1.0])
        for _ in range(kernel - 1):
            line = np.convolve(line, [0.5, 0.5])
        k = np.outer(line, line)
    return k / k.sum()


NAMES = ("gaussian", "uniform", "disk", "inverse_square", "binomial", "motion")


def gaussian(size, width):
    """Return the size × size Gaussian kernel of standard deviation `width` pixels, centred."""
    offset = np.arange(size, dtype=np.float64) - (size - 1) / 2
    line = np.exp(-(offset**2) / max(2 * width**2, 1e-300))
    return np.outer(line, line) / line.sum() ** 2


def from_numbers(numbers, size=None):
    """Return the kernel in an array, divided by its sum; of three equal channels, or of a single one, that one.

    Values may be negative, and sides even: the centre is the value at the index size // 2 of each side. Raises BadInput
    for another shape, for colour, for values that are not finite, for a sum of 0, and for a kernel that is larger than
    the image of a size (height, width).
    """
    shape = numbers.shape
    numbers = one_channel(numbers)
    if numbers.ndim != 2 or not numbers.size:
        raise BadInput(f"shape {shape} is no kernel; must be (height, width), gray")
    if not np.isfinite(numbers).all():
        raise BadInput("the kernel has values that are not finite")
    numbers = numbers / (np.abs(numbers).max() or 1)  # so that no sum is too large
    total, most = numbers.sum(), np.abs(numbers).sum()
    if abs(total) <= 1e-6 * most:
        raise BadInput(f"the kernel's values sum to {total:.2g}; must be another sum than 0, which becomes 1")
    check_size(numbers, size)
    return numbers / total


def check_size(kernel, size):
    """Raise BadInput for a kernel that is larger than an image of a size (height, width), if that is known."""
    height, width = kernel.shape
    if size and (height > size[0] or width > size[1]):
        raise BadInput(f"the {height}x{width} kernel is larger than the {size[0]}x{size[1]} image")


def response(kernel, size):
    """Return the frequency response (H, W // 2 + 1) of a kernel for images of a size (H, W): a complex128 tensor."""
    import torch

    padded = torch.zeros(*size, dtype=torch.float64)
    padded[: kernel.shape[0], : kernel.shape[1]] = torch.from_numpy(kernel)
    return torch.fft.rfft2(padded.roll((-(kernel.shape[0] // 2), -(kernel.shape[1] // 2)), (0, 1)))


def _disk(kernel):
    fine = ((np.arange(kernel * FINE) + 0.5) / FINE - kernel / 2).reshape(kernel, FINE)
    rows = [(row[:, None] ** 2 + fine.reshape(1, -1) ** 2 <= (kernel / 2) ** 2).mean(0) for row in fine]
    return np.array(rows).reshape(kernel, kernel, FINE).mean(2)


def _motion(length, angle):
    count = int(np.ceil(100 * FINE * length))
    along = length * ((np.arange(count) + 0.5) / count - 0.5)
    rows = np.rint(-np.sin(np.radians(angle)) * along).astype(int)
    columns = np.rint(np.cos(np.radians(angle)) * along).astype(int)
    tall, wide = np.abs(rows).max(), np.abs(columns).max()
    k = np.zeros((2 * tall + 1, 2 * wide + 1))
    np.add.at(k, (rows + tall, columns + wide), 1 / count)
    return (k + k[::-1, ::-1]) / 2  # a path is the same from either end
