"""Every metric that the config names against the corruption parameter, a panel each.

So for each image and each value of any other parameter that varies; of more than a dozen images the means over them.
"""

import numpy as np

from steps.base.errors import NothingToDraw
from steps.base.text import brief
from steps.look import labels, style
from steps.tables import grouping
from steps.tables.columns import PSNR, directions

CAPTION = """\
Every metric against the strength of the corruption, a panel each. Dashed, unless it is exact: the input before
recovery. **Look for** metrics that do not agree on the best method.
"""
EACH = ()
TRUTH = True
INPUT = "input"
KEYS = ["task", "label", "method", "corruption", "params"]


def draw(scores, metrics=(PSNR,)):
    """Return a figure: mean of a metric over seeds (bars: standard deviation) against the number that has most values.

    The dashed line is the input's. Parameters that span a factor of four or more are on a logarithmic axis, the same in
    all panels. What is infinite, as ∞ dB, has no place. Raises NothingToDraw if no row has a truth.
    """
    scores = grouping.pooled(scores[scores["psnr"].notna()])  # of images that have a truth
    if not len(scores):
        raise NothingToDraw(f"{', '.join(metric.label for metric in metrics)}: none of the recoveries has a truth")
    columns = [f"{prefix}{metric.name}" for metric in metrics for prefix in ("", "input_")]
    keys = [*KEYS, "image", *scores.columns.intersection(["measured"])]
    scores = scores.groupby(keys, sort=False)[columns].mean().reset_index()
    scores, x, others = _axis(*grouping.split(scores.assign(measurement=scores["corruption"])))
    groups = list(scores.groupby(["image", *others], sort=False, dropna=False))
    across = len(groups) if len(metrics) == 1 else len(metrics)
    gaps = [None] * (-len(metrics) % style.columns(across) if len(metrics) > 1 else 0)  # in a group's last line
    kinds = [metric and (metric, *group) for group in groups for metric in [*metrics, *gaps]]
    places, numeric = scores[x].nunique(), scores[x].dtype.kind in "iuf"
    apart = {} if numeric or places == 1 else {"linestyle": ""}  # no line joins one noise with another
    task = scores["task"].iloc[0]
    titles = [kind and style.panel_title(kind[1][0], others, kind[1][1:], task) for kind in kinds]
    figure, panels = style.grid(titles, 3.5 if apart else 2.3, across=across)
    looks = style.lines(scores) | {INPUT: style.INPUT}
    ends, bars, infinite = [], False, False
    for kind, panel in zip(kinds, panels.flat):
        if kind is None:
            continue
        (metric, _, here), last = kind, {}
        for label, line in looks.items():
            mine = here.drop_duplicates("measurement") if label == INPUT else here[here["label"] == label]
            column = f"input_{metric.name}" if label == INPUT else metric.name
            means = mine.groupby(x, sort=numeric)[column].agg(["mean", "std"])
            infinite = infinite or bool(np.isinf(means["mean"]).any())
            means = means[np.isfinite(means["mean"])]
            spread = means["std"] if means["std"].notna().any() and label != INPUT else None
            bars = bars or spread is not None
            if label == INPUT and len(means) == 1 == places:
                panel.axhline(means["mean"].iloc[0], **line)
            elif label == INPUT:
                mark = {"marker": "_"} if len(means) == 1 or apart else {}
                panel.plot(means.index, means["mean"], **line | apart | mark)
            else:
                panel.errorbar(means.index, means["mean"], spread, capsize=2, elinewidth=0.8, **line | apart)
            if len(means):
                last[label] = (means.index[-1], means["mean"].iloc[-1])
        panel.tick_params("x", rotation=90 if apart else 0)
        _scale(panel, np.sort(scores[x].dropna().unique()), style.symbol(x, task)[1])
        if len(metrics) > 1 or panel.get_subplotspec().is_first_col():
            panel.set_ylabel(metric.heading)
        if last:
            ends.append((panel, last))
        else:
            style.empty(panel, "all exact" if here[metric.name].notna().any() else f"no {metric.label}")
    labels.at_ends(figure, ends, looks)
    notes = ["Means over seeds; bars: ± one standard deviation."] if bars else []
    notes += ["Infinite values are not shown."] if infinite else []
    notes += [directions(metrics)] if len(metrics) > 1 else []
    style.note(figure, " ".join(notes))
    return figure


def _axis(scores, varying, fixed):
    """Return (scores, the name of the numbers that vary most, for the x-axis, and those of the others that vary).

    On the x-axis is the whole corruption if no number varies that all measurements have, as with several noises, and if
    several parameters vary, but nowhere only the number.
    """
    task = scores["task"].iloc[0]
    everywhere = [name for name in varying if scores[name].notna().all()]
    numbers = [name for name in everywhere if scores[name].dtype.kind in "iuf"]
    first = max(numbers, key=lambda name: scores[name].nunique(), default=None)
    rest = [name for name in varying if name != first]
    alone = first and rest and scores.groupby(["image", *rest], dropna=False)[first].nunique().max() == 1
    if alone or (first is None and everywhere != varying):
        names = [style.values(zip(varying, row), task) for row in scores[varying].itertuples(index=False)]
        names = [style.wrapped(name, 1.2, 6.5, lines=4) for name in names]
        return scores.assign(corruption=names), "corruption", []
    if first is None:  # one place, whatever the seed
        one = style.values((pair for pair in fixed.items() if pair[0] != "clip"), task)
        return scores.assign(corruption=one), "corruption", rest
    return scores, first, rest


def _scale(panel, values, name):
    """Give a panel a tick at each of the sorted values, with its number where there is room."""
    if values.dtype.kind not in "iuf":
        return
    inches = panel.figure.get_figwidth() / panel.get_subplotspec().get_gridspec().ncols - 0.7
    panel.set_xlabel(style.wrapped(name, inches + 0.3))
    places = values.astype(float)
    if values[0] > 0 and values[-1] >= 4 * values[0]:
        panel.set_xscale("log")
        places = np.log(places)
    texts, free = [], -np.inf
    for value, place in zip(values, places):
        text = brief(float(value))
        at, half = (place - places[0]) / (np.ptp(places) or 1) * inches, 0.03 * len(text)
        texts.append(text if at - half >= free else "")
        free = at + half if texts[-1] else free
    panel.set_xticks(values, texts)
    panel.minorticks_off()
