"""Poisson–Gaussian noise: y = Poisson(peak · A x) / peak + sigma · N(0, 1), photon noise and read noise."""

from typing import Annotated

import numpy as np

from steps.inverse.pieces import pieces
from steps.noises.poisson import photons

LABEL = "Poisson–Gaussian"
PIXELS = True  # not of sums of them: it counts photons for each
TRIED = [{"peak": 5, "sigma": 0.3}, {"peak": 100, "sigma": 0}]


def add(
    clean,
    *,
    peak: Annotated[float, "> 0", "<= 1e9"] = 30.0,
    sigma: Annotated[float, ">= 0"] = 0.02,
    seed: Annotated[int, ">= 0"] = 0,
):
    """Return Poisson(peak · clean) / peak + sigma · N(0, 1), float32: mean clean, variance clean / peak + sigma².

    peak is the number of photons of white, 1; sigma is on the image's scale [0, 1]. The noise that cameras have,
    offset and gain known (Foi et al. 2008). Raises BadInput for what is negative, see `photons`.
    """
    random = np.random.default_rng([seed, 0])
    noisy = photons(clean, peak, random)
    for part in pieces(noisy):
        part[:] = part / peak + sigma * random.standard_normal(part.shape)
    return noisy.astype(np.float32)


def sigma(y, *, peak: Annotated[float, "> 0", "<= 1e9"] = 30.0, sigma: Annotated[float, ">= 0"] = 0.02):
    """Return the noise's root mean square √(mean(A x) / peak + sigma²), with the mean of y for A x's."""
    return float(np.sqrt(max(np.mean(y, dtype=np.float64), 0) / peak + sigma**2))


def stabiliser(*, peak, sigma):
    """Return the transform that makes the noise of an image Gaussian, and its exact unbiased inverse."""
    from steps.inverse.anscombe import Anscombe

    return Anscombe(peak, sigma)
