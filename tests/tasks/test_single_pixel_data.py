"""A single-pixel camera's own data: its patterns and its numbers are files."""

import numpy as np
import pytest
import scipy.linalg
import torch
import yaml
from click.testing import CliRunner

from steps import corrupt
from steps.base.errors import BadInput
from steps.inverse import measurement
from steps.inverse.patterns import as_patterns, common
from steps.methods import tv
from steps.metrics import psnr
from steps.plan.config import check_config
from steps.tasks.single_pixel import Operator
from tests.conftest import picture
from tests.workflows import copy_repository, snakemake


def camera(channels=1, height=16, width=24, count=200):
    """Return (x, P, y): an image (C, H, W), patterns of 0 and 1 (M, H, W), and what they measure of it, (C, M)."""
    x = picture(channels, height, width).numpy()
    P = np.random.default_rng(0).integers(0, 2, (count, height, width))
    return x, P, x.reshape(channels, -1) @ P.reshape(count, -1).T


def simulate(folder, y, numbers, corruption):
    np.save(folder / "y.npy", y[:, None].astype(np.float32))
    words = ["--measured"]
    if numbers is not None:
        np.save(folder / "mine.npy", numbers)
        words.append(f"--file={folder / 'mine.npy'}")
    arguments = [folder / "y.npy", "single_pixel", corruption, folder / "out", *words]
    return CliRunner().invoke(corrupt.main, list(map(str, arguments)))


@pytest.mark.parametrize("channels", [1, 3])
def test_numbers_and_sigma_are_on_the_scale_of_the_file_s_patterns(tmp_path, channels):
    x, P, y = camera(channels)
    result = simulate(tmp_path, y, P, "patterns=mine,sigma=2")
    assert result.exit_code == 0, result.output
    found, A, sigma, noise = measurement.load(tmp_path / "out/measurement.npz")
    mean, share = common(P)
    assert A.shape == x.shape and 0.5 < share < 1
    assert A.unit == pytest.approx((np.square(P - share * mean).sum() / P[0].size) ** 0.5)
    assert A.matrix.square().sum(1).mean() == pytest.approx(x[0].size / len(P), rel=1e-5)
    torch.testing.assert_close(found, A.forward(torch.from_numpy(x)), rtol=1e-4, atol=1e-4)
    assert sigma == noise.sigma == noise.parameters["sigma"] == pytest.approx(2 / A.unit)
    assert f"y and sigma are divided by {A.unit:.4g}" in result.output and result.output.count("\n") == 1


def test_what_one_sees_of_0_and_1_is_no_flat_gray(tmp_path):
    x, P, y = camera()
    assert simulate(tmp_path, y, P, "patterns=mine,sigma=0").exit_code == 0
    seen = np.load(tmp_path / "out/picture.npy")
    assert seen.shape == x.shape and abs(seen.mean() - x.mean()) < 0.02
    assert np.corrcoef(seen.ravel(), x.ravel())[0, 1] > 0.4
    assert 0.3 < seen.std() / x.std() < 1.5


def test_what_patterns_have_in_common_gets_the_norm_of_the_others():
    _, P, _ = camera()
    P = P.reshape(len(P), -1)
    mean, share = common(P)
    values = np.linalg.svd(P - share * mean, compute_uv=False)
    assert np.linalg.svd(P, compute_uv=False)[0] > 10 * np.median(values) and values[0] < 2.5 * np.median(values)
    assert common(np.random.default_rng(0).choice([-1.0, 1.0], P.shape))[1] < 0.1
    assert common(np.ones((1, 4)))[1] == common(np.ones((5, 4)))[1] == 0


def test_the_norm_of_the_others_is_that_of_their_mean_and_what_is_weaker_stays():
    _, P, _ = camera(count=100)
    P = P.reshape(100, -1).astype(float)
    mean, share = common(P)
    rest = (np.square(P).sum() - 100 * np.square(P.mean(0)).sum()) / 99
    left = 100 * np.square((P - share * mean).mean(0)).sum()
    assert left == pytest.approx(rest, rel=1e-4)
    P = np.random.default_rng(0).standard_normal((100, 256))
    assert common(P - 0.9 * P.mean(0))[1] == 0


