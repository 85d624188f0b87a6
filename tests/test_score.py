import csv
import json
import math
import types
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from steps import score
from steps.base import discover
from steps.base.errors import BadInput
from steps.tables.scores import read_score


def test_command_adds_score_and_curve(tmp_path, gray):
    folder = tmp_path / "denoising/camera/sigma=0.1/tv/lam=0.5"
    folder.mkdir(parents=True)
    truth = gray.numpy()
    np.save(tmp_path / "image.npy", truth)
    np.save(tmp_path / "picture.npy", truth + 0.1)
    np.save(folder / "recovered.npy", truth + 0.01)
    estimates = np.array([truth + 0.1, truth + 0.001, truth + 0.01], np.float16)
    np.savez(
        folder / "trace.npz",
        losses=[3.0, 2.5, 2.0, 1.5],
        penalties=[0.4, 0.3, 0.2, 0.1],
        iterations=[1, 3, 4],
        estimates=estimates,
    )
    (folder / "run.json").write_text(json.dumps({"seconds": 1.5, "versions": {"torch": "2"}}))
    result = CliRunner().invoke(
        score.main, [str(tmp_path / "picture.npy"), str(folder), f"--truth={tmp_path / 'image.npy'}"]
    )
    assert result.exit_code == 0, result.output
    found = json.loads((folder / "score.json").read_text())
    place = [found[key] for key in ("task", "image", "corruption", "method", "params")]
    assert place == ["denoising", "camera", "sigma=0.1", "tv", "lam=0.5"]
    assert found["psnr"] == pytest.approx(40, abs=1e-3)
    assert found["input_psnr"] == pytest.approx(20, abs=1e-3)
    assert found["oracle_iteration"] == 3
    assert found["oracle_psnr"] > 55
    assert (found["seconds"], found["loss"]) == (1.5, 1.5)  # the last loss
    assert "data_range 1" in found["convention"]
    with open(folder / "curve.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = [(row["iteration"], row["loss"], row["penalty"]) for row in rows]
    assert found == [("1", "3.0", "0.4"), ("3", "2.0", "0.2"), ("4", "1.5", "0.1")]
    assert float(rows[2]["psnr"]) == pytest.approx(40, abs=0.1)


def test_without_a_truth_nothing_is_compared(tmp_path, gray):
    folder = tmp_path / "denoising/mine/sigma=estimate/tv/default"
    folder.mkdir(parents=True)
    for path in (tmp_path / "picture.npy", folder / "recovered.npy"):
        np.save(path, gray.numpy())
    np.savez(folder / "trace.npz", losses=[3.0], penalties=[0.0], iterations=[1], estimates=[gray.numpy()])
    (folder / "run.json").write_text(json.dumps({"noise_sigma": 0.1}))
    result = CliRunner().invoke(score.main, [str(tmp_path / "picture.npy"), str(folder), "--metric=ssim"])
    assert result.exit_code == 0, result.output
    found = json.loads((folder / "score.json").read_text())
    for key in ("psnr", "ssim", "input_psnr", "oracle_psnr", "oracle_iteration"):
        assert found[key] is None
    assert found["loss"] == 3.0 and found["noise_sigma"] == 0.1 and found["pixels"] == "40×40"
    assert (folder / "curve.csv").read_text() == "iteration,loss,penalty,psnr\n1,3.0,0.0,\n"


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("made", "shape"), [(lambda x: x[:, 1:], "(1, 39, 40)"), (lambda x: x[0], "(40, 40)")])
def test_an_estimate_of_another_shape_is_refused(tmp_path, gray, known, made, shape):
    folder = tmp_path / "tv"
    folder.mkdir()
    np.save(tmp_path / "image.npy", gray.numpy())
    np.save(folder / "recovered.npy", made(gray.numpy()))
    np.savez(folder / "trace.npz", losses=[3.0], penalties=[0.0], iterations=[1], estimates=[gray.numpy()])
    (folder / "run.json").write_text("{}")
    picture = str(tmp_path / "image.npy")
    result = CliRunner().invoke(score.main, [picture, str(folder), *[f"--truth={picture}"] * known])
    assert result.exit_code == 1
    assert result.output == f"Error: {folder}: the estimate has shape {shape}, the image (1, 40, 40)\n"
    assert sorted(path.name for path in folder.iterdir()) == ["recovered.npy", "run.json", "trace.npz"]


