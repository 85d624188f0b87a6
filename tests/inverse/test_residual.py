"""Verdicts on recoveries of pictures of which the truth is known."""

import numpy as np
import pytest
import torch

from steps.base import discover
from steps.inverse.call import call
from steps.inverse.measurement import Noise
from steps.inverse.noise_level import noise_level
from steps.inverse.residual import Verdict, judge
from steps.noises import camera
from steps.tasks.denoising import Operator
from tests.inverse.test_noise_level import photograph

QUICK = ("wiener", "tv", "nlm")


@pytest.fixture(scope="module", params=["camera", "chelsea"])
def picture(request):
    return photograph(request.param)


@pytest.fixture(scope="module", params=[None, 90], ids=["png", "jpeg"])
def case(request, picture):
    """Return (x, y, what was found in y), of a part; the noise is found in all of y."""
    y = camera.add(picture, peak=40, quality=request.param)
    part = np.s_[:, 60:220, 120:280]
    return picture[part], np.ascontiguousarray(y[part]), noise_level(y)


def verdict(case, method, times=1.0, **params):
    """Return (error, Verdict) of a method that is told noise so many times as strong."""
    x, y, found = case
    told = found | {"variances": (times**2 * np.array(found["variances"])).tolist()}
    noise = Noise("camera", told, times * camera.sigma(y))
    module, A = discover.load("methods", method), Operator(y.shape)
    estimate = call(module, torch.from_numpy(y), A, noise.sigma, params, noise=noise).numpy()
    return float(((estimate - x) ** 2).mean()), judge(y, estimate, found)


def test_the_best_is_about_right_and_what_is_told_too_much_or_too_little_is_named(case):
    found = {method: verdict(case, method) for method in QUICK}
    best = min(found, key=lambda method: found[method][0])
    assert found[best][1].words == "about right" and found[best][1].right
    assert verdict(case, "nlm", times=0.4)[1].words == "left noise in"
    assert verdict(case, "tv", times=0.4)[1].words == "left noise in"
    over = verdict(
        case, "nlm", h=4 * camera.stabiliser(**{key: case[2][key] for key in ("levels", "variances", "spectrum")}).sigma
    )[1]
    assert over.words == "took out more than noise" and not over.right
    assert over.distance > found[best][1].distance


def test_noise_itself_is_right_and_nothing_is_not(case):
    x, y, found = case
    truth = judge(y, x, found)
    assert truth.words == "about right" and truth.flat == pytest.approx(1, abs=0.2)
    assert judge(y, y, found).words == "left noise in"
    blurred = y + 0.7 * (np.roll(x, 2, -1) - x)
    assert judge(y, blurred, found).words == "left noise in and took out more than noise"


def test_a_channel_that_is_the_same_everywhere_hides_no_verdict():
    x = photograph("chelsea")
    y = camera.add(x, peak=40)
    x[2] = y[2] = 0
    found = noise_level(y)
    assert judge(y, x, found).flat == pytest.approx(1, abs=0.2)
    assert judge(y, y, found).words == "left noise in"


def test_noise_is_as_strong_as_it_is_where_the_recovery_is_not_where_the_noise_went():
    x = np.repeat(np.linspace(0.2, 0.8, 200, dtype=np.float32)[None, None], 200, axis=1)
    y = (np.random.default_rng(0).poisson(10 * x) / 10).astype(np.float32)
    found = {"levels": [0, 1], "variances": [[0, 0.1]], "spectrum": [[1.0] * 4]}
    assert judge(y, x, found).flat == pytest.approx(1, abs=0.05)


def test_what_is_clipped_does_not_count():
    x = np.full((1, 200, 200), 0.5, np.float32)
    x[:, :, :100] = -0.2
    y = np.clip(x + 0.05 * np.random.default_rng(0).standard_normal(x.shape), 0, 1).astype(np.float32)
    found = {"levels": [0, 1], "variances": [[0.05**2] * 2], "spectrum": [[1.0] * 4]}
    assert judge(y, x.clip(0, 1), found).flat == pytest.approx(1, abs=0.05)


def test_a_picture_that_is_too_small_has_none(case):
    x, y, found = case
    assert judge(y[:, :7, :50], x[:, :7, :50], found) is None
    assert judge(y[:, :20, :20], x[:, :20, :20], found) is None


def test_what_is_wrong_is_said_of_flat_parts_low_frequencies_and_all_of_them():
    def words(flat=1.0, low=1.0, whole=1.0):
        return Verdict(flat, np.array([low, 1, 1, 1]), whole).words

    assert words() == words(1.3, 1.21, 1.19) == words(flat=0.76) == "about right"
    assert words(flat=0.74) == "left noise in"
    assert words(low=1.23) == words(whole=1.21) == "took out more than noise"
    assert words(flat=0.7, low=1.3) == "left noise in and took out more than noise"
