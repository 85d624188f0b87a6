"""What every figure must do; a new file in steps/figures is tested because it is there."""

import pathlib
import re

import matplotlib.pyplot
import numpy as np
import pandas
import pytest
from click.testing import CliRunner

from steps import draw
from steps.base import discover
from steps.look import pictures, style
from steps.plan import corruptions
from steps.plan.metrics import as_json, facts
from steps.tables.columns import Metric, read_metrics
from tests.figures import made
from tests.figures.made import cell, compared


@pytest.fixture(autouse=True)
def close_figures():
    yield
    matplotlib.pyplot.close("all")


COLOUR = pytest.mark.parametrize("results", [1, 3], ids=["gray", "colour"], indirect=True)  # for what shows pictures


@pytest.fixture
def results(request, tmp_path, monkeypatch):
    """A folder with results of two images, three noise levels, two seeds, two methods; returns the table of scores."""
    monkeypatch.chdir(tmp_path)
    found = made.results(tmp_path, channels=getattr(request, "param", 1))
    compared(*(cell("DIP", image, sigma, 0.5) for image in ("house", "hill") for sigma in (0.05, 0.1, 0.5)))
    return found


def drawings(figure):
    subject = {"image": "hill", "corruption": "sigma=0.1,seed=0"}
    return "/".join([figure, *(subject[column] for column in discover.load("figures", figure).EACH)])


@pytest.mark.parametrize(
    ("figure", "results"),
    [
        pytest.param(figure, channels, id=f"{figure}-{'gray' if channels == 1 else 'colour'}")
        for figure in discover.available("figures")
        for channels in ((1, 3) if discover.load("figures", figure).EACH else (1,))
    ],
    indirect=["results"],
)
def test_draws_a_png_and_a_pdf(figure, results, tmp_path):
    results.to_csv(tmp_path / "scores.csv", index=False)
    result = CliRunner().invoke(draw.main, ["scores.csv", drawings(figure), "figure=0.1", "--metrics", made.NAMED])
    assert result.exit_code == 0, result.output
    content = (tmp_path / "figure=0.1.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    width = float(re.search(rb"/MediaBox \[ ?0 0 ([0-9.]+)", content)[1]) / 72  # inches
    assert width == pytest.approx(style.WIDTH, abs=0.01) or width == pytest.approx(style.COLUMN, abs=0.01)
    assert matplotlib.image.imread("figure=0.1.png").shape[1] == pytest.approx(200 * width, abs=1)
    fonts = content.count(b"/Type /FontDescriptor")
    assert 0 < fonts == content.count(b"/FontFile2")  # every font is embedded, as TrueType (Type 42): text stays text
    assert b"/Type3" not in content


def texts(figure):
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text)]


@pytest.mark.parametrize("figure", ["comparison", "curves", "film_strip", "matrix", "psnr", "time", "vs_paper"])
def test_tells_the_psnr(figure, results):
    module, rows = draw.select(results, drawings(figure))
    with style.apply():
        found = " ".join(texts(module.draw(rows.reset_index(drop=True))))
    assert "DIP" in found and "dB" in found


@COLOUR
@pytest.mark.parametrize("figure", ["comparison", "matrix", "curves"])
def test_without_a_truth_there_is_no_psnr(figure, results):
    results = results.assign(psnr=np.nan, input_psnr=np.nan, noise_sigma=0.0512)
    results["corruption"] = results["corruption"].str.replace("sigma=0.1", "sigma=estimate")
    subject = {"image": "hill", "corruption": "sigma=estimate,seed=0"}
    drawing = "/".join([figure, *(subject[column] for column in discover.load("figures", figure).EACH)])
    module, rows = draw.select(results, drawing)
    with style.apply():
        found = texts(module.draw(rows.reset_index(drop=True)))
    words = " ".join(found)
    assert "DIP" in words and "nan" not in words and "Truth" not in words and "σ estimated" in words
    assert not [text for text in found if "dB" in text and text != "PSNR [dB]"]


def test_psnr_curves_show_the_means(results):
    from steps.figures import psnr

    with style.apply():
        figure = psnr.draw(results)
    panel = figure.axes[0]
    assert panel.get_title() == "house"
    lines = {line.get_label(): line for line in panel.get_lines() if not line.get_label().startswith("_")}
    np.testing.assert_allclose(lines["input"].get_ydata(), [19.5, 19, 15])
    drawn = [container[0] for container in panel.containers if container.get_label() == "DIP"]
    np.testing.assert_allclose(drawn[0].get_xydata(), [[0.05, 24], [0.1, 23.5], [0.5, 19.5]])
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ["0.05", "0.1", "0.5"]


def without_iterates(results):
    """Leave of the iterates of all recoveries what a method without iterations leaves."""
    for folder in results["folder"]:
        empty = np.zeros(0)
        np.savez(f"{folder}/trace.npz", losses=empty, penalties=empty, iterations=empty, estimates=empty)
        pathlib.Path(folder, "curve.csv").write_text("iteration,loss,penalty,psnr\n")


def of_thirteen_images(results):
    """Return results of 13 images, of which one is 13 dB better than in `results` and another lacks a recovery."""
    images = [results[results["image"] == "hill"].assign(image=str(number)) for number in range(13)]
    images[3] = images[3].assign(psnr=images[3]["psnr"] + 12)
    return pandas.concat([*images[:12], images[12].iloc[1:]]).reset_index(drop=True)


