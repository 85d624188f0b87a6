"""Figures show the metrics that the config names, and which is the best by the direction of each."""

import matplotlib.pyplot
import numpy as np
import pytest
from matplotlib.text import Text

from steps.figures import comparison, matrix, metrics
from steps.look import style
from steps.tables.columns import Metric
from tests.figures import made


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with style.apply():
        yield made.results(tmp_path, seeds=[0])
    matplotlib.pyplot.close("all")


def written(figure):
    """Return {text: whether it is bold} of a figure's texts that have digits."""
    found = [text for text in figure.findobj(Text) if any(map(str.isdigit, text.get_text()))]
    return {text.get_text(): text.get_weight() == "bold" for text in found}


def test_metrics_has_a_panel_for_each_metric_of_each_image_with_its_means(results):
    figure = metrics.draw(results, made.METRICS)
    assert [(panel.get_title(), panel.get_ylabel()) for panel in figure.axes] == [
        (image, label) for image in ("house", "hill") for label in ("PSNR [dB]", "SSIM", "GMSD")
    ]
    panel = figure.axes[5]
    drawn = {container.get_label(): container[0].get_xydata()[:, 1] for container in panel.containers}
    np.testing.assert_allclose(drawn["TV"], [0.105, 0.11, 0.15])
    np.testing.assert_allclose(drawn["DIP"], [0.115, 0.12, 0.16])
    (line,) = [line for line in panel.get_lines() if line.get_label() == "input"]
    np.testing.assert_allclose(line.get_ydata(), [0.205, 0.21, 0.25])
    assert "Higher is better: PSNR, SSIM. Lower is better: GMSD." in [text.get_text() for text in figure.texts]


def test_four_metrics_of_two_images_begin_a_line_each(results):
    for name in ("a", "b"):
        results = results.assign(**{name: results["psnr"], f"input_{name}": results["input_psnr"]})
    five = [*made.METRICS, Metric("a", "A", better="higher"), Metric("b", "B", better="higher")]
    for shown, places in ((five[:4], [0, 1, 0, 1]), (five, [0, 1, 2, 0, 1])):
        figure = metrics.draw(results, shown)
        assert [panel.get_subplotspec().colspan.start for panel in figure.axes] == places * 2


def test_a_metric_that_an_image_has_not_says_so(results):
    there = results["image"] == "house"
    results = results.assign(ssim=results["ssim"].where(there), input_ssim=results["input_ssim"].where(there))
    figure = metrics.draw(results, made.METRICS)
    says = [[text.get_text() for text in panel.texts if text.get_text().startswith("no ")] for panel in figure.axes]
    assert says == [[], [], [], [], ["no SSIM"], []]


def test_comparison_shows_the_first_two_and_the_best_of_each_in_bold(results):
    here = results[(results["image"] == "hill") & results["corruption"].str.contains("sigma=0.1")]
    found = written(comparison.draw(here, made.METRICS))
    numbers = {text: bold for text, bold in found.items() if text.endswith("dB") or text.startswith(("SSIM", "GMSD"))}
    assert numbers == {
        "19.00 dB": False,
        "SSIM 0.370": False,
        "22.00 dB": False,
        "SSIM 0.800": True,  # TV
        "23.00 dB": True,  # DIP
        "SSIM 0.700": False,
    }
    lower = written(comparison.draw(here, made.METRICS[::-1]))
    assert (lower["GMSD 0.1100"], lower["GMSD 0.1200"], lower["SSIM 0.800"]) == (True, False, True)
    assert not [text for text in lower if "dB" in text]


def test_matrix_shows_the_first_two_below_one_another(results):
    figure = matrix.draw(results[results["image"] == "hill"], made.METRICS[1:])
    found = written(figure)
    assert (found["SSIM 0.800"], found["SSIM 0.700"], found["GMSD 0.1100"], found["GMSD 0.1200"]) == (1, 0, 1, 0)
    assert (found["SSIM 0.370"], found["GMSD 0.2100"]) == (0, 0)  # the input is not among them
    (panel,) = [panel for panel in figure.axes if "SSIM 0.800" in [text.get_text() for text in panel.texts]]
    above, below = panel.texts
    assert (above.get_text(), below.get_text()) == ("SSIM 0.800", "GMSD 0.1100")
    assert above.get_window_extent().y0 >= below.get_window_extent().y1 - 1
