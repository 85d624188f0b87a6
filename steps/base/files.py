"""Reading files that must be whole, and writing files whole or not at all."""

import contextlib
import hashlib
import json
import math
import os
import re
import zipfile
import zlib
from pathlib import Path

from steps.base.errors import BadInput

RESULTS = Path("results")
BROKEN = (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error)  # what reading a damaged file raises


@contextlib.contextmanager
def whole(path):
    """Yield a temporary path beside `path`, with its suffix; move it into place when the block ends without error.

    The folder is made if need be. On an error nothing is left behind, and an earlier file at `path` stays. The content
    is on the disk before it gets its name, so a crash of the machine leaves no file that is empty or cut short. What a
    killed process left behind is removed by the next that writes the same file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear_left(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _clear_left(path):
    """Remove the temporary files of `path` whose process is gone."""
    name = re.compile(rf"\.{re.escape(path.stem)}\.(\d+)\.part{re.escape(path.suffix)}")
    for left in path.parent.glob(f".*.part{path.suffix}"):
        if match := name.fullmatch(left.name):
            try:
                os.kill(int(match[1]), 0)
            except ProcessLookupError:
                left.unlink(missing_ok=True)
            except OSError:
                continue  # somebody else's


@contextlib.contextmanager
def reading(path):
    """Inside the block, turn the errors of a damaged file into BadInput. One that was made here is removed.

    Then the next run makes it again; a file outside of results is somebody's own and is left as it is.
    """
    try:
        yield path
    except BROKEN as error:
        said = " ".join(str(error).split())[:120] or type(error).__name__
        if Path(path).resolve().is_relative_to(RESULTS.resolve()):
            Path(path).unlink(missing_ok=True)
            raise BadInput(f"{path} was damaged ({said}) and is removed; run again to make it anew") from error
        raise BadInput(f"{path} cannot be read ({said})") from error


def sha256(path):
    """Return the SHA-256 of a file, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path, text):
    """Write text to a file, whole or not at all."""
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path, content):
    """Write a dict as indented JSON, whole or not at all; numbers that JSON has not as "inf", "-inf" and "nan"."""
    write_text(path, json.dumps(_spelled(content), indent=2, allow_nan=False) + "\n")


def _spelled(content):
    if isinstance(content, dict):
        return {name: _spelled(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_spelled(value) for value in content]
    return str(content) if isinstance(content, float) and not math.isfinite(content) else content


def read_json(path):
    """Return the content of a JSON file. Raises BadInput if it is damaged."""
    with reading(path):
        return json.loads(Path(path).read_text(encoding="utf-8"))


def read_array(path):
    """Return the array of an npy file. Raises BadInput if it is damaged."""
    import numpy as np

    with reading(path):
        return np.load(path, allow_pickle=False)


def read_arrays(path):
    """Return {name: array} of an npz file. Raises BadInput if it is damaged: each has a checksum in the file."""
    import numpy as np

    with reading(path), np.load(path, allow_pickle=False) as file:
        return dict(file)
