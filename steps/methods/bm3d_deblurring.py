"""BM3D deblurring: a regularised inverse filter, then BM3D for its coloured noise, done twice; for convolutions."""

from typing import Annotated, Literal

PROFILES = {  # of BM3D, see `collaborative.estimate`
    "fast": {"step": 4, "reach": (12, 12), "size": (32, 16), "threshold": (3.2, 3.2), "kaiser": 1.0},
    "normal": {"step": 2, "reach": (19, 19), "size": (64, 16), "threshold": (3.2, 3.2), "kaiser": 1.0},
}
LABEL = "BM3D deblurring"
LOOK = ("#000000", "8")
GPU = True
TASKS = ("deconvolution",)
ONLY = {"boundary": ("circular",)}
QUICK = {"profile": "fast"}


def needs(image_mb, **_):
    """Return (MB of memory, minutes) for an image of so many MB: measured at 512 pixels, with a margin."""
    return 1000 + 500 * image_mb, 5 + image_mb / 5


def recover(
    y,
    A,
    sigma,
    *,
    first: Annotated[float, "> 0"] = 26.0,
    second: Annotated[float, "> 0"] = 2e-3,
    profile: Literal["fast", "normal"] = "normal",
):
    """Return x̂ of y = k * x + n, circular, n white of standard deviation sigma, in two steps; H is A's transfer.

        x₁ = threshold of F₁ y        F₁ = conj(H) / (|H|² + first · sigma²)              regularised inverse
        x̂  = Wiener filter of F₂ y    F₂ = conj(H) · P / (|H|² · P + second · sigma²)     regularised Wiener inverse

    P = |FFT(x₁)|² / (H W), the mean over the channels; x₁ is also the Wiener filter's pilot. The noise of Fᵢ y has the
    power spectral density sigma² |Fᵢ|², which tells BM3D the variance of each coefficient of a block. The mean is kept.

    first, second   the lower, the less blur is left, and the more noise for BM3D to take out. The first is the authors'
                    4e-4 at 256 × 256 pixels, which they multiply by the number of pixels; their second is 5e-3.
    profile         of BM3D: "normal", or "fast" for less time.

    sigma is kept above 1e-4. Raises BadInput if A is no circular convolution, and for sides below 16 pixels.
    Source: Dabov, Foi, Katkovnik, Egiazarian (2008), "Image restoration by sparse 3D transform-domain collaborative
    filtering".
    """
    import torch

    from steps.base.errors import BadInput
    from steps.inverse import collaborative

    if A.transfer is None:
        raise BadInput("bm3d_deblurring is for circular convolutions only")
    sigma = max(sigma, 1e-4)
    H = torch.fft.fft2(torch.fft.irfft2(A.transfer, s=A.shape[-2:]).to(y))
    Y = torch.fft.fft2(y)
    penalty = torch.full_like(H.real, sigma**2)
    penalty[0, 0] = 0  # the mean is no noise

    def inverse(filter_):
        return torch.fft.ifft2(filter_ * Y).real, sigma**2 * filter_.abs() ** 2

    image, spectrum = inverse(H.conj() / (H.abs() ** 2 + first * penalty))
    pilot = collaborative.estimate(image, spectrum, PROFILES[profile])
    P = (torch.fft.fft2(pilot).abs().square().mean(0) / pilot[0].numel()).clamp(min=1e-12)
    image, spectrum = inverse(H.conj() * P / (H.abs() ** 2 * P + second * penalty))
    return collaborative.estimate(image, spectrum, PROFILES[profile], pilot)
