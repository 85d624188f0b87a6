"""Pictures that are measurements: what of them is known, what is not, and what is refused."""

import copy
import json
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from scipy.ndimage import gaussian_filter

from steps import corrupt, image
from steps.base.errors import BadInput
from steps.inverse import measurement
from steps.inverse.operators import taper
from steps.inverse.photograph import estimate_sigma
from steps.methods import wiener
from steps.metrics import psnr
from steps.noises.gaussian import add
from steps.plan import corruptions
from steps.plan.config import check_config, image_arguments, true_entry
from steps.plan.drawings import Index, drawings
from steps.plan.experiments import recoveries
from steps.tasks import deconvolution, denoising
from tests.conftest import picture


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sigma", [0.02, 0.1])
def test_sigma_is_estimated_from_the_picture_alone(channels, sigma):
    x = picture(channels, 128, 128).numpy()
    y = add(x, sigma=sigma)
    assert estimate_sigma(y) == pytest.approx(sigma, rel=0.1)
    with pytest.raises(BadInput, match="no noise is found.*; give sigma as a number"):
        estimate_sigma(x)


@pytest.mark.parametrize("value", [0, 0.5])
def test_a_channel_that_is_the_same_everywhere_does_not_count(value):
    y = np.random.default_rng(0).normal(0.5, 0.1, (3, 64, 64)).astype(np.float32)
    others = estimate_sigma(y[:2])
    y[2] = value
    assert estimate_sigma(y) == others


def test_of_clipped_noise_less_is_found():
    y = add(picture(1, 128, 128).numpy(), sigma=0.3)
    assert estimate_sigma(np.clip(y, 0, 1)) < 0.9 * estimate_sigma(y)


def test_a_picture_may_be_too_small_to_estimate():
    with pytest.raises(BadInput, match="the 1x1 picture is too small to estimate sigma; give a number"):
        estimate_sigma(np.zeros((1, 1, 1), np.float32))


@pytest.mark.parametrize("value", [0, 0.3])
def test_a_flat_picture_has_no_noise_to_estimate(value, tmp_path):
    x = np.full((1, 32, 32), value, np.float32)
    with pytest.raises(BadInput, match="no noise is found.*; give sigma as a number"):
        estimate_sigma(x)
    np.save(tmp_path / "y.npy", x)
    result = invoke(corrupt.main, tmp_path / "y.npy", "denoising", "sigma=estimate", tmp_path / "out", "--measured")
    assert result.exit_code == 1 and result.output.count("\n") == 1
    assert "no noise is found" in result.output and "give sigma as a number" in result.output
    result = invoke(corrupt.main, tmp_path / "y.npy", "denoising", "sigma=0.1", tmp_path / "out", "--measured")
    assert result.exit_code == 0, result.output


def blurred(boundary):
    """Return (truth, picture) of 96 x 96 pixels: the middle of a scene that was blurred with this boundary."""
    scene = picture(1, 160, 160)[0].numpy()
    if boundary == "wrap":
        scene = scene[32:-32, 32:-32]
        return scene, gaussian_filter(scene, 3, mode="wrap", radius=12)
    return scene[32:-32, 32:-32], gaussian_filter(scene, 3, radius=12)[32:-32, 32:-32]


def by_wiener(truth, y, A):
    """Return the PSNR in dB of the Wiener filter."""
    estimate = wiener.recover(y, A, 0.01)[0].numpy()
    return psnr.measure(truth, estimate)


def test_a_photo_s_borders_are_tapered_for_a_circular_convolution():
    A = deconvolution.Operator((1, 96, 96), blur=3.0, kernel=25)
    truth, y = blurred("photo")
    y = torch.from_numpy(add(y[None], sigma=0.01))
    tapered = taper(y, A)
    assert torch.equal(tapered[:, 25:-25, 25:-25], y[:, 25:-25, 25:-25])
    assert by_wiener(truth, tapered, A) > by_wiener(truth, y, A) + 5
    assert by_wiener(truth, tapered, A) > psnr.measure(truth, y[0].numpy()) + 0.5
    truth, y = blurred("wrap")
    y = torch.from_numpy(add(y[None], sigma=0.01))
    assert by_wiener(truth, taper(y, A), A) > by_wiener(truth, y, A) - 1.5  # what is lost if it was circular


def test_no_other_measurement_is_tapered(colour):
    assert torch.equal(denoising.Operator(colour.shape).measured(colour), colour)


