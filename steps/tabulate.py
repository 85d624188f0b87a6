"""Tabulate an experiment: a row for each image and corruption, a column for each method variant, means over seeds."""

import json
import math
from pathlib import Path

import click
import numpy as np

from steps.base.errors import Command
from steps.base.files import whole, write_text
from steps.base.parameters import parse_parameters
from steps.base.text import brief
from steps.images import synthetic
from steps.score import number
from steps.tables import grouping
from steps.tables.columns import RESIDUAL, TIME, read_metrics
from steps.tables.markup import Best, escape_markdown, some, stand_in_note, to_latex, to_markdown
from steps.tables.scores import read_scores
from steps.tables.statistics import FEWEST, interval
from steps.tables.waiting import MARK, RULE, waited
from steps.tables.words import in_brief

TRUTH = "truth"
INPUT = "input"
SIGMA = "noise sigma"
NOT_RUN = "not run"
FEWEST_IMAGES = 3  # that a mean over images needs
NOTE = (
    "truth: the image itself, a perfect recovery. input: the measurement itself, or its back-projection, before any "
    "recovery. Best of each row's methods in bold."
)
NO_TRUTH = "No ground truth is known of {}: no {}."
NONE = "No recovery in this table has one; the metric's file says for what there is none."
OF_RESIDUAL = (
    "Residual: root mean square of A x̂ − y. At the noise's standard deviation all that was taken out may be noise; "
    "well below it noise is left, well above it more than noise is lost."
)
TOLD = (
    "noise sigma: what methods were told of sigma: estimated from the measurement where sigma is estimate, what a bsnr "
    "asks for, and of other noise than Gaussian its root mean square. Where a transform makes that noise Gaussian, as "
    "of Poisson noise in denoising, methods are told the transform's instead."
)
MANY = f"n: number of recoveries (noise and seeds) averaged in a cell; ±: half of the 95 % interval, from {FEWEST} on."
APART = "Where n is a range, the columns of a row are means over different draws of the noise."


def perfect(name):
    """Return what a metric says of a perfect recovery, x̂ = x, which is one number for all images; None if it has none.

    It is measured, not said, so that a wrong metric shows. x is noise in three channels, nowhere flat, and y is 1 − x.
    """
    noise = synthetic.noise()
    truth = np.stack([noise, noise.T, noise[::-1]])
    return number(name, truth, truth.copy(), measured=1 - truth)


def table(scores, metric):
    """Return a DataFrame of a column of scores: image, varying corruption parameters, n, input if known, the labels.

    If methods were told another sigma than the corruption says, there is a column "noise sigma" with it. The column
    "not run" has the labels that a row has no recovery of.
    A cell is the mean over noise and method seeds; n is how many recoveries it averages, "2 to 6" if columns differ.
    If any cell has several, each label is followed by "label ±", half of the mean's 95 % interval (Student's t), or NaN
    for fewer than three.
    """
    import pandas

    scores, varying, _ = grouping.split(scores)
    keys = ["image", *varying]
    told = told_otherwise(scores)
    labels = grouping.labels(scores)
    several = scores.groupby([*keys, "label"], dropna=False).size().max() > 1
    found = []
    for key, group in scores.groupby(keys, sort=False, dropna=False):
        row = dict(zip(keys, key))
        by_label = {label: group.loc[group["label"] == label, metric] for label in labels}
        counts = sorted({values.count() or len(values) for values in by_label.values()})
        row["n"] = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        row[NOT_RUN] = tuple(label for label, values in by_label.items() if not len(values))
        if told:
            row[SIGMA] = group["noise_sigma"].mean()
        if f"input_{metric}" in group:
            row[INPUT] = group.drop_duplicates("corruption")[f"input_{metric}"].mean()
        for label, values in by_label.items():
            row[label] = values.mean()
            if several:
                row[f"{label} ±"] = interval(values)[1] if len(values) >= FEWEST else math.nan
        found.append(row)
    return pandas.DataFrame(found), keys, labels


