"""Index all that a run has made on one page: its headline, a picture of each experiment, and links to every file."""

import html
import os
import re
import time
from pathlib import Path

import click

from steps.base.errors import Command
from steps.base.files import read_json, write_text
from steps.look import web
from steps.run import report

PAGE = Path(__file__).parent / "look" / "index.html"


def files(contents, results):
    """Return the paths of what the page links to beside figures, (path, text), those that are there or promised.

    contents  as tables.words.contents has it;  results  the folder.
    """
    promised = os.environ.get(report.PROMISED, "").split()
    shown = [path for path in report_files(contents, results) if path.is_file()]
    found = [(report.place(shown), "Report: everything in one file", report.PAGE.name in promised)]
    found += [(results / "time.html", "Time and memory", False), (results / "claims.html", "Claims", False)]
    found += [(results / "scores.csv", "scores.csv: every number", False)]
    manifest = results / "manifest.json"
    found += [(manifest, "manifest.json: what made each file", manifest.name in promised)]
    return [(path, text) for path, text, comes in found if comes or path.is_file()]


def report_files(contents, results):
    """Return the paths of what the report shows, of which some may be missing."""
    found = [results / name for name in ("scores.csv", "time.html", "claims.html")]
    for name, experiment in contents["experiments"].items():
        found += [results / f"tables/{name}{kind}.html" for kind in ("", "_vs_paper")]
        found += [results / f"figures/{drawing}.png" for drawing in experiment["drawings"]]
    return found


def section(name, experiment, results):
    """Return what the page has of an experiment: its title, a picture, and links to what is there of it."""
    tables = [(f"tables/{name}.html", "Table"), (f"tables/{name}_vs_paper.html", "Beside the published values")]
    pages = [*tables, (f"pages/{name}.html", "Pictures side by side")]
    formats = [
        (f"tables/{name}{kind}.{suffix}", f"{suffix}{words}")
        for kind, words in (("", ""), ("_vs_paper", ", published"))
        for suffix in ("csv", "md", "tex")
    ]
    drawings = [drawing for drawing in experiment["drawings"] if (results / f"figures/{drawing}.png").is_file()]
    parts = [f"<h2>{html.escape(experiment['title'])}</h2>"]
    if drawings:
        file = web.quote(f"figures/{drawings[0]}.png")
        parts.append(
            f'<a href="{file}"><img src="{file}" alt="{html.escape(_called(drawings[0]))}" loading="lazy"></a>'
        )
    for pairs in (pages, formats):
        there = [(path, text) for path, text in pairs if (results / path).is_file()]
        parts.append(f"<p>{' · '.join(web.link(*pair) for pair in there)}</p>" if there else "")
    items = [f"<li>{web.link(f'figures/{d}.png', _called(d))} {_pdf(d, results)}</li>" for d in drawings]
    if items:
        parts.append(f"<details><summary>Figures ({len(items)})</summary><ul>{''.join(items)}</ul></details>")
    return f"<section>{''.join(parts)}</section>"


def _called(drawing):
    kind, *rest = drawing.split("/")[1:]
    return ", ".join([kind.replace("_", " "), *rest])


def _pdf(drawing, results):
    file = f"figures/{drawing}.pdf"
    return web.link(file, "pdf") if (results / file).is_file() else ""


def page(contents, results):
    """Return the page as HTML: one file without a script, which loads nothing but the pictures beside it."""
    first = next(iter(contents["experiments"]))
    table = results / f"tables/{first}.md"
    more = [(f"tables/{first}.html", "All of this table"), (f"pages/{first}.html", "Its pictures side by side")]
    parts = {
        "config": html.escape(contents["config"]),
        "count": f"{len(contents['experiments'])} experiments, {contents['recoveries']} recoveries",
        "time": time.strftime("%Y-%m-%d %H:%M"),
        "links": "".join(
            f"<li>{web.link(path.relative_to(results), text)}</li>" for path, text in files(contents, results)
        ),
        "title": html.escape(contents["experiments"][first]["title"]),
        "headline": web.headline(table.read_text(encoding="utf-8")) if table.is_file() else "",
        "more": " · ".join(web.link(path, text) for path, text in more if (results / path).is_file()),
        "experiments": "\n".join(section(name, said, results) for name, said in contents["experiments"].items()),
    }
    return re.sub(r"{{(\w+)}}", lambda place: parts[place[1]], PAGE.read_text(encoding="utf-8"))


@click.command(cls=Command, help=__doc__)
@click.argument("contents", type=click.Path(exists=True, dir_okay=False))
@click.argument("output", type=click.Path(dir_okay=False))
def main(contents, output):
    """CONTENTS (json) names the experiments and their figures; OUTPUT (html) links to what of them is there."""
    write_text(output, page(read_json(contents), Path(output).parent))


if __name__ == "__main__":
    main()
