import types

import matplotlib.pyplot as plt
import numpy as np
import pandas
import pytest

from steps.base import discover
from steps.look import style

# What a dichromat sees, on linear RGB: Machado, Oliveira, Fernandes (2009), severity 1.
PROTANOPIA = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
DEUTERANOPIA = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]


def seen(colours, matrix):
    """Return the CIELAB values (n, 3) of hexadecimal colours as seen through a matrix on linear RGB."""
    from matplotlib.colors import to_rgb
    from skimage.color import rgb2lab

    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.array(matrix).T, 0, 1)
    return rgb2lab(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)[None])[0]


def least_difference(colours, matrix):
    """Return the least CIEDE2000 difference of two of some colours; about 2 is the least that one notices."""
    from skimage.color import deltaE_ciede2000

    lab = seen(colours, matrix)
    return deltaE_ciede2000(lab[:, None], lab[None])[np.triu_indices(len(colours), 1)].min()


OURS = ("wiener", "tv", "nlm", "bm3d", "dip", "wiener_dip", "admm_dip")
COLOURS = [*style.COLOURS, *style.SPARE_COLOURS]


@pytest.mark.parametrize("matrix", [np.eye(3), PROTANOPIA, DEUTERANOPIA], ids=["normal", "protanopia", "deuteranopia"])
def test_everyone_can_tell_the_colours_apart(matrix):
    assert least_difference(COLOURS, matrix) > 10


def test_the_test_of_colours_can_fail():
    assert least_difference(["#D00000", "#4F6A00"], np.eye(3)) > 40
    assert least_difference(["#D00000", "#4F6A00"], DEUTERANOPIA) < 10  # red and olive


def test_every_method_that_says_a_look_has_its_own_in_a_colour_of_ours():
    said = [discover.load("methods", method) for method in discover.available("methods")]
    said = [module.LOOK for module in said if hasattr(module, "LOOK")]
    assert len(set(said)) == len(said), "two methods look alike: change LOOK in the file of one"
    ours = [style.look(method) for method in OURS]
    assert {colour for colour, _ in ours} == set(style.COLOURS)
    assert len({marker for _, marker in ours} | set(style.SPARE_MARKERS)) == len(OURS) + len(style.SPARE_MARKERS)


def test_a_method_that_says_none_looks_as_its_name_decides(monkeypatch):
    modules = {"new": types.SimpleNamespace(), "old": types.SimpleNamespace(LOOK=("#0072B2", "o"))}
    monkeypatch.setattr(discover, "load", lambda kind, name: modules[name])
    assert style.look("old") == ("#0072B2", "o")
    assert style.look("new") == style.spare("new") != style.spare("newer")
    assert style.spare("new")[0] in style.SPARE_COLOURS and style.spare("new")[1] in style.SPARE_MARKERS


def test_symbols_are_those_of_the_task_else_of_a_noise_else_the_name(monkeypatch):
    assert style.value("compression", 4, "single_pixel") == "compression = 4"
    assert style.value("compression", 4, "denoising") == "compression = 4"
    assert style.value("sigma", 0.1, "single_pixel") == "σ = 0.1"
    assert style.value("sigma", "estimate", "denoising") == "σ estimated"
    assert style.value("clip", None, "denoising") == style.value("clip", float("nan"), "denoising") == ""
    assert style.value("noise", "poisson", "denoising") == "Poisson noise"
    assert style.symbol("blur", "deconvolution") == ("blur", "Blur, its standard deviation [pixels]")
    monkeypatch.setattr(discover.load("tasks", "denoising"), "SYMBOLS", {"sigma": ("s", "S")}, raising=False)
    assert style.symbol("sigma", "denoising") == ("s", "S")


@pytest.mark.parametrize("kind", ["tasks", "noises"])
def test_a_parameter_has_one_word_its_key_in_configs_and_tables_and_at_most_a_letter_beside(kind):
    said = {name: getattr(discover.load(kind, name), "SYMBOLS", {}) for name in discover.available(kind)}
    assert sum(map(len, said.values())) > 4
    for name, (short, axis) in (pair for symbols in said.values() for pair in symbols.items()):
        assert name in axis.lower(), f"{axis!r}: the axis does not say {name}"
        assert short.lower() == name or len(short) == 1, f"{short!r} is another word for {name}"


def test_what_files_say_of_looks_is_of_the_methods_task_and_noises_shown(monkeypatch):
    before = style.said("denoising", ["gaussian"], ["tv"])
    monkeypatch.setattr(discover.load("methods", "nlm"), "LOOK", ("#000000", "x"))
    monkeypatch.setattr(discover.load("noises", "poisson"), "LABEL", "shot")
    monkeypatch.setattr(discover.load("noises", "speckle"), "SYMBOLS", {"looks": ("L", "L")})
    assert style.said("denoising", ["gaussian"], ["tv"]) == before
    monkeypatch.setattr(discover.load("methods", "tv"), "LOOK", ("#000000", "x"))
    assert style.said("denoising", ["gaussian"], ["tv"]) != before
    assert "shot noise" in style.said("denoising", ["poisson"]) and '"L"' in style.said("denoising", ["speckle"])