def test_a_trace_that_has_lost_its_iterates_is_not_scored(exact):
    np.savez(Path(exact[1], "trace.npz"), losses=[3.0], penalties=[0.0], iterations=[], estimates=[])
    result = CliRunner().invoke(score.main, exact)
    assert result.exit_code == 1 and "trace.npz has no iterates to score" in result.output


@pytest.fixture
def exact(tmp_path, gray):
    """Return the words of a call: the picture and the recovery are the truth itself, as of sigma = 0."""
    folder = tmp_path / "denoising/inf/sigma=0/nlm/default"
    folder.mkdir(parents=True)
    for path in (tmp_path / "image.npy", folder / "recovered.npy"):
        np.save(path, gray.numpy())
    np.savez(folder / "trace.npz", losses=[0.0], penalties=[0.0], iterations=[1], estimates=[gray.numpy()])
    (folder / "run.json").write_text("{}")
    return [str(tmp_path / "image.npy"), str(folder), f"--truth={tmp_path / 'image.npy'}"]


def refused(constant):
    raise AssertionError(f"{constant} is no JSON")


def test_an_exact_recovery_is_valid_json_and_read_back_as_infinite(exact):
    result = CliRunner().invoke(score.main, [*exact, "--metric=isnr", "--metric=ssim"])
    assert result.exit_code == 0, result.output
    found = json.loads(Path(exact[1], "score.json").read_text(), parse_constant=refused)
    assert (found["psnr"], found["input_psnr"]) == ("inf", "inf")
    score_again = read_score(exact[1])
    assert (score_again["psnr"], score_again["input_psnr"], score_again["oracle_psnr"] > 60) == (
        math.inf,
        math.inf,
        True,
    )
    assert score_again["image"] == "inf"  # a name stays one
    assert (score_again["isnr"], score_again["input_isnr"]) == (0, 0)


def test_what_is_infinitely_worse_than_an_exact_measurement_is_read_back(exact, gray):
    np.save(Path(exact[1], "recovered.npy"), gray.numpy() + 0.1)
    assert CliRunner().invoke(score.main, [*exact, "--metric=isnr"]).exit_code == 0
    assert read_score(exact[1])["isnr"] == -math.inf


def test_of_a_backprojection_there_is_no_gain_over_the_measurement(exact):
    assert CliRunner().invoke(score.main, [*exact, "--metric=isnr", "--backprojection"]).exit_code == 0
    found = read_score(exact[1])
    assert found["isnr"] is None and found["input_isnr"] is None and found["psnr"] == math.inf


@pytest.mark.parametrize(
    ("value", "expected"), [(np.float32(0.5), 0.5), (2, 2.0), (math.nan, None), (None, None), (-math.inf, -math.inf)]
)
def test_what_a_metric_gives_is_a_number_or_none(value, expected, monkeypatch):
    module = types.ModuleType("steps.metrics.mine")
    module.measure = lambda truth, estimate: value
    monkeypatch.setattr(discover, "load", lambda kind, name: module)
    found = score.number("mine", None, None)
    assert found == expected and type(found) is type(expected)


def test_what_is_no_number_is_one_line_that_names_the_file(monkeypatch):
    module = types.ModuleType("steps.metrics.mine")
    module.measure = lambda truth, estimate: "good"
    monkeypatch.setattr(discover, "load", lambda kind, name: module)
    with pytest.raises(BadInput) as error:
        score.number("mine", None, None)
    assert str(error.value) == "steps/metrics/mine.py: measure gives 'good'; must be a number or None"


def test_a_metric_that_works_in_place_is_stopped_before_it_falsifies_the_next(monkeypatch):
    def measure(truth, estimate):
        estimate -= truth
        return abs(estimate).max()

    module = types.ModuleType("steps.metrics.mine")
    module.measure = measure
    monkeypatch.setattr(discover, "load", lambda kind, name: module)
    truth, estimate = np.zeros((1, 4, 4), np.float32), np.ones((1, 4, 4), np.float32)
    with pytest.raises(ValueError, match="read-only"):
        score.number("mine", truth, estimate)
    assert estimate.flags.writeable and (estimate == 1).all()
