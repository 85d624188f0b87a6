"""Speckle: y = A x · g, multiplied by noise g of mean 1, as in pictures by radar, ultrasound and laser light."""

from typing import Annotated

import numpy as np

from steps.inverse.pieces import pieces

LABEL = "speckle"
SYMBOLS = {"looks": ("looks", "Looks")}
TRIED = [{"looks": 1}, {"looks": 4.5}]


def add(clean, *, looks: Annotated[float, "> 0", "<= 1e9"] = 10.0, seed: Annotated[int, ">= 0"] = 0):
    """Return clean · g, float32, with g ~ Gamma(looks, 1 / looks): mean clean, variance clean² / looks.

    looks is the number of independent intensities, each of exponential speckle, whose mean is measured: the parameter
    of that field, and unlike a "variance" one with a distribution that is never negative. Not whole numbers are
    "equivalent" looks. Source: Goodman (1976).
    """
    random, noisy = np.random.default_rng([seed, 0]), np.array(clean, order="C")
    for part in pieces(noisy):
        part[:] = part * random.gamma(looks, 1 / looks, part.shape)
    return noisy.astype(np.float32, copy=False)


def sigma(y, *, looks: Annotated[float, "> 0", "<= 1e9"] = 10.0):
    """Return the noise's root mean square √(mean((A x)²) / looks), by  E y² = (A x)² (1 + 1 / looks)."""
    return float(np.sqrt(np.mean(np.square(y, dtype=np.float64)) / (looks + 1)))
