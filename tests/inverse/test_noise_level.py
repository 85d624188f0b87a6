"""The noise-level function that is found in a picture, and the transform that it gives."""

import re

import numpy as np
import pytest
import skimage
import torch
from scipy.ndimage import gaussian_filter

from steps.base.errors import BadInput
from steps.inverse.call import call
from steps.inverse.collaborative import OPPONENT
from steps.inverse.levels import at, line, sentence
from steps.inverse.measurement import Noise
from steps.inverse.noise_level import noise_level
from steps.inverse.photograph import estimate_sigma
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
    for c in range(len(x)):
        for low in np.arange(levels) / levels:
            here = (x[c] >= low) & (x[c] < low + 1 / levels)
            if here.sum() < 0.01 * here.size or ((y[c] <= 0) | (y[c] >= 1))[here].mean() > 0.05:
                continue
            true = (y[c] - x[c])[here].std()
            found_errors.append(np.sqrt(at(found, c, x[c][here]).mean()) / true - 1)
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
    gains, _ = line(found)
    assert gains[0] > 1.5 * gains[1] > 3 * gains[2] > 0
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
    wrong = errors(x, y, noise_level(y))
    assert np.sqrt((wrong**2).mean()) < 0.05 and wrong.mean() > -0.03


def test_clipped_parts_are_left_out():
    x = np.repeat(np.linspace(-0.2, 1.2, 500, dtype=np.float32)[None, None], 300, axis=1)
    y = np.clip(gaussian.add(x, sigma=0.08), 0, 1)
    found = noise_level(y)
    for level in (0.1, 0.5, 0.9):
        assert np.sqrt(at(found, 0, level)) == pytest.approx(0.08, rel=0.1)


def test_a_picture_that_is_too_small_for_a_line_has_the_same_noise_everywhere():
    y = gaussian.add(photograph("camera")[:, :20, :30], sigma=0.1)
    found = noise_level(y)
    assert len(set(found["variances"][0])) == 1 and at(found, 0, 0.5) ** 0.5 == pytest.approx(0.1, rel=0.3)
    with pytest.raises(BadInput, match="no noise is found in the 40x50 picture; give sigma as a number"):
        noise_level(np.full((1, 40, 50), 0.5, np.float32))
    with pytest.raises(BadInput, match="no noise is found in the 90x90 picture; give sigma as a number"):
        noise_level(np.full((3, 90, 90), 0.5, np.float32))


def test_of_a_small_picture_in_colour_the_opponent_colours_have_their_share_of_white_noise():
    y = gaussian.add(photograph("chelsea")[:, :20, :30], sigma=0.1)
    np.testing.assert_allclose(noise_level(y)["spectrum"], np.outer([1 / 3, 1 / 2, 3 / 8], np.ones(4)))


def test_the_range_that_is_said_is_of_brightness():
    x = np.repeat(np.linspace(-0.2, 1.2, 200, dtype=np.float32)[None, None], 200, axis=1)
    assert noise_level(gaussian.add(x, sigma=0.02))["range"] == [0, 1]


def test_gray_in_three_channels_is_no_jpeg():
    y = camera.add(photograph("camera")[:, :256, :256], sigma=0.05, peak=1e6)
    assert sentence(noise_level(np.repeat(y, 3, axis=0))).endswith("It is white noise.")


@pytest.mark.parametrize("value", [0, 0.4, 1])
@pytest.mark.parametrize("still", [(2,), (0, 2)])
def test_a_channel_that_is_the_same_everywhere_has_no_noise_and_hides_none(still, value):
    x = photograph("chelsea")
    y = camera.add(x, peak=40)
    x[list(still)] = y[list(still)] = value
    found = noise_level(y)
    noisy = [c for c in range(3) if c not in still]
    mine = found | {"variances": [found["variances"][c] for c in noisy]}
    assert np.abs(errors(x[noisy], y[noisy], mine)).max() < 0.15
    assert not any(np.any(found["variances"][c]) for c in still)
    power = np.square(OPPONENT)[:, noisy].sum(1)
    np.testing.assert_allclose(np.mean(found["spectrum"], axis=1), power, rtol=0.15)
    assert ", as of 4" in sentence(found)


def developed(name, seed=0):
    """Return (x, y): a clean picture, and what a camera's brightening curve makes of it with the noise of photons."""
    clean = photograph(name) ** 2.2
    noisy = np.random.default_rng(seed).poisson(400 * clean) / 400

    def curve(z):
        return (1 - (1 - np.clip(z, 0, 1) ** (1 / 2.2)) ** 1.6).astype(np.float32)

    return curve(clean), curve(noisy)


