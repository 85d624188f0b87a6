"""Commands of priorbench: `python -m steps COMMAND …`; each says more with --help."""

import ast
import importlib
from pathlib import Path

import click

from steps.base.parameters import no_such

HERE = Path(__file__).parent
ORDER = ("image", "file", "corrupt", "recover", "score", "collect", "combine", "tabulate", "compare", "timing")
ORDER += ("decide", "draw", "show", "render")


class Commands(click.Group):
    """The commands of steps/tools, then the steps that rules of the workflow run, in the order of the data's flow."""

    def list_commands(self, context):
        """Return the names of all commands."""
        tools = sorted(path.stem for path in (HERE / "tools").glob("*.py") if "\n@click.command" in path.read_text())
        return [name.rstrip("_").replace("_", "-") for name in tools] + list(ORDER)

    def get_command(self, context, name):
        """Return a command, whose module is imported only now; an unknown one is met with the nearest."""
        if name not in self.list_commands(context):
            context.fail(no_such("command", name, self.list_commands(context)))
        return importlib.import_module(f"steps.{_module(name)}").main

    def format_commands(self, context, formatter):
        """Write each command with the first sentence of its file."""
        names = self.list_commands(context)
        for title, some in {"Commands": names[: -len(ORDER)], "Steps of the workflow": ORDER}.items():
            with formatter.section(title):
                formatter.write_dl([(name, _purpose(name)) for name in some])


def _module(name):
    if name in ORDER:
        return name
    stem = name.replace("-", "_")
    return f"tools.{stem}" if (HERE / "tools" / f"{stem}.py").is_file() else f"tools.{stem}_"  # try is a keyword


def _purpose(name):
    text = (HERE / f"{_module(name).replace('.', '/')}.py").read_text(encoding="utf-8")
    return ast.get_docstring(ast.parse(text)).split("\n\n")[0].replace("\n", " ")


@click.command(cls=Commands, help=__doc__)
def main():
    """Run the command that is named first; without one, list them all."""


if __name__ == "__main__":
    main(prog_name="python -m steps")
