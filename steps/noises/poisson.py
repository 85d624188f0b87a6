"""Poisson noise: y = Poisson(peak · A x) / peak, photons being counted."""

from typing import Annotated

import numpy as np

LABEL = "Poisson"
SYMBOLS = {"peak": ("peak", "Photons of white")}
TRIED = [{"peak": 1}, {"peak": 2.5}, {"peak": 1000}]


def add(clean, *, peak: Annotated[float, "> 0", "<= 1e9"] = 30.0, seed: Annotated[int, ">= 0"] = 0):
    """Return Poisson(peak · clean) / peak, float32: mean clean, variance clean / peak.

    peak is the number of photons of white, 1. There are no negative counts: clean is clipped below at 0.
    """
    counts = np.random.default_rng([seed, 0]).poisson(peak * np.maximum(clean, 0).astype(np.float64))
    return (counts / peak).astype(np.float32)


def sigma(y, *, peak: Annotated[float, "> 0", "<= 1e9"] = 30.0):
    """Return the noise's root mean square √(mean(A x) / peak), with the mean of y, which has no bias, for A x's."""
    return float(np.sqrt(max(np.mean(y, dtype=np.float64), 0) / peak))


def stabiliser(*, peak):
    """Return the transform that makes the noise of an image Gaussian, and its exact unbiased inverse."""
    from steps.inverse.anscombe import Anscombe

    return Anscombe(peak)
