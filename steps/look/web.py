"""Tables on web pages: Markdown as HTML, the first table of a page of tables, links from page to page."""

import base64
import html
from pathlib import Path
from urllib.parse import quote

from steps.base.files import RESULTS

MOST = 12  # rows of a headline


def body(markdown):
    """Return a Markdown text as HTML. What is HTML in the text is shown, not obeyed."""
    from markdown_it import MarkdownIt

    text = MarkdownIt("js-default").render(markdown)
    return text.replace("<table>", '<div class="table"><table>').replace("</table>", "</table></div>")


def headline(markdown):
    """Return the first table of a page of tables with the heading it stands under, as HTML; "" if there is none.

    Of more than MOST rows the means over images are shown, if there are any, else the first ones; a line says so.
    """
    for part in markdown.split("\n## ")[1:]:
        heading, *lines = part.splitlines()
        table = [line for line in lines if line.startswith("|")]
        if not table:
            continue
        head, rows = table[:2], table[2:]
        shown = [row for row in rows if row.startswith("| mean of ")] if len(rows) > MOST else rows
        shown = (shown or rows)[:MOST]
        note = [f"{len(shown)} of {len(rows)} rows."] if len(shown) < len(rows) else []
        return body("\n\n".join([heading, "\n".join([*head, *shown]), *note]))
    return ""


def first_page(table, pictures):
    """Return as HTML the title and headline of a page of tables, a Markdown file, and those pictures that are there."""
    markdown = Path(table).read_text(encoding="utf-8")
    there = [Path(file).read_bytes() for file in pictures if Path(file).is_file()]
    # In lines, as encodebytes has them: docutils, which reads this, takes none of more than 10 000 letters.
    data = [f'<img alt="" src="data:image/png;base64,{base64.encodebytes(content).decode()}">' for content in there]
    return "\n".join([body(f"#{markdown.splitlines()[0]}"), headline(markdown), *data])


def link(address, text):
    """Return a link to a file, by its path from the page, whatever characters that has."""
    return f'<a href="{quote(str(address))}">{html.escape(text)}</a>'


def nav(output):
    """Return, in a line of HTML, the links of a page in results, at the path `output`; "" of a page anywhere else.

    They lead to all results and, from a table, to the experiment's pictures, from there back to its table.
    """
    output = Path(output)
    name, folder = output.stem.removesuffix("_vs_paper"), output.parent.name
    table, pictures = (f"../tables/{name}.html", "Table"), (f"../pages/{name}.html", "Pictures side by side")
    beside = {"tables": [table, pictures] if name != output.stem else [pictures], "pages": [table]}
    if folder in beside:
        pairs = [("../index.html", "All results"), *beside[folder]]
    else:
        pairs = [("index.html", "All results")] * (folder == RESULTS.name)
    return f"<nav>{' · '.join(link(*pair) for pair in pairs)}</nav>" * bool(pairs)
