"""The words of the pages of a recorded run: its first screen, an experiment, the claims, the cells."""

import re
from collections import Counter, defaultdict
from pathlib import Path

from steps import compare
from steps.plan.metrics import as_json, facts
from steps.tables.columns import read_metrics
from steps.tables.markup import escape_markdown, to_markdown
from steps.tools import summary


def included(path, lower=0):
    """Return the Markdown file of a table, to be part of a page: its headings so many levels lower."""
    return re.sub(r"^#", "#" * (lower + 1), Path(path).read_text(encoding="utf-8").strip(), flags=re.MULTILINE)


def not_run(made):
    """Return a list in Markdown: how many recoveries of each experiment are there, and which are not.

    made  {experiment: (the Recoveries it asks for, those that are there)}.
    """
    lines = []
    for name, (asked, some) in made.items():
        missing = Counter((recovery.label, recovery.image) for recovery in set(asked).difference(some))
        images = defaultdict(list)
        for recovery in asked:
            if count := missing.pop((recovery.label, recovery.image), 0):
                images[recovery.label].append(f"{recovery.image} ({count})")
        which = escape_markdown("; ".join(f"{label} on {', '.join(some)}" for label, some in images.items()))
        text = f"- {name}: {len(some)} of {len(asked)} recoveries."
        lines.append(f"{text} Not run: {which}." if which else text)
    return "\n".join(lines)


def machines(cells):
    """Return [(machine, cells that it made, their hours)]: a GPU, a processor, or "cpu" if that is not known."""
    groups = defaultdict(list)
    for cell in cells:
        device = cell["score"]["device"]
        groups[(cell["machine"] or device) if device == "cpu" else device].append(cell)
    return [
        (name, some, sum(cell["score"]["seconds"] for cell in some) / 3600) for name, some in sorted(groups.items())
    ]


def spent(cells, asked, old):
    """Return in words how many cells of those asked for are recorded, when, and the hours that they took on what."""
    days = sorted({cell["day"] for cell in cells})
    hours = " ".join(f"{len(some)} took {time:.1f} hours on {name}." for name, some, time in machines(cells))
    text = f"{len(cells)} of {asked} cells were recorded {_span(days)}; a cell is one recovery. {hours}"
    return text + (f" {len(old)} more are left out: code or settings of theirs have changed since." if old else "")


def of_cells(cells, old, made, times):
    """Return the page of cells: what made them, which are there, which are old, what they cost.

    cells  those that are current, a list;  old  {folder: what of it has changed};  made  as for `not_run`;  times  the
    Markdown of results/time.md.
    """
    rows = []
    for name, some, hours in machines(cells):
        versions = defaultdict(set)
        for cell in some:
            for package, version in cell["score"]["versions"].items():
                versions[package].add(version or "none")
        words = ", ".join(f"{package} {' and '.join(sorted(found))}" for package, found in versions.items())
        rows.append([name, words, _span(sorted({cell["day"] for cell in some})), str(len(some)), f"{hours:.2f}"])
    parts = ["# The cells", to_markdown(["made on", "with", "recorded", "cells", "hours"], rows, 3)]
    parts += ["## What is recorded", not_run(made)]
    if old:
        lines = (f"- {escape_markdown(folder)}: its {what} is made otherwise here" for folder, what in old.items())
        parts += ["## What is old and left out", "\n".join(lines)]
    return "\n\n".join([*parts, times]) + "\n"


def of_experiment(tables, shown):
    """Return the page of an experiment, of the Markdown of its tables and {file name: drawing} of its figures."""
    return "\n\n".join([*tables, *(f"![{drawing}]({file})" for file, drawing in shown.items())]) + "\n"


def section(name, title, frame, stand_ins, shown, place):
    """Return what the first page says of an experiment.

    frame  its numbers beside the published ones (summary.read_compared), None without;  shown  {file name: drawing};
    place  the folder of the other pages.
    """
    parts = [f"## {escape_markdown(title)}"]
    if frame is not None:
        found = compare.summary(frame.to_dict("records"))
        named = {metric.name: metric for metric in read_metrics(as_json(facts(frame["metric"].unique())))}
        texts = compare.summary_texts(found, named)
        parts += [summary.beside(frame, stand_ins, named), to_markdown(list(found[0]), texts, 3)]
        shown = {file: drawing for file, drawing in shown.items() if drawing == f"{name}/vs_paper"}
    parts += [f"![{drawing}]({place}/{file})" for file, drawing in shown.items()]
    return "\n\n".join([*parts, f"[All numbers and figures of {name}]({place}/{name}.md)"])


def _span(days):
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
