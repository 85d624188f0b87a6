"""Files of the user's that are parameters, such as a blur kernel: the entries under `files`, found as images are."""

import math
import os
from pathlib import Path

import numpy as np

from steps.base.errors import BadInput
from steps.base.files import sha256
from steps.base.parameters import quoted
from steps.base.text import check_path
from steps.images import decode
from steps.images.load import URL, at_hand, listed, locate, verify

SUFFIXES = (".npy", ".npz", ".png", ".tif", ".tiff")


def load(source, *, name, sums=(), image_dirs=()):
    """Return the numbers in the file of a source, a path or a URL, as `read` does; `sums` are those it may have.

    A URL's file is looked for as an image's is, see `load` in steps/images/load.py.
    """
    if source.startswith(URL):
        return read(locate(source, name, sums, image_dirs))
    if sums and os.path.isfile(source):
        verify(source, sums)
    return read(source)


def read(path):
    """Return the numbers in a file, float64: of NPY and NPZ (of one array) as they are, in any shape.

    PNG and TIFF as images are read, (H, W) or (H, W, 3) with integers divided by the largest, but floats of any size.
    Raises BadInput for what is none of these, damaged, or has more than 2^28 numbers.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"{path}: no such file")
    if path.suffix.lower() not in SUFFIXES:
        raise BadInput(f"{path}: suffix {path.suffix!r} is not one of {', '.join(SUFFIXES)}")
    if path.suffix.lower() not in (".npy", ".npz"):
        return decode.read(path, math.inf)
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)  # of a NPY no more than the header, as yet
        if path.suffix.lower() == ".npz":
            with found:
                sizes = [member.file_size for member in found.zip.infolist()]
                if len(sizes) != 1 or sizes[0] > decode.BYTES:
                    raise BadInput(
                        f"{path}: has {len(sizes)} arrays, {sum(sizes)} bytes; must have one that is smaller"
                    )
                found = found[found.files[0]]
    except BadInput:
        raise
    except Exception as error:
        raise BadInput(f"{path}: not readable ({' '.join(str(error).split())[:120]})") from error
    if found.dtype.kind not in "fbiu" or found.size > decode.PIXELS:
        allowed = f"must be numbers, at most {decode.PIXELS}"
        raise BadInput(f"{path}: has {found.size} values of type {found.dtype}; {allowed}")
    return np.array(found, dtype=np.float64)


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
        raise BadInput(f"{where}.source: no file {quoted(source)}; must be a URL or a file")
    try:
        return load(source, name=name, sums=sums)
    except BadInput as error:
        raise BadInput(f"{where}.source: {error}") from error
