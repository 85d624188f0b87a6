"""BM3D: groups of similar blocks, filtered together in a transform domain; CBM3D on colour images."""

from typing import Annotated, Literal

LABEL = "BM3D"
LOOK = ("#000000", "^")
GPU = True
LOCAL = 64  # of its estimate of a pixel: how far away it looks, nearly
COLOURED = True  # of images whose noise is not white it is told the power spectral density
QUICK = {"iterations": 2, "profile": "fast"}
ENOUGH = {"iterations": 3}


def needs(image_mb, *, iterations, profile, identity, **_):
    """Return (MB of memory, minutes) for an image of so many MB, with a margin.

    Measured at 512 pixels; where A = I, `identity`, up to 24 megapixels.
    """
    minutes = {"fast": 1 / 20, "normal": 1 / 10, "high": 1 / 5}[profile] * image_mb
    return 1000 + 500 * image_mb, 5 + minutes * (1 if identity else iterations or 30)


def recover(
    y,
    A,
    sigma,
    *,
    profile: Literal["fast", "normal", "high"] = "normal",
    colour: Literal["opponent", "separate"] = "opponent",
    start: Annotated[float | None, "> 0"] = None,
    strength: Annotated[float | None, "> 0"] = None,
    rho: Annotated[float | None, "> 0"] = None,
    iterations: Annotated[int | None, ">= 1"] = None,
    clipped: bool = False,
    callback=None,
):
    """Return BM3D (one channel) or CBM3D (three) of y if A = I, else the image that is found with it as the prior.

    profile  "normal", or "fast" for less time and "high" for more, see `collaborative.PROFILES`.
    colour   "opponent": three channels are taken for RGB; "separate": each is filtered by itself, as some papers do.
    start, strength, rho, iterations   how it is plugged in, see `solvers.denoise_or_plug_in`; by default its strength
        falls from 0.2, in demosaicking 0.05, to sigma in 16 iterations; with ADMM it falls from 0.4 in 30 iterations
        to sigma, or to 0.06 if that is larger (to 0.02 in tasks that can measure a photo).
    clipped  undo what clipping the noisy image to [0, 1] did to its mean; for denoising only, same function.

    sigma is the noise's standard deviation. BM3D itself is `steps/inverse/collaborative.py`. Raises BadInput for sides
    below 16 pixels. Source: Dabov, Foi, Katkovnik, Egiazarian (2007).
    """
    import torch

    from steps.inverse import collaborative
    from steps.inverse.solvers import denoise_or_plug_in

    def denoise(v, noise):
        images = v[:, None] if colour == "separate" else v  # a channel each
        if colour == "separate" and torch.is_tensor(noise) and noise.ndim == 3:  # of opponent colours
            back = torch.tensor(collaborative.OPPONENT, dtype=noise.dtype).inverse()
            noise = torch.tensordot(back.square().mean(0), noise, 1)
        return collaborative.denoise(images, noise, profile).view(v.shape)

    schedule = {"start": start, "strength": strength, "rho": rho, "iterations": iterations}
    admm = (0.4, 0.02 if A.pictures else 0.06, 30)
    return denoise_or_plug_in(y, A, sigma, denoise, **schedule, admm=admm, callback=callback, clipped=clipped)