def test_total_variation_recovers_the_image(tmp_path):
    x, P, y = camera(height=24, count=300)
    assert simulate(tmp_path, y, P, "patterns=mine,sigma=0.1").exit_code == 0
    found, A, sigma, _ = measurement.load(tmp_path / "out/measurement.npz")
    assert psnr.measure(x, tv.recover(found, A, sigma).numpy()) > 25


@pytest.mark.parametrize(
    "settings", [{"patterns": "hadamard", "order": "cake_cutting"}, {"patterns": "fourier"}, {"patterns": "bernoulli"}]
)
def test_numbers_of_ordered_patterns_are_of_plus_minus_one_or_an_orthonormal_basis(tmp_path, settings):
    x = picture(1, 16, 16)
    A = Operator(x.shape, **settings)
    norm = 1.0 if settings["patterns"] == "fourier" else 16.0
    first = A.forward(torch.eye(256, dtype=torch.float64).reshape(256, 1, 16, 16))[:, 0, 0] * A.unit
    assert first.norm() == pytest.approx(norm)
    text = "compression=2," + ",".join(f"{key}={value}" for key, value in settings.items()) + ",sigma=0"
    assert simulate(tmp_path, (A.unit * A.forward(x)).numpy(), None, text).exit_code == 0
    found, B, *_ = measurement.load(tmp_path / "out/measurement.npz")
    assert B.shape == A.shape
    torch.testing.assert_close(found, A.forward(x), rtol=1e-5, atol=1e-5)


def test_patterns_of_a_square_may_be_flat():
    P = np.random.default_rng(0).random((5, 36))
    assert Operator.image_shape((3, 1, 5), patterns=as_patterns(P)) == (3, 6, 6)
    a, b = Operator((1, 6, 6), patterns=P), Operator((1, 6, 6), patterns=P.reshape(5, 6, 6))
    assert torch.equal(a.matrix, b.matrix)


@pytest.mark.parametrize(
    ("numbers", "size", "words"),
    [
        (np.ones(5), None, r"shape \(5,\) is no set of patterns"),
        (np.ones((0, 4)), None, "is no set of patterns"),
        *[(np.array([[1, value], [1, 1]]), None, "not finite, or too large") for value in (np.nan, np.inf, 1e16)],
        (np.zeros((2, 4)), None, "all values of the patterns are 0"),
        (np.ones((2, 4, 4)), (4, 5), r"patterns of shape \(4, 4\) do not fit the image; must be 4x5 pixels"),
        (np.ones((2, 5, 4)), (4, 5), r"patterns of shape \(5, 4\) do not fit the image; must be 4x5 pixels"),
    ],
)
def test_what_are_no_patterns_is_refused(numbers, size, words):
    with pytest.raises(BadInput, match=words):
        as_patterns(numbers, size)


def config(folder, y, P, images=None, task="single_pixel", files=None, **corruption):
    np.save(folder / "y.npy", y)
    np.save(folder / "P.npy", P)
    return {
        "device": "cpu",
        "report": False,
        "files": {"mine": {"source": str(folder / "P.npy")}} if files is None else files,
        "images": images or {"scene": {"source": str(folder / "y.npy"), "measured": True}},
        "experiments": {
            "mine": {"task": task, "images": ["scene"], "corruption": corruption, "methods": [{"method": "tv"}]}
        },
    }