def test_more_than_a_dozen_images_are_one_panel_of_means(results):
    from steps.figures import curves, psnr, time

    results = of_thirteen_images(results)
    with style.apply():
        figures = psnr.draw(results), time.draw(results), curves.draw(results)
    title = "mean of 12 to 13 of 13 images"
    assert [panel.get_title() for panel in figures[0].axes] == [title]
    drawn = next(c[0] for c in figures[0].axes[0].containers if c.get_label() == "DIP")
    np.testing.assert_allclose(drawn.get_xydata(), [[0.05, 25], [0.1, 23.5 + 12 / 13], [0.5, 19.5 + 12 / 13]])
    assert [panel.get_title() for panel in figures[1].axes] == [title]
    large = max(figures[1].axes[0].get_lines(), key=lambda line: (line.get_markersize(), line.get_label() == "DIP"))
    np.testing.assert_allclose(large.get_xydata(), [[30, 4.5 + 12 / 13]])
    assert [panel.get_title().replace("\n", " ") for panel in figures[2].axes if panel.get_title()] == [
        f"{title}, σ = {sigma}" for sigma in (0.05, 0.1, 0.5)
    ]
    assert "means over seeds and images" in " ".join(texts(figures[2]))


def test_bars_of_means_over_images_are_of_seeds_not_of_images(results):
    from steps.figures import psnr

    with style.apply():
        panel = psnr.draw(of_thirteen_images(results)).axes[0]
    bars = next(c for c in panel.containers if c.get_label() == "DIP").lines[2][0].get_segments()
    np.testing.assert_allclose([bar[1, 1] - bar[0, 1] for bar in bars], 2 * np.std([0, 1], ddof=1))


def test_psnr_has_a_panel_for_each_value_of_another_parameter(results):
    from steps.figures import psnr

    more = results.copy()
    results["corruption"] = "blur=2," + results["corruption"]
    more["corruption"] = "blur=4," + more["corruption"]
    more["psnr"] -= 3
    with style.apply():
        figure = psnr.draw(pandas.concat([results, more.iloc[::-1]], ignore_index=True))
    titles = [panel.get_title() for panel in figure.axes]
    assert sorted(titles) == sorted(["house, blur = 2", "hill, blur = 2", "house, blur = 4", "hill, blur = 4"])
    panel = figure.axes[titles.index("house, blur = 4")]
    (drawn,) = [container[0] for container in panel.containers if container.get_label() == "DIP"]
    np.testing.assert_allclose(drawn.get_xydata(), [[0.05, 21], [0.1, 20.5], [0.5, 16.5]])  # x is sorted


def test_curves_are_means_over_seeds_in_a_band(results):
    from steps.figures import curves

    with style.apply():
        figure = curves.draw(results)
    panels = {panel.get_title(): panel for panel in figure.axes if panel.get_title()}
    assert list(panels) == [f"{image}, σ = {sigma}" for image in ("house", "hill") for sigma in (0.05, 0.1, 0.5)]
    above, below = panels["house, σ = 0.1"], figure.axes[figure.axes.index(panels["house, σ = 0.1"]) + 3]
    lines = {line.get_label(): line for line in below.get_lines()}
    np.testing.assert_allclose(lines["DIP"].get_xydata(), [[1, 21.5], [5, 25.5], [20, 40.5], [50, 39.5]])
    assert lines["input"].get_ydata()[0] == 19
    band = below.collections[0].get_paths()[0].get_extents()
    assert (band.y0, band.y1) == (21, 41)
    (loss,) = [line for line in above.get_lines() if line.get_label() == "DIP"]
    np.testing.assert_allclose(loss.get_ydata(), [1, 0.2, 0.05, 0.02])
    assert above.get_xscale() == above.get_yscale() == below.get_xscale() == "log"
    seeds = results[(results["label"] == "DIP") & (results["image"] == "house")]
    (short,) = seeds.loc[seeds["corruption"] == "sigma=0.1,seed=0", "folder"]
    kept = pathlib.Path(short, "curve.csv").read_text().splitlines()[:-1]
    pathlib.Path(short, "curve.csv").write_text("\n".join(kept) + "\n")  # a fit that stopped earlier
    with style.apply():
        figure = curves.draw(results)
    (above,) = [panel for panel in figure.axes if panel.get_title() == "house, σ = 0.1"]
    (loss,) = [line for line in above.get_lines() if line.get_label() == "DIP"]
    assert loss.get_xdata().tolist() == [1, 5, 20]  # the iterations that both have


def test_curves_leave_out_methods_without_iterations_and_an_input_without_error(results):
    from steps.figures import curves

    for folder in results.loc[results["label"] == "TV", "folder"]:
        with open(f"{folder}/curve.csv", "w", encoding="utf-8") as file:
            file.write("iteration,loss,penalty,psnr\n")
    with style.apply():
        figure = curves.draw(results.assign(input_psnr=np.inf))
    assert {line.get_label() for panel in figure.axes for line in panel.get_lines()} == {"DIP"}
    assert {text.get_text() for panel in figure.axes for text in panel.texts} == {"DIP"}  # at the ends of lines


