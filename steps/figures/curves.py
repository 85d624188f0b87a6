"""Loss and PSNR against iterations, a column for each image and corruption, as in the paper's figure 2."""

import numpy as np

EACH = ()
CURVES = True
COLUMNS = 3  # cases side by side


def draw(scores):
    """Return a figure of the curves of all iterative methods: the mean over seeds, and a band from least to most.

    The loss is what a method reports: of the prior the data term, mean (A x − y)², without the penalty of a regularised
    fit; of ADMM its objective. So between methods compare shapes, not heights. PSNR is against the truth, of the
    estimates that the trace has kept; the dashed line is the input's. Both are on logarithmic iterations.
    """
    import matplotlib.pyplot as plt

    from steps import corruptions, style

    scores, varying, _ = corruptions.split(scores)
    scores = scores.assign(curve=[_read(folder) for folder in scores["folder"]])
    scores = scores[[len(curve) > 1 for curve in scores["curve"]]]
    cases = list(scores.groupby(["image", *varying], sort=False, dropna=False))
    columns = max(1, min(COLUMNS, len(cases)))
    lines = -(-max(len(cases), 1) // columns)
    size = (min(style.WIDTH, 3.2 * columns), 3.6 * lines)
    figure, panels = plt.subplots(2 * lines, columns, figsize=size, squeeze=False, sharex=True, layout="constrained")
    looks = style.lines(dict.fromkeys(scores["label"]))
    for index, ((image, *values), here) in enumerate(cases):
        line, column = divmod(index, columns)
        above, below = panels[2 * line, column], panels[2 * line + 1, column]
        for label, look in looks.items():
            curves = list(here.loc[here["label"] == label, "curve"])
            for panel, name in ((above, "loss"), (below, "psnr")):
                _draw_band(panel, curves, name, look)
        if np.isfinite(here["input_psnr"]).all():
            below.axhline(here["input_psnr"].mean(), **style.INPUT)
        above.set_title(", ".join([image, *(style.value(*pair) for pair in zip(varying, values))]))
        above.set(xscale="log", yscale="log", ylabel="Loss" if column == 0 else "")
        below.set(xscale="log", xlabel="Iteration", ylabel="PSNR [dB]" if column == 0 else "")
        if here["psnr"].isna().all():
            below.set(yticks=[])
            below.text(0.5, 0.5, "no truth", transform=below.transAxes, ha="center", va="center", color="0.4")
    for index in range(len(cases), lines * columns):
        line, column = divmod(index, columns)
        panels[2 * line, column].remove()
        panels[2 * line + 1, column].remove()
        panels[2 * line - 1, column].tick_params(labelbottom=True)
    handles = {}
    for panel in panels.flat:
        handles |= dict(zip(*reversed(panel.get_legend_handles_labels())))
    if handles:
        figure.legend(handles.values(), handles, loc="outside lower center", ncols=min(3 * columns, 6, len(handles)))
    return figure


def _read(folder):
    import pandas

    from steps.files import reading

    with reading(f"{folder}/curve.csv") as file:
        return pandas.read_csv(file)


def _draw_band(panel, curves, name, look):
    """Draw the mean of curves (over the iterations that all have) and the band that holds them all."""
    if not curves:
        return
    shared = sorted(set.intersection(*(set(curve["iteration"]) for curve in curves)))
    values = np.array([curve.set_index("iteration")[name].loc[shared] for curve in curves])
    panel.plot(shared, values.mean(0), **(look | {"marker": None}))
    if len(curves) > 1:
        panel.fill_between(shared, values.min(0), values.max(0), color=look["color"], alpha=0.2, linewidth=0)
