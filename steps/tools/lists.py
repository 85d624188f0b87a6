"""Write the lists of tasks, methods and their parameters in the documents anew, from the files that there are."""

import inspect
import re
from pathlib import Path

import click

from steps.base import discover
from steps.base.errors import BadInput, Command
from steps.base.files import write_text
from steps.base.parameters import keywords, spell
from steps.base.text import read_text

ROOT = Path(__file__).parents[2]
FUNCTIONS = {"tasks": "Operator", "noises": "add", "methods": "recover"}  # whose keywords are the parameters
FILES = ("docs/what_there_is.md", "config/README.md")
PART = re.compile(r"(<!-- list: (\w+) of (\w+), by `python -m steps lists` -->\n).*?(?=<!-- end -->)", re.DOTALL)


def purpose(kind, name):
    """Return a line of a list: the name of a file and the first line of its docstring."""
    first = (inspect.getdoc(discover.load(kind, name)) or "not said").splitlines()[0]
    return f"- `{name}`: {first.rstrip('.')}"


def parameters(kind, name):
    """Return a line of a list: the name of a file and its parameters with their defaults."""
    found = keywords(getattr(discover.load(kind, name), FUNCTIONS[kind]))
    words = [n if p.default is None else f"{n}={spell(p.default)}" for n, p in found.items()]
    return f"- `{name}`: {', '.join(f'`{word}`' for word in words) or 'none'}"


LINES = {"purpose": purpose, "parameters": parameters}


def renewed(text):
    """Return a document with each of its lists made anew, a line for each file that there is."""

    def part(found):
        line = LINES[found[2]]
        return found[1] + "".join(f"{line(found[3], name)}\n" for name in discover.available(found[3]))

    return PART.sub(part, text)


@click.command(cls=Command, help=__doc__)
def main():
    """The documents are docs/what_there_is.md and config/README.md; comments mark where a list begins and ends."""
    for name in FILES:
        text = read_text(ROOT / name)
        if not PART.search(text):
            raise BadInput(f"{name}: has no list, <!-- list: … -->")
        write_text(ROOT / name, renewed(text))


if __name__ == "__main__":
    main()
