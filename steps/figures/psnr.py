"""PSNR against the corruption parameter, a panel for each image and each value of any other that varies.

Of more than a dozen images it is one panel with the means over them.
"""

import numpy as np

EACH = ()
TRUTH = True
INPUT = "input"
KEYS = ["task", "label", "method", "corruption", "params"]


def draw(scores):
    """Return a figure: mean PSNR over seeds (bars: standard deviation) against the number that has most values.

    The dashed line is the input's PSNR. Parameters that span a factor of four or more are on a logarithmic axis, the
    same in all panels. What is exact has no place: ∞ dB. Raises NothingToDraw if no row has a truth.
    """
    import matplotlib.pyplot as plt

    from steps.base.errors import NothingToDraw
    from steps.look import labels, style
    from steps.tables import grouping

    scores = grouping.pooled(scores[scores["psnr"].notna()])  # of images that have a truth
    if not len(scores):
        raise NothingToDraw("psnr: none of the recoveries has a truth")
    scores = scores.groupby([*KEYS, "image"], sort=False)[["psnr", "input_psnr"]].mean().reset_index()
    scores, (x, *others), _ = _axis(*grouping.split(scores))
    groups = list(scores.groupby(["image", *others], sort=False, dropna=False))
    columns = style.columns(len(groups))
    rows = -(-len(groups) // columns)
    size = (style.COLUMN if columns == 1 else style.WIDTH, 2.3 * rows)
    figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False, sharex=True, layout="constrained")
    looks = style.lines(scores) | {INPUT: style.INPUT}
    ends, bars, exact = [], False, False
    places = scores[x].nunique()
    for panel, ((image, *rest), here) in zip(panels.flat, groups):
        last = {}
        for label, line in looks.items():
            mine = here if label == INPUT else here[here["label"] == label]
            means = mine.groupby(x)["input_psnr" if label == INPUT else "psnr"].agg(["mean", "std"])
            exact = exact or not np.isfinite(means["mean"]).all()
            means = means[np.isfinite(means["mean"])]
            spread = means["std"] if means["std"].notna().any() and label != INPUT else None
            bars = bars or spread is not None
            if label == INPUT and len(means) == 1 == places:
                panel.axhline(means["mean"].iloc[0], **line)
            elif label == INPUT:
                panel.plot(means.index, means["mean"], **line | ({"marker": "_"} if len(means) == 1 else {}))
            else:
                panel.errorbar(means.index, means["mean"], spread, capsize=2, elinewidth=0.8, **line)
            if len(means):
                last[label] = (means.index[-1], means["mean"].iloc[-1])
        ends.append((panel, last))
        title = ", ".join(filter(None, [image, style.values(zip(others, rest))]))
        panel.set_title(style.wrapped(title, size[0] / columns - 0.4, 7.5))
        panel.tick_params(labelbottom=True)  # also where the panel below is missing
        _scale(panel, np.sort(scores[x].dropna().unique()), style.axis_label(x))
    for panel in panels[:, 0]:
        panel.set_ylabel("PSNR [dB]")
    for panel in panels.flat[len(groups) :]:
        panel.remove()
    labels.at_ends(figure, ends, looks)
    notes = ["Means over seeds; bars: ± one standard deviation."] if bars else []
    notes += ["What is exact, at ∞ dB, is not shown."] if exact else []
    if notes:
        style.note(figure, " ".join(notes))
    return figure


def _axis(scores, varying, fixed):
    """Return the same with the numbers that vary most first, for the x-axis; the whole corruption if nothing varies.

    And if nothing does that all measurements have, as with several noises: then it stands for what varies.
    """
    from steps.look import style

    everywhere = [name for name in varying if scores[name].notna().all()]
    numbers = [name for name in everywhere if scores[name].dtype.kind in "iuf"]
    first = max(numbers, key=lambda name: scores[name].nunique(), default=None)
    rest = [name for name in varying if name != first]
    if first is None and everywhere != varying:
        names = [style.values(zip(varying, row)).replace(", ", "\n") for row in scores[varying].itertuples(index=False)]
        return scores.assign(corruption=names), ["corruption"], fixed
    if first is None:  # one place, whatever the seed
        one = style.values(pair for pair in fixed.items() if pair[0] != "clip")
        return scores.assign(corruption=one), ["corruption", *rest], fixed
    return scores, [first, *rest], fixed


def _scale(panel, values, name):
    from steps.base.parameters import spell

    if values.dtype.kind not in "iuf":
        return
    panel.set_xlabel(name)
    if values.min() > 0 and values.max() >= 4 * values.min():
        panel.set_xscale("log")
    panel.set_xticks(values, [spell(float(value)) for value in values])
    panel.minorticks_off()
