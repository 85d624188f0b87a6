"""What every forward operator A has: the base class of the tasks."""

from collections.abc import Callable
from dataclasses import dataclass

from steps.base.errors import BadInput


def conjugate_gradient(apply, b, start=None, iterations=100, tolerance=1e-6, precondition=None):
    """Solve M x = b for symmetric positive definite M, given as the function `apply(x)` = M x (Hestenes, Stiefel 1952).

    Stops after `iterations`, or when ‖b − M x‖ <= tolerance · ‖b‖. `start` is the first guess (zero);
    precondition(r) is about M⁻¹ r, itself symmetric and positive definite.
    """
    x = 0 * b if start is None else start
    r = b if start is None else b - apply(x)
    p = z = precondition(r) if precondition else r
    squared, product = (r * r).sum(), (r * z).sum()
    limit = tolerance**2 * (b * b).sum()
    for _ in range(iterations):
        if squared <= limit:
            break
        q = apply(p)
        alpha = product / (p * q).sum()
        x = x + alpha * p
        r = r - alpha * q
        z = precondition(r) if precondition else r
        squared, previous, product = (r * r).sum(), product, (r * z).sum()
        p = z + (product / previous) * p
    return x


def convolve(x, transfer):
    """Return F⁻¹(transfer · F x) for images x (…, H, W) and a frequency response (H, W // 2 + 1) for rfft2."""
    import torch

    return torch.fft.irfft2(transfer * torch.fft.rfft2(x), s=x.shape[-2:])


@dataclass(frozen=True)
class File:
    """Says that an operator's parameter is a file's content:  mask: Annotated[str | None, File(as_mask)] = None.

    In a config and in a path its value is the file's name under `files`; the operator is given  check(numbers, size),
    with the numbers in the file, float64, and the image's (height, width). With size None, before images are known, it
    is called to see whether the numbers can be that parameter. Raises BadInput if not.
    `words` are values that are no files; the operator is given them as they are.
    """

    check: Callable
    words: tuple = ()


def one_channel(numbers):
    """Return the gray picture (H, W) in an array from a file: of one channel that, of three equal ones the first.

    Channels may come first or last. What is no such array comes back as it is.
    """
    if numbers.ndim == 3:
        for channels in (numbers.transpose(2, 0, 1), numbers):
            if len(channels) == 1 or (len(channels) == 3 and (channels == channels[0]).all()):
                return channels[0]
    return numbers


