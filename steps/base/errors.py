"""The error that means: the input is wrong, not the code."""

import contextlib
import inspect
import re

import click

FILE = re.compile(r".*[/\\].*|.*\.[A-Za-z]{3,4}")  # what looks like a file's name


class BadInput(ValueError):
    """A value that cannot be used; its one-line message names the key, the value received and the values allowed."""


class NothingToDraw(BadInput):
    """A figure that has nothing to show, of recoveries that are as they should be; its message says why."""


def if_file(value):
    """Return how a file is given, to go on a message about a value that looks like one's name; of any other ""."""
    if isinstance(value, str) and FILE.fullmatch(value.strip()):
        return "; a file is named under files:, and a parameter that may be one, such as psf, takes that name"
    return ""


@contextlib.contextmanager
def one_line(where=""):
    """Inside a command, turn BadInput into one line "Error: where: message" and exit status 1.

    The same for an error of the operating system: no space, no permission, a file that is not there. No other error.
    """
    prefix = f"{where}: " if where else ""
    try:
        yield
    except BadInput as error:
        raise click.ClickException(f"{prefix}{error}") from error
    except OSError as error:
        name = f": {error.filename}" if error.filename else ""
        raise click.ClickException(f"{prefix}{error.strerror or error}{name}") from error


class Command(click.Command):
    """A command all of which is `one_line`: @click.command(cls=Command, help=__doc__).

    Its help is what its module does, then the docstring of its function, which is about the arguments.
    """

    def __init__(self, *arguments, help="", callback=None, **options):
        text = "\n\n".join(filter(None, [help, inspect.cleandoc(callback.__doc__ or "")]))
        super().__init__(*arguments, help=text, callback=callback, **options)

    def invoke(self, context):
        with one_line():
            return super().invoke(context)
