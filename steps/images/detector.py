"""Measurements that are no pictures: the numbers of a detector, in a NPY or NPZ of shape (M,), (1, M) or (3, M)."""

import os

import numpy as np

from steps.base.errors import BadInput
from steps.images import arrays, decode


def is_detector(path):
    """Return whether the array in a file has the shape (M,), (1, M) or (3, M), as its header says."""
    if not (arrays.is_array(path) and os.path.isfile(path)):
        return False
    with arrays.understanding(path):
        shape, _ = arrays.header(path)
    return len(shape) == 1 or (len(shape) == 2 and shape[0] in (1, 3))


def read(path):
    """Return the numbers in such a file as they are, float64 (1, M) or (1, M, 3), as an image of one row would be.

    Raises BadInput for no number, for more than 2^28, for values that are not finite, and if all are 0.
    """
    with arrays.understanding(path, "readable"):
        shape, dtype = arrays.header(path)
        if dtype.kind not in "fiu" or np.prod(shape) > decode.PIXELS:
            raise BadInput(
                f"{path}: has {np.prod(shape)} values of type {dtype}; must be numbers, at most {decode.PIXELS}"
            )
        numbers = np.atleast_2d(arrays.array(path).astype(np.float64))
    if not numbers.size:
        raise BadInput(f"{path}: is empty; must have a number for each pattern")
    if not np.isfinite(numbers).all():
        raise BadInput(f"{path}: has values that are not finite")
    if not numbers.any():
        raise BadInput(f"{path}: all values are 0")
    return numbers if len(numbers) == 1 else numbers.T[None]


def check_kept(settings, where):
    """Raise BadInput if settings, {key: value}, say that numbers of a detector be cropped, resized or turned gray."""
    if said := next((key for key, value in settings.items() if value), None):
        raise BadInput(f"{where}: {said} is of pictures; what was measured here are numbers that are none")
