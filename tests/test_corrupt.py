import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from steps import corrupt
from steps.base.errors import BadInput
from steps.inverse import measurement


def test_command_writes_a_measurement_that_holds_all_a_method_may_know(tmp_path, colour):
    np.save(tmp_path / "image.npy", colour.numpy())
    folder = tmp_path / "out"
    arguments = [str(tmp_path / "image.npy"), "single_pixel", "compression=4,sigma=0.01,seed=2", str(folder)]
    result = CliRunner().invoke(corrupt.main, arguments)
    assert result.exit_code == 0, result.output
    y, A, sigma, _ = measurement.load(folder / "measurement.npz")
    assert sigma == 0.01
    assert y.shape == (3, 400)
    assert (y - A.forward(colour)).std() == pytest.approx(0.01, rel=0.1)
    np.testing.assert_array_equal(np.load(folder / "picture.npy"), A.adjoint(y).numpy())
    with np.load(folder / "measurement.npz") as file:
        assert set(file.files) == {"y", "facts"}
        facts = json.loads(str(file["facts"]))
    assert facts["noise"] == {"name": "gaussian", "parameters": {"sigma": 0.01, "clip": False}, "sigma": 0.01}
    assert torch.equal(y, measurement.load(folder / "measurement.npz")[0])


def test_a_bad_corruption_leaves_nothing(tmp_path, gray):
    np.save(tmp_path / "image.npy", gray.numpy())
    arguments = [str(tmp_path / "image.npy"), "deconvolution", "kernel=99", str(tmp_path / "out")]
    result = CliRunner().invoke(corrupt.main, arguments)
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "the 99x99 kernel is larger than the 40x40 image" in result.output
    assert not (tmp_path / "out").exists()


NAN = np.float32("nan")
NOISES = {
    "not finite": (lambda clean: clean * NAN, 0.1, "add gives values that are not finite"),
    "of another shape": (lambda clean: clean[:, 1:], 0.1, "add gives float32 of shape (1, 39, 40); must be an array"),
    "no array": (lambda clean: clean.tolist(), 0.1, "add gives list; must be an array of numbers of shape (1, 40, 40)"),
    "a negative sigma": (lambda clean: clean, -0.1, "sigma gives -0.1; must be a number >= 0"),
    "no sigma": (lambda clean: clean, NAN, "sigma gives nan; must be a number >= 0"),
    "a sigma forgotten": (lambda clean: clean, None, "sigma gives None; must be a number >= 0"),
}


@pytest.mark.parametrize("case", NOISES)
def test_what_is_no_noise_names_its_file_and_leaves_nothing(tmp_path, gray, case, monkeypatch):
    add, sigma, words = NOISES[case]
    monkeypatch.setattr("steps.noises.poisson.add", lambda clean, peak=40.0, seed=0: add(clean))
    monkeypatch.setattr("steps.noises.poisson.sigma", lambda y, peak=40.0: sigma)
    np.save(tmp_path / "image.npy", gray.numpy())
    arguments = [str(tmp_path / "image.npy"), "denoising", "noise=poisson", str(tmp_path / "out")]
    result = CliRunner().invoke(corrupt.main, arguments)
    assert result.exit_code == 1 and result.output.count("\n") == 1
    assert f"steps/noises/poisson.py: {words}" in result.output
    assert not (tmp_path / "out").exists()


def test_a_noise_that_works_in_place_to_find_its_sigma_leaves_the_measurement(tmp_path, gray, monkeypatch):
    monkeypatch.setattr("steps.noises.poisson.sigma", lambda y, peak=40.0: (y.fill(0), 0.1)[1])
    corrupt.simulate(gray.numpy(), "denoising", "noise=poisson", tmp_path)
    y = measurement.load(tmp_path / "measurement.npz")[0]
    assert y.std() > 0.1 and np.load(tmp_path / "picture.npy").std() > 0.1


def test_a_task_measures_tensors(tmp_path, gray, monkeypatch):
    monkeypatch.setattr("steps.tasks.denoising.Operator.forward", lambda self, x: x.numpy())
    with pytest.raises(BadInput, match="steps/tasks/denoising.py: forward gives a ndarray; must be a torch tensor"):
        corrupt.simulate(gray.numpy(), "denoising", "sigma=0.1", tmp_path)
