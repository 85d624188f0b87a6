"""Texts and paths that may come from anybody: read with a limit, refused if they would break a line or a command."""

import os
import re

from steps.base.errors import BadInput, quoted
from steps.base.parameters import spell

BYTES = 2**24  # of a file
CHARACTERS = 1000  # of a text
NOT_ONE_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # control characters, half characters


def read_text(file):
    """Return the text of a file. Raises BadInput if it cannot be read, is not UTF-8 or has more than BYTES."""
    try:
        with open(file, "rb") as opened:
            content = opened.read(BYTES + 1)
        if len(content) > BYTES:
            raise BadInput(f"{file}: has more than {BYTES} bytes")
        return content.decode("utf-8")
    except OSError as error:
        raise BadInput(f"{file}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: not UTF-8 ({error.reason} at byte {error.start})") from error


def check_text(value, where):
    """Raise BadInput, naming `where`, for a text that is blank, too long or not one line: it may become a table's."""
    if NOT_ONE_LINE.search(value):
        raise BadInput(f"{where}: {quoted(value)} is not allowed; must be one line, without control characters")
    if not value.strip() or len(value) > CHARACTERS:
        raise BadInput(f"{where}: {quoted(value)} is not allowed; must have 1 to {CHARACTERS} characters")


def check_path(path, where):
    """Raise BadInput, naming `where`, for a file's path that would be an option, or a pattern to Snakemake."""
    if path.startswith("-") or set(path) & set("{}<>"):
        raise BadInput(f"{where}: {quoted(path)} is not allowed; must not begin with -, nor have any of {{ }} < >")


def no_file(source, allowed):
    """Return the words for a source that is no file, of what is allowed; of a folder how one names its pictures."""
    if os.path.isdir(source):
        return f"{quoted(source)} is a folder; all pictures in it are {quoted(os.path.join(source, '*'))}"
    return f"no file {quoted(source)}; {allowed}"


def brief(value):
    """Return a value as tables and figures have it: as `spell` does if that has at most 8 letters, else shorter.

    A number is then shown as a whole number of 255ths, 25/255, if it is one, otherwise to 4 digits.
    """
    text = spell(value)
    if not isinstance(value, float) or len(text) <= 8:
        return text
    levels = value * 255
    return f"{levels:.0f}/255" if 0 < levels < 1000 and abs(levels - round(levels)) < 1e-9 else f"{value:.4g}"