def invoke(command, *arguments):
    return CliRunner().invoke(command, list(map(str, arguments)))


def test_command_takes_the_picture_as_it_is(tmp_path, colour):
    y = add(colour.numpy() + 0.5, sigma=0.05)  # beyond 1, as noise may be
    np.save(tmp_path / "y.npy", y)
    result = invoke(corrupt.main, tmp_path / "y.npy", "denoising", "sigma=estimate", tmp_path / "out", "--measured")
    assert result.exit_code == 0, result.output
    found, A, sigma, _ = measurement.load(tmp_path / "out/measurement.npz")
    assert A.identity and np.allclose(found.numpy(), y, atol=1e-6)
    assert sigma == estimate_sigma(y) and f"sigma is estimated to be {sigma:.4g}" in result.output
    np.testing.assert_array_equal(np.load(tmp_path / "out/picture.npy"), y)
    with np.load(tmp_path / "out/measurement.npz") as file:
        assert json.loads(str(file["facts"]))["noise"]["parameters"] == {"sigma": sigma}
    result = invoke(corrupt.main, tmp_path / "y.npy", "denoising", "sigma=0.2", tmp_path / "told", "--measured")
    assert result.exit_code == 0 and measurement.load(tmp_path / "told/measurement.npz")[2] == 0.2
    said = "kernel=9,sigma=0.2"
    result = invoke(corrupt.main, tmp_path / "y.npy", "deconvolution", said, tmp_path / "blurred", "--measured")
    assert result.exit_code == 0, result.output
    assert not np.allclose(measurement.load(tmp_path / "blurred/measurement.npz")[0].numpy(), y, atol=1e-3)
    np.testing.assert_array_equal(np.load(tmp_path / "blurred/picture.npy"), y)  # what one sees is not tapered


def test_floats_may_lie_outside_by_noise_and_are_kept(tmp_path):
    y = np.linspace(-0.9, 1.9, 48).reshape(6, 8)
    np.save(tmp_path / "y.npy", y)
    source, output = tmp_path / "y.npy", tmp_path / "out.npy"
    result = invoke(image.main, source, output, "--measured")
    assert result.exit_code == 0, result.output
    np.testing.assert_allclose(np.load(output)[0], y, atol=1e-7)
    result = invoke(image.main, source, output)
    assert "values from -0.9 to 1.9; floats must lie in [0, 1]" in result.output
    np.save(tmp_path / "y.npy", 255 * np.abs(y))
    result = invoke(image.main, source, output, "--measured")
    assert result.exit_code == 1 and "floats must lie in [-1, 2]" in result.output


GOOD = {
    "images": {"logo": {"source": "synthetic:logo"}, "mine": {"source": "synthetic:logo", "measured": True}},
    "experiments": {
        "first": {
            "task": "deconvolution",
            "images": ["mine"],
            "corruption": {"blur": 3, "sigma": ["estimate", "1e-2"]},
            "methods": [{"method": "wiener"}],
        }
    },
}


def config(**changes):
    found = copy.deepcopy(GOOD)
    found["experiments"]["first"] |= changes
    return found


def drawn(experiment):
    asked = recoveries(experiment)
    return drawings("first", experiment, Index(asked, asked))


def test_paths_and_figures_of_a_measured_picture():
    good = config()
    check_config(good)
    entry = good["experiments"]["first"]
    assert [r.corruption for r in recoveries(entry)] == ["blur=3,sigma=estimate", "blur=3,sigma=0.01"]
    assert drawn(entry) == [
        "first/comparison/mine/blur=3,sigma=estimate",
        "first/comparison/mine/blur=3,sigma=0.01",
    ]
    mixed = config(
        images=["logo", "mine"],
        corruption=[{"images": ["logo"], "sigma": 0.1, "seed": 3}, {"images": ["mine"], "sigma": "estimate"}],
    )
    check_config(mixed)
    assert drawn(mixed["experiments"]["first"])[0] == "first/psnr"
    assert "--measured" in image_arguments("mine", good["images"]["mine"])
    assert corruptions.spelled("denoising", "sigma=estimate", True) == "sigma=estimate"


