"""Render a page of tables, Markdown, as one HTML file; a click on the heading of a column sorts by it."""

import html
from pathlib import Path

import click

from steps.base.errors import Command
from steps.base.files import write_text

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --line: #d5d9de; --head: #f3f4f6; --best: #e7f0e9; }}
@media (prefers-color-scheme: dark) {{ :root {{ --line: #3b4048; --head: #23272e; --best: #24382b; }} }}
body {{ font: 14px/1.45 system-ui, sans-serif; max-width: 75rem; margin: 0 auto; padding: 1rem; }}
h1 {{ font-size: 1.4rem; }} h2 {{ font-size: 1.1rem; margin-top: 1.6rem; }}
p, li {{ max-width: 46rem; overflow-wrap: anywhere; }}
.table {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: left; }}
th {{ background: var(--head); vertical-align: bottom; }}
th button {{ all: unset; cursor: pointer; white-space: nowrap; }}
th button:hover {{ text-decoration: underline; }}
th[aria-sort=ascending] button::after {{ content: " \\2191"; }}
th[aria-sort=descending] button::after {{ content: " \\2193"; }}
th button:focus-visible {{ outline: 2px solid; outline-offset: 2px; }}
td:has(strong) {{ background: var(--best); }}
</style>
</head>
<body>
{body}
<script>
for (const head of document.querySelectorAll("th")) {{
  const button = document.createElement("button");
  button.append(...head.childNodes);
  head.append(button);
  button.onclick = () => {{
    const order = head.ariaSort === "ascending" ? "descending" : "ascending";
    for (const other of head.parentNode.children) other.ariaSort = null;
    head.ariaSort = order;
    const text = row => row.cells[head.cellIndex].textContent.trim();
    const rows = [...head.closest("table").tBodies[0].rows];
    const number = row => parseFloat(text(row).replace(/^inf/, "Infinity"));
    const empty = row => !text(row) || text(row) === "not run";
    rows.sort((a, b) => {{
      if (empty(a) || empty(b)) return empty(a) - empty(b);
      const [x, y] = [number(a), number(b)];
      const words = isNaN(x) - isNaN(y) || text(a).localeCompare(text(b));
      const ascending = isNaN(x) || isNaN(y) ? words : x === y ? 0 : x - y;
      return order === "ascending" ? ascending : -ascending;
    }});
    head.closest("table").tBodies[0].append(...rows);
  }};
}}
</script>
</body>
</html>
"""


def page(markdown):
    """Return a Markdown text as an HTML page. What is HTML in the text is shown, not obeyed."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("js-default").render(markdown)
    body = body.replace("<table>", '<div class="table"><table>').replace("</table>", "</table></div>")
    title = next((line.removeprefix("# ") for line in markdown.splitlines() if line.startswith("# ")), "Table")
    return PAGE.format(title=html.escape(title.replace("\\", "")), body=body)


@click.command(cls=Command, help=__doc__)
@click.argument("markdown", type=click.Path(exists=True, dir_okay=False))
@click.argument("output")
def main(markdown, output):
    """MARKDOWN, a page that another step wrote, to OUTPUT (html)."""
    write_text(output, page(Path(markdown).read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
