"""Compare an experiment with published values, cell by cell: published, ours, difference, verdict, reason."""

import fnmatch
import json
import math
from pathlib import Path

import click

from steps.base.errors import Command
from steps.base.files import whole, write_text
from steps.base.text import brief
from steps.plan import corruptions, published, variants
from steps.plan.metrics import in_db
from steps.tables.columns import PSNR, read_metrics
from steps.tables.markup import escape_markdown, stand_in_note, to_latex, to_markdown
from steps.tables.scores import read_scores
from steps.tables.statistics import FEWEST, interval

NOT_RUN = "not run"
VERDICTS = ("within", "better", "worse", "not comparable")
NOTE = (
    "Ours: the mean over n seeds ± half of its 95 % interval (Student's t, from three seeds on). Within: the "
    "difference is at most the tolerance; better, worse: it is more. Tuned settings only have to be as good: "
    "their tolerance is the interval, so within means that the published value lies in it. Where the paper does "
    "not give a setting, we chose one that comes near its numbers. For these settings, agreement is no "
    "independent evidence."
)


def verdict(difference, tolerance, lower=False):
    """Return "within", "better" or "worse" for ours − published; "not comparable" if tolerance is None.

    lower  whether the metric's lower numbers are the better ones.
    """
    if tolerance is None:
        return "not comparable"
    if round(abs(difference), 9) <= tolerance:  # so that 28.3 is 0.1 above 28.2
        return "within"
    return "better" if (difference > 0) != lower else "worse"


def rule(cell, tolerances):
    """Return (tolerance in dB or None, reason) for a published row: the first of `tolerances` that is for it.

    None, which is not comparable, also if there is none, and for a metric that is not in dB.
    """
    if not in_db(cell.get("metric", "psnr")):
        return None, "tolerances are in dB"
    for one in tolerances:
        if all(cell[key] in one.get(f"{key}s", [cell[key]]) for key in ("label", "image")):
            return one.get("db"), one["reason"]
    return None, "no tolerance is given"


def ours(scores, cell, label):
    """Return the rows of scores (DataFrame of steps.collect) of a variant's label for the cell of a published row."""
    images = scores["image"].map(lambda name: fnmatch.fnmatchcase(name, cell["image"]))
    here = scores[images & (scores["label"] == label)]
    places = zip(here.index, here["task"], here["corruption"])
    return here.loc[[place for place, task, text in places if published.is_of(cell, corruptions.filled(task, text))]]


def number(here, cell, images):
    """Return (mean, half of its 95 % interval, NaN if not known, n) of the rows of scores that are for a published row.

    Over several images it is that of their means, one a draw that all have; NaN unless all of `images` are there.
    """
    wanted = [name for name in images if fnmatch.fnmatchcase(name, cell["image"])]
    values = here[cell["metric"]]
    mean = values.mean(skipna=False)
    if len(wanted) > 1:
        means, draws = (here.groupby(keys)[cell["metric"]] for keys in ("image", ["corruption", "params"]))
        values = draws.mean()[draws.count() == len(wanted)]
        mean = means.mean().mean() if means.mean().count() == len(wanted) else math.nan
    return mean, interval(values)[1] if len(values) >= FEWEST else math.nan, len(here)


def compare(scores, labels, cells, tolerances, images=(), lower=()):
    """Return a list of dicts, one for each published cell and each of our variants that is compared with it.

    scores  DataFrame of steps.collect;  labels  [(label, its entry under methods)];  cells  the published rows of its
    table;  images  those of the experiment;  lower  the metrics whose lower numbers are the better ones.
    """
    rows = []
    for label, entry in labels:
        settings = entry.get("settings", "paper")
        for cell in cells:
            if cell["label"] not in published.names(entry):
                continue
            mean, half, n = number(ours(scores, cell, label), cell, images)
            difference = mean - cell["number"]
            tolerance, reason = rule(cell, tolerances)
            if settings == "tuned" and tolerance is not None:
                tolerance, reason = (0.0 if math.isnan(half) else half), "at least as good is asked of tuned settings"
            rows.append(
                {
                    **{key: cell[key] for key in ("image", "parameter", "value")},
                    "published label": cell["label"],
                    "metric": cell["metric"],
                    "published": cell["number"],
                    "about": cell["about"],
                    "label": label,
                    "settings": settings,
                    "n": 0 if math.isnan(mean) else n,
                    "ours": mean,
                    "interval": half,
                    "difference": difference,
                    "tolerance": math.nan if tolerance is None else tolerance,
                    "verdict": NOT_RUN if math.isnan(mean) else verdict(difference, tolerance, cell["metric"] in lower),
                    "reason": reason,
                    **{key: cell[key] for key in ("who", "where")},
                }
            )
    return rows


