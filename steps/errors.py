"""The error that means: the input is wrong, not the code."""

import contextlib

import click


class BadInput(ValueError):
    """A value that cannot be used; its one-line message names the key, the value received and the values allowed."""


@contextlib.contextmanager
def one_line(where):
    """Inside a command, turn BadInput into one line "Error: where: message" and exit status 1; no other error."""
    try:
        yield
    except BadInput as error:
        raise click.ClickException(f"{where}: {error}") from error
