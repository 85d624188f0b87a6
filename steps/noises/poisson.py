"""Poisson noise: y = Poisson(peak · A x) / peak, the noise of counted photons."""

from typing import Annotated

import numpy as np

from steps.base.errors import BadInput
from steps.inverse.pieces import pieces

LABEL = "Poisson"
PIXELS = True  # not of sums of them: it counts photons for each
SYMBOLS = {"peak": ("peak", "Peak (photons of white)")}
TRIED = [{"peak": 1}, {"peak": 2.5}, {"peak": 1000}]


def add(clean, *, peak: Annotated[float, "> 0", "<= 1e9"] = 30.0, seed: Annotated[int, ">= 0"] = 0):
    """Return Poisson(peak · clean) / peak, float32: mean clean, variance clean / peak.

    peak is the number of photons of white, 1. Raises BadInput for what is negative, see `photons`.
    """
    counts = photons(clean, peak, np.random.default_rng([seed, 0]))
    counts /= peak
    return counts.astype(np.float32)


def photons(clean, peak, random):
    """Return counts, Poisson(peak · clean), float64, drawn by a generator; clean is clipped below at 0.

    Raises BadInput if more than that is negative which a filter's rounding and ringing make, a hundredth of the
    largest: patterns of both signs, as single_pixel has, count no photons, and what is clipped would be no noise.
    """
    low, high = clean.min(), clean.max()
    if low < -max(high, 0) / 100:
        raise BadInput(f"noise: photons are counted, but what is measured here is from {low:.3g} to {high:.3g}")
    counts = np.maximum(clean, 0, dtype=np.float64, order="C")
    for part in pieces(counts):
        part[:] = random.poisson(peak * part)
    return counts


def sigma(y, *, peak: Annotated[float, "> 0", "<= 1e9"] = 30.0):
    """Return the noise's root mean square √(mean(A x) / peak), with the mean of y, which has no bias, for A x's."""
    return float(np.sqrt(max(np.mean(y, dtype=np.float64), 0) / peak))


def stabiliser(*, peak):
    """Return the transform that makes the noise of an image Gaussian, and its exact unbiased inverse."""
    from steps.inverse.anscombe import Anscombe

    return Anscombe(peak)
