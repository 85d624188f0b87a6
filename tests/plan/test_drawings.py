import dataclasses

from steps.base import discover
from steps.plan.drawings import Index, captions, drawings, inputs, measurements
from steps.plan.experiments import recoveries
from tests.configs import BLOCKS, GOOD, changed

FIRST = GOOD["experiments"]["first"]


def index(experiment, made=lambda recovery: True):
    """Return the Index of an experiment of which some recoveries are made."""
    asked = recoveries(experiment)
    return Index(asked, list(filter(made, asked)))


def drawn(experiment, **options):
    return drawings("first", experiment, index(experiment), **options)


def shown(drawing, made=lambda recovery: True):
    return inputs("first", drawing, index(FIRST, made))


def test_drawings():
    found = drawn(FIRST)
    assert found[0] == "first/psnr"
    assert found[1:3] == ["first/comparison/camera/sigma=0.01,seed=0", "first/comparison/camera/sigma=0.1,seed=0"]
    assert len(found) == 5  # the second seed is not drawn


def test_only_what_has_been_made_is_drawn():
    experiment = FIRST | {"figures": ["psnr", "comparison", "matrix"]}

    def made(recovery):
        return (recovery.image, recovery.corruption, recovery.method) == ("logo", "sigma=0.1,seed=1", "wiener")

    found = drawings("first", experiment, index(experiment, made))
    assert found == ["first/psnr", "first/comparison/logo/sigma=0.1,seed=1", "first/matrix/logo"]
    assert drawings("first", experiment, index(experiment, lambda recovery: False)) == []
    for drawing in ("comparison/logo/sigma=0.1,seed=1", "matrix/logo"):
        assert shown(drawing, made) == [
            "results/images/logo.npy",
            "results/denoising/logo/sigma=0.1,seed=1/picture.npy",
            "results/denoising/logo/sigma=0.1,seed=1/wiener/default/recovered.npy",
        ]


def test_a_drawing_of_an_image_is_there_once():
    config = changed("experiments.first.corruption", BLOCKS)
    config["experiments"]["first"]["figures"] = ["matrix", "curves"]
    found = drawn(config["experiments"]["first"])
    assert found == ["first/matrix/camera", "first/matrix/logo", "first/curves"]


def test_a_film_strip_reads_the_curves_and_iterates_of_its_corruption_only():
    found = shown("film_strip/camera/sigma=0.1,seed=0")
    folders = [f"results/denoising/camera/sigma=0.1,seed=0/{m}" for m in ("wiener/default", "tv/lam=0.01,iterations=5")]
    for folder in folders:
        assert {f"{folder}/{name}" for name in ("recovered.npy", "curve.csv", "trace.npz")} <= set(found)
    traces = [file for file in found if file.endswith(("curve.csv", "trace.npz"))]
    assert len(traces) == 2 * 3 and all("/camera/sigma=0.1,seed=0/" in file for file in traces)


def test_files_that_a_drawing_shows():
    folder = "results/denoising/camera/sigma=0.1,seed=0"
    found = shown("comparison/camera/sigma=0.1,seed=0")
    recovered = [f"{folder}/{m}/recovered.npy" for m in ("wiener/default", "tv/lam=0.01,iterations=5")]
    assert found[:4] == ["results/images/camera.npy", f"{folder}/picture.npy", *recovered]
    assert shown("psnr") == shown("architecture") == []
    curves = [f"{recovery.folder}/curve.csv" for recovery in recoveries(FIRST)]
    assert shown("curves") == curves
    assert shown("vs_paper") == ["results/tables/first_vs_paper.csv"]


def test_a_page_shows_what_was_removed_of_measurements_that_are_pictures():
    made = recoveries(FIRST)
    assert measurements(made) == list(dict.fromkeys(f"{recovery.case}/measurement.npz" for recovery in made))
    assert measurements([dataclasses.replace(recovery, task="single_pixel") for recovery in made]) == []


def test_of_one_figure_at_most_so_many_are_drawn_and_the_others_can_be_asked_for():
    every = drawn(FIRST)
    assert drawn(FIRST, most=1) == every[:2] == ["first/psnr", "first/comparison/camera/sigma=0.01,seed=0"]
    assert shown(every[-1].removeprefix("first/"))[0] == "results/images/logo.npy"


def test_a_caption_is_what_a_figure_s_file_says_else_the_first_line_of_its_docstring(monkeypatch):
    said = captions([FIRST, FIRST | {"figures": ["time"]}])
    assert list(said) == ["comparison", "psnr", "time"]
    assert all(text == discover.load("figures", figure).CAPTION for figure, text in said.items())
    monkeypatch.delattr(discover.load("figures", "time"), "CAPTION")
    monkeypatch.setattr(discover.load("figures", "time"), "__doc__", "Seconds |t| of *every* method_.\n\nMore.")
    assert captions([{"figures": ["time"]}]) == {"time": r"Seconds \|t\| of \*every\* method\_."}
    monkeypatch.setattr(discover.load("figures", "time"), "__doc__", "  ")
    assert captions([{"figures": ["time"]}]) == {"time": "time"}
