"""Files that may be anything: checked by name, size and header before they are read; arrays, NPY and NPZ."""

import contextlib
import os
import warnings
import zipfile
from pathlib import Path

import numpy as np

from steps.base.errors import BadInput, quoted

BYTES = 2**31  # of a file, and of what it holds


def check_file(path, suffixes):
    """Raise BadInput for a file that is missing, or whose name has none of the suffixes."""
    if not os.path.isfile(path):
        raise BadInput(f"{path}: {'is a folder; must be a file' if os.path.isdir(path) else 'no such file'}")
    suffix = Path(path).suffix
    if suffix.lower() not in suffixes:
        raise BadInput(f"{path}: suffix {suffix!r} is not one of {', '.join(suffixes)}")


@contextlib.contextmanager
def understanding(path, what="a readable image"):
    """Inside the block, turn any error into BadInput: each reader has its own, and to the user all mean this."""
    try:
        with warnings.catch_warnings(action="ignore"):  # Pillow's, of what it then refuses or reads all the same
            yield
    except BadInput:
        raise
    except Exception as error:
        said = " ".join(str(error).partition(" <_io")[0].split())[:120] or type(error).__name__
        raise BadInput(f"{path}: not {what} ({said})") from error


def limit(path, number, most, what):
    """Raise BadInput, naming the number of what a file has, if that is more than the most allowed."""
    if number > most:
        raise BadInput(f"{path}: has {number} {what}; must be at most {most}")


def is_array(path):
    """Return whether a file is NPY or NPZ."""
    return Path(path).suffix.lower() in (".npy", ".npz")


def header(path):
    """Return (shape, dtype) of a NPY file or of a NPZ of one array, of which no more is read.

    Raises BadInput for a NPZ of several arrays, or of one of more than BYTES.
    """
    if Path(path).suffix.lower() == ".npy":
        with open(path, "rb") as file:
            return _header(file)
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) != 1:
            names = ", ".join(member.filename.removesuffix(".npy") for member in members)
            raise BadInput(f"{path}: holds the arrays {quoted(names)[1:-1]}; must hold one")
        limit(path, members[0].file_size, BYTES, "bytes when unpacked")
        with archive.open(members[0]) as member:
            return _header(member)


def array(path):
    """Return the array of a NPY file or of a NPZ of one array."""
    content = np.load(path, allow_pickle=False)
    return content if isinstance(content, np.ndarray) else content[content.files[0]]


def _header(file):
    # A NPY's version 3 is for names of fields only.
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    shape, _, dtype = readers[np.lib.format.read_magic(file)](file)
    return shape, dtype
