"""The noise-level function that is found in a picture, and the transform that it gives."""

import numpy as np
import pytest
import skimage
import torch

from steps.base.errors import BadInput
from steps.inverse.call import call
from steps.inverse.measurement import Noise
from steps.inverse.noise_level import Levels, noise_level, sentence
from steps.methods import bm3d
from steps.noises import camera, gaussian
from steps.tasks.denoising import Operator

NOISES = {
    "peak 40": {"peak": 40},
    "peak 200, read": {"peak": 200, "sigma": 0.02},
    "gaussian": {"peak": 1e8, "sigma": 0.05},
}


def photograph(name):
    """Return a crop of a picture of scikit-image, (C, H, W) in [0, 1]."""
    pixels = getattr(skimage.data, name)()[:320, :400].astype(np.float32) / 255
    return np.ascontiguousarray(pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0))


def errors(x, y, found, levels=12):
    """Return the relative errors of the deviations found, a channel and level each, by what y differs from x."""
    found_errors = []
    for c, (gain, offset) in enumerate(zip(found["gains"], found["offsets"], strict=True)):
        for low in np.arange(levels) / levels:
            here = (x[c] >= low) & (x[c] < low + 1 / levels)
            if here.sum() < 0.01 * here.size or ((y[c] <= 0) | (y[c] >= 1))[here].mean() > 0.05:
                continue
            true = (y[c] - x[c])[here].std()
            found_errors.append(np.sqrt(gain * x[c][here].mean() + offset) / true - 1)
    return np.array(found_errors)


@pytest.mark.parametrize("quality", [None, 90, 95])
@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("name", ["camera", "chelsea", "clock"])
def test_it_is_within_fifteen_per_cent_of_the_true_one(name, noise, quality):
    x = photograph(name)
    y = camera.add(x, **NOISES[noise], quality=quality, seed=1)
    y = y if quality else np.round(65535 * y) / np.float32(65535)
    found = errors(x, y, noise_level(y))
    assert len(found) >= 3
    assert np.sqrt((found**2).mean()) < 0.15


def test_each_channel_has_its_own():
    x = photograph("chelsea")
    y = np.stack([camera.add(plane[None], peak=peak)[0] for plane, peak in zip(x, (20, 60, 180), strict=True)])
    found = noise_level(y)
    assert found["gains"][0] > 1.5 * found["gains"][1] > 3 * found["gains"][2] > 0
    assert np.sqrt((errors(x, y, found) ** 2).mean()) < 0.15


def test_of_opponent_colours_white_noise_has_its_share_and_a_jpeg_s_colours_have_no_high_frequencies():
    x = photograph("chelsea")
    white = np.array(noise_level(camera.add(x, peak=40))["spectrum"])
    np.testing.assert_allclose(white, np.outer([1 / 3, 1 / 2, 3 / 8], np.ones(4)), rtol=0.15)
    smooth = np.array(noise_level(camera.add(x, peak=40, quality=90))["spectrum"])
    assert (smooth[1:, 3] < 0.05).all() and (smooth[1:, 0] > 0.2).all() and smooth[0, 3] > 0.7


def test_the_smooth_noise_of_a_jpeg_s_colours_counts():
    """The highest band alone, in which a JPEG's colours have nothing, would find 5 % less."""
    ramp = np.repeat(np.linspace(0.2, 0.6, 400, dtype=np.float32)[None, None], 300, axis=1)
    x = np.repeat(ramp, 3, axis=0)
    y = camera.add(x, peak=200, quality=95)
    assert np.abs(errors(x, y, noise_level(y))).max() < 0.03


def test_clipped_parts_are_left_out():
    x = np.repeat(np.linspace(-0.2, 1.2, 500, dtype=np.float32)[None, None], 300, axis=1)
    y = np.clip(gaussian.add(x, sigma=0.08), 0, 1)
    found = noise_level(y)
    for level in (0, 0.5, 1):
        assert np.sqrt(found["gains"][0] * level + found["offsets"][0]) == pytest.approx(0.08, rel=0.05)