class LinearOperator:
    """A linear map A from images (..., C, H, W) to measurements, the same for every channel unless it says `channels`.

    A task subclasses it as `Operator(shape, *, name=default, …)` and gives `forward(x)` = A x and `adjoint(y)` = Aᵀ y
    in torch: differentiable, on the device and in the dtype of their argument, with any leading batch dimensions.
    `solve` is by conjugate gradients unless the task knows better. Attributes:

    shape     (C, H, W) of the image.
    identity  True if A = I, so that a denoiser is a recovery method.
    transfer  the frequency response (H, W // 2 + 1) for `torch.fft.rfft2` if A is a circular convolution, else None.
    nearly    that of a circular convolution near to A, if there is one: it makes conjugate gradients faster.
    matrix    A of one channel, (M, H · W), if it is dense, else None.
    channels  (of the class) the number of channels that images must have, None for any.
    pictures  True (of the class) if a photo may be a measurement: see `image_shape` and `measured`.
    alike     True (of the class) if y itself is a picture like the image, with which the truth can be compared.
    numbers   True (of the class) if M numbers may be a measurement; `image_shape`, `measured` get them as (C, 1, M).
    blind     True if A sees nothing of an image's mean, so that what is recovered of it is a guess.
    unit      numbers that are given, and their sigma, are on a scale that is unit times A's; `measured` divides by it.
    """

    identity = False
    transfer = None
    nearly = None
    matrix = None
    channels = None
    pictures = False
    alike = False
    numbers = False
    blind = False
    unit = 1.0

    @classmethod
    def image_shape(cls, shape, **parameters):
        """Return the shape (C, H, W) of the image that a measured picture of a shape (C, H, W) is of: here the same.

        parameters are the operator's, of which those that are files are arrays.
        """
        return tuple(shape)

    def measured(self, picture):
        """Return the y that a measured picture (C, H, W) is: here itself."""
        return picture

    def __init__(self, shape):
        self.shape = tuple(shape)
        self._copies = {}
        if self.channels and self.shape[0] != self.channels:
            task = type(self).__module__.rpartition(".")[2]
            raise BadInput(f"{task}: the image has {self.shape[0]} channel; must have {self.channels}")

    def solve(self, b, rho, iterations=500, tolerance=1e-6):
        """Return (AᵀA + rho I)⁻¹ b for rho > 0; b has the image's shape."""

        def apply(x):
            return self.adjoint(self.forward(x)) + rho * x

        inverse = 1 / (self.at("nearly", b).abs() ** 2 + rho) if self.nearly is not None else None
        precondition = None if inverse is None else lambda r: convolve(r, inverse)
        return conjugate_gradient(apply, b, None, iterations, tolerance, precondition)

    def guess(self, y):
        """Return (x, about the standard deviation of its error), a first guess, or None: here none is known."""
        return None

    def backproject(self, y):
        """Return what one sees before any recovery, in the image's shape: y itself if it is an image, else Aᵀ y."""
        return y if tuple(y.shape[-3:]) == self.shape else self.adjoint(y)

    def at(self, name, like):
        """Return the tensor attribute `name` where `like` is, copied once: a CUDA graph cannot copy it.

        Its numbers are in the precision of `like`; indices stay as they are.
        """
        tensor = getattr(self, name)
        dtype = like.dtype.to_complex() if tensor.is_complex() else like.dtype
        dtype = dtype if tensor.is_complex() or tensor.is_floating_point() else tensor.dtype
        key = (name, like.device, dtype)
        if key not in self._copies:
            self._copies[key] = tensor.to(device=like.device, dtype=dtype)
        return self._copies[key]


class Convolution(LinearOperator):
    """A circular convolution, given by its `transfer`: y = F⁻¹(transfer · F x); everything is exact by FFT."""

    pictures = True
    alike = True

    def forward(self, x):
        """Return A x."""
        return convolve(x, self.at("transfer", x))

    def adjoint(self, y):
        """Return Aᵀ y."""
        return convolve(y, self.at("transfer", y).conj())

    def measured(self, picture):
        """Return a picture with borders as a circular convolution would have measured them, see `taper`."""
        return taper(picture, self)

    def solve(self, b, rho):
        """Return (AᵀA + rho I)⁻¹ b by FFT."""
        return convolve(b, 1 / (self.at("transfer", b).abs() ** 2 + rho))


def _correlation(line):
    """Return the autocorrelation (n,) of a circular kernel (n,) of one dimension, of period n − 1: 1 at both ends."""
    import torch

    n = len(line)
    full = torch.fft.irfft(torch.fft.rfft(line.roll(n // 2), 2 * n).abs() ** 2, 2 * n)  # of lag l at the index l
    lags = torch.arange(1 - n, n)
    found = full.new_zeros(max(n - 1, 1)).index_add(0, lags % max(n - 1, 1), full[lags])
    return torch.cat((found, found[:1]))[:n] / found[0]


def taper(y, A):
    """Return y (C, H, W) with borders as the circular convolution A would have measured them.

    w · y + (1 − w) · A y, with w one minus the kernel's autocorrelation along each side: 0 at both borders, 1 from the
    kernel's size on. A photo's scene goes on beyond its border, A's begins again at the opposite one; taken as it is,
    the step between them would ring through the whole recovery. The rule is that of MATLAB's edgetaper.
    """
    import torch

    kernel = torch.fft.irfft2(A.transfer, s=A.shape[-2:])
    w = torch.outer(*(1 - _correlation(line) for line in (kernel.sum(1), kernel.sum(0)))).to(y)
    return w * y + (1 - w) * A.forward(y)
