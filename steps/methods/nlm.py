"""Non-local means: every pixel is the mean of those with similar surroundings."""

import math
from typing import Annotated

LABEL = "NLM"
LOOK = ("#56B4E9", "D")
QUICK = {"iterations": 6}
LOCAL = 24  # how far away its estimate of a pixel looks: 6 pixels and a patch; with a larger distance nearly


def needs(image_mb, *, patch, distance, fast, iterations, identity, **_):
    """Return (MB of memory, minutes) for an image of so many MB, with a margin.

    Measured at 512 pixels; where A = I, `identity`, up to 24 megapixels.
    """
    if not identity:
        return 1000 + 200 * image_mb, 5 + (iterations or 100) * image_mb / 6
    work = ((2 * distance + 1) / 13) ** 2 * (1 if fast else patch**2 / 3)
    return 1000 + 200 * image_mb, 5 + work * image_mb / 200


def recover(
    y,
    A,
    sigma,
    *,
    h: Annotated[float | None, "> 0"] = None,
    patch: Annotated[int, ">= 1", "odd"] = 5,
    distance: Annotated[int, ">= 1"] = 6,
    fast: bool = True,
    start: Annotated[float | None, "> 0"] = None,
    strength: Annotated[float | None, "> 0"] = None,
    rho: Annotated[float | None, "> 0"] = None,
    iterations: Annotated[int | None, ">= 1"] = None,
    clipped: bool = False,
    callback=None,
):
    """Return the non-local means of y if A = I, else the image that is found with them as the prior.

    h         filter width on the scale of [0, 1]; by default 0.8 · (noise to remove), whose variance is then also
              subtracted from the patches' distances. A given h is used for every noise and nothing subtracted, as
              Anderson seems to have done (section 5.2).
    patch     side of the patches in pixels, odd;  distance  how far they are looked for;  fast  as in scikit-image.
    start, strength, rho, iterations   how they are plugged in, see `solvers.denoise_or_plug_in`; by default their
              strength falls from 0.2, in demosaicking 0.05, to sigma in 16 iterations; with ADMM from 0.5 to
              2 · sigma in 100, but not below 0.1 and 0.07 · √(unknowns / measurements): the fewer there are, the more
              there is to remove.
    clipped   undo what clipping the noisy image to [0, 1] did to its mean; for denoising only, same function.

    sigma is the noise's standard deviation. Source: Buades, Coll, Morel (2005); scikit-image's denoise_nl_means.
    """
    import torch
    from skimage.restoration import denoise_nl_means

    from steps.inverse.solvers import denoise_or_plug_in

    def denoise(v, noise):
        image = v.cpu().numpy().astype("float64")
        width, known = (h, 0.0) if h else (0.8 * noise, noise)
        axis = 0 if len(image) > 1 else None  # given one channel, scikit-image's axis argument fails
        result = denoise_nl_means(
            image if len(image) > 1 else image[0], patch, distance, width, fast, known, channel_axis=axis
        )
        return torch.from_numpy(result).reshape(v.shape).to(v)

    admm = (0.5, max(2 * sigma, 0.1, 0.07 * (math.prod(A.shape) / y.numel()) ** 0.5), 100)
    schedule = {"start": start, "strength": strength, "rho": rho, "iterations": iterations}
    return denoise_or_plug_in(y, A, sigma, denoise, **schedule, admm=admm, callback=callback, clipped=clipped)