def shown_beside_the_paper(results, *cells):
    """Return (differences in the heat map, {(row, column): text}, names of rows, heads of columns) of vs_paper."""
    from steps.figures import vs_paper

    compared(*cells)
    with style.apply():
        panel = vs_paper.draw(results, read_metrics(as_json(facts(["isnr"])))).axes[0]
    written = {(round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in panel.texts}
    names = [[tick.get_text() for tick in ticks] for ticks in (panel.get_yticklabels(), panel.get_xticklabels())]
    less, nothing, more = (panel.images[0].to_rgba(difference)[:3] for difference in (-3.0, 0.0, 3.0))
    assert less[0] > less[2] and more[2] > more[0] and min(nothing) > 0.9  # red, white, blue
    return np.ma.filled(panel.images[0].get_array(), np.nan), written, *names


def test_vs_paper_has_the_difference_of_every_cell(results):
    differences, written, rows, columns = shown_beside_the_paper(
        results,
        cell("Ours", "house", 0.1, 0.25, settings="tuned"),
        cell("TV", "house", 0.05, -1.5, "worse", published=31.46),
        cell("TV", "house", 0.1, 4.0, "not comparable", published=22.0),
        cell("TV", "hill", 0.1, np.nan, "not run", n=0, published=18.0),
        cell("DIP", "hill", 0.1, 0.004),
    )
    assert rows == ["house, σ = 0.1", "house, σ = 0.05", "hill, σ = 0.1"]
    assert [column.split("\n")[0] for column in columns] == ["TV", "DIP", "Ours"]  # tuned last
    assert ["tuned" in column for column in columns] == [False, False, True]
    assert {place: text.split() for place, text in written.items()} == {
        (0, 0): ["+4.00*", "(22.0)"],  # an asterisk: not comparable
        (0, 2): ["+0.25", "(20.0)"],
        (1, 0): ["-1.50", "(31.5)"],
        (2, 0): ["not", "run", "(18.0)"],
        (2, 1): ["+0.00", "(20.0)"],
    }
    expected = [[4, np.nan, 0.25], [-1.5, np.nan, np.nan], [np.nan, 0.004, np.nan]]
    np.testing.assert_allclose(differences, expected)


def test_vs_paper_has_levels_of_gray_as_such(results):
    _, _, rows, _ = shown_beside_the_paper(results, cell("TV", "house", 25 / 255, 0.25))
    assert rows == ["house, σ = 25/255"]


def test_vs_paper_shows_a_variant_beside_each_of_its_published_labels(results):
    """As a tuned TV beside two of the paper's: 2 images, 2 labels, 4 differences."""
    _, written, *_ = shown_beside_the_paper(
        results,
        *(
            cell("TV", image, 0.1, difference, **{"published label": name})
            for name, difference in (("A", 0.25), ("B", -1.25))
            for image in ("house", "hill")
        ),
    )
    assert sorted(text.split()[0] for text in written.values()) == ["+0.25", "+0.25", "-1.25", "-1.25"]


def test_vs_paper_takes_labels_and_images_as_text(results):
    _, _, rows, columns = shown_beside_the_paper(results, cell("None", "01", 0.1, 0.5))
    assert rows == ["01, σ = 0.1"] and columns[0].startswith("None")


def test_vs_paper_of_several_parameters_and_metrics_says_which(results):
    bsnr = {"parameter": "bsnr", "metric": "isnr"}
    _, written, rows, _ = shown_beside_the_paper(results, cell("TV", "a", 40, 0.5), cell("TV", "a", 40, -0.25, **bsnr))
    assert rows == ["a, σ = 40, PSNR", "a, BSNR = 40, ISNR"]
    assert [text.split()[0] for text in written.values()] == ["+0.50", "-0.25"]


def test_vs_paper_calls_metrics_by_their_labels(results):
    from steps.figures import vs_paper

    compared(cell("TV", "hill", 0.1, 0.5), cell("TV", "hill", 0.1, 0.5, metric="psnr_y"))
    with style.apply():
        panel = vs_paper.draw(results, [Metric("psnr_y", "PSNR-Y", "dB", 2, "higher")]).axes[0]
    assert panel.get_xlabel() == "In brackets the published PSNR and PSNR-Y [dB]."


def test_vs_paper_colours_decibels_only_and_has_each_metrics_decimals(results):
    from steps.figures import vs_paper

    worse = {"metric": "worst", "published": 10.0}
    compared(
        cell("TV", "a", 0.1, -2.9),
        cell("TV", "a", 0.1, 0.0125, metric="ssim", published=0.75),
        cell("TV", "a", 0.1, 6.13, **worse),
    )
    metrics = [Metric("ssim", "SSIM", "", 3, "higher"), Metric("worst", "P99", "", 1, "lower")]
    with style.apply():
        panel = vs_paper.draw(results, metrics).axes[0]
    assert [tick.get_text() for tick in panel.get_yticklabels()] == [
        f"a, σ = 0.1, {m}" for m in ("PSNR", "SSIM", "P99")
    ]
    assert [text.get_text().split() for text in panel.texts] == [
        ["-2.90", "(20.0)"],
        ["+0.013", "(0.750)"],
        ["+6.1", "(10.0)"],
    ]
    assert [text.get_color() for text in panel.texts] == ["white", "black", "black"]
    np.testing.assert_allclose(np.ma.filled(panel.images[0].get_array(), np.nan)[:, 0], [-2.9, np.nan, np.nan])
    assert panel.get_xlabel() == "In brackets the published PSNR and SSIM and P99. Colours are of dB only."


def test_vs_paper_of_nothing_run(results):
    differences, written, *_ = shown_beside_the_paper(results, cell("TV", "a", 0.1, np.nan, "not run", n=0))
    assert np.isnan(differences).all() and "not run" in written[0, 0]


def test_time_has_one_large_marker_for_each_method_at_its_medians(results):
    from steps.figures import time

    with style.apply():
        figure = time.draw(results)
    assert [panel.get_title() for panel in figure.axes] == ["house", "hill"]
    for panel in figure.axes:
        assert panel.get_xscale() == "log"
        sizes = [line.get_markersize() for line in panel.get_lines() if line.get_marker() not in ("", "None")]
        large = [line for line in panel.get_lines() if line.get_markersize() == max(sizes)]
        assert {line.get_label(): line.get_xydata().tolist() for line in large} == {
            "TV": [[pytest.approx(0.3), pytest.approx(3.5)]],  # the middle one of sigma 0.1, mean of two seeds
            "DIP": [[pytest.approx(30), pytest.approx(4.5)]],
        }
        faint = [line for line in panel.get_lines() if line.get_markersize() == min(sizes)]
        assert [len(line.get_xydata()) for line in faint] == [3, 3]
        np.testing.assert_allclose(sorted(faint[0].get_xdata()), [0.225, 0.3, 0.9])
        assert {text.get_text() for text in panel.texts} == {"TV", "DIP"}


def test_time_leaves_out_inputs_without_error(results):
    from steps.base.errors import BadInput
    from steps.figures import time

    exact = results["corruption"].str.startswith("sigma=0.05")
    results.loc[exact, "input_psnr"] = np.inf
    with style.apply():
        figure = time.draw(results)
        assert all(np.isfinite(line.get_xydata()).all() for panel in figure.axes for line in panel.get_lines())
        with pytest.raises(BadInput, match="nothing can be gained"):
            time.draw(results[exact])


def test_time_says_of_which_machines_its_seconds_are_if_there_are_several(results):
    from steps.figures import time

    with style.apply():
        assert "machines" not in " ".join(text.get_text() for text in time.draw(results).texts)
        results.loc[results["method"] == "dip", "device"] = "NVIDIA H200"
        words = " ".join(text.get_text() for text in time.draw(results).texts)
    assert "Seconds of several machines: NVIDIA H200; cpu." in words.replace("\n", " ")


def test_psnr_takes_what_a_corruption_does_not_spell_as_its_default(results):
    from steps.figures import psnr

    results = results[results["corruption"].str.contains("sigma=0.1")].assign(task="deconvolution")
    blurred = results.assign(corruption="blur=2," + results["corruption"])
    with style.apply():
        panel = psnr.draw(pandas.concat([blurred, results]).reset_index(drop=True)).axes[0]
    drawn = next(c[0] for c in panel.containers if c.get_label() == "DIP")
    assert sorted(drawn.get_xdata()) == sorted([2, corruptions.allowed("deconvolution")["blur"].default])


def test_psnr_counts_the_input_of_a_measurement_once_however_many_methods_it_has(results):
    from steps.figures import psnr

    here = (results["image"] == "house") & results["corruption"].str.startswith("sigma=0.1")
    seed = results["corruption"].str.endswith("seed=1")
    results.loc[here & seed, "input_psnr"] += 4
    some = results[~(here & seed & (results["label"] == "DIP"))].reset_index(drop=True)
    with style.apply():
        panel = psnr.draw(some).axes[0]
    line = next(line for line in panel.get_lines() if line.get_label() == "input")
    drawn = dict(zip(line.get_xdata(), line.get_ydata()))
    assert drawn[0.1] == pytest.approx(20 - 1 + 2)


def test_psnr_has_no_sigma_for_a_measured_picture_whose_noise_was_found_in_it(results):
    from steps.figures import psnr

    found = results.assign(measured=True)
    found.loc[found["corruption"].str.contains("sigma=0.5"), "corruption"] = "noise=camera"
    with style.apply():
        panel = psnr.draw(found).axes[0]
    assert [text.get_text() for text in panel.get_xticklabels()] == ["σ = 0.05", "σ = 0.1", "camera noise"]


def test_curves_of_many_images_leave_out_those_without_a_truth(results):
    from steps.figures import curves

    results = of_thirteen_images(results)
    results.loc[results["image"] == "5", "psnr"] = np.nan
    with style.apply():
        figure = curves.draw(results)
    assert "mean of 11 to 12 of 12 images, σ = 0.05" in [text.replace("\n", " ") for text in texts(figure)]
    assert "no truth" not in texts(figure)


def test_headings_say_that_noise_was_clipped(results):
    one = results[(results["image"] == "hill") & (results["corruption"] == "sigma=0.1,seed=0")].reset_index(drop=True)
    one["corruption"] = "sigma=0.1,clip=true,seed=0"
    with style.apply():
        figure = matplotlib.pyplot.figure()
        style.heading(figure, one.iloc[0])
    assert texts(figure)[-1] == "Denoising of hill, σ = 0.1, clipped to [0, 1], seed 0"


def test_time_leaves_a_method_out_of_a_panel_where_it_was_not_run(results):
    from steps.figures import time

    some = results[(results["method"] == "tv") | (results["image"] == "house")].reset_index(drop=True)
    with style.apply():
        house, hill = time.draw(some).axes
    assert {line.get_label() for line in house.get_lines()} >= {"TV", "DIP"}
    assert "DIP" not in {line.get_label() for line in hill.get_lines()}


@COLOUR
def test_architecture_is_that_of_the_network(results):
    from steps.figures import architecture
    from steps.prior import networks

    network, code = networks.create((3, 40, 33), channels=8, scales=2, skip=3, inputs=5, upsampling="nearest")
    found = architecture.stages(network, code)
    assert [(kind, shape) for kind, _, shape in found] == [
        ("code", (5, 40, 36)),
        ("skip", (3, 40, 36)),
        ("down", (8, 20, 18)),
        ("skip", (3, 20, 18)),
        ("down", (8, 10, 9)),
        ("up", (8, 20, 18)),
        ("up", (8, 40, 36)),
        ("image", (3, 40, 36)),
    ]
    up = architecture.operations(found[5][1])
    assert up == ["×2 nearest", "norm", "conv 3×3", "norm", "LeakyReLU", "conv 1×1", "norm", "LeakyReLU"]
    assert architecture.operations(found[2][1])[:3] == ["conv 3×3, stride 2", "norm", "LeakyReLU"]
    params = "network=deep_decoder,channels=16,scales=2,skip=0,upsampling=bilinear,p_keep=0.5"
    both = pandas.concat([results, results[results["method"] == "dip"].assign(params=params, label="Decoder")])
    with style.apply():
        words = texts(architecture.draw(both))
    assert sum("parameters" in text for text in words) == 2
    assert "conv 1×1\n×2 bilinear\nReLU\nnorm\ndropout, keep 0.5" in words
    assert "conv 1×1\nReLU\nnorm\ndropout, keep 0.5" in words  # the last layer keeps its size


@COLOUR
@pytest.mark.parametrize(("pixels", "channels", "drawn"), [("360×365", 1, 2), ("360×364", 1, 1), ("36×48", 3, 1)])
def test_architecture_shows_the_other_network_of_large_images(results, pixels, channels, drawn):
    from steps.figures import architecture

    other = results.assign(pixels=pixels, channels=channels, image="other")
    with style.apply():
        words = texts(architecture.draw(pandas.concat([results, other])))
    assert sum("parameters" in text for text in words) == drawn


@COLOUR
def test_comparison_shows_the_pixels_of_the_files(results):
    from steps.figures import comparison

    rows = results[(results["image"] == "hill") & (results["corruption"] == "sigma=0.1,seed=0")].reset_index(drop=True)
    with style.apply():
        figure = comparison.draw(rows)
    panels = [axes for axes in figure.axes if axes.images and axes.get_title()]
    shown = [axes.images[0].get_array() for axes in panels]
    truth = pictures.truth(rows.iloc[0])
    np.testing.assert_allclose(shown[0], truth, atol=1e-6)
    np.testing.assert_allclose(shown[1], np.clip(truth + 0.1, 0, 1), atol=1e-6)
    np.testing.assert_allclose(shown[2], truth * 0.9, atol=1e-6)
    assert [axes.get_title() for axes in panels] == ["Truth", "Input  19.00 dB", "TV  22.00 dB", "DIP  23.00 dB"]
    assert [axes.title.get_weight() for axes in panels] == ["normal", "normal", "normal", "bold"]
    top, left, height, width = pictures.detail(truth)
    details = [axes for axes in figure.axes if axes.images and axes.images[0].get_array().shape[:2] == (height, width)]
    assert len(details) == 4
    np.testing.assert_allclose(
        details[0].images[0].get_array(), truth[top : top + height, left : left + width], atol=1e-6
    )
    errors = [axes.images[0] for axes in figure.axes if axes.images and axes.images[0].get_cmap().name == "inferno"]
    assert len(errors) == 3 and len({error.get_clim() for error in errors}) == 1  # all on one scale
    x, y = (np.load(path) for path in ("results/images/hill.npy", f"{rows['folder'][0]}/../../picture.npy"))
    error = np.abs(y - x).mean(axis=0)
    assert len(y) == 1 or y.max() > 1  # of what is clipped the error would be smaller than that of the PSNR above it
    np.testing.assert_allclose(errors[0].get_array(), error, atol=1e-6)
    ours = np.quantile([image.get_array() for image in errors[1:]], 0.99)  # the input's do not count
    assert errors[0].get_clim() == (0, max(0.01, np.ceil(100 * ours) / 100))


def test_without_a_truth_the_detail_is_as_wide_as_its_picture(results):
    """There is no error beside it, so that half of it would be white."""
    from steps.figures import comparison

    rows = results[(results["image"] == "hill") & (results["corruption"] == "sigma=0.1,seed=0")].reset_index(drop=True)
    with style.apply():
        figure = comparison.draw(rows.assign(psnr=np.nan, input_psnr=np.nan))
    wholes, details = figure.axes[::2], figure.axes[1::2]
    assert [axes.get_title() for axes in wholes] == ["Input", "TV", "DIP"] and len(details) == 3
    for whole, detail in zip(wholes, details, strict=True):
        one, other = whole.get_position(), detail.get_position()
        assert (other.x0, other.x1) == pytest.approx((one.x0, one.x1))
        (height, width), (high, wide) = (axes.images[0].get_array().shape[:2] for axes in (whole, detail))
        assert (high, wide) == (height // 4, width // 2)
        assert other.height / high == pytest.approx(
            other.width / wide * one.height / height / (one.width / width), rel=0.1
        )


def test_pictures_stand_in_lines_of_which_the_last_is_at_least_half_full():
    from steps.figures.comparison import arranged

    known = {2: (2, 1), 3: (3, 1), 4: (4, 1), 5: (3, 2), 6: (3, 2), 7: (4, 2), 8: (4, 2), 9: (5, 2), 11: (4, 3)}
    assert {count: arranged(count) for count in known} == known
    for count in range(1, 37):
        columns, lines = arranged(count)
        last = count - columns * (lines - 1)
        assert columns / 2 <= last <= columns <= 6, count


def test_the_film_strip_says_what_is_drawn_and_no_more(results):
    from steps.figures import film_strip

    rows = results[(results["image"] == "hill") & (results["corruption"] == "sigma=0.1,seed=0")].reset_index(drop=True)
    for known, exact in ((True, False), (True, True), (False, False)):
        mine = rows if known else rows.assign(psnr=np.nan)
        mine = mine.assign(input_psnr=rows["input_psnr"] if known and not exact else np.inf if exact else np.nan)
        with style.apply():
            figure = film_strip.draw(mine)
        (note,) = [text.get_text() for text in figure.texts if text.get_text().startswith("Framed")]
        stars = [line for axes in figure.axes for line in axes.get_lines() if line.get_marker() == "*"]
        dashed = [line for axes in figure.axes for line in axes.get_lines() if line.get_color() == "0.45"]
        assert ("star" in note, "Dashed" in note) == (bool(stars), bool(dashed)) == (known, known and not exact)


@COLOUR
@pytest.mark.parametrize("shape", [(2, 128), (128, 2), (2, 2), (4, 256), (256, 4)])
def test_comparison_draws_pictures_of_any_proportions(shape, results, tmp_path):
    from steps.figures import comparison

    rows = results[(results["image"] == "hill") & (results["corruption"] == "sigma=0.1,seed=0")].reset_index(drop=True)
    image = np.random.default_rng(0).random((1, *shape)).astype(np.float32)
    for path in ["results/images/hill.npy", *(f"{folder}/recovered.npy" for folder in rows["folder"])]:
        np.save(path, image)
    np.save(pathlib.Path(rows["folder"][0]).parent.parent / "picture.npy", image)
    with style.apply():
        figure = comparison.draw(rows)
        figure.savefig(tmp_path / "drawn.png", bbox_inches=style.page(figure))


def test_the_detail_is_the_part_with_the_most_gradient():
    image = np.zeros((40, 60))
    image[20:28, 44:52] = np.indices((8, 8)).sum(0) % 2
    top, left, height, width = pictures.detail(image)
    assert (height, width) == (10, 15)
    assert 18 <= top <= 20
    assert 37 <= left <= 44
    for shape in ((8, 8), (9, 30), (5, 40)):
        top, left, height, width = pictures.detail(np.random.default_rng(0).random(shape))
        assert 0 <= top <= shape[0] - height
        assert 0 <= left <= shape[1] - width


@pytest.mark.parametrize(
    ("drawing", "words"),
    [
        ("comparison/hill", "comparison is drawn for each image and corruption"),
        ("psnr/hill", "psnr is drawn for each experiment"),
        ("matrix/hil", "unknown image 'hil' (did you mean 'hill'?)"),
        ("pnsr", "unknown figure 'pnsr' (did you mean 'psnr'?)"),
    ],
)
def test_a_drawing_that_cannot_be_is_refused(drawing, words, results, tmp_path):
    results[results["method"] == "tv"].to_csv(tmp_path / "scores.csv", index=False)
    result = CliRunner().invoke(draw.main, ["scores.csv", drawing, "figure"])
    assert result.exit_code == 1
    assert words in result.output
    assert not (tmp_path / "figure.png").exists()


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        ("architecture", "architecture: none of the methods has a network"),
        ("curves", "curves: none of the methods has iterations to show"),
        ("film_strip", "film_strip: none of the methods has kept iterates"),
        ("psnr", "PSNR: none of the recoveries has a truth"),
        ("time", "time: none of the recoveries has a truth"),
    ],
)
def test_a_figure_with_nothing_to_show_says_so(figure, words, results, tmp_path, monkeypatch):
    without_iterates(results)
    results[results["method"] == "tv"].assign(psnr=np.nan).to_csv(tmp_path / "scores.csv", index=False)
    shown, original = [], style.sentence
    monkeypatch.setattr(style, "sentence", lambda text: shown.append(text) or original(text))
    result = CliRunner().invoke(draw.main, ["scores.csv", drawings(figure), "figure"])
    assert result.exit_code == 0, result.output
    assert shown == [f"Nothing to draw: {words}"]
    pixels = matplotlib.pyplot.imread(tmp_path / "figure.png")[..., :3]
    assert pixels.shape[0] < 200 and pixels.min() < 0.5


