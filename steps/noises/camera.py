"""Camera noise: photon and read noise, clipped to [0, 1], optionally a JPEG; methods are told what is found in y."""

import io
from typing import Annotated

import numpy as np

from steps.base.errors import BadInput
from steps.noises import poisson_gaussian

LABEL = "camera"
PIXELS = True  # not of sums of them: it counts photons for each
SYMBOLS = {"quality": ("quality", "Quality of the JPEG")}
TRIED = [{"peak": 200, "sigma": 0.02}, {"peak": 1e6, "sigma": 0.05}]
FOUND = 0.15  # how near sigma is to be to the true error's, a share: it is estimated


def add(
    clean,
    *,
    peak: Annotated[float, "> 0", "<= 1e9"] = 40.0,
    sigma: Annotated[float, ">= 0"] = 0.0,
    quality: Annotated[int | None, ">= 1", "<= 100"] = None,
    seed: Annotated[int, ">= 0"] = 0,
):
    """Return Poisson(peak · clean) / peak + sigma · N(0, 1), clipped to [0, 1], float32.

    quality  that of a JPEG of 8 bits, with colours at half the resolution as most have, which it then becomes and is
             read from.

    Raises BadInput for what is negative, see `poisson.photons`, and for a JPEG of what is no picture.
    """
    noisy = poisson_gaussian.add(clean, peak=peak, sigma=sigma, seed=seed)
    np.clip(noisy, 0, 1, out=noisy)
    return noisy if quality is None else jpeg(noisy, quality)


def jpeg(picture, quality):
    """Return a picture (1 or 3, H, W) in [0, 1] as a JPEG of this quality has it, float32."""
    from PIL import Image

    if picture.ndim != 3 or len(picture) not in (1, 3):
        raise BadInput(f"quality: a JPEG is of pictures of one or three channels, not of shape {picture.shape}")
    pixels = np.round(255 * picture).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, -1)).save(
        file, "JPEG", quality=quality, subsampling="4:2:0" if len(pixels) == 3 else -1
    )
    read = np.asarray(Image.open(file), dtype=np.float32) / 255
    return np.ascontiguousarray(read[None] if read.ndim == 2 else np.moveaxis(read, -1, 0))


def estimate(y):
    """Return (what is found of the noise in y (C, H, W) alone, a sentence that says it), see `noise_level`."""
    from steps.inverse.levels import sentence
    from steps.inverse.noise_level import noise_level

    if y.ndim != 3:
        raise BadInput("noise: camera is of pictures; what is measured here is none, so its noise cannot be estimated")
    found = noise_level(y)
    return found, sentence(found)


def sigma(y):
    """Return the noise's root mean square over y, by the noise-level function that is found in y (C, H, W) alone."""
    from steps.inverse.levels import at

    found = estimate(y)[0]
    return float(np.sqrt(np.mean([at(found, c, plane).mean() for c, plane in enumerate(y)])))


def stabiliser(*, levels, variances, spectrum):
    """Return the transform that makes the noise of an image Gaussian, and its inverse."""
    from steps.inverse.levels import Levels

    return Levels(levels, variances, spectrum)
