"""Rounding: y = round(levels · clip(A x + sigma · N(0, 1), 0, 1)) / levels, as in an image of 8 bits."""

from typing import Annotated

import numpy as np

from steps.base.errors import BadInput
from steps.inverse.pieces import pieces

LABEL = "rounding"
SYMBOLS = {"levels": ("levels", "Levels (steps from black to white)")}
TRIED = [{"levels": 31}, {"levels": 1023, "sigma": 0.02}, {"sigma": 0.002}]
FIXED = {"sigma": 0}  # with which nothing is drawn
PIXELS = True  # not of sums of them, which are not from 0 to 1


def add(
    clean,
    *,
    levels: Annotated[int, ">= 1", "<= 65535"] = 255,
    sigma: Annotated[float, ">= 0"] = 0.0,
    seed: Annotated[int, ">= 0"] = 0,
):
    """Return round(levels · clip(clean + sigma · N(0, 1), 0, 1)) / levels, float32.

    levels  the steps from 0 to 1: 255 in a file of 8 bits, 65535 in one of 16.
    sigma   standard deviation of the Gaussian noise that is there before; the draw is that of `noises/gaussian.py`.

    An image that came from a file of as many levels is changed only where the task changes it. Halves go to the even
    level. Raises BadInput for what is no picture: half of the range or more beyond it.
    """
    if clean.min() < -0.5 or clean.max() > 1.5:
        words = f"what is measured here is from {clean.min():.3g} to {clean.max():.3g}"
        raise BadInput(f"noise: rounding is of pictures, clipped to [0, 1], but {words}")
    noisy = clean.astype(np.float64, order="C")
    random = np.random.default_rng([seed, 0])
    for part in pieces(noisy):
        if sigma:
            part += sigma * random.standard_normal(part.shape, dtype=np.float32)
        part[:] = np.round(levels * np.clip(part, 0, 1)) / levels
    return noisy.astype(np.float32)


def sigma(y, *, levels: Annotated[int, ">= 1", "<= 65535"] = 255, sigma: Annotated[float, ">= 0"] = 0.0):
    """Return √(sigma² + 1 / (12 levels²)): an error of rounding is uniform, as wide as a step (Bennett 1948).

    Clipping makes it less, and so does rounding what lies on the levels already.
    """
    return float(np.sqrt(sigma**2 + 1 / (12 * levels**2)))