def one_spelled(results, spelled):
    """Return results of one image and sigma twice: with `spelled` in the corruption, and 5 dB less good without it."""
    here = results[(results["image"] == "hill") & (results["corruption"] == "sigma=0.1,seed=0")]
    worse = here.assign(psnr=here["psnr"] - 5, input_psnr=here["input_psnr"] - 5)
    return [here.assign(corruption=f"sigma=0.1,{spelled},seed=0"), worse]


def test_the_matrix_says_that_it_shows_one_seed_of_several(results):
    from steps.figures import matrix

    hill = results[results["image"] == "hill"].reset_index(drop=True)
    one = hill[hill["corruption"].str.endswith("seed=0")].reset_index(drop=True)
    with style.apply():
        assert [pictures.FIRST in " ".join(texts(matrix.draw(scores))) for scores in (hill, one)] == [True, False]


@pytest.mark.parametrize("order", [1, -1])
def test_the_matrix_tells_a_default_from_what_is_spelled(results, order):
    from steps.figures import matrix

    scores = pandas.concat(one_spelled(results, "clip=true")[::order]).reset_index(drop=True)
    with style.apply():
        found = [text for text in texts(matrix.draw(scores)) if "dB" in text]
    expected = [["19.00 dB", "22.00 dB", "23.00 dB"], ["14.00 dB", "17.00 dB", "18.00 dB"]][::order]
    assert found == sum(expected, [])


