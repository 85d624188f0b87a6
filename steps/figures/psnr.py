"""PSNR against the corruption parameter, a panel for each image and each value of any other that varies."""

import numpy as np

EACH = ()
TRUTH = True


def draw(scores):
    """Return a figure: mean PSNR over seeds (bars: standard deviation) against the number that has most values.

    The dashed line is the input's PSNR. Parameters that span a factor of four or more are on a logarithmic axis.
    """
    import matplotlib.pyplot as plt

    from steps import corruptions, style

    scores = scores[scores["psnr"].notna()]  # of images that have a truth
    scores, (x, *others), _ = _axis(*corruptions.split(scores))
    groups = list(scores.groupby(["image", *others], sort=False))
    columns = min(3, len(groups))
    rows = -(-len(groups) // columns)
    size = (min(style.WIDTH, 3.4 * columns), 2.6 * rows)
    figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False, sharex=True, layout="constrained")
    for panel, ((image, *rest), here) in zip(panels.flat, groups):
        unrecovered = here.groupby(x)["input_psnr"].mean()
        panel.plot(unrecovered.index, unrecovered, **style.INPUT)
        for label, line in style.lines(dict.fromkeys(scores["label"])).items():
            means = here[here["label"] == label].groupby(x)["psnr"].agg(["mean", "std"])
            spread = means["std"] if means["std"].notna().any() else None
            panel.errorbar(means.index, means["mean"], spread, capsize=2, **line)
        panel.set_title(", ".join([image, *(style.value(*pair) for pair in zip(others, rest))]))
        _scale(panel, np.array(unrecovered.index), style.symbol(x))
    for panel in panels[:, 0]:
        panel.set_ylabel("PSNR [dB]")
    for panel in panels.flat[len(groups) :]:
        panel.remove()
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(3 * columns, 6, len(labels)))
    return figure


def _axis(scores, varying, fixed):
    """Return the same with the numbers that vary most first, for the x-axis; the whole corruption if nothing varies."""
    numbers = [name for name in varying if scores[name].dtype.kind in "iuf"]
    first = max(numbers, key=lambda name: scores[name].nunique(), default=None)
    rest = [name for name in varying if name != first]
    return scores, ([first, *rest] if first else ["corruption"]), fixed


def _scale(panel, values, name):
    from steps.grid import spell

    panel.set_xlabel(name)
    if values.dtype.kind not in "iuf":
        return
    if values.min() > 0 and values.max() >= 4 * values.min():
        panel.set_xscale("log")
    panel.set_xticks(values, [spell(float(value)) for value in values])
    panel.minorticks_off()
