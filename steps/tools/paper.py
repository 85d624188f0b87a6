"""Write the pages of a recorded run: how it compares with a paper, its tables, claims, figures and cells."""

import tempfile
from pathlib import Path

import click

from steps.base import discover
from steps.base.errors import BadInput, Command, one_line
from steps.base.files import read_json, whole, write_text
from steps.look import style
from steps.plan import published
from steps.plan.config import read_config
from steps.plan.drawings import Index, drawings
from steps.plan.experiments import there
from steps.tables.markup import escape_markdown
from steps.tools import cells as planned
from steps.tools import pages, recorded, summary
from steps.tools.remade import remake

OVERVIEW = "overview.png"


def publishable(drawing, config):
    """Return whether a drawing shows no picture but ones drawn by code, so that it may be given away."""
    name, figure, *subject = drawing.split("/")
    each = discover.load("figures", figure).EACH
    return "image" not in each or config["images"][subject[0]]["source"].startswith("synthetic:")


def pictures(name, config, asked, made, cells, folder, kept):
    """Return {drawing: PNG} of the figures of an experiment that may be given away.

    Those of numbers are in folder/results, where `remake` has made them. Those of pictures drawn by code are taken from
    results/ if they are there and all that they show is what `cells` has; else they stay as in the folder `kept`.
    """
    found = {}
    for drawing in drawings(name, config["experiments"][name], Index(asked, made), config["drawn"]):
        source, subject = Path(folder, f"results/figures/{drawing}.png"), tuple(drawing.split("/")[2:])
        if subject:
            shown = [r for r in made if subject in ((r.image,), (r.image, r.corruption))]
            source = Path(f"results/figures/{drawing}.png")
            if not (source.is_file() and all(_as_recorded(r, cells) for r in shown)):
                source = Path(kept, _file(drawing))
        if publishable(drawing, config) and source.is_file():
            found[drawing] = source.read_bytes()
    return found


def _as_recorded(recovery, cells):
    run, cell = Path(recovery.folder, "run.json"), cells.get(recovery.folder)
    return bool(cell) and there(recovery) and run.is_file() and read_json(run)["origin"] == cell["score"]["origin"]


def _file(drawing):
    return f"{drawing.replace('/', '-')}.png"


def written(config, name, cells, output):
    """Return {path: text, or bytes of a PNG} of the page `output` and of the others, in a folder of the same name.

    cells  {folder: cell} of the record;  name  the config's file.
    """
    import pandas

    asked = planned.distinct(config)
    current, old = recorded.split(config, asked, cells)
    if not current:
        raise BadInput(f"{config['record']}: has no cell of {name} that is current; run the workflow, then make record")
    folder, place = output.with_suffix(""), output.stem
    stand_ins = {image for image, entry in config["images"].items() if "stand_in" in entry}
    found, frames, tables, others = {}, {}, [], []
    with tempfile.TemporaryDirectory() as remade:
        made, results = remake(config, current, remade), Path(remade, "results")
        for key in (key for key, (_, some) in made.items() if some):
            experiment, drawn = config["experiments"][key], pictures(key, config, *made[key], current, remade, folder)
            parts, title = [pages.included(results / f"tables/{key}.md")], experiment.get("title", key)
            if "published" in experiment:
                parts.append(pages.included(results / f"tables/{key}_vs_paper.md", 1))
                frames[key] = summary.read_compared(results / f"tables/{key}_vs_paper.csv")
            shown = {_file(drawing): drawing for drawing in drawn}
            found |= {folder / _file(drawing): content for drawing, content in drawn.items()}
            found[folder / f"{key}.md"] = pages.of_experiment(parts, shown)
            section = pages.section(key, title, frames.get(key), stand_ins, shown, place)
            (tables if key in frames else others).append(section)
        screen = [f"# Our results of {escape_markdown(name)}"]
        if frames:
            asked_of = {entry["published"]["table"] for entry in config["experiments"].values() if "published" in entry}
            count = sum(row["table"] in asked_of for row in published.read(config["published"]))
            screen.append(summary.numbers(list(frames.values()), count))
            found[folder / OVERVIEW] = _overview(config, frames, remade)
        if "claims" in config:
            screen.append(summary.claims(pandas.read_csv(results / "claims.csv")))
            found[folder / "claims.md"] = pages.included(results / "claims.md") + "\n"
            head = pages.included(results / "claims.md", 1).split("\n\n### ")[0]
            tables.append(head.replace("](#", f"]({place}/claims.md#"))
        times = pages.included(results / "time.md", 1)
    some = list(current.values())
    found[folder / "cells.md"] = pages.of_cells(some, old, made, times)
    words = escape_markdown(pages.spent(some, len(asked), old))
    screen.append(f"{words} [Which cells, package versions and costs]({place}/cells.md)")
    screen += [f"![Ours beside the published PSNR]({place}/{OVERVIEW})", summary.LEGEND] if frames else []
    return {output: "\n\n".join([*screen, *tables, *others]) + "\n"} | found


def _overview(config, frames, folder):
    """Return the PNG of the figure of all published numbers."""
    import matplotlib.pyplot

    path = Path(folder, OVERVIEW)
    with style.apply():
        titles = [config["experiments"][key].get("title", key) for key in frames]
        figure = summary.figure(list(zip(titles, frames.values())))
        figure.savefig(path)
        matplotlib.pyplot.close(figure)
    return path.read_bytes()


@click.command(cls=Command, help=__doc__)
@click.argument("config", type=click.Path(exists=True, dir_okay=False))
@click.argument("output", type=click.Path(dir_okay=False))
def main(config, output):
    """CONFIG is a YAML file that names a record; OUTPUT is a page (.md), with a folder of the same name beside it.

    Needs no results. Leaves out pictures of photographs, which may not be given away.
    """
    name, output = config, Path(output)
    folder = output.with_suffix("")
    with one_line(name):
        config = read_config(config)
        cells = recorded.read(recorded.file_of(config))
        known = {*(f"{page}.md" for page in ("claims", "cells", *config["experiments"])), Path(config["record"]).name}
        strange = [path for path in folder.glob("*") if path.suffix != ".png" and path.name not in known]
        if output.suffix != ".md" or strange:
            raise BadInput(f"{output}: must be a file .md, without a folder {folder} that holds more than its pages")
        found = written(config, name, cells, output)
        for old in {*folder.glob("*.png"), *folder.glob("*.md")}.difference(found):
            old.unlink()
        for path, content in found.items():
            if isinstance(content, str):
                write_text(path, content)
            else:
                with whole(path) as temporary:
                    temporary.write_bytes(content)


if __name__ == "__main__":
    main()