def test_psnr_panels_share_one_scale_with_the_values_of_all(results):
    from steps.figures import psnr

    house = results[(results["image"] == "house") & results["corruption"].str.startswith("sigma=0.1,")]
    scores = pandas.concat([results[results["image"] == "hill"], house]).reset_index(drop=True)
    with style.apply():
        panels = psnr.draw(scores).axes
    for panel in panels:
        assert [tick.get_text() for tick in panel.get_xticklabels()] == ["0.05", "0.1", "0.5"]
        assert panel.get_xscale() == "log"
    levels = scores.assign(corruption=scores["corruption"].str.replace("sigma=0.1", f"sigma={25 / 255}"))
    with style.apply():
        assert [tick.get_text() for tick in psnr.draw(levels).axes[0].get_xticklabels()] == ["0.05", "25/255", "0.5"]
    zero = scores.assign(corruption=scores["corruption"].str.replace("sigma=0.05", "sigma=0"))
    with style.apply():
        panels = psnr.draw(zero).axes
    assert {panel.get_xscale() for panel in panels} == {"linear"}


def test_where_no_two_differ_in_the_number_alone_each_corruption_has_its_place(results):
    """As scenarios of deconvolution, each with its kernel and noise: a panel of one point compares nothing."""
    from steps.figures import psnr

    scores = results[results["image"] == "hill"].reset_index(drop=True)
    for sigma, said in (("0.05", "blur=1"), ("0.1", "blur=2"), ("0.5", "blur=4")):
        scores["corruption"] = scores["corruption"].str.replace(f"sigma={sigma},", f"{said},sigma={sigma},")
    scores["task"] = "deconvolution"
    with style.apply():
        (panel,) = psnr.draw(scores).axes
    ticks = [tick.get_text().replace("\n", " ") for tick in panel.get_xticklabels()]
    assert ticks == ["blur = 1, σ = 0.05", "blur = 2, σ = 0.1", "blur = 4, σ = 0.5"]
    more = scores[scores["corruption"].str.startswith("blur=1")]
    more = more.assign(corruption=more["corruption"].str.replace("0.05", "0.1"))
    with style.apply():
        panels = psnr.draw(pandas.concat([scores, more], ignore_index=True)).axes
    assert len(panels) == 3 and panels[0].get_title() == "hill, σ = 0.05"


