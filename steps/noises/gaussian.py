"""Gaussian noise: y = A x + sigma · N(0, 1)."""

from typing import Annotated, Literal

import numpy as np

from steps.base.errors import BadInput

LABEL = "Gaussian"
SYMBOLS = {"sigma": ("σ", "Noise sigma σ (images in [0, 1])"), "bsnr": ("BSNR", "BSNR, of the blurred image [dB]")}
EITHER = (("sigma",), ("bsnr",))  # one in the place of the other; the first if none is said
TRIED = [{"sigma": 0.1}, {"sigma": 0.7}]


def add(
    clean,
    *,
    sigma: Annotated[float | Literal["estimate"], ">= 0"] = 0.0,
    bsnr: Annotated[float | None, ">= -50", "<= 200"] = None,
    clip: bool = False,
    seed: Annotated[int, ">= 0"] = 0,
):
    """Return clean + sigma · N(0, 1), float32, clipped to [0, 1] if `clip` (as in Anderson's denoising), not quantised.

    clean is an array on the image's scale [0, 1]; the draw depends on `seed` and its shape alone. sigma is a number
    here: "estimate" is for pictures that were measured, to which nothing is added. bsnr, in dB, stands in the place of
    sigma, see `settle`.
    """
    sigma = settle(clean, sigma=sigma, bsnr=bsnr)["sigma"]
    noisy = np.random.default_rng([seed, 0]).standard_normal(clean.shape, dtype=np.float32)
    noisy *= np.float32(sigma)
    noisy += clean.astype(np.float32, copy=False)
    return np.clip(noisy, 0, 1, out=noisy) if clip else noisy


def settle(clean, *, sigma=0.0, bsnr=None):
    """Return {"sigma": …}, for a bsnr the sigma with  bsnr = 10 log10(var(clean) / sigma²),  the blurred SNR in dB.

    Raises BadInput for a bsnr of a constant, whose variance is 0. Source: Banham, Katsaggelos (1997).
    """
    if bsnr is None:
        return {"sigma": sigma}
    deviation = float(np.std(clean, dtype=np.float64))
    if not deviation:
        raise BadInput(f"bsnr: {bsnr} dB is not allowed of what is measured here, a constant; give sigma")
    return {"sigma": deviation / 10 ** (bsnr / 20)}


def sigma(y, *, sigma: Annotated[float | Literal["estimate"], ">= 0"] = 0.0):
    """Return the noise's standard deviation, before clipping: sigma as it was said; "estimate" is from y (C, H, W)."""
    if sigma != "estimate":
        return sigma
    from steps.inverse.photograph import estimate_sigma

    return estimate_sigma(y)
