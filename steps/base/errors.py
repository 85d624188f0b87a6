"""The error that means: the input is wrong, not the code."""

import contextlib
import difflib
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


WIDTH = 100  # columns of --help, where the terminal has as many


def unknown(what, word, allowed):
    """Return the one line for a word of the command line that is none of those allowed: the nearest, or all of them."""
    near = difflib.get_close_matches(word, allowed, n=1)
    return f"unknown {what} {word!r}; " + (f"did you mean {near[0]!r}?" if near else f"allowed: {', '.join(allowed)}")


class Command(click.Command):
    """A command all of which is `one_line`: @click.command(cls=Command, help=__doc__).

    Its help is what its module does, then the docstring of its function, which is about the arguments.
    """

    def __init__(self, *arguments, help="", callback=None, **options):
        text = "\n\n".join(filter(None, [help, inspect.cleandoc(callback.__doc__ or "")]))
        options = {"context_settings": {"max_content_width": WIDTH}} | options
        super().__init__(*arguments, help=text, callback=callback, **options)

    def parse_args(self, context, words):
        try:
            return super().parse_args(context, words)
        except click.NoSuchOption as error:
            allowed = [max(some.opts, key=len) for some in self.get_params(context) if isinstance(some, click.Option)]
            raise click.UsageError(unknown("option", error.option_name, allowed)) from error

    def invoke(self, context):
        with one_line():
            return super().invoke(context)
