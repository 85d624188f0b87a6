import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from steps import corrupt
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