def test_an_input_without_error_gets_no_line_and_is_named(results):
    from steps.figures import psnr

    results = results[~results["corruption"].str.startswith("sigma=0.5")].reset_index(drop=True)
    exact = results["corruption"].str.startswith("sigma=0.05")
    results["corruption"] = results["corruption"].str.replace("sigma=0.05", "sigma=0")
    results.loc[exact, "input_psnr"] = np.inf
    with style.apply():
        figure = psnr.draw(results)
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    np.testing.assert_allclose(lines["input"].get_xydata(), [[0.1, 19]])
    assert "Infinite values are not shown." in " ".join(texts(figure))


@pytest.mark.parametrize("shape", [(96, 32), (300, 40)])
def test_comparison_does_not_stretch_the_details_of_tall_pictures(shape, results):
    from steps.figures import comparison

    rows = results[(results["image"] == "hill") & (results["corruption"] == "sigma=0.1,seed=0")].reset_index(drop=True)
    for path in [*pathlib.Path("results").rglob("picture.npy"), *pathlib.Path("results").rglob("recovered.npy")]:
        np.save(path, np.load(path)[:, :1, :1].repeat(shape[0], 1).repeat(shape[1], 2))
    channels = len(np.load("results/images/hill.npy"))
    np.save("results/images/hill.npy", np.random.default_rng(0).random((channels, *shape), dtype=np.float32))
    with style.apply():
        figure = comparison.draw(rows)
    assert figure.axes[0].get_position().height * figure.get_figheight() <= 8 + 1e-9
    for panel in (panel for panel in figure.axes if panel.images):
        rows, columns = panel.images[0].get_array().shape[:2]
        size = panel.get_position().size * figure.get_size_inches()
        assert size[1] / rows == pytest.approx(size[0] / columns, rel=0.1)  # the gap between two is not of this shape


