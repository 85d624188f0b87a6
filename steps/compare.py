"""Compare an experiment with published values, cell by cell: published, ours, difference, verdict, reason."""

import json
import math
from pathlib import Path

import click

from steps.base.errors import Command
from steps.base.files import whole, write_text
from steps.base.parameters import spell
from steps.plan import corruptions, published, variants
from steps.tables.markup import escape_markdown, stand_in_note, to_latex, to_markdown
from steps.tables.scores import read_scores
from steps.tables.statistics import FEWEST, interval

NOT_RUN = "not run"
VERDICTS = ("within", "better", "worse", "not comparable")
NOTE = (
    "Ours: mean over n seeds ± half of its 95 % interval (Student's t, from three seeds on). Within: the "
    "difference is at most the tolerance; better, worse: it is more. Tuned settings are only asked to be as good:"
    " their tolerance is the interval, so that within means that the published value lies in it. What the paper "
    "does not say of its settings was chosen to come near its numbers, so that agreement is no independent "
    "evidence for those."
)


def verdict(difference, tolerance):
    """Return "within", "better" or "worse" for ours − published in dB; "not comparable" if tolerance is None."""
    if tolerance is None:
        return "not comparable"
    if abs(difference) <= tolerance:
        return "within"
    return "better" if difference > 0 else "worse"


def rule(cell, tolerances):
    """Return (tolerance in dB or None, reason) for a published row: the first of `tolerances` that is for it.

    None, which is not comparable, also if there is none.
    """
    for one in tolerances:
        if all(cell[key] in one.get(f"{key}s", [cell[key]]) for key in ("label", "image")):
            return one.get("db"), one["reason"]
    return None, "no tolerance is given"


def ours(scores, cell, label):
    """Return the rows of scores (DataFrame of steps.collect) of a variant's label for the cell of a published row."""
    here = scores[(scores["image"] == cell["image"]) & (scores["label"] == label)]
    places = zip(here.index, here["task"], here["corruption"])
    return here.loc[[place for place, task, text in places if published.is_of(cell, corruptions.filled(task, text))]]


def compare(scores, labels, cells, tolerances):
    """Return a list of dicts, one for each published cell and each of our variants that is compared with it.

    scores  DataFrame of steps.collect;  labels  [(label, its entry under methods)];  cells  the published rows of its
    table.
    """
    rows = []
    for label, entry in labels:
        settings = entry.get("settings", "paper")
        for cell in cells:
            if cell["label"] not in published.names(entry):
                continue
            values = ours(scores, cell, label)["psnr"]
            mean, half = interval(values) if len(values) else (math.nan, math.nan)
            half = half if len(values) >= FEWEST else math.nan
            tolerance, reason = rule(cell, tolerances)
            if settings == "tuned" and tolerance is not None:
                tolerance, reason = (0.0 if math.isnan(half) else half), "at least as good is asked of tuned settings"
            rows.append(
                {
                    "image": cell["image"],
                    "parameter": cell["parameter"],
                    "value": cell["value"],
                    "published label": cell["label"],
                    "published": cell["psnr_db"],
                    "label": label,
                    "settings": settings,
                    "n": len(values),
                    "ours": mean,
                    "interval": half,
                    "difference": mean - cell["psnr_db"],
                    "tolerance": math.nan if tolerance is None else tolerance,
                    "verdict": verdict(mean - cell["psnr_db"], tolerance) if len(values) else NOT_RUN,
                    "reason": reason,
                }
            )
    return rows


def summary(rows):
    """Return one dict for each variant and published label: cells run, verdicts, mean, RMS and largest difference.

    Mean, RMS and largest are over the cells that can be compared, unless there are none. The nearest, by RMS, come
    first within the paper's and within the tuned settings.
    """
    groups = {}
    for row in rows:
        groups.setdefault((row["settings"], row["label"], row["published label"]), []).append(row)
    found = []
    for (settings, label, name), cells in groups.items():
        run = [row for row in cells if row["n"]]
        comparable = [row["difference"] for row in run if row["verdict"] != "not comparable"]
        differences = comparable or [row["difference"] for row in run] or [math.nan]
        place = {
            "settings": settings,
            "variant": label,
            "published as": name,
            "cells run": f"{len(run)} of {len(cells)}",
        }
        verdicts = {verdict: sum(row["verdict"] == verdict for row in cells) for verdict in VERDICTS}
        mean, square = (sum(d**power for d in differences) / len(differences) for power in (1, 2))
        found.append(
            place | verdicts | {"mean difference": mean, "RMS": math.sqrt(square), "largest": max(differences, key=abs)}
        )
    return sorted(found, key=lambda row: (row["settings"], math.isnan(row["RMS"]), row["RMS"]))


