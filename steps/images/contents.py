"""Files of the user's that are parameters, such as a blur kernel: the entries under `files`, found as images are."""

import math
import os

import numpy as np

from steps.base.errors import BadInput, quoted
from steps.base.files import sha256
from steps.base.text import check_path
from steps.images import arrays, decode
from steps.images.load import URL, at_hand, listed, locate

SUFFIXES = (".npy", ".npz", ".png", ".tif", ".tiff")


def load(source, *, name, sums=(), image_dirs=()):
    """Return the numbers in the file of a source, a path or a URL, as `read` does; it is found as an image's is."""
    return read(locate(source, name, sums, image_dirs))


def read(path):
    """Return the numbers in a file, float64: of NPY and NPZ (of one array) as they are, in any shape.

    PNG and TIFF as images are read, (H, W) or (H, W, 3) with integers divided by the largest, but floats of any size.
    Raises BadInput for what is none of these, damaged, has more than 2^28 numbers, or is a picture with transparent
    pixels, which say no number.
    """
    arrays.check_file(path, SUFFIXES)
    if not arrays.is_array(path):
        return decode.read(path, math.inf, opaque=True)
    with arrays.understanding(path, "readable"):
        shape, dtype = arrays.header(path)
        if dtype.kind not in "fbiu" or math.prod(shape) > decode.PIXELS:
            allowed = f"must be numbers, at most {decode.PIXELS}"
            raise BadInput(f"{path}: has {math.prod(shape)} values of type {dtype}; {allowed}")
        return arrays.array(path).astype(np.float64)


def check(entry, name, image_dirs, where):
    """Return the numbers in the file of an entry under files; None of a URL whose file is not here yet.

    Raises BadInput, naming `where`, for an entry that can be seen to be wrong.
    """
    source, sums = entry["source"], listed(entry.get("sha256", []))
    if source.startswith(URL):
        if not sums:
            raise BadInput(f"{where}.sha256: missing; a URL needs the checksum of its file")
        path = at_hand(source, name, image_dirs)
        return read(path) if path and sha256(path) in sums else None
    check_path(source, f"{where}.source")
    if not os.path.isfile(source):
        there = "a folder is no file:" if os.path.isdir(source) else "no file"
        raise BadInput(f"{where}.source: {there} {quoted(source)}; must be a URL or a file")
    try:
        return load(source, name=name, sums=sums)
    except BadInput as error:
        raise BadInput(f"{where}.source: {error}") from error