BAD = {
    "no sigma": (
        {"corruption": {"blur": 3}},
        "sigma: missing; of an image that is measured it must be a number or est",
    ),
    "no corruption": ({"task": "denoising", "corruption": {}}, "experiments.first.corruption.sigma: missing; of an"),
    "noise's seed": (
        {"corruption": {"sigma": 0.1, "seed": 0}},
        "corruption.seed: nothing is simulated of an image that is measured; allowed: blur, kernel",
    ),
    "clipping": ({"corruption": {"sigma": 0.1, "clip": False}}, "corruption.clip: nothing is simulated of an image"),
    "a typing error": ({"corruption": {"sigma": "estimated"}}, "'estimated' is not allowed; must be a number or estim"),
    "sigma true": ({"corruption": {"sigma": True}}, "sigma: True is not allowed; must be a number or estimate"),
    "less than nothing": ({"corruption": {"sigma": -1}}, "corruption.sigma: -1 is not allowed; must be >= 0"),
    "single-pixel data": (
        {"task": "single_pixel", "corruption": {"sigma": 0.1}},
        "experiments.first.corruption.measured: it is a picture; a measurement of single_pixel must be numbers, an arr",
    ),
    "an estimate of what is simulated": (
        {"images": ["logo"]},
        "corruption.sigma: 'estimate' is for images that are measured; must be a number",
    ),
    "a figure that needs the truth": (
        {"figures": ["comparison", "psnr"]},
        "experiments.first.figures: psnr needs a truth, but all images are measured",
    ),
    "published values": (
        {"published": {"table": "table1"}},
        "mine is measured; without a truth it is compared with no",
    ),
    "a label of a column": ({"methods": [{"method": "wiener", "label": "noise sigma"}]}, "is that of another column"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_asked_of_it_is_refused_in_one_line(case):
    changes, words = BAD[case]
    with pytest.raises(BadInput) as caught:
        check_config(config(**changes), "my.yaml")
    message = str(caught.value)
    assert message.startswith("my.yaml: experiments.first") and words in message and "\n" not in message


def test_measured_is_true_or_false():
    bad = config()
    bad["images"]["mine"]["measured"] = "yes"
    with pytest.raises(BadInput, match="images.mine.measured: 'yes' is not allowed; must be of type boolean"):
        check_config(bad)


def test_a_truth_stands_beside_what_is_measured_and_lets_it_be_compared(tmp_path):
    pair = {"source": "synthetic:noise", "measured": True, "truth": "synthetic:logo", "crop": 64, "size": 32}
    good = config(figures=["comparison", "psnr"])
    good["images"]["mine"] = pair
    check_config(good)
    assert true_entry(pair) == {"source": "synthetic:logo", "crop": 64, "size": 32}
    assert true_entry(GOOD["images"]["logo"]) == GOOD["images"]["logo"]
    bad = config()
    bad["images"]["logo"]["truth"] = "synthetic:logo"
    with pytest.raises(BadInput, match="^config: images.logo.truth: not allowed without measured: true$"):
        check_config(bad)
    bad = config()
    bad["images"]["mine"]["truth"] = "nofile.png"
    with pytest.raises(BadInput, match="^config: images.mine.truth.source: no file 'nofile.png'"):
        check_config(bad)
    bad["images"]["mine"] = pair | {"source": "photos/*.png"}
    with pytest.raises(BadInput, match="images.mine.truth: not allowed of a set; must be beside one picture"):
        check_config(bad)


VALID = {"psf": "uniform", "kernel": 5, "boundary": "valid", "sigma": 0.1}
FITTING = {  # task, corruption, the truth's shape beside a measured 20 × 24 picture, how a message spells both
    "denoising": ({"sigma": 0.1}, (20, 24), "sigma=0.1"),
    "deconvolution": (VALID, (24, 28), "kernel=5,psf=uniform,boundary=valid,sigma=0.1"),
    "super_resolution": ({"factor": 2, "sigma": 0.1}, (40, 48), "factor=2,sigma=0.1"),
    "demosaicking": ({"sigma": 0.1}, (20, 24, 3), "sigma=0.1"),
}


@pytest.mark.parametrize("task", FITTING)
def test_a_truth_is_as_large_as_the_image_that_is_sought(task, tmp_path, monkeypatch):
    """Not as the picture: of unknown borders, or of a reduction, the image is larger."""
    monkeypatch.chdir(tmp_path)
    corruption, fitting, text = FITTING[task]
    wrong = (fitting[0] - 1, *fitting[1:])
    shapes = {"noisy": (20, 24), "fitting": fitting, "wrong": wrong, "other": (*fitting[:2], 3)[: 5 - len(fitting)]}
    for name, shape in shapes.items():
        Image.fromarray(np.zeros(shape, np.uint8)).save(f"{name}.png")
    sought = f"as the image that experiments.first recovers \\({text}\\)$"
    pair = config(task=task, corruption=corruption, images=["mine"])

    def beside(truth):
        pair["images"]["mine"] = {"source": "noisy.png", "measured": True, "truth": truth}
        check_config(pair)

    beside("fitting.png")
    has, must = (f"{shape[0]}x{shape[1]} pixels" for shape in (wrong, fitting))
    with pytest.raises(
        BadInput, match=f"^config: images.mine.truth: wrong.png has {has}; must have {must[:-7]}, {sought}"
    ):
        beside("wrong.png")
    counts = "1 channels; must have 3" if len(fitting) == 3 else "3 channels; must have 1"
    with pytest.raises(BadInput, match=f"^config: images.mine.truth: other.png has {counts}, {sought}"):
        beside("other.png")


def test_a_truth_from_a_url_has_a_checksum_like_any_picture_from_a_url():
    pair = config()
    url, digest = "https://host.invalid/a.png", "0" * 64
    for truth in (url, {"source": url}):
        pair["images"]["mine"] = {"source": "synthetic:noise", "measured": True, "size": 8, "truth": truth}
        with pytest.raises(BadInput, match="^config: images.mine.truth.sha256: missing; a URL needs the checksum"):
            check_config(pair)
    pair["images"]["mine"]["truth"] = {"source": url, "sha256": digest}
    check_config(pair)
    assert true_entry(pair["images"]["mine"]) == {"source": url, "sha256": digest, "size": 8}
    pair["images"]["mine"]["truth"] = {"source": url, "sha256": "12"}
    with pytest.raises(BadInput, match=r"images.mine.truth: \{'s.* is not allowed; .*it is \{source, sha256\}.$"):
        check_config(pair)


def test_numbers_of_a_detector_may_have_a_truth(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("y.npy", np.arange(64.0))
    corruption = {"patterns": "fourier", "compression": 4, "sigma": 0.1}
    pair = config(task="single_pixel", corruption=corruption, images=["mine"])
    for side in (16, 15):
        Image.fromarray(np.zeros((side, side), np.uint8)).save("clean.png")
        pair["images"]["mine"] = {"source": "y.npy", "measured": True, "truth": "clean.png"}
        words = "clean.png has 15x15 pixels; must have 16x16,"
        with nullcontext() if side == 16 else pytest.raises(BadInput, match=words):
            check_config(pair)


def edgetaper(y, kernel):
    """Return MATLAB's edgetaper of a gray picture, from its documentation's formula, in numpy."""
    weights = []
    for axis in (1, 0):
        n = y.shape[1 - axis]
        power = np.abs(np.fft.fft(kernel.sum(axis), n - 1)) ** 2
        z = np.fft.ifft(power).real
        weights.append(1 - np.append(z, z[0]) / z.max())
    alpha = np.outer(*weights)
    circular = np.fft.ifft2(np.fft.fft2(y) * np.fft.fft2(np.roll(padded(kernel, y.shape), (-2, -3), (0, 1)))).real
    return alpha * y + (1 - alpha) * circular


def padded(kernel, shape):
    wide = np.zeros(shape)
    wide[: kernel.shape[0], : kernel.shape[1]] = kernel
    return wide


def test_tapering_is_matlab_s_and_the_same_at_both_ends():
    kernel = np.random.default_rng(0).random((5, 7)).astype(np.float32)
    y = picture(1, 40, 33)
    A = deconvolution.Operator(y.shape, psf=kernel)
    found = taper(y, A)
    np.testing.assert_allclose(found[0], edgetaper(y[0].numpy().astype(float), kernel / kernel.sum()), atol=1e-5)
    other = deconvolution.Operator(y.shape, psf=kernel[::-1, ::-1].copy())
    torch.testing.assert_close(taper(y.flip(1, 2), other).flip(1, 2), found, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(1, 9), (2, 9), (9, 9)])
def test_a_kernel_as_large_as_the_picture_is_tapered_for(size):
    y = picture(1, *size)
    A = deconvolution.Operator(y.shape, psf="uniform", kernel=1) if 1 in size else None
    A = A or deconvolution.Operator(y.shape, psf=np.ones(size, np.float32))
    assert taper(y, A).isfinite().all() and taper(y, A).shape == y.shape
