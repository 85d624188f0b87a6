"""The error that means: the input is wrong, not the code."""

import contextlib
import difflib
import inspect
import re
import reprlib

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


def no_such(what, name, allowed):
    """Return the one-line message for a name that is not among those allowed, with the nearest match."""
    names = sorted(map(str, allowed))
    near = difflib.get_close_matches(str(name)[:100], names, n=1)
    hint = f" (did you mean {quoted(near[0])}?)" if near else ""
    more = f", … ({len(names)} in all)" if len(names) > 30 else ""
    return f"unknown {what} {quoted(name)}{hint}; allowed: {', '.join(names[:30]) or 'none'}{more}"


def quoted(value):
    """Return a value as Python spells it, on one line, cut if it is long; for messages."""
    short = reprlib.Repr()
    short.maxstring = short.maxlong = short.maxother = 100
    try:
        return short.repr(value)
    except ValueError:  # Python prints no number of thousands of digits
        return f"a very large {type(value).__name__}"


@contextlib.contextmanager
def one_line(where=""):
    """Inside a command, turn BadInput into one line "Error: where: message" and exit status 1.

    The same for an error of the operating system: no space, no permission, a file that is not there. No other error.
    """
    prefix = f"{where}: " if where else ""
    try:
        yield
    except BadInput as error:
        raise click.ClickException(f"{prefix * (not str(error).startswith(prefix))}{error}") from error
    except OSError as error:
        name = f": {error.filename}" if error.filename else ""
        raise click.ClickException(f"{prefix}{error.strerror or error}{name}") from error


WIDTH = 100  # columns of --help, where the terminal has as many


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
            raise click.UsageError(no_such("option", error.option_name, allowed)) from error

    def invoke(self, context):
        with one_line():
            return super().invoke(context)