def apart(scores):
    """Return whether some row of the table has labels that were run on other draws of the noise than others."""
    scores, varying, _ = grouping.split(scores)
    drawn = scores.groupby(["image", *varying, "label"], dropna=False)["corruption"].agg(lambda texts: frozenset(texts))
    rows = drawn.groupby(level=list(range(len(varying) + 1)), dropna=False)
    return bool((rows.nunique() > 1).any())


def told_otherwise(scores):
    """Return whether methods were told of any measurement another sigma than its corruption says."""
    said = [parse_parameters(text).get("sigma", 0) for text in scores["corruption"]]
    told = scores.get("noise_sigma", said)
    return any(a != b and (isinstance(a, str) or not math.isclose(a, b)) for a, b in zip(said, told) if b == b)


def texts(frame, keys, labels, metric, truth=None, marked=None):
    """Return (header, rows of text): means of a Metric, with intervals and n if a cell has several.

    All that equal the best of a row at the decimals shown are a Best. With `truth`, the number of a perfect recovery,
    there is a column of it, blank in rows that have no number. Where `marked`, a frame of the same cells, is above 0, a
    cell has a MARK.
    """
    import pandas

    shown = [INPUT, *labels] if INPUT in frame else labels
    extra = (["n"] if set(frame["n"]) != {"1"} else []) + ([SIGMA] if SIGMA in frame else [])
    control = [] if truth is None else [TRUTH]
    rows = []
    for place, (_, row) in enumerate(frame.iterrows()):
        best = metric.best(row[label] for label in labels)
        line = [row["image"], *("" if pandas.isna(row[key]) else brief(row[key]) for key in keys[1:])]
        line += [row[name] if name == "n" else f"{row[name]:.4f}" for name in extra]
        line += ["" if row[shown].isna().all() else metric.digits(truth) for _ in control]
        for label in shown:
            nothing = NOT_RUN if label in row[NOT_RUN] else ""  # "": no truth, or none that the metric has a number for
            text = nothing if math.isnan(row[label]) else metric.digits(row[label])
            if not math.isnan(half := row.get(f"{label} ±", math.nan)):
                text = metric.interval(row[label], half)
            text += MARK if marked is not None and marked[label].iloc[place] > 0 else ""
            line.append(Best(text) if label in labels and metric.is_best(row[label], best) else text)
        rows.append(line)
    return [*keys, *extra, *control, *shown], rows


def means(frame, keys, labels):
    """Return the rows "mean of N images" of a frame of `table`, for each corruption that at least three images have.

    They are over the images of which all methods are there, "mean of 3 of 4 images"; a method that was run for none of
    them is left out. Images of which nothing is known, as they have no truth, do not count.
    """
    import pandas

    known = frame.dropna(subset=labels, how="all")
    numbers = [name for name in (SIGMA, INPUT, *labels) if name in frame]
    found = []
    for key, group in known.groupby(keys[1:], sort=False, dropna=False) if keys[1:] else [((), known)]:
        complete = group.dropna(subset=[label for label in labels if group[label].notna().any()])
        of = f" of {len(group)}" if len(complete) < len(group) else ""
        group = complete
        if len(group) >= FEWEST_IMAGES:
            row = dict(zip(keys, (f"mean of {len(group)}{of} images", *key))) | dict(group[numbers].mean(skipna=False))
            counts = set(group["n"])
            first = group["n"].iloc[0]
            count = str(int(first) * len(group)) if len(counts) == 1 and first.isdigit() else ""
            row["n"] = "1" if set(frame["n"]) == {"1"} else count  # 1: there is no column n
            row[NOT_RUN] = tuple(set.intersection(*map(set, group[NOT_RUN])))
            found.append(row)
    return pandas.DataFrame(found, columns=frame.columns)


def with_means(frame, keys, labels):
    """Return a frame of `table` with the rows of `means` below it."""
    import pandas

    over_images = means(frame, keys, labels)
    return pandas.concat([frame, over_images]) if len(over_images) else frame