def scores(*pairs):
    return pandas.DataFrame(pairs, columns=["label", "method"])


def test_a_method_looks_the_same_whoever_stands_beside_it():
    alone = style.lines(scores(("mine", "dip")))["mine"]
    among = style.lines(scores(("NLM", "nlm"), ("TV", "tv"), ("TV", "tv"), ("mine", "dip"), ("more", "dip")))["mine"]
    assert alone == among
    assert (alone["color"], alone["marker"]) == style.look("dip")


def test_variants_of_a_method_have_its_marker_and_differ_in_shade_and_dashes():
    looks = style.lines(scores(("TV", "tv"), *((f"DIP {i}", "dip") for i in range(12))))
    looks = [look for label, look in looks.items() if label != "TV"]
    assert {look["marker"] for look in looks} == {style.look("dip")[1]}
    assert len({(look["color"], str(look["linestyle"])) for look in looks}) == 12
    _, a, b = seen([look["color"] for look in looks], np.eye(3)).T
    assert np.ptp(np.degrees(np.arctan2(b, a))) < 15  # one hue
    assert looks[0]["linestyle"] == "-" and looks[1]["linestyle"] != "-"


def test_methods_of_one_colour_differ_in_their_dashes():
    wiener = [name for name in discover.available("methods") if style.look(name)[0] == style.look("wiener")[0]]
    looks = list(style.lines(scores(("TV", "tv"), *((name, name) for name in wiener))).values())[1:]
    assert len(wiener) > 2 and len({look["color"] for look in looks}) == 1
    assert len({str(look["linestyle"]) for look in looks}) == len(wiener)


def test_variants_of_one_method_alone_have_the_colours_of_all():
    looks = list(style.lines(scores(*((f"DIP {i}", "dip") for i in range(12)))).values())
    assert (looks[0]["color"], looks[0]["marker"]) == style.look("dip")
    assert {look["marker"] for look in looks} == {style.look("dip")[1]}
    assert {look["color"] for look in looks[:7]} == set(style.COLOURS)
    assert len({(look["color"], str(look["linestyle"])) for look in looks}) == 12


@pytest.mark.parametrize(
    ("panels", "columns"), [(1, 1), (2, 2), (3, 3), (4, 2), (5, 3), (6, 3), (7, 4), (8, 3), (9, 3), (10, 4)]
)
def test_columns(panels, columns):
    assert style.columns(panels) == columns
    assert panels == 1 or panels % columns != 1


def test_a_parameter_and_its_value_stay_on_one_line():
    words = ["cameraman,", "psf = binomial,", "σ = 7/255"]
    assert style.wrapped("cameraman, psf = binomial, σ = 7/255", 1.2, 7.5).split("\n") == words


def test_wrapped_text_is_cut_after_some_lines():
    assert style.wrapped("TV", 1) == "TV"
    lines = style.wrapped("a label of very many words that nobody needs to read to its end", 0.6).split("\n")
    assert len(lines) == 3 and lines[-1].endswith("…")
    assert max(map(len, lines)) <= 11


def test_notes_are_below_the_figure_in_what_is_saved():
    with style.apply():
        figure = plt.figure(figsize=(3, 1))
        assert style.page(figure).extents.tolist() == [0, 0, 3, 1]
        style.note(figure, "one " * 40)
        once = style.page(figure).y0
        style.note(figure, "two")
        first, second = (text.get_window_extent() for text in figure.texts)
        assert first.y1 < 0 and second.y1 <= first.y0 and first.x1 <= figure.bbox.width
        assert style.page(figure).y0 < once < 0
        plt.close(figure)


def test_logarithmic_scales_have_plain_numbers():
    with style.apply():
        figure, panels = plt.subplots(1, 3)
        for panel, low in zip(panels, (0.001, 0.04, 0.004)):
            panel.plot([1, 2], [low, 0.09])
            style.log_scale(panel.yaxis, low, 0.09)
        figure.canvas.draw()
        names = [[t.get_text() for t in panel.get_yticklabels()] for panel in panels]
        assert {"0.001", "0.01"} <= set(names[0])
        assert len(names[1]) >= 3 and {"0.06", "0.09"} <= set(names[1])
        assert {"0.005", "0.01", "0.02", "0.05"} <= set(names[2])  # a decade and a bit
        plt.close(figure)