def test_a_picture_that_is_too_small_for_a_line_has_the_same_noise_everywhere():
    y = gaussian.add(photograph("camera")[:, :20, :30], sigma=0.1)
    found = noise_level(y)
    assert found["gains"] == [0.0] and found["offsets"][0] ** 0.5 == pytest.approx(0.1, rel=0.3)
    with pytest.raises(BadInput, match="no noise is found in the 40x50 picture; give sigma as a number"):
        noise_level(np.full((1, 40, 50), 0.5, np.float32))
    with pytest.raises(BadInput, match="no noise is found in the 90x90 picture; give sigma as a number"):
        noise_level(np.full((3, 90, 90), 0.5, np.float32))


def test_gray_in_three_channels_is_no_jpeg():
    y = camera.add(photograph("camera")[:, :256, :256], sigma=0.05, peak=1e6)
    assert sentence(noise_level(np.repeat(y, 3, axis=0))).endswith("It is white noise.")


@pytest.mark.parametrize("level", [-0.3, -0.1, 0.0, 0.2])
def test_values_below_black_are_not_lost(level):
    y = gaussian.add(np.full((1, 300, 300), level, np.float32), sigma=0.05)
    levels = Levels([0.0003], [0.05**2], [[1.0] * 4])
    back = levels.inverse(levels.forward(torch.from_numpy(y)).mean((1, 2), keepdim=True))
    assert float(back) == pytest.approx(level, abs=1e-3)


def test_it_is_said_in_words():
    x = photograph("camera")
    assert sentence(noise_level(camera.add(x, peak=40))).startswith("Noise found: 0.0")
    assert ", as of 4" in sentence(noise_level(camera.add(x, peak=40)))
    assert sentence(noise_level(gaussian.add(x, sigma=0.1))).endswith("It is white noise.")


def test_noise_is_as_strong_in_all_channels_after_the_transform_and_it_is_undone():
    x = torch.from_numpy(photograph("chelsea"))
    levels = Levels([0.05, 0.02, 0.0], [0.0, 0.01, 0.01], np.outer([1 / 3, 1 / 2, 3 / 8], np.ones(4)).tolist())
    random = np.random.default_rng(0)
    for value in (0.3, 0.8):
        flat = np.full((200, 200), value)
        planes = [
            random.poisson(20 * flat) / 20,
            random.poisson(50 * flat) / 50 + 0.1 * random.standard_normal(flat.shape),
        ]
        planes.append(flat + 0.1 * random.standard_normal(flat.shape))
        z = levels.forward(torch.from_numpy(np.stack(planes)))
        assert (z.std((1, 2)) / levels.sigma).tolist() == pytest.approx([1, 1, 1], abs=0.06)
        assert levels.inverse(z.mean((1, 2), keepdim=True)).ravel().tolist() == pytest.approx([value] * 3, abs=0.01)
    assert levels.spectrum.shape == (3, 16, 16)
    np.testing.assert_allclose(levels.spectrum[1].numpy(), levels.sigma**2 / 2)
    assert levels.forward(x).dtype == torch.float32


def test_bm3d_of_a_noisy_jpeg_gains_by_the_spectrum_and_a_method_that_knows_no_better_by_the_levels():
    x = photograph("chelsea")[:, 100:228, 150:278]
    whole = camera.add(photograph("chelsea"), peak=40, quality=90)
    y = torch.from_numpy(whole[:, 100:228, 150:278].copy())
    noise = Noise("camera", noise_level(whole), camera.sigma(whole))
    A = Operator(y.shape)

    def error(estimate):
        return float(np.sqrt(((estimate.numpy() - x) ** 2).mean()))

    plain = error(call(bm3d, y, A, noise.sigma, {"profile": "fast"}))
    assert error(call(bm3d, y, A, noise.sigma, {"profile": "fast"}, noise=noise)) < 0.85 * plain
    separate = {"profile": "fast", "colour": "separate"}
    assert error(call(bm3d, y, A, noise.sigma, separate, noise=noise)) < error(call(bm3d, y, A, noise.sigma, separate))
