"""Gaussian noise: y = A x + sigma · N(0, 1)."""

from typing import Annotated, Literal

import numpy as np

LABEL = "Gaussian"
SYMBOLS = {"sigma": ("σ", "Noise σ (images in [0, 1])")}


def add(
    clean,
    *,
    sigma: Annotated[float | Literal["estimate"], ">= 0"] = 0.0,
    clip: bool = False,
    seed: Annotated[int, ">= 0"] = 0,
):
    """Return clean + sigma · N(0, 1), float32, clipped to [0, 1] if `clip` (as in Anderson's denoising), not quantised.

    clean is an array on the image's scale [0, 1]; the draw depends on `seed` and its shape alone. sigma is a number
    here: "estimate" is for pictures that were measured, to which nothing is added.
    """
    noise = np.random.default_rng([seed, 0]).standard_normal(clean.shape, dtype=np.float32)
    noisy = clean.astype(np.float32) + np.float32(sigma) * noise
    return np.clip(noisy, 0, 1) if clip else noisy
