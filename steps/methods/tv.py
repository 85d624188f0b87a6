"""Total variation by ADMM: the image with the sparsest gradient that explains the measurement."""

import math
from typing import Annotated, Literal

LABEL = "TV"
LOOK = ("#009E73", "s")
QUICK = {"iterations": 6}
LOCAL = 64  # how far away its estimate of a pixel looks, nearly


def needs(image_mb, *, iterations, identity, **_):
    """Return (MB of memory, minutes) for an image of so many MB, with a margin.

    Measured at 512 pixels; where A = I, `identity`, up to 24 megapixels.
    """
    return 1000 + 150 * image_mb, 5 + iterations * image_mb / (4000 if identity else 12)


def recover(
    y,
    A,
    sigma,
    *,
    lam: Annotated[float | None, "> 0"] = None,
    rho: Annotated[float | None, "> 0"] = None,
    iterations: Annotated[int, ">= 1"] = 100,
    kind: Literal["isotropic", "anisotropic"] = "isotropic",
    inner: Annotated[int | None, ">= 1"] = None,
    clipped: bool = False,
    callback=None,
):
    """Return x̂ = argmin ½‖A x − y‖² + lam · TV(x), the shape of the image, from `iterations` of ADMM on z = D x.

    kind  "isotropic": TV(x) = Σ √(Σ_c (∂h x_c)² + (∂v x_c)²), the colours' edges coupled (Bresson, Chan 2008);
          "anisotropic": TV(x) = Σ |∂h x| + |∂v x|, Anderson's. D are periodic forward differences.
    lam   weight; by default that of `weight`, from the noise's standard deviation sigma, the size of Aᵀ(noise), and
          colours where they are coupled.
    rho   ADMM's penalty, by default 5 · lam, so that gradients below 0.2 are shrunk to zero at first.
    inner  conjugate gradient steps, from the last x, in the place of an exact x-step; not for a convolution, and by
          default not where A is dense, either; else 20.
    clipped  undo what clipping the noisy image to [0, 1] did to its mean, after a TV whose weight is that of the noise
          it has left (steps/inverse/clipping.py); for denoising only.

    Calls callback(iteration, x, objective). Source: Boyd et al. (2011), 6.4.1; Anderson, section 5.1.
    """
    from steps.base.errors import BadInput
    from steps.inverse import clipping
    from steps.inverse.solvers import admm, gradient, smoothest

    if clipped and not A.identity:
        raise BadInput("clipped: true is for denoising only, where the image itself is measured")
    noise = clipping.spread(y, sigma) if clipped else sigma
    lam = lam or weight(A, y, noise, coupled=kind == "isotropic")
    rho = rho or 5 * lam
    if inner and A.transfer is not None:
        raise BadInput("inner: not allowed where A is a convolution, whose x-step is exact")
    step = smoothest(A, y, rho, exact=inner is None, iterations=inner or 20, tolerance=1e-6)
    Aty = A.adjoint(y)

    def minimise(v, x):
        return step(v, x[0])

    def prox(v):
        return shrink(v, lam / rho, kind)

    def finish(image):
        return clipping.undo(image, sigma).clamp(0, 1) if clipped else image

    def report(x, _):
        image, seen = x
        return finish(image), (seen - y).square().sum() / 2 + lam * length(gradient(image), kind).sum()

    return finish(admm(minimise, prox, lambda x: gradient(x[0]), (Aty, None), iterations, callback, report)[0][0])


def length(z, kind):
    """Return what TV sums of a gradient z (2, C, H, W): |z|, or its norm over directions and channels (1, 1, H, W)."""
    return z.abs() if kind == "anisotropic" else z.square().sum((0, 1), keepdim=True).sqrt()


def shrink(v, threshold, kind):
    """Return argmin_z ½‖z − v‖² + threshold · Σ length(z) = v · max(1 − threshold / length(v), 0): soft threshold."""
    return v * (1 - threshold / length(v, kind).clamp(min=1e-12)).clamp(min=0)


def weight(A, y, sigma, coupled):
    """Return the default weight  0.85 · √C · sigma · h · s / (s + 0.02)  with  s = g · sigma,  where for white noise n

        g  is the root mean square of Aᵀ n, that of A's columns,
        h  is that of the smallest w with Dᵀ w = Aᵀ n, up to its mean: |w| < lam is what TV takes for noise.

    Where there is little noise, that is a maximum a posteriori weight, sigma² over a gradient's size. C is the number
    of channels if they are `coupled`, else 1. sigma is kept above 0.001, and the weight above 1e-8; n is one fixed
    draw. The numbers are found by search (docs/decisions.md).
    """
    import torch

    n = torch.randn(y.shape, generator=torch.Generator().manual_seed(0))
    power = torch.fft.fft2(A.adjoint(n.to(y)), norm="ortho").abs().square()
    rows, columns = (2 - 2 * torch.cos(2 * math.pi * torch.fft.fftfreq(size)) for size in A.shape[-2:])
    response = (rows[:, None] + columns).to(y)  # of DᵀD
    response[0, 0] = math.inf
    g, h = float(power.mean().sqrt()), float((power / response).mean().sqrt())
    sigma = max(sigma, 0.001)
    found = 0.85 * (A.shape[0] if coupled else 1) ** 0.5 * sigma * h * g * sigma / (g * sigma + 0.02)
    return max(found, 1e-8)  # 0 if A sees nothing but the mean