def test_the_matrix_says_what_was_not_run_and_has_one_column_for_each_value(results):
    scores = results[results["image"] == "hill"]
    lacking = scores[~((scores["label"] == "DIP") & scores["corruption"].str.startswith("sigma=0.5"))]
    lacking = lacking[~((lacking["label"] == "TV") & lacking["corruption"].isin(["sigma=0.1,seed=0"]))]
    with style.apply():
        figure = discover.load("figures", "matrix").draw(lacking.reset_index(drop=True))
    assert [axes.get_title() for axes in figure.axes if axes.get_title()] == ["Input", "TV", "DIP", "Truth"]
    said = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert said.count("not run") == 1  # of TV the second seed is shown
    assert [text for text in said if text.startswith("σ")] == ["σ = 0.05", "σ = 0.1", "σ = 0.5"]
    assert len(figure.axes) == 3 * 3 + 1


def test_a_stand_in_is_named_below_the_figure(results, tmp_path, monkeypatch):
    results.to_csv(tmp_path / "scores.csv", index=False)
    drawn = []
    save = matplotlib.figure.Figure.savefig

    def keep(figure, *arguments, **settings):
        drawn.append([text.get_text() for text in figure.texts])
        save(figure, *arguments, **settings)

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", keep)
    stand_ins = '{"hill": "for another", "moon": "x"}'
    result = CliRunner().invoke(draw.main, ["scores.csv", "psnr", "figure", "--stand-ins", stand_ins])
    assert result.exit_code == 0, result.output
    assert drawn[0][-1] == "hill is a stand-in for another."


