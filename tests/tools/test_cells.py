import json
import os
import shlex
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from click.testing import CliRunner

from steps.inverse import measurement
from steps.run.sources import sources
from steps.tools import bundles, cells

ROOT = Path(__file__).parents[2]
CONFIG = {
    "images": {
        "camera": {"source": "skimage:camera"},
        "coffee": {"source": "skimage:coffee"},
        "logo": {"source": "synthetic:logo"},
    },
    "experiments": {
        "first": {
            "task": "denoising",
            "images": ["camera", "logo"],
            "corruption": {"sigma": 0.1, "seed": [0, 1]},
            "methods": [{"method": "wiener"}, {"method": "tv", "label": "TV, {lam}", "params": {"lam": [0.1, 0.2]}}],
        },
        "second": {
            "task": "denoising",
            "images": ["logo"],
            "corruption": {"sigma": [0.1, 0.2], "seed": 1},
            "methods": [{"method": "wiener", "label": "W"}, {"method": "dip", "params": {"seed": "corruption"}}],
        },
        "third": {"task": "deconvolution", "images": ["logo"], "methods": [{"method": "wiener"}]},
    },
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, now the working directory, with config.yaml."""
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(yaml.safe_dump(CONFIG, sort_keys=False))
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(cells.main, ["config.yaml", *arguments])


def listed(*arguments):
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def refused(*arguments):
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.output.startswith("Error: cells: ") and result.output.count("\n") == 1
    return result.output


def make(*paths):
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(path.encode())


def test_lists_the_scores_of_the_recoveries_one_a_folder(here):
    found = listed()
    assert found[:2] == [
        "results/denoising/camera/sigma=0.1,seed=0/wiener/default/score.json",
        "results/denoising/camera/sigma=0.1,seed=0/tv/lam=0.1/score.json",
    ]
    assert len(found) == len(set(found)) == 2 * 2 * 3 + 2 * 2 - 1 + 1  # Wiener on logo, seed 1, is in two experiments


def test_lists_the_measurements(here):
    assert listed("--measurements", "--experiment", "second") == [
        "results/denoising/logo/sigma=0.1,seed=1/measurement.npz",
        "results/denoising/logo/sigma=0.2,seed=1/measurement.npz",
    ]


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (["--experiment=third"], 1),
        (["--image=camera"], 6),
        (["--image=camera", "--image=logo"], 16),
        (["--method=wiener"], 6),
        (["--label=TV, 0.1"], 4),
        (["--label=W"], 2),
        (["--label=Wiener", "--experiment=first"], 4),
        (["--seed=0"], 7),  # that of third, left unsaid, is 0, too
        (["--seed=1", "--method=tv", "--image=logo"], 2),
    ],
)
def test_filters_choose_by_all_that_are_given(here, filters, count):
    assert len(listed(*filters)) == count


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--experiment=frist", "--experiment: unknown experiment 'frist' (did you mean 'first'?); allowed: first, sec"),
        ("--image=camra", "--image: unknown image 'camra' (did you mean 'camera'?); allowed: camera, logo"),
        ("--method=weiner", "unknown method 'weiner' (did you mean 'wiener'?); allowed: dip, tv, wiener"),
        ("--label=TV, 0.3", "unknown label 'TV, 0.3' (did you mean 'TV, 0.2'?)"),
        ("--seed=7", "unknown seed 7; allowed: 0, 1"),
    ],
)
def test_a_filter_that_nothing_has_is_one_line(here, option, words):
    assert words in refused(option)


def test_those_that_are_there_are_left_out(here):
    make("results/deconvolution/logo/default/wiener/default/recovered.npy")
    everything = listed("--all")
    assert set(everything) - set(listed()) == {"results/deconvolution/logo/default/wiener/default/score.json"}


@pytest.mark.parametrize("options", [[], ["--measurements"]])
def test_a_list_of_nothing_is_empty_and_a_note_says_why(here, options):
    make("results/deconvolution/logo/default/wiener/default/recovered.npy")
    for filters in (["--experiment=third"], ["--experiment=third", "--image=camera"]):
        result = run(*filters, *options)
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr.startswith("cells: no recovery is left to make; --all takes")


def test_a_bundle_of_nothing_is_an_error(here):
    make("results/deconvolution/logo/default/wiener/default/recovered.npy")
    assert "no recovery is left to make; --all takes" in refused("cells.tar.gz", "--experiment=third")
    assert not Path("cells.tar.gz").exists()


@pytest.mark.parametrize("text", ["a: [", "a: \xff", "[]", ""])
def test_a_bad_config_is_one_line(here, text):
    Path("config.yaml").write_bytes(text.encode("latin-1"))
    assert refused().startswith(("Error: cells: config.yaml: ", "Error: cells: config.yaml, line 2, column 1: "))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cells.zip"], "output: 'cells.zip' is not allowed; must be a file .tar.gz, or - to print paths"),
        (["cells.tar.gz", "--measurements"], "output: 'cells.tar.gz' is not allowed; must be none with --measurements"),
    ],
)
def test_a_bad_output_is_one_line(here, arguments, words):
    assert words in refused(*arguments)


def test_missing_measurements_are_one_line_with_the_command_that_makes_them(here):
    make("results/denoising/logo/sigma=0.1,seed=1/measurement.npz")
    message = refused("cells.tar.gz", "--label=TV, 0.1", "--all")
    assert "3 of 4 measurements are missing, such as results/denoising/camera/sigma=0.1,seed=0/meas" in message
    command = "python -m steps cells config.yaml '--label=TV, 0.1' --all --measurements"
    assert f"snakemake --cores 2 $({command}) --configfile config.yaml" in message
    assert len(listed(*shlex.split(command)[5:])) == 4
    assert not Path("cells.tar.gz").exists()


def measure(path):
    """Make a measurement of a random image, which is in results/images; of a deconvolution its picture is another."""
    path, side = Path(path), 8
    _, _, image, corruption, _ = path.parts
    y = torch.rand((1, side, side), generator=torch.Generator().manual_seed(len(image)))
    path.parent.mkdir(parents=True, exist_ok=True)
    Path("results/images").mkdir(exist_ok=True)
    np.save(f"results/images/{image}.npy", y.numpy().round(1) if image == "camera" else (y * 255).round().numpy() / 255)
    np.save(path.parent / "picture.npy", y.numpy())
    measurement.save(path, y, path.parts[1], y.shape, {}, measurement.Noise("gaussian", {}, 0.1))


def bundle(*filters):
    for path in listed("--measurements", *filters):
        measure(path)
    assert run("cells.tar.gz", *filters).output.startswith("cells.tar.gz: ")
    with tarfile.open("cells.tar.gz") as tar:
        return {name: tar.extractfile(name).read() for name in tar.getnames()}


def cells_of(found):
    return [line for line in found["cells.txt"].decode().splitlines() if not line.startswith("#")]


def test_a_bundle_holds_the_code_that_is_hashed_and_truths_in_place_of_measurements(here, monkeypatch):
    found = bundle("--method=tv", "--image=logo")
    monkeypatch.chdir(ROOT)
    modules = "steps.tools.run_cells", "steps.methods.tv", "steps.tasks.denoising", "steps.noises.gaussian"
    metrics = "steps.metrics.psnr", "steps.metrics.ssim"
    code = {*sources("steps.__main__", *modules, *metrics)}
    packages = {f"steps/{folder}__init__.py" for folder in ("", "methods/", "tasks/", "noises/", "metrics/", "tools/")}
    assert set(found) == code | packages | {"cells.txt", "bundle.json", "truths/logo.npz"}
    for name in code | packages:
        assert found[name] == Path(name).read_bytes()
    heavy = "plan/config.py", "plan/schema.py", "tools/adopt.py", "tools/cells.py"
    assert not {f"steps/{name}" for name in heavy} & set(found)


def test_a_measurement_that_an_operator_rounds_travels_itself(here):
    found = bundle("--experiment=third")
    name = "results/deconvolution/logo/default/measurement.npz"
    assert found[name] == Path(name).read_bytes()
    assert name.replace("measurement.npz", "picture.npy") not in found  # it is the measurement


def test_a_picture_that_is_not_the_measurement_travels(here):
    name = "results/deconvolution/logo/default/picture.npy"
    measure(name.replace("picture.npy", "measurement.npz"))
    np.save(name, np.zeros((1, 9, 9), np.float32))
    assert run("cells.tar.gz", "--experiment=third").exit_code == 0
    with tarfile.open("cells.tar.gz") as tar:
        assert name in tar.getnames()


def test_a_truth_is_the_same_to_the_last_bit_and_in_bytes_where_it_can_be(here):
    bundle()
    with tarfile.open("cells.tar.gz") as tar:
        tar.extractall("box", filter="data")
    found = bundles.Bundle("box")
    for image, kind in {"camera": np.float32, "logo": np.uint8}.items():
        np.testing.assert_array_equal(found.truth(image), np.load(f"results/images/{image}.npy"), strict=True)
        assert np.load(f"box/truths/{image}.npz")["x"].dtype == kind


def test_first_seeds_come_first_then_experiments_in_their_order(here):
    found = cells_of(bundle("--method=wiener", "--method=dip", "--image=logo"))
    assert found == [
        "results/denoising/logo/sigma=0.1,seed=0/wiener/default",
        "results/deconvolution/logo/default/wiener/default",
        "results/denoising/logo/sigma=0.1,seed=1/wiener/default",
        "results/denoising/logo/sigma=0.1,seed=1/dip/seed=1",
        "results/denoising/logo/sigma=0.2,seed=1/wiener/default",
        "results/denoising/logo/sigma=0.2,seed=1/dip/seed=1",
    ]
    assert cells_of(bundle("--experiment=third", "--experiment=first", "--method=wiener", "--image=logo")) == [
        "results/deconvolution/logo/default/wiener/default",
        "results/denoising/logo/sigma=0.1,seed=0/wiener/default",
        "results/denoising/logo/sigma=0.1,seed=1/wiener/default",
    ]


def test_the_seed_of_the_fit_counts_as_that_of_the_noise(here):
    config = {"images": CONFIG["images"], "experiments": {"all": {"task": "denoising", "images": ["logo"]}}}
    config["experiments"]["all"] |= {"corruption": {"sigma": [0.1, 0.2]}}
    config["experiments"]["all"] |= {"methods": [{"method": "dip", "params": {"seed": [1, 0]}}]}
    Path("config.yaml").write_text(yaml.safe_dump(config))
    assert [line[-6:] for line in cells_of(bundle())] == ["seed=0", "seed=0", "seed=1", "seed=1"]


def test_the_bundle_says_whose_kept_iterates_a_figure_shows(here):
    config = yaml.safe_load(Path("config.yaml").read_text())
    config["experiments"]["second"]["figures"] = ["film_strip"]
    Path("config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    found = json.loads(bundle()["bundle.json"])
    assert found["metrics"] == ["psnr", "ssim"]
    assert len(found["traces"]) == 4 and all("logo/sigma" in folder for folder in found["traces"])


def test_cells_whose_numbers_came_back_are_left_out(here, monkeypatch):
    folder = "results/deconvolution/logo/default/wiener/default"
    Path("packs").mkdir()
    monkeypatch.setattr(cells.packs, "numbers", lambda path: iter([(folder, path)]))
    assert set(listed()) - set(listed("--without=packs")) == {f"{folder}/score.json"}


def test_the_same_cells_are_the_same_bytes_whenever_they_are_bundled(here, monkeypatch):
    names = list(bundle("--experiment=first"))
    assert names == sorted(names)
    before = Path("cells.tar.gz").read_bytes()
    monkeypatch.setattr(time, "time", lambda: 2e9)
    os.utime("results/denoising/logo/sigma=0.1,seed=0/measurement.npz", (1, 1))
    bundle("--experiment=first")
    assert Path("cells.tar.gz").read_bytes() == before


def test_says_how_much_the_bundle_holds(here):
    bundle("--experiment=second")
    output = run("cells.tar.gz", "--experiment=second").output
    assert output == "cells.tar.gz: 4 recoveries from 2 measurements, 0.1 MB\n"


def test_an_image_that_is_missing_is_one_line(here):
    bundle("--experiment=second")
    Path("results/images/logo.npy").unlink()
    assert "No such file or directory: results/images/logo.npy" in refused("cells.tar.gz", "--experiment=second")


def test_a_bundle_that_fails_leaves_nothing(here, monkeypatch):
    bundle("--experiment=second")
    before = Path("cells.tar.gz").read_bytes()
    monkeypatch.setattr(cells.tarfile.TarFile, "addfile", lambda *_: 1 / 0)
    assert isinstance(run("cells.tar.gz", "--experiment=second").exception, ZeroDivisionError)
    assert Path("cells.tar.gz").read_bytes() == before
    assert not [path for path in here.iterdir() if path.name.startswith(".cells")]
