"""The commands with noises that are not Gaussian: what the measurement file says, what a recovery notes."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from steps import corrupt, recover
from steps.inverse import measurement
from steps.inverse.anscombe import Anscombe
from steps.run.record import origin


def corrupted(folder, image, corruption, task="denoising", *options):
    np.save(folder / "image.npy", image)
    words = [str(folder / "image.npy"), task, corruption, str(folder / "out"), *options]
    return CliRunner().invoke(corrupt.main, words)


def recovered(folder, method, params="default"):
    words = [str(folder / "out/measurement.npz"), method, params, str(folder / "found")]
    return CliRunner().invoke(recover.main, words)


@pytest.mark.parametrize(
    "corruption, name, parameters",
    [
        ("noise=poisson,peak=20,seed=3", "poisson", {"peak": 20.0}),
        ("noise=poisson_gaussian,peak=20", "poisson_gaussian", {"peak": 20.0, "sigma": 0.02}),
        ("noise=salt_and_pepper,amount=0.2", "salt_and_pepper", {"amount": 0.2}),
        ("noise=speckle,looks=4", "speckle", {"looks": 4.0}),
        ("sigma=0.1", "gaussian", {"sigma": 0.1, "clip": False}),
    ],
)
@pytest.mark.parametrize("task", ["denoising", "deconvolution"])
def test_the_measurement_names_its_noise_and_not_the_seed_by_which_it_could_be_drawn_again(
    tmp_path, gray, corruption, name, parameters, task
):
    result = corrupted(tmp_path, gray.numpy(), corruption, task)
    assert result.exit_code == 0, result.output
    y, A, sigma, noise = measurement.load(tmp_path / "out/measurement.npz")
    assert (noise.name, noise.parameters, noise.sigma) == (name, parameters, sigma)
    error = float((y - A.forward(gray)).square().mean().sqrt())
    assert sigma == pytest.approx(error, rel=0.15)


def test_bsnr_becomes_the_sigma_that_methods_are_told(tmp_path, gray):
    assert corrupted(tmp_path, gray.numpy(), "bsnr=30", "deconvolution").exit_code == 0
    _, A, sigma, noise = measurement.load(tmp_path / "out/measurement.npz")
    clean = A.forward(gray).double()
    assert 10 * np.log10(float(clean.var(unbiased=False)) / sigma**2) == pytest.approx(30, abs=1e-5)
    assert noise.parameters == {"sigma": sigma, "bsnr": 30.0, "clip": False}
    assert recovered(tmp_path, "tv").exit_code == 0
    assert json.loads((tmp_path / "found/run.json").read_text())["noise_sigma"] == sigma
    result = corrupted(tmp_path, np.full((1, 8, 8), 0.5, np.float32), "bsnr=30")
    assert result.exit_code == 1 and result.output.count("\n") == 1 and "a constant; give sigma" in result.output


def test_a_recovery_of_poisson_noise_is_good_in_its_kept_iterates_too(tmp_path, gray):
    assert corrupted(tmp_path, gray.numpy(), "noise=poisson,peak=30").exit_code == 0
    assert recovered(tmp_path, "tv").exit_code == 0
    y, _, sigma, noise = measurement.load(tmp_path / "out/measurement.npz")
    x, found = gray.numpy(), np.load(tmp_path / "found/recovered.npy")
    error = lambda estimate: float(np.sqrt(((estimate - x) ** 2).mean()))  # noqa: E731
    assert error(found) < 0.5 * error(y.numpy())
    with np.load(tmp_path / "found/trace.npz") as trace:
        assert error(trace["estimates"][-1]) == pytest.approx(error(found), rel=1e-2)
    run = json.loads((tmp_path / "found/run.json").read_text())
    assert run["noise_sigma"] == sigma
    assert run["residual"] == pytest.approx(float(np.sqrt(((found - y.numpy()) ** 2).mean())), rel=1e-5)
    result = recovered(tmp_path, "nlm", "clipped=true")
    assert result.exit_code == 1 and "nlm: clipped: true is not allowed with poisson noise" in result.output


def test_a_measured_picture_with_poisson_noise_is_stabilised_by_what_is_said_of_it(tmp_path, gray):
    y = np.random.default_rng(0).poisson(25 * gray.numpy()).astype(np.float32) / 25
    result = corrupted(tmp_path, y, "noise=poisson,peak=25", "denoising", "--measured")
    assert result.exit_code == 0, result.output
    found, _, sigma, noise = measurement.load(tmp_path / "out/measurement.npz")
    np.testing.assert_array_equal(found.numpy(), y)
    assert noise == measurement.Noise("poisson", {"peak": 25.0}, float(np.sqrt(y.mean(dtype=np.float64) / 25)))
    assert (
        isinstance(noise.stabiliser(), Anscombe) and measurement.Noise("speckle", {"looks": 1}, 1).stabiliser() is None
    )


def test_the_code_of_a_recovery_has_its_noise_s(tmp_path, gray):
    made_of = []
    for noise in ("poisson", "speckle"):
        assert corrupted(tmp_path, gray.numpy(), f"noise={noise}").exit_code == 0
        made_of.append(origin(tmp_path / "out/measurement.npz", "tv")["code"])
    assert made_of[0] != made_of[1]


def test_the_sigma_that_a_bsnr_asks_for_is_said(tmp_path, gray):
    sigma = float(gray.numpy().std(dtype=np.float64)) / 10
    assert corrupted(tmp_path, gray.numpy(), "bsnr=20").output == f"sigma is {sigma:.4g}\n"
    assert corrupted(tmp_path, gray.numpy(), "sigma=0.1").output == ""
