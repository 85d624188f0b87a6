"""Wiener filter: the best linear estimate for a Gaussian image model."""

from typing import Annotated, Literal

LABEL = "Wiener"
LOOK = ("#0072B2", "o")
PHOTOGRAPH = 0.08**2  # usual mean of |∇x|² in photographs on [0, 1]


def needs(image_mb, **_):
    """Return (MB of memory, minutes) for an image of so many MB: measured up to 24 megapixels, with a margin."""
    return 700 + 12 * image_mb, 5


def recover(
    y,
    A,
    sigma,
    *,
    prior: Literal["smooth", "white"] = "smooth",
    K: Annotated[float | None, "> 0"] = None,
    callback=None,
    noise=None,
):
    """Return x̂ = argmin ‖A x − y‖² + K ‖L x‖² = (AᵀA + K LᵀL)⁻¹ Aᵀ y, the shape of the image.

    prior  "smooth": L is the gradient (periodic differences), so that image power falls as 1/f², as in photographs;
           K = sigma² / g with g the mean of |∇x|², see `gradient_power`.
           "white": L = I, the textbook filter conj(H)·Y / (|H|² + K) when A is a convolution; K = sigma / mean(y), as
           Anderson's table 1 has it (mean(Aᵀ y) stands for the mean brightness when y is no image).
    K      replaces these values. They are at least 1e-4, so that A need not have an inverse; a K that is given is used
           as it is. On a photograph with sigma below about 0.003 the smooth prior's K is this 1e-4.

    sigma is the noise's standard deviation: all that a linear estimate has to know of any noise. `noise` is named so
    that images with Poisson noise come as they are, not transformed: a mean of square roots would have a bias at edges.
    Exact if A is a convolution or dense; else by conjugate gradients. On a CPU a convolution is undone channel by
    channel, which are independent: so a large picture takes a third of the memory.
    """
    import torch

    if prior == "white":
        K = K or max(sigma / max(float(A.backproject(y).mean()), 1e-2), 1e-4)
    else:
        K = K or max(sigma**2 / gradient_power(y, A, sigma), 1e-4)
    if A.transfer is None or y.is_cuda:
        return filtered(y, A, K, prior, A.shape)
    x = torch.empty_like(y)
    for channel, found in zip(y, x, strict=True):
        found[:] = filtered(channel, A, K, prior, channel.shape)
    return x


def filtered(y, A, K, prior, shape):
    """Return what `recover` does for a given K, in the shape of the image, or of a channel that y is."""
    from steps.inverse.solvers import gradient, nearest, smoothest

    nothing = y.new_zeros(shape)
    if prior == "white":
        return nearest(A, y, K)(nothing, 0 * y)[0]
    return smoothest(A, y, K)(gradient(nothing), nothing)[0]


def gradient_power(y, A, sigma):
    """Return g = mean |∇x|² as estimated from y: if the power of x falls as g / |D|², then E |∇y|² = g ‖k‖² + 4 sigma².

    k is the kernel of the convolution A. At least PHOTOGRAPH, since clipping removes noise and the subtraction may then
    leave little or nothing; PHOTOGRAPH also if A is no convolution.
    """
    import torch

    from steps.inverse.solvers import gradient

    if A.transfer is None:
        return PHOTOGRAPH
    kernel = torch.fft.irfft2(A.transfer, s=A.shape[-2:])
    power = torch.stack([gradient(channel).square().sum(0) for channel in y]).mean() - 4 * sigma**2
    return max(float(power / kernel.square().sum()), PHOTOGRAPH)
