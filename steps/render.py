"""Render a page of tables, Markdown, as one HTML file; a click on the heading of a column sorts by it."""

import html
import re
from pathlib import Path

import click

from steps.base.errors import Command
from steps.base.files import write_text
from steps.look import web

PAGE = Path(__file__).parent / "look" / "table.html"


def page(markdown, nav=""):
    """Return a Markdown text as an HTML page, below its links. What is HTML in the text is shown, not obeyed."""
    title = next((line.removeprefix("# ") for line in markdown.splitlines() if line.startswith("# ")), "Table")
    parts = {"title": html.escape(re.sub(r"\\(.)", r"\1", title)), "nav": nav, "body": web.body(markdown)}
    return re.sub(r"{{(\w+)}}", lambda place: parts[place[1]], PAGE.read_text(encoding="utf-8"))


@click.command(cls=Command, help=__doc__)
@click.argument("markdown", type=click.Path(exists=True, dir_okay=False))
@click.argument("output")
def main(markdown, output):
    """MARKDOWN, a page that another step wrote, to OUTPUT (html)."""
    write_text(output, page(Path(markdown).read_text(encoding="utf-8"), web.nav(output)))


if __name__ == "__main__":
    main()