def test_the_film_strip_leaves_out_a_method_whose_iterates_are_elsewhere(results):
    from steps.figures import film_strip

    rows = results[(results["image"] == "hill") & (results["corruption"] == "sigma=0.1,seed=0")].reset_index(drop=True)
    path = f"{rows['folder'][0]}/trace.npz"
    with np.load(path) as file:
        trace = dict(file)
    np.savez(path, **trace | {"iterations": np.zeros(0, np.int64), "estimates": np.zeros(0, np.float16)})
    with style.apply():
        found = " ".join(texts(film_strip.draw(rows)))
    assert rows["label"][1] in found and rows["label"][0] not in found


@COLOUR
def test_the_film_strip_marks_where_a_method_stopped_and_the_oracle(results):
    from steps.figures import film_strip

    rows = results[(results["image"] == "hill") & (results["corruption"] == "sigma=0.1,seed=0")].reset_index(drop=True)
    rows["params"] = "iterations=50"
    with style.apply():
        figure = film_strip.draw(rows)
    titles = [axes.get_title() for axes in figure.axes if axes.images]
    assert titles == ["Input", "1", "5", "★ 20", "Stopped 50", "Truth", "1", "5", "★ 20", "Stopped 50"]
    truth = pictures.truth(rows.iloc[0])
    shown = {axes.get_title(): axes.images[0].get_array() for axes in figure.axes if axes.images}
    np.testing.assert_allclose(shown["5"], np.clip(truth, 0, 1) * 0.1, atol=1e-3)
    np.testing.assert_allclose(shown["Stopped 50"], truth * 0.89, atol=1e-6)
    (panel,) = [axes for axes in figure.axes if axes.get_ylabel() == "PSNR [dB]"]
    marks = {line.get_label(): line.get_xydata().tolist() for line in panel.get_lines() if len(line.get_xydata()) == 1}
    assert marks == {
        "TV: stopped 22.00 dB": [[50, 22]],
        "TV: oracle 40.00 dB": [[20, 40]],
        "DIP: stopped 23.00 dB": [[50, 23]],
        "DIP: oracle 40.00 dB": [[20, 40]],
    }
    note = " ".join(figure.texts[-1].get_text().split())
    assert "choosing it takes the truth" in note and pictures.FIRST not in note
    assert "DIP: the mean of 3 fits, one after another" in note and "TV: the mean" not in note
    one = rows.assign(params="fits=1,iterations=50").where(rows["method"] == "dip", rows)
    with style.apply():
        note = " ".join(film_strip.draw(pandas.concat([one, one])).texts[-1].get_text().split())
    assert "fits" not in note and note.endswith(pictures.FIRST)
    curve = pathlib.Path(rows["folder"][0], "curve.csv")
    curve.write_text(curve.read_text().splitlines()[0] + "\n1,1,0,19\n20,0.1,0,21\n50,0.02,0,22\n")
    trace = dict(np.load(f"{rows['folder'][0]}/trace.npz"))
    np.savez(f"{rows['folder'][0]}/trace.npz", **trace | {"losses": 7 * trace["losses"]})
    with style.apply():
        figure = film_strip.draw(rows)
    (panel,) = [axes for axes in figure.axes if axes.get_ylabel() == "Loss / first loss"]
    assert [line.get_ydata()[0] for line in panel.get_lines()] == [1, 1]
    (panel,) = [axes for axes in figure.axes if axes.get_ylabel() == "PSNR [dB]"]
    names = {line.get_label() for line in panel.get_lines() if len(line.get_xydata()) == 1}
    assert names == {"TV: stopped, oracle 22.00 dB", "DIP: stopped 23.00 dB", "DIP: oracle 40.00 dB"}


BOTH = "least moving variance or discrepancy principle"
BACKTRACKED = "after its 80 iterations, unless the last hundred made it worse"


@pytest.mark.parametrize(
    ("params", "made_so_many", "expected"),
    [
        ("iterations=80,fits=1", 80, (80, "after its 80 iterations")),
        ("iterations=80,fits=2", 160, (160, "after its 160 iterations")),
        ("iterations=80,fits=2", 90, (90, "discrepancy principle")),
        ("iterations=80", 30, (30, "discrepancy principle")),
        ("iterations=80,fits=1,discrepancy=0,window=5,patience=20,min_start=5", 60, (40, "least moving variance")),
        ("iterations=80,fits=1,discrepancy=0,window=5,patience=20,min_start=5", 80, (None, "least moving variance")),
        ("iterations=80,discrepancy=0", 30, (30, "early")),
        ("iterations=80,fits=2,discrepancy=0,window=5,patience=20,min_start=5", 60, (None, "least moving variance")),
        ("iterations=80,window=5,patience=20,min_start=5,discrepancy=1", 10, (None, BOTH)),
        ("iterations=80,fits=1,backtrack=true", 80, (None, BACKTRACKED)),
    ],
)
def test_where_a_method_stopped(params, made_so_many, expected):
    from steps.figures import film_strip

    assert film_strip.stop({"method": "dip", "params": params}, made_so_many) == expected


def test_a_method_whose_iterations_depend_on_the_task_has_not_stopped_early():
    from steps.figures import film_strip

    assert film_strip.stop({"method": "bm3d", "params": "default"}, 16) == (16, "after its 16 iterations")


def test_frames_are_evenly_spread_and_have_the_best():
    from steps.figures.film_strip import frames
    from steps.inverse.trace import kept

    assert frames(kept(1000), 150, 1000) == [1, 3, 15, 50, 150, 700]
    assert frames(kept(1000), 200, 1000) == [1, 3, 15, 50, 200, 700]
    assert frames(kept(1000), 1000, 1000) == [1, 3, 15, 50, 200, 700]
    assert frames([1, 2, 3], 3, 3) == [1, 2]
    assert frames([1], 1, 1) == [1]