@click.command(cls=Command, help=__doc__)
@click.argument("scores", type=click.Path(exists=True, dir_okay=False))
@click.argument("output")
@click.option("--title", required=True, help="heading of the table")
@click.option("--metrics", "named", default="", help="as plan.metrics.facts has them, as JSON  [default: PSNR]")
@click.option("--stand-ins", default="{}", help="images that stand for others, {image: text}, as JSON")
@click.option("--not-made", default="", help="recoveries that the table should have and has not")
@click.option("--note", "more", multiple=True, help="a sentence below the heading; again for more")
def main(scores, output, title, named, stand_ins, not_made, more):
    """SCORES (csv of steps.collect) to OUTPUT.csv, OUTPUT.md and OUTPUT.tex: a table for each metric, and of time."""
    import pandas

    output, named = Path(output), read_metrics(named)
    scores = read_scores(scores)
    stand_ins = {name: text for name, text in json.loads(stand_ins).items() if name in set(scores["image"])}
    scores["image"] = [name + (" (stand-in)" if name in stand_ins else "") for name in scores["image"]]
    _, _, fixed = grouping.split(scores)
    settings = "; ".join(filter(None, [scores["task"][0].replace("_", " "), in_brief(fixed)]))
    unknown = list(dict.fromkeys(scores.loc[scores["psnr"].isna(), "image"]))
    truths = len(unknown) < scores["image"].nunique()
    scores["waited"] = waited(scores).astype(float)
    held_up = scores["waited"].any()
    explained = f"{MANY} {APART}" if apart(scores) else MANY
    notes = [f"{settings}.{f' {NOTE}' if truths else ''}"]
    none = ", no ".join(metric.label for metric in named)
    notes += [escape_markdown(NO_TRUTH.format(some(unknown), none)), OF_RESIDUAL] if unknown else []
    notes += [TOLD if told_otherwise(scores) else ""]
    notes += map(escape_markdown, [*more, stand_in_note(stand_ins)])
    notes += [f"Not made, {escape_markdown(not_made)}." if not_made else ""]
    markdown, latex, frames = ["\n\n".join([f"# {escape_markdown(title)}", *filter(None, notes)])], [], []
    for metric in [*named, *[RESIDUAL] * bool(unknown), TIME]:
        frame, keys, labels = table(scores, metric.name)
        frames.append(frame.drop(columns=NOT_RUN).assign(metric=metric.name))
        if metric.better and not truths:
            continue
        words = [f"{metric.about.rstrip('.')}; {metric.better} is better.".lstrip("; ")] if metric.better else []
        words = [word[0].upper() + word[1:] for word in words]
        parts = [f"## {escape_markdown(metric.heading)}", *map(escape_markdown, words)]
        if frame[labels].isna().all(axis=None):
            markdown.append("\n\n".join([*parts, NONE]))
            continue
        frame, marked = with_means(frame, keys, labels), None
        if metric is TIME:
            marked = with_means(table(scores, "waited")[0], keys, labels)
        header, rows = texts(frame, keys, labels, metric, perfect(metric.name) if metric.better else None, marked)
        if "n" in header and MANY not in markdown[0]:
            markdown[0] += f"\n\n{explained}"
        markdown.append("\n\n".join([*parts, to_markdown(header, rows, len(keys))]))
        direction = f", {metric.better} is better" if metric.better else ""
        caption = f"{title}. {metric.heading}{direction}; {settings}." + (f" Not made, {not_made}." if not_made else "")
        caption += f" {explained}" if "n" in header else ""
        caption += f" {RULE}" if metric is TIME and held_up else ""
        latex.append(to_latex(header, rows, len(keys), caption))
    devices = escape_markdown(", ".join(sorted(set(scores["device"]))))
    markdown += [RULE] if held_up else []
    markdown.append(f"{scores['convention'][0]}. " * truths + f"Time: solve seconds on {devices}.")
    csv = pandas.concat(frames)
    with whole(output.with_suffix(".csv")) as temporary:
        csv[["metric", *csv.columns.drop("metric")]].to_csv(temporary, index=False)
    write_text(output.with_suffix(".md"), "\n\n".join(markdown) + "\n")
    write_text(output.with_suffix(".tex"), "\n\n".join(latex) + "\n")


if __name__ == "__main__":
    main()
