"""Poisson–Gaussian noise: y = Poisson(peak · A x) / peak + sigma · N(0, 1), counted photons and a camera's reading."""

from typing import Annotated

import numpy as np

LABEL = "Poisson–Gaussian"
TRIED = [{"peak": 5, "sigma": 0.3}, {"peak": 100, "sigma": 0}]


def add(
    clean,
    *,
    peak: Annotated[float, "> 0", "<= 1e9"] = 30.0,
    sigma: Annotated[float, ">= 0"] = 0.02,
    seed: Annotated[int, ">= 0"] = 0,
):
    """Return Poisson(peak · clean) / peak + sigma · N(0, 1), float32: mean clean, variance clean / peak + sigma².

    peak is the number of photons of white, 1; sigma is on the image's scale [0, 1]. clean is clipped below at 0. The
    sum of offset, gain and reading noise that cameras have, offset and gain known (Foi et al. 2008).
    """
    random = np.random.default_rng([seed, 0])
    counts = random.poisson(peak * np.maximum(clean, 0).astype(np.float64))
    return (counts / peak + sigma * random.standard_normal(clean.shape)).astype(np.float32)


def sigma(y, *, peak: Annotated[float, "> 0", "<= 1e9"] = 30.0, sigma: Annotated[float, ">= 0"] = 0.02):
    """Return the noise's root mean square √(mean(A x) / peak + sigma²), with the mean of y for A x's."""
    return float(np.sqrt(max(np.mean(y, dtype=np.float64), 0) / peak + sigma**2))


def stabiliser(*, peak, sigma):
    """Return the transform that makes the noise of an image Gaussian, and its exact unbiased inverse."""
    from steps.inverse.anscombe import Anscombe

    return Anscombe(peak, sigma)
