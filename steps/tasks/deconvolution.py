"""Deconvolution: y = k * x + n, with a known kernel k, by name or from a file."""

from typing import Annotated, Literal

from steps.inverse import kernels
from steps.inverse.operators import Convolution, File, LinearOperator, convolve

SYMBOLS = {
    "blur": ("blur", "Blur, its standard deviation [pixels]"),
    "kernel": ("kernel", "Kernel size [pixels]"),
    "psf": ("psf", "psf (kernel)"),
    "length": ("length", "Length of motion [pixels]"),
    "angle": ("angle", "Angle of motion [°]"),
}
WITH = {
    "psf": {
        "gaussian": ("blur", "kernel"),
        "uniform": ("kernel",),
        "disk": ("kernel",),
        "inverse_square": ("kernel",),
        "binomial": ("kernel",),
        "motion": ("length", "angle"),
    }
}
TRIED = [
    {"blur": 2.0, "kernel": 9},
    {"blur": 1.0, "kernel": 1},
    {"psf": "motion", "length": 9.0, "angle": 30.0},
    {"psf": "uniform", "kernel": 5, "boundary": "reflect"},
    {"psf": "motion", "length": 7.0, "angle": 70.0, "boundary": "valid"},
]


def kernel_of(*, blur=5.0, kernel=35, psf="gaussian", length=15.0, angle=0.0):
    """Return the kernel that the parameters of `Operator` stand for, float64 (height, width) with sum 1."""
    if isinstance(psf, str):
        return kernels.named(psf, blur=blur, kernel=kernel, length=length, angle=angle)
    return kernels.from_numbers(psf)


class Operator(Convolution):
    """Convolution with a kernel, (k * x)[i] = Σ_j k[j] x[i − (j − centre)], by default that of Anderson, section 5.1.

    psf       "gaussian", "uniform", "disk", "inverse_square", "binomial" or "motion", see `kernels.named`; or a file
              with the kernel, of any size up to the image's: see `kernels.from_numbers`.
    blur      standard deviation of the Gaussian in pixels.
    kernel    the size in pixels of those that have a name, odd, at most the image's height and width.
    length    of the motion in pixels;  angle  of it in degrees, counterclockwise from a row.
    boundary  "circular": beyond its border the image begins again at the opposite one;
              "reflect": it is mirrored there, the border's pixels twice;
              "valid": nothing is known of what lies there, and y is only that part of k * x which needs no pixel from
              there: each side is shorter by the kernel's, less one. So of a measured picture the image is larger than
              the picture, and its margin as good as the prior can tell. Source: Almeida and Figueiredo (2013).

    A circular convolution has exact solutions by FFT, and measured pictures are tapered for it (see `taper`). The
    others are solved by conjugate gradients, preconditioned by the circular one.
    Raises BadInput if a named kernel is even, or a kernel larger than the image.
    """

    def __init__(
        self,
        shape,
        *,
        blur: Annotated[float, "> 0"] = 5.0,
        kernel: Annotated[int, ">= 1", "<= 2001"] = 35,
        psf: Annotated[str, File(kernels.from_numbers, kernels.NAMES)] = "gaussian",
        length: Annotated[float, ">= 1", "<= 2000"] = 15.0,
        angle: Annotated[float, ">= -360", "<= 360"] = 0.0,
        boundary: Literal["circular", "reflect", "valid"] = "circular",
    ):
        super().__init__(shape)
        k = kernel_of(blur=blur, kernel=kernel, psf=psf, length=length, angle=angle)
        size = self.shape[-2:]
        kernels.check_size(k, size)
        self.boundary = boundary
        if boundary == "circular":
            self.transfer = kernels.response(k, size)
            return
        self.nearly = kernels.response(k, size)
        # The kernel reaches k − 1 − centre pixels before a pixel, and centre pixels behind it.
        self.before = tuple(side - 1 - side // 2 for side in k.shape)
        self.behind = tuple(side // 2 for side in k.shape)
        wide = [side + (more - 1) * (boundary == "reflect") for side, more in zip(size, k.shape)]
        self.wide = kernels.response(k, wide)

    @classmethod
    def image_shape(cls, shape, *, boundary="circular", **parameters):
        """Return the shape of the image that a measured picture of a shape is of: larger, if only that is valid."""
        if boundary != "valid":
            return tuple(shape)
        channels, height, width = shape
        tall, wide = kernel_of(**parameters).shape
        return channels, height + tall - 1, width + wide - 1

    def forward(self, x):
        """Return A x."""
        if self.transfer is not None:
            return super().forward(x)
        extended = x
        if self.boundary == "reflect":
            for axis in (-2, -1):
                extended = self._mirrored(extended, axis)
        seen = convolve(extended, self.at("wide", x))
        for axis in (-2, -1):
            seen = seen.narrow(axis, self.before[axis], seen.shape[axis] - self.before[axis] - self.behind[axis])
        return seen

    def adjoint(self, y):
        """Return Aᵀ y."""
        if self.transfer is not None:
            return super().adjoint(y)
        import torch

        padded = torch.nn.functional.pad(y, self._margins())
        x = convolve(padded, self.at("wide", y).conj())
        if self.boundary == "reflect":
            for axis in (-1, -2):
                x = self._folded(x, axis)
        return x

    def solve(self, b, rho):
        """Return (AᵀA + rho I)⁻¹ b."""
        return super().solve(b, rho) if self.transfer is not None else LinearOperator.solve(self, b, rho)

    def measured(self, picture):
        """Return the y that a measured picture is: tapered for a circular convolution, else the picture itself."""
        return super().measured(picture) if self.transfer is not None else picture

    def backproject(self, y):
        """Return y in the image's shape; where it is smaller, its border's pixels go on."""
        import torch

        return torch.nn.functional.pad(y, self._margins(), mode="replicate") if self.boundary == "valid" else y

    def _margins(self):
        """Return (left, right, top, bottom): by how many pixels y is smaller than what is convolved."""
        return tuple(margin for axis in (-1, -2) for margin in (self.before[axis], self.behind[axis]))

    def _mirrored(self, x, axis):
        """Return x with its mirror images before and behind it along an axis."""
        import torch

        before, behind, size = self.before[axis], self.behind[axis], x.shape[axis]
        first, last = x.narrow(axis, 0, before), x.narrow(axis, size - behind, behind)
        return torch.cat((first.flip(axis), x, last.flip(axis)), axis)

    def _folded(self, x, axis):
        """Return what `_mirrored` made longer, its mirror images added to where they come from: the adjoint of that."""
        import torch

        before, behind = self.before[axis], self.behind[axis]
        size = x.shape[axis] - before - behind

        def placed(part, start):
            ends = (start, size - start - part.shape[axis])
            return torch.nn.functional.pad(part, ends if axis == -1 else (0, 0, *ends))

        first, last = x.narrow(axis, 0, before).flip(axis), x.narrow(axis, before + size, behind).flip(axis)
        return x.narrow(axis, before, size) + placed(first, 0) + placed(last, size - behind)
