"""No text of a figure is cut off, and none lies on another: with one method and with twelve, gray and in colour."""

import itertools
import re

import matplotlib
import numpy as np
import pytest

from steps import draw
from steps.base import discover
from steps.look import labels, style
from tests.figures import made
from tests.figures.made import cell, compared

TWELVE = [("Wiener", "wiener"), ("Wiener, white prior", "wiener"), ("ADMM + TV, λ = 0.005", "tv")]
TWELVE += [("ADMM + TV, λ = 0.05", "tv"), ("TV, tuned", "tv"), ("NLM", "nlm"), ("BM3D", "bm3d"), ("DIP", "dip")]
TWELVE += [("A label of many words, as a config may have it", "nlm"), ("Wiener + DIP", "wiener_dip")]
TWELVE += [("ADMM + DIP", "admm_dip"), ("with $dollars$", "dip")]
CASES = {
    "one method, one picture": {"labels": [("DIP", "dip")], "images": ["hill"], "sigmas": [0.1], "seeds": [0]},
    "five methods, colour": {"labels": TWELVE[:2] + TWELVE[5:8], "seeds": [0], "channels": 3},
    "seven pictures": {"images": ["hill", *map(str, range(6))], "seeds": [0]},
    "thirteen pictures": {"images": ["hill", *map(str, range(12))], "sigmas": [0.1, 0.5]},
    "long names": {"images": ["photo-of-the-" * 6 + "hill", "p" * 80, "hill"], "sigmas": [0.1, 0.5], "seeds": [0]},
    "twelve methods": {"labels": TWELVE, "images": ["hill"], "sigmas": [0.001, 0.005, 0.01, 0.05, 0.1, 0.5]},
}


def drawn_texts(figure, monkeypatch):
    """Return [(text, its box in pixels)] of what is drawn, ticks included."""
    found = []
    original = matplotlib.text.Text.draw

    def draw_and_note(text, renderer):
        original(text, renderer)
        if text.get_visible() and text.get_text().strip():
            found.append((text.get_text(), matplotlib.text.Text.get_window_extent(text, renderer)))

    monkeypatch.setattr(matplotlib.text.Text, "draw", draw_and_note)
    figure.canvas.draw()
    monkeypatch.setattr(matplotlib.text.Text, "draw", original)
    return list({(text, *box.extents): (text, box) for text, box in found}.values())


def collisions(texts):
    """Return the pairs of texts whose boxes, a pixel less all around, overlap."""
    boxes = [(text, box.padded(-1)) for text, box in texts]
    return [(a, b) for (a, one), (b, other) in itertools.combinations(boxes, 2) if one.overlaps(other)]


def struck_through(figure):
    """Return the texts of a figure through which a line that is drawn in it runs, its grid and its ticks aside."""
    lines = [path for axes in figure.axes for line in axes.get_lines() if (path := labels.drawn(line)) is not None]
    written = [text for text in figure.findobj(matplotlib.text.Text) if text.get_text().strip() and text.get_visible()]
    boxes = [(text.get_text(), matplotlib.text.Text.get_window_extent(text).padded(-1)) for text in written]
    return [text for text, box in boxes if any(path.intersects_bbox(box, filled=False) for path in lines)]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("figure", discover.available("figures"))
def test_no_text_is_cut_off_or_lies_on_another(figure, case, tmp_path, monkeypatch):
    with monkeypatch.context() as here:
        here.chdir(tmp_path)
        scores = made.results(tmp_path, **CASES[case])
        (tmp_path / "results/tables").mkdir()
        images, labels = scores["image"].unique(), scores["label"].unique()
        sigmas = [float(re.search("sigma=([^,]+)", text)[1]) for text in scores["corruption"].unique()]
        compared(*(cell(n, i, s, 0.5) for i in images for s in dict.fromkeys(sigmas) for n in labels))
        subject = {"image": images[0], "corruption": scores["corruption"].iloc[-1]}
        drawing = "/".join([figure, *(subject[column] for column in discover.load("figures", figure).EACH)])
        with style.apply():
            module, rows = draw.select(scores, drawing)
            rows = rows.assign(label=rows["label"].map(style.literal)).reset_index(drop=True)
            drawn = module.draw(rows, **made.told(module))
            style.note(drawn, "hill is a stand-in for another that may not be shown here, or so one says of it. " * 2)
            texts = drawn_texts(drawn, here)
    page = matplotlib.transforms.TransformedBbox(style.page(drawn), drawn.dpi_scale_trans)
    outside = [
        text
        for text, box in texts
        if not (page.padded(1).contains(box.x0, box.y0) and page.padded(1).contains(box.x1, box.y1))
    ]
    assert texts and not outside
    assert not collisions(texts)
    assert not struck_through(drawn)
    matplotlib.pyplot.close("all")


@pytest.mark.parametrize("last", [1e-4, 0.9975, 0.99975])
def test_ticks_of_long_numbers_are_not_cut_off(last, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scores = made.results(tmp_path, images=["hill"], sigmas=[0.1], seeds=[0])
    for path in tmp_path.rglob("trace.npz"):
        arrays = dict(np.load(path))
        np.savez(path, **arrays | {"losses": np.geomspace(1, last, len(arrays["losses"]))})
    with style.apply():
        figure = discover.load("figures", "film_strip").draw(scores)
        texts = drawn_texts(figure, monkeypatch)
    assert min(box.x0 for _, box in texts) >= 0
    assert not collisions(texts)


def test_the_test_of_texts_can_fail(monkeypatch):
    with style.apply():
        figure = matplotlib.pyplot.figure(figsize=(1, 1))
        for place in ((0.1, 0.5), (0.2, 0.5), (0.1, 0.1)):
            figure.text(*place, str(place))
        assert collisions(drawn_texts(figure, monkeypatch)) == [("(0.1, 0.5)", "(0.2, 0.5)")]
        panel = figure.add_axes((0, 0, 1, 1))
        panel.plot([0, 1], [0.12, 0.13])
        assert struck_through(figure) == ["(0.1, 0.1)"]
        matplotlib.pyplot.close(figure)