@pytest.mark.parametrize("name", ["camera", "chelsea", "clock"])
def test_noise_that_falls_with_brightness_as_in_a_developed_photo_is_found(name):
    """A line with a gain of at least 0 would have to be the same everywhere: 30 % off at the ends."""
    x, y = developed(name)
    found = noise_level(y)
    wrong = errors(x, y, found)
    assert len(wrong) >= 4 and np.sqrt((wrong**2).mean()) < 0.15
    assert at(found, 0, 0.9) < 0.6 * at(found, 0, 0.35)
    assert line(found) is None and "photons" not in sentence(found)


def test_texture_is_not_taken_for_noise():
    """Half of the picture is fine texture, at other brightness than the flat half: it has no flat block at all."""
    random = np.random.default_rng(0)
    flat = np.repeat(np.linspace(0.1, 0.5, 200, dtype=np.float32)[None], 300, axis=0)
    texture = 0.75 + 0.08 * random.standard_normal((300, 200)).cumsum(1).clip(-2, 2).astype(np.float32)
    x = np.concatenate([flat, texture], 1)[None]
    y = gaussian.add(x, sigma=0.03)
    found = noise_level(y)
    assert np.sqrt(at(found, 0, np.linspace(0.1, 0.5, 9))) == pytest.approx(0.03, rel=0.1)
    assert np.sqrt(at(found, 0, 0.75)) == pytest.approx(0.03, rel=0.4)


def test_coarse_noise_is_found_with_its_spectrum():
    x = photograph("camera")
    grain = gaussian_filter(np.random.default_rng(0).standard_normal(x.shape), (0, 0.8, 0.8))
    y = (x + 0.05 * grain / grain.std()).astype(np.float32)
    found = noise_level(y)
    assert np.sqrt((errors(x, y, found) ** 2).mean()) < 0.15
    powers = np.array(found["spectrum"][0])
    assert (np.diff(powers) < 0).all() and powers[0] > 10 * powers[-1]
    assert sentence(found).endswith("It is coarse: stronger in low frequencies than in high ones.")


def test_where_little_is_known_the_noise_is_as_elsewhere():
    y = gaussian.add(np.full((1, 48, 48), 0.5, np.float32), sigma=0.05)
    deviations = np.sqrt(at(noise_level(y), 0, np.array([0, 0.5, 1])))
    assert deviations == pytest.approx(0.05, rel=0.3)


@pytest.mark.parametrize("part", ["bar", "ramp"])
def test_what_is_drawn_into_a_noisy_picture_says_nothing_of_its_noise(part):
    x = photograph("chelsea")
    y = gaussian.add(x, sigma=0.05)
    if part == "bar":
        x[:, :40] = y[:, :40] = 0.8
    else:
        x[:, :, 200:] = y[:, :, 200:] = np.linspace(0.1, 0.9, 200, dtype=np.float32)
    found = noise_level(y)
    for c in range(3):
        assert np.sqrt(at(found, c, np.array([0.3, 0.5]))) == pytest.approx(0.05, rel=0.25)


def test_the_spectrum_is_of_the_picture_that_methods_get():
    """Where channels are not equally noisy, it is another before the transform."""
    x = photograph("chelsea")
    y = np.concatenate([gaussian.add(x[c : c + 1], sigma=s, seed=c) for c, s in enumerate((0.1, 0.03, 0.1))])
    spectrum = np.array(noise_level(y)["spectrum"])
    np.testing.assert_allclose(spectrum.mean(1), [1 / 3, 1 / 2, 3 / 8], rtol=0.25)


def test_it_is_said_in_words():
    x = photograph("camera")
    counted = sentence(noise_level(camera.add(x, peak=40)))
    assert counted.startswith("Noise found: 0.0") and ", as of 4" in counted and " at brightness 0." in counted
    said = sentence(noise_level(gaussian.add(x, sigma=0.1)))
    assert re.match(r"Noise found: 0\.(09|10)\d\. ", said) and said.endswith(". It is white noise.")
    assert "at brightness" not in said and "photons" not in said


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


@pytest.mark.parametrize("size", [64, 128])
@pytest.mark.parametrize("blue", ["one pixel", "nearly all clipped"])
def test_a_channel_that_is_nearly_all_black_does_not_lower_what_is_found_of_the_others(size, blue):
    x = photograph("astronaut")[:, 100 : 100 + size, 200 : 200 + size].copy()
    x[2] = 0 if blue == "one pixel" else 0.15 * x[2] - 0.12
    y = np.clip(gaussian.add(x, sigma=0.05, seed=0), 0, 1)
    if blue == "one pixel":
        y[2], y[2, 5, 5] = 0, 0.2
    x = x.clip(0, 1)
    found = noise_level(y)
    for c in (0, 1):
        assert np.sqrt(at(found, c, x[c]).mean()) == pytest.approx((y[c] - x[c]).std(), rel=0.15)
    assert np.sqrt(at(found, 2, x[2]).mean()) < 0.01
    assert estimate_sigma(y) == pytest.approx(0.05, rel=0.15)
