"""Commands of priorbench; each says more with --help.

    python -m steps try skimage:camera    recover one picture, without a config
    python -m steps check my.yaml         what a config asks for
    python -m steps try --help            all that a command can do

If a word is misspelled, the error names the nearest one.
"""

import ast
import importlib
from pathlib import Path

import click

from steps.base.errors import WIDTH, no_such

HERE = Path(__file__).parent
ORDER = ("image", "file", "corrupt", "recover", "score", "collect", "combine", "tabulate", "compare", "timing")
ORDER += ("decide", "draw", "show", "render", "index")
GROUPS = {
    "Use": ("try", "check", "status", "verify"),
    "Keep numbers, and make some of them on another machine": ("record", "paper", "cells", "run-cells", "adopt"),
    "Maintain": ("lists", "benchmark", "overhead"),
}


class Commands(click.Group):
    """The commands of steps/tools by what they are for, then the steps that rules of the workflow run, in order."""

    def list_commands(self, context):
        """Return the names of all commands."""
        return [name for names in _groups().values() for name in names]

    def get_command(self, context, name):
        """Return a command, whose module is imported only now; an unknown one is met with the nearest, in one line."""
        if name not in self.list_commands(context):
            raise click.UsageError(no_such("command", name, self.list_commands(context)))
        return importlib.import_module(f"steps.{_module(name)}").main

    def format_commands(self, context, formatter):
        """Write each command with the first sentence of its file."""
        for title, names in _groups().items():
            with formatter.section(title):
                formatter.write_dl([(name, _purpose(name)) for name in names])


def _groups():
    """Return {title: names of commands}; a file of steps/tools that no group names is in "More"."""
    tools = sorted(path.stem for path in (HERE / "tools").glob("*.py") if "\n@click.command" in path.read_text())
    tools = [name.rstrip("_").replace("_", "-") for name in tools]
    more = [name for name in tools if name not in sum(GROUPS.values(), ())]
    return GROUPS | ({"More": more} if more else {}) | {"Steps of the workflow, in the order of the data's flow": ORDER}


def _module(name):
    if name in ORDER:
        return name
    stem = name.replace("-", "_")
    return f"tools.{stem}" if (HERE / "tools" / f"{stem}.py").is_file() else f"tools.{stem}_"  # try is a keyword


def _purpose(name):
    text = (HERE / f"{_module(name).replace('.', '/')}.py").read_text(encoding="utf-8")
    return ast.get_docstring(ast.parse(text)).split("\n\n")[0].replace("\n", " ")


HELP = __doc__.replace("\n\n", "\n\n\b\n", 1)  # \b: click leaves the lines of the examples as they are


@click.command(cls=Commands, help=HELP, context_settings={"max_content_width": WIDTH})
def main():
    """Run the command that is named first; without one, list them all."""


if __name__ == "__main__":
    main(prog_name="python -m steps")