def summary_texts(found):
    """Return the rows of text of a `summary`."""
    signs = {"mean difference": "+.2f", "RMS": ".2f", "largest": "+.2f"}
    return [[_text(value, signs[key]) if key in signs else str(value) for key, value in row.items()] for row in found]


def cell_texts(rows, stand_ins):
    """Return (header, rows of text) of the cells."""
    header = ["image", rows[0]["parameter"], "published as", "published", "variant", "settings", "n", "ours"]
    header += ["difference", "tolerance", "verdict"]
    found = []
    for row in rows:
        names = [row["image"] + (" (stand-in)" if row["image"] in stand_ins else ""), spell(row["value"])]
        names += [row["published label"], f"{row['published']:.2f}", row["label"], row["settings"], str(row["n"])]
        ours = _text(row["ours"]) + ("" if math.isnan(row["interval"]) else f" ± {row['interval']:.2f}")
        found.append([*names, ours, _text(row["difference"], "+.2f"), _text(row["tolerance"]), row["verdict"]])
    return header, found


def _text(number, spelled=".2f"):
    return "" if math.isnan(number) else format(number, spelled)


def reasons(rows):
    """Return a list in Markdown of the tolerances and their reasons, each with the cells that it is for."""
    found = {}
    for row in rows:
        if row["settings"] != "tuned":
            tolerance = "not comparable" if math.isnan(row["tolerance"]) else f"{row['tolerance']:g} dB"
            found.setdefault((tolerance, row["reason"]), {})[f"{row['published label']} on {row['image']}"] = None
    return "\n".join(
        f"- {tolerance} for {escape_markdown(', '.join(cells))}: {escape_markdown(reason)}"
        for (tolerance, reason), cells in found.items()
    )


@click.command(cls=Command, help=__doc__)
@click.argument("scores", type=click.Path(exists=True, dir_okay=False))
@click.argument("values", type=click.Path(exists=True, dir_okay=False))
@click.argument("experiment")
@click.argument("stand_ins")
@click.argument("output")
@click.option("--title", required=True, help="heading of the tables")
def main(scores, values, experiment, stand_ins, output, title):
    """SCORES (csv of steps.collect) beside the published VALUES (csv), to OUTPUT.csv, OUTPUT.md and OUTPUT.tex.

    EXPERIMENT is the entry under experiments in the config, STAND_INS {image: what it stands for}, both as JSON.
    """
    import pandas

    experiment, stand_ins, output = json.loads(experiment), json.loads(stand_ins), Path(output)
    cells = [row for row in published.read(values) if row["table"] == experiment["published"]["table"]]
    labels, tolerances = variants.labels(experiment), experiment["published"].get("tolerances", [])
    rows = compare(read_scores(scores), labels, cells, tolerances)
    stand_ins = {name: text for name, text in stand_ins.items() if any(row["image"] == name for row in rows)}
    note = stand_in_note(stand_ins)
    parts = [f"# {escape_markdown(title)}, beside the published values", f"PSNR in dB. {NOTE}", escape_markdown(note)]
    latex = []
    found = summary(rows)
    tables = {"Each variant": (list(found[0]), summary_texts(found)), "Each cell": cell_texts(rows, stand_ins)}
    for heading, (header, texts) in tables.items():
        parts += [f"## {heading}", to_markdown(header, texts, 3)]
        latex.append(to_latex(header, texts, 3, f"{title}, beside the published values. {note}"))
    remarks = [escape_markdown(f"{label}: {entry['remark']}") for label, entry in labels if "remark" in entry]
    parts += ["## Remarks", "\n".join(f"- {remark}" for remark in remarks)] if remarks else []
    parts += ["## Tolerances", reasons(rows)]
    with whole(output.with_suffix(".csv")) as temporary:
        pandas.DataFrame(rows).to_csv(temporary, index=False)
    write_text(output.with_suffix(".md"), "\n\n".join(filter(None, parts)) + "\n")
    write_text(output.with_suffix(".tex"), "\n\n".join(latex) + "\n")


if __name__ == "__main__":
    main()
