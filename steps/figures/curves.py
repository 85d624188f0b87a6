"""Loss and PSNR against iterations, a column for each image and corruption, as in the paper's figure 2.

More than a dozen images are averaged.
"""

import numpy as np

from steps.base import discover
from steps.base.errors import NothingToDraw
from steps.base.files import reading
from steps.base.parameters import settings
from steps.look import labels, style
from steps.tables import grouping

CAPTION = """\
Loss and, where the truth is known, PSNR against iterations; of several seeds the mean, in a band from the lowest to the
highest. **Look for** PSNR that rises and falls while the loss still falls: from there on the network fits the noise,
and where one stops decides the result. If a method returns the mean of several fits, they follow one another: the loss
jumps up where the next one begins, and the PSNR falls until that one is good, too.
"""
EACH = ()
CURVES = True


def draw(scores):
    """Return a figure of the curves of all iterative methods: the mean over seeds, and a band from least to most.

    The loss is what a method reports: of the prior the data term, mean (A x − y)², without the penalty of a regularised
    fit; of ADMM its objective. So between methods compare shapes, not heights. PSNR is against the truth, of the
    estimates that the trace has kept; the dashed line is the input's. Both are on logarithmic iterations. Raises
    NothingToDraw if no method has iterations.
    """
    many = scores["image"].nunique() > grouping.MOST
    if many and scores["psnr"].notna().any():
        scores = scores[scores["psnr"].notna()]  # one without a truth would leave no mean PSNR
    scores, varying, _ = grouping.split(grouping.pooled(scores, 1 if many else grouping.MOST))
    scores = scores.assign(curve=[read(folder) for folder in scores["folder"]])
    scores = scores[[len(curve) > 1 for curve in scores["curve"]]]
    if not len(scores):
        raise NothingToDraw("curves: none of the methods has iterations to show")
    cases = list(scores.groupby(["image", *varying], sort=False, dropna=False))
    titles = [style.panel_title(image, varying, values, scores["task"].iloc[0]) for (image, *values), _ in cases]
    figure, panels = style.grid(titles, 3.4, stacked=2)
    looks, ends, bands = style.lines(scores), [], False
    for (_, here), (above, below) in zip(cases, panels):
        for panel, name in ((above, "loss"), (below, "psnr")):
            curves = {label: list(here.loc[here["label"] == label, "curve"]) for label in looks}
            last = {label: _draw_band(panel, curves[label], name, looks[label]) for label in looks if curves[label]}
            ends.append((panel, last))
            bands = bands or any(len(some) > 1 for some in curves.values())
        if np.isfinite(here["input_psnr"]).all():
            below.axhline(here["input_psnr"].mean(), **style.INPUT)
            looks |= {"input": style.INPUT}
            last["input"] = (max(x for x, _ in last.values()), here["input_psnr"].mean())
        below.set_xlabel("Iteration")
        if above.get_subplotspec().is_first_col():
            above.set_ylabel("Loss")
            below.set_ylabel("PSNR [dB]")
        if here["psnr"].isna().all():
            style.empty(below, "no truth")
            ends.pop()
        drawn = np.concatenate([line.get_ydata() for line in above.get_lines()])
        positive = drawn[drawn > 0]
        if len(positive):
            style.log_scale(above.yaxis, positive.min(), positive.max())
        most = max(curve["iteration"].max() for curve in here["curve"])
        for panel in (above, below):
            style.log_scale(panel.xaxis, 1, max(most, 10))
    labels.at_ends(figure, ends, {label: look | {"marker": None} for label, look in looks.items()})
    over = "seeds and images" if many else "seeds"
    notes = [f"Lines are means over {over}; bands reach from the least to the most of them."] if bands else []
    if scores["method"].nunique() > 1:
        notes.append("Losses of different methods have different units: compare their shapes.")
    notes += several_fits(scores)
    style.note(figure, " ".join(notes))
    return figure


def read(folder):
    """Return the curve of a recovery, see steps/score.py, as a DataFrame."""
    import pandas

    with reading(f"{folder}/curve.csv") as file:
        return pandas.read_csv(file)


def several_fits(scores):
    """Return a sentence for each of the labels whose estimate is the mean of several fits, made one after another."""
    found = []
    for label, method, params in scores[["label", "method", "params"]].drop_duplicates("label").itertuples(index=False):
        fits = settings(discover.load("methods", method).recover, params).get("fits", 1)
        words = f"{label}: the mean of {fits} fits, one after another; loss and PSNR jump where the next begins."
        found += [words] * (fits > 1)
    return found


def _draw_band(panel, curves, name, look):
    """Draw the mean of curves (over the iterations that all have) and the band that holds them; return its end."""
    shared = sorted(set.intersection(*(set(curve["iteration"]) for curve in curves)))
    values = np.array([curve.set_index("iteration")[name].loc[shared] for curve in curves])
    panel.plot(shared, values.mean(0), **(look | {"marker": None}))
    if len(curves) > 1:
        panel.fill_between(shared, values.min(0), values.max(0), color=look["color"], alpha=0.2, linewidth=0)
    return shared[-1], values.mean(0)[-1]
