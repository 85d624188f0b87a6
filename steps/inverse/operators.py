"""What every forward operator A has: the base class of the tasks."""

from collections.abc import Callable
from dataclasses import dataclass


def conjugate_gradient(apply, b, start=None, iterations=100, tolerance=1e-6):
    """Solve M x = b for symmetric positive definite M, given as the function `apply(x)` = M x (Hestenes, Stiefel 1952).

    Stops after `iterations`, or when ‖b − M x‖ <= tolerance · ‖b‖. `start` is the first guess (zero).
    """
    x = 0 * b if start is None else start
    r = b if start is None else b - apply(x)
    p = r
    squared = (r * r).sum()
    limit = tolerance**2 * (b * b).sum()
    for _ in range(iterations):
        if squared <= limit:
            break
        q = apply(p)
        alpha = squared / (p * q).sum()
        x = x + alpha * p
        r = r - alpha * q
        previous, squared = squared, (r * r).sum()
        p = r + (squared / previous) * p
    return x


def convolve(x, transfer):
    """Return F⁻¹(transfer · F x) for images x (…, H, W) and a frequency response (H, W // 2 + 1) for rfft2."""
    import torch

    return torch.fft.irfft2(transfer * torch.fft.rfft2(x), s=x.shape[-2:])


@dataclass(frozen=True)
class File:
    """Says that an operator's parameter is a file's content:  psf: Annotated[str | None, File(kernel)] = None.

    In a config and in a path its value is the file's name under `files`; the operator is given  check(numbers, size),
    with the numbers in the file, float64, and the image's (height, width). With size None, before images are known, it
    is called to see whether the numbers can be that parameter. Raises BadInput if not.
    """

    check: Callable


class LinearOperator:
    """A linear map A from images (..., C, H, W) to measurements, the same for every channel.

    A task subclasses it as `Operator(shape, *, name=default, …)` and gives `forward(x)` = A x and `adjoint(y)` = Aᵀ y
    in torch: differentiable, on the device and in the dtype of their argument, with any leading batch dimensions.
    `solve` is by conjugate gradients unless the task knows better. Attributes:

    shape     (C, H, W) of the image.
    identity  True if A = I, so that a denoiser is a recovery method.
    transfer  the frequency response (H, W // 2 + 1) for `torch.fft.rfft2` if A is a circular convolution, else None.
    matrix    A of one channel, (M, H · W), if it is dense, else None.
    pictures  True (of the class) if measurements are pictures of the image's shape: then a photo may be one.
    """

    identity = False
    transfer = None
    matrix = None
    pictures = False

    def __init__(self, shape):
        self.shape = tuple(shape)
        self._copies = {}

    def solve(self, b, rho, iterations=500, tolerance=1e-6):
        """Return (AᵀA + rho I)⁻¹ b for rho > 0; b has the image's shape."""
        return conjugate_gradient(
            lambda x: self.adjoint(self.forward(x)) + rho * x, b, iterations=iterations, tolerance=tolerance
        )

    def backproject(self, y):
        """Return what one sees before any recovery, in the image's shape: y itself if it is an image, else Aᵀ y."""
        return y if tuple(y.shape[-3:]) == self.shape else self.adjoint(y)

    def at(self, name, like):
        """Return the tensor attribute `name` on the device and in the precision of `like`, converted once."""
        tensor = getattr(self, name)
        dtype = like.dtype.to_complex() if tensor.is_complex() else like.dtype
        key = (name, like.device, dtype)
        if key not in self._copies:
            self._copies[key] = tensor.to(device=like.device, dtype=dtype)
        return self._copies[key]


class Convolution(LinearOperator):
    """A circular convolution, given by its `transfer`: y = F⁻¹(transfer · F x); everything is exact by FFT."""

    pictures = True

    def forward(self, x):
        """Return A x."""
        return convolve(x, self.at("transfer", x))

    def adjoint(self, y):
        """Return Aᵀ y."""
        return convolve(y, self.at("transfer", y).conj())

    def solve(self, b, rho):
        """Return (AᵀA + rho I)⁻¹ b by FFT."""
        return convolve(b, 1 / (self.at("transfer", b).abs() ** 2 + rho))
