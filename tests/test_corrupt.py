import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from steps import corrupt
from steps.base.errors import BadInput
from steps.inverse import measurement


def test_noise_has_the_standard_deviation_and_the_seed_asked_for():
    y = np.full((1, 200, 200), 0.5, np.float32)
    noisy = corrupt.add_noise(y, sigma=0.1)
    assert noisy.dtype == np.float32
    assert noisy.std() == pytest.approx(0.1, rel=0.02)
    assert noisy.mean() == pytest.approx(0.5, abs=0.002)
    np.testing.assert_array_equal(noisy, corrupt.add_noise(y, sigma=0.1, seed=0))
    assert not np.array_equal(noisy, corrupt.add_noise(y, sigma=0.1, seed=1))
    # one draw: the noise of another sigma is the same, scaled
    np.testing.assert_allclose((corrupt.add_noise(y, sigma=0.2) - y) / 2, noisy - y, atol=1e-6)


def test_clipping_only_if_asked_for():
    y = np.full((1, 50, 50), 0.9, np.float32)
    assert corrupt.add_noise(y, sigma=0.5).max() > 1
    clipped = corrupt.add_noise(y, sigma=0.5, clip=True)
    assert clipped.min() == 0
    assert clipped.max() == 1


def test_the_seed_of_patterns_is_the_noise_s():
    operator, noise = corrupt.parameters("single_pixel", {"compression": 4, "seed": 3}, "x")
    assert operator == {"compression": 4.0, "seed": 3}
    assert noise == {"sigma": 0.0, "clip": False, "seed": 3}


@pytest.mark.parametrize(
    ("task", "given", "words"),
    [
        ("denoising", {"sigma": -0.1}, "x.sigma: -0.1 is not allowed; must be >= 0"),
        ("denoising", {"sigma": "loud"}, "x.sigma: 'loud' is not allowed; must be a number"),
        ("denoising", {"blur": 5}, "unknown parameter 'blur'; allowed: clip, seed, sigma"),
        ("deconvolution", {"blurr": 5}, "unknown parameter 'blurr' .did you mean 'blur'"),
        ("single_pixel", {"compression": 0.5}, "x.compression: 0.5 is not allowed; must be >= 1"),
        ("single_pixel", {"patterns": "random"}, "'random' is not allowed; must be one of gaussian, hadamard"),
        ("deblurring", {}, "unknown task 'deblurring'.*steps/tasks/deblurring.py"),
    ],
)
def test_bad_corruptions_are_refused(task, given, words):
    with pytest.raises(BadInput, match=words):
        corrupt.parameters(task, given, "x")


def test_command_writes_a_measurement_that_holds_all_a_method_may_know(tmp_path, colour):
    np.save(tmp_path / "image.npy", colour.numpy())
    folder = tmp_path / "out"
    arguments = [str(tmp_path / "image.npy"), "single_pixel", "compression=4,sigma=0.01,seed=2", str(folder)]
    result = CliRunner().invoke(corrupt.main, arguments)
    assert result.exit_code == 0, result.output
    y, A, sigma = measurement.load(folder / "measurement.npz")
    assert sigma == 0.01
    assert y.shape == (3, 400)
    assert (y - A.forward(colour)).std() == pytest.approx(0.01, rel=0.1)
    np.testing.assert_array_equal(np.load(folder / "picture.npy"), A.adjoint(y).numpy())
    with np.load(folder / "measurement.npz") as file:
        assert set(file.files) == {"y", "facts"}
        facts = json.loads(str(file["facts"]))
    assert facts["noise"] == {"sigma": 0.01, "clip": False, "seed": 2}
    assert torch.equal(y, measurement.load(folder / "measurement.npz")[0])


def test_a_bad_corruption_leaves_nothing(tmp_path, gray):
    np.save(tmp_path / "image.npy", gray.numpy())
    arguments = [str(tmp_path / "image.npy"), "deconvolution", "kernel=99", str(tmp_path / "out")]
    result = CliRunner().invoke(corrupt.main, arguments)
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "kernel: 99 is larger than the 40x40 image; at most 40" in result.output
    assert not (tmp_path / "out").exists()