def summary(rows):
    """Return one dict for each variant, published label and metric: cells, verdicts, mean, RMS and largest difference.

    Mean, RMS and largest are over the cells that can be compared, unless there are none. The nearest, by RMS, come
    first within the paper's and within the tuned settings.
    """
    groups = {}
    for row in rows:
        groups.setdefault((row["settings"], row["label"], row["published label"], row["metric"]), []).append(row)
    several = len({row["metric"] for row in rows}) > 1
    found = []
    for (settings, label, name, metric), cells in groups.items():
        run = [row for row in cells if row["n"]]
        comparable = [row["difference"] for row in run if row["verdict"] != "not comparable"]
        differences = comparable or [row["difference"] for row in run] or [math.nan]
        place = {
            "settings": settings,
            "variant": label,
            "published as": name,
            **({"metric": metric} if several else {}),
            "cells run": f"{len(run)} of {len(cells)}",
        }
        verdicts = {verdict: sum(row["verdict"] == verdict for row in cells) for verdict in VERDICTS}
        mean, square = (sum(d**power for d in differences) / len(differences) for power in (1, 2))
        found.append(
            place | verdicts | {"mean difference": mean, "RMS": math.sqrt(square), "largest": max(differences, key=abs)}
        )
    return sorted(found, key=lambda row: (row["settings"], math.isnan(row["RMS"]), row["RMS"]))


def summary_texts(found, named):
    """Return the rows of text of a `summary`; named  {metric: its `Metric`}."""
    spelled = dict.fromkeys(("mean difference", "largest"), lambda value: _text(value, "+.2f"))
    spelled |= {"RMS": _text, "metric": lambda name: named[name].label}
    return [[spelled.get(key, str)(value) for key, value in row.items()] for row in found]


def cell_texts(rows, stand_ins, named):
    """Return (header, rows of text) of the cells; named  {metric: its `Metric`}."""
    parameters, metrics = (list(dict.fromkeys(row[key] for row in rows)) for key in ("parameter", "metric"))
    header = ["image", parameters[0] if len(parameters) == 1 else "parameter", *["metric"] * (len(metrics) > 1)]
    header += ["published as", "published", "variant", "settings", "n", "ours", "difference", "tolerance", "verdict"]
    found = []
    for row in rows:
        metric, value = named[row["metric"]], brief(row["value"])
        digits = f".{metric.decimals}f"
        names = [row["image"] + (" (stand-in)" if row["image"] in stand_ins else "")]
        names += [
            value if len(parameters) == 1 else f"{row['parameter']}={value}",
            *[metric.label] * (len(metrics) > 1),
        ]
        names += [row["published label"], "~" * row["about"] + _text(row["published"], digits)]
        names += [row["label"], row["settings"], str(row["n"])]
        ours = _text(row["ours"], digits) + ("" if math.isnan(row["interval"]) else f" ± {row['interval']:{digits}}")
        found.append([*names, ours, _text(row["difference"], f"+{digits}"), _text(row["tolerance"]), row["verdict"]])
    return header, found


def sources(rows):
    """Return a list in Markdown of where the published values stand; "" if the file does not say."""
    found = {}
    for row in rows:
        if row["who"]:
            where = f"{row['who']}, {row['where']}".removesuffix(", ")
            found.setdefault(where, {})[row["published label"]] = None
    lines = [f"- {escape_markdown(', '.join(labels))}: {escape_markdown(where)}" for where, labels in found.items()]
    if lines and any(row["about"] for row in rows):
        lines.append("- ~ is from memory or second hand: not checked.")
    return "\n".join(lines)


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
@click.option("--metrics", default="", help="what there is to know of metrics, as JSON; PSNR is always known")
def main(scores, values, experiment, stand_ins, output, title, metrics):
    """SCORES (CSV, of collect) are compared with published VALUES (CSV). Writes OUTPUT.csv, OUTPUT.md and OUTPUT.tex.

    EXPERIMENT is the entry under experiments in the config, STAND_INS is {image: what it stands for}, both as JSON.
    """
    import pandas

    experiment, stand_ins, output = json.loads(experiment), json.loads(stand_ins), Path(output)
    cells = [row for row in published.read(values) if row["table"] == experiment["published"]["table"]]
    labels, tolerances = variants.labels(experiment), experiment["published"].get("tolerances", [])
    named = {metric.name: metric for metric in (PSNR, *read_metrics(metrics))}
    lower = [name for name, metric in named.items() if metric.better == "lower"]
    rows = compare(read_scores(scores), labels, cells, tolerances, experiment["images"], lower)
    stand_ins = {name: text for name, text in stand_ins.items() if any(row["image"] == name for row in rows)}
    note = stand_in_note(stand_ins)
    shown = ", ".join(dict.fromkeys(named[row["metric"]].heading for row in rows))
    units = "PSNR in dB" if shown == PSNR.heading else shown
    parts = [f"# {escape_markdown(title)}, beside the published values", f"{units}. {NOTE}", escape_markdown(note)]
    latex = []
    found = summary(rows)
    tables = {"Each variant": (list(found[0]), summary_texts(found, named))}
    tables["Each cell"] = cell_texts(rows, stand_ins, named)
    for heading, (header, texts) in tables.items():
        parts += [f"## {heading}", to_markdown(header, texts, 3)]
        latex.append(to_latex(header, texts, 3, f"{title}, beside the published values. {note}"))
    remarks = [escape_markdown(f"{label}: {entry['remark']}") for label, entry in labels if "remark" in entry]
    parts += ["## Remarks", "\n".join(f"- {remark}" for remark in remarks)] if remarks else []
    parts += ["## Tolerances", reasons(rows)]
    parts += ["## Sources", said] if (said := sources(rows)) else []
    with whole(output.with_suffix(".csv")) as temporary:
        pandas.DataFrame(rows).to_csv(temporary, index=False)
    write_text(output.with_suffix(".md"), "\n\n".join(filter(None, parts)) + "\n")
    write_text(output.with_suffix(".tex"), "\n\n".join(latex) + "\n")


if __name__ == "__main__":
    main()