_, P, Y = camera()
GOOD = {"patterns": "mine", "sigma": 0.1}
BAD = {
    "fewer patterns": (Y, P[:-1], GOOD, "patterns: the file has 199 patterns, the measurement 200 numbers"),
    "more patterns": (Y[:, 1:], P, GOOD, "patterns: the file has 200 patterns, the measurement 199 numbers"),
    "no square": (Y, P.reshape(200, -1), GOOD, "patterns: 384 pixels are no square; must be of shape"),
    "not finite": (Y * np.inf, P, GOOD, "images.scene.source: .*y.npy: has values that are not finite"),
    "no file": (Y, P, GOOD | {"patterns": "min"}, "corruption.patterns: unknown file 'min' .did you mean 'mine'"),
    "compression": (Y, P, GOOD | {"compression": 2}, "corruption.compression: is for patterns: gaussian, had"),
    "order": (Y, P, GOOD | {"order": "sequency"}, "corruption.order: is for patterns: hadamard, and patterns is mine"),
    "estimate": (Y, P, GOOD | {"sigma": "estimate"}, "corruption.sigma: it can be estimated from a picture only"),
    "no sigma": (Y, P, {"patterns": "mine"}, "corruption.sigma: missing; of an image that is measured it must be a nu"),
    "no sides": (
        Y,
        P,
        {"sigma": 0, "patterns": "fourier", "compression": 3},
        "compression: 200 numbers at compression 3 are of no square",
    ),
    "no power": (
        Y[:, :72],
        P,
        {"sigma": 0, "patterns": "hadamard", "order": "sequency"},
        "order: sequency is not of 12x12 pixels; sides must be powers of 2",
    ),
    "no patterns": (Y, P, {"sigma": 0}, "patterns: missing; of numbers that a camera measured"),
    "photons": (
        Y,
        P,
        {"patterns": "mine", "noise": "poisson", "peak": 3},
        "noise: poisson is noise of pixels, and",
    ),
    "levels": (Y, P, {"patterns": "mine", "noise": "rounding", "levels": 3}, "noise: rounding is noise of pixels, and"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said_before_any_job_in_one_line(tmp_path, case):
    y, patterns, corruption, words = BAD[case]
    check_config(config(tmp_path, Y, P, **GOOD))
    with pytest.raises(BadInput, match=words) as caught:
        check_config(config(tmp_path, y, patterns, **corruption))
    assert "\n" not in str(caught.value)


def test_numbers_are_no_photo_and_a_photo_is_no_numbers(tmp_path):
    with pytest.raises(BadInput, match="measured: it is 200 numbers; a measurement of denoising must be a picture"):
        check_config(config(tmp_path, Y, P, task="denoising", files={}, sigma=0.1))
    photo = {"scene": {"source": "skimage:camera", "measured": True}}
    with pytest.raises(
        BadInput, match=r"measured: it is a picture; a measurement of single_pixel must be numbers, an ar"
    ):
        check_config(config(tmp_path, Y, P, photo, **GOOD))


def test_a_config_recovers_an_image_from_files(tmp_path):
    copy_repository(tmp_path)
    x, patterns, y = camera(height=24, count=300)
    asked = config(tmp_path, y[0], patterns, patterns="mine", sigma=0.1)
    asked["images"]["scene"]["source"], asked["files"]["mine"]["source"] = "y.npy", "P.npy"
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(asked, sort_keys=False))
    result = snakemake(tmp_path, config="my.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    recovered = np.load(tmp_path / "results/single_pixel/scene/patterns=mine,sigma=0.1/tv/default/recovered.npy")
    assert psnr.measure(x, recovered) > 25
    assert "No ground truth is known of scene" in (tmp_path / "results/tables/mine.md").read_text()
    assert (tmp_path / "results/figures/mine/comparison/scene/patterns=mine,sigma=0.1.png").is_file()


def test_patterns_that_do_not_see_the_brightness_are_named_and_give_a_picture_without_it(tmp_path, capsys):
    truth = picture(1, 16, 16)
    patterns = np.float32(scipy.linalg.hadamard(256)[1:200])
    numbers = patterns @ truth.numpy().reshape(256)
    corrupt.simulate(
        numbers.reshape(1, 1, -1), "single_pixel", "patterns=mine,sigma=0", tmp_path, True, {"mine": patterns}
    )
    assert "says nothing of the image's mean brightness" in capsys.readouterr().out
    seen = np.load(tmp_path / "picture.npy")
    expected = patterns.T @ numbers / 256
    np.testing.assert_allclose(seen.reshape(256), expected, atol=1e-4)
    corrupt.simulate(truth.numpy(), "single_pixel", "compression=2", tmp_path / "other")
    assert "brightness" not in capsys.readouterr().out


def test_patterns_whose_rows_sum_to_rounding_do_not_see_the_brightness_and_those_that_hardly_see_it_do():
    random = np.random.default_rng(0).random((128, 256))
    assert Operator((1, 16, 16), patterns=random - random.mean(1, keepdims=True)).blind
    assert not Operator((1, 16, 16), patterns=np.float32(scipy.linalg.hadamard(256)[1:129]) + np.float32(5e-4)).blind
