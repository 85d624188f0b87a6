"""The gain in PSNR against seconds: what each method costs and gives; a panel for each image, or one for many."""

import numpy as np

from steps.base.errors import NothingToDraw
from steps.look import labels, style
from steps.tables import grouping

CAPTION = """\
Gain in PSNR over the input against seconds; a small point is a corruption, a large one the median over them. **Look
for** the upper left edge: no other method is both faster and better than those on it. Seconds are comparable within
one machine only.
"""
EACH = ()
TRUTH = True


def draw(scores):
    """Return a figure: the gain over the input in dB, against the seconds of solving, in logarithmic scale.

    A faint point is one corruption (mean over seeds, and over images if there are more than a dozen), the large one is
    the median over corruptions of both. Where the input is no image that PSNR is meaningful for, as in compressed
    measurements, it is the back-projection's. Raises NothingToDraw if no row has a truth, or no input an error.
    """
    scores = scores[scores["psnr"].notna()]
    if not len(scores):
        raise NothingToDraw("time: none of the recoveries has a truth")
    devices = sorted(scores["device"].unique())
    scores, varying, _ = grouping.split(grouping.pooled(scores))
    scores = scores.assign(gain=scores["psnr"] - scores["input_psnr"], seconds=scores["seconds"].clip(lower=1e-3))
    scores = scores[np.isfinite(scores["gain"])]  # an input without error has nothing to gain
    if not len(scores):
        raise NothingToDraw("time: no input has an error, so that nothing can be gained")
    images = list(dict.fromkeys(scores["image"]))
    figure, panels = style.grid(images, 2.5)
    looks = {label: line | {"linestyle": ""} for label, line in style.lines(scores).items()}
    shown = []
    for image, panel in zip(images, panels.flat):
        here = scores[scores["image"] == image]
        medians, faint = {}, []
        for label, look in looks.items():
            points = here[here["label"] == label].groupby(["image", *varying], dropna=False)[["seconds", "gain"]].mean()
            panel.plot(points["seconds"], points["gain"], **look | {"alpha": 0.4, "markersize": 3, "label": None})
            faint += points.to_numpy().tolist()
            if len(points):
                medians[label] = tuple(points.median())
                panel.plot(*medians[label], **look | {"markersize": 7})
        shown.append((panel, medians, faint))
        panel.axhline(0, **style.INPUT)
        panel.margins(0.12)
        panel.set_xlabel("Time of solving [s]")
        if panel.get_subplotspec().is_first_col():
            panel.set_ylabel("PSNR gain over the input [dB]")
    style.log_scale(panels.flat[0].xaxis, *scores["seconds"].quantile([0, 1]))
    labels.beside(figure, shown, looks, {"input": style.INPUT})
    words = "Small: each corruption, mean over seeds. Large: the median over corruptions. Dashed: the input."
    style.note(figure, f"{words} Seconds of several machines: {'; '.join(devices)}." if len(devices) > 1 else words)
    return figure
