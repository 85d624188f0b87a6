"""What every noise must do; a new file in steps/noises is tested because it is there.

Its file says what these tests should know of it: TRIED, parameters beside the defaults; FIXED, with which nothing is
drawn, so that seeds do not matter; FOUND, how near the deviation told is to the truth's, a share, if it is estimated.
"""

import tracemalloc

import numpy as np
import pytest
import skimage

from steps.base import discover
from steps.base.errors import BadInput
from steps.base.parameters import keywords
from steps.inverse import pieces
from steps.noises import gaussian
from steps.plan import corruptions

NAMES = discover.available("noises")
MOMENTS = {  # the mean and the variance of y where A x is x, by the textbook
    "gaussian": lambda x, sigma=0.0: (x, sigma**2),
    "poisson": lambda x, peak=30: (x, x / peak),
    "poisson_gaussian": lambda x, peak=30, sigma=0.02: (x, x / peak + sigma**2),
    "salt_and_pepper": lambda x, amount=0.1: (
        (1 - amount) * x + amount / 2,
        (1 - amount) * x**2 + amount / 2 - ((1 - amount) * x + amount / 2) ** 2,
    ),
    "speckle": lambda x, looks=10: (x, x**2 / looks),
}
CASES = [
    pytest.param(name, v, id=f"{name}-{v}")
    for name in NAMES
    for v in [{}, *getattr(discover.load("noises", name), "TRIED", [])]
]


def photograph():
    """Return an image that is not of 256 levels, and far enough from 0 and 1 for noise not to be clipped."""
    return (0.1 + np.pi / 4 * skimage.data.camera()[None, ::2, ::2] / 255).astype(np.float32)


def filled(module, settings):
    return {name: parameter.default for name, parameter in keywords(module.add).items()} | settings


def told(module, y, settings):
    return module.sigma(y, **{name: filled(module, settings)[name] for name in keywords(module.sigma)})


def draws(module, settings):
    fixed = getattr(module, "FIXED", None)
    return fixed is None or not fixed.items() <= filled(module, settings).items()


@pytest.mark.parametrize("name", NAMES)
def test_its_signatures_are_a_corruption_s(name):
    module = discover.load("noises", name)
    assert module.__doc__
    assert keywords(module.sigma).keys() <= keywords(module.add).keys() - {"seed"}
    assert keywords(module.add)["seed"].default == 0
    assert corruptions.spelled("denoising", f"noise={name},seed=3") == f"noise={name},seed=3"


@pytest.mark.parametrize("name", NAMES)
def test_its_deviation_has_the_defaults_of_its_noise(name):
    module = discover.load("noises", name)
    defaults = {key: parameter.default for key, parameter in keywords(module.sigma).items()}
    assert defaults == {key: filled(module, {})[key] for key in defaults}


@pytest.mark.parametrize("name, settings", CASES)
@pytest.mark.parametrize("shape", [(1, 9, 8), (3, 5, 4), (2, 70)])
def test_it_is_float32_of_the_same_shape_by_its_seed_alone(name, settings, shape):
    module = discover.load("noises", name)
    add, clean = module.add, np.random.default_rng(1).random(shape)
    kept, state = clean.copy(), np.random.get_state()[1].tolist()  # noqa: NPY002
    y = add(clean, **settings)
    assert y.dtype == np.float32 and y.shape == shape and np.isfinite(y).all()
    np.testing.assert_array_equal(y, add(clean, **settings, seed=0))
    np.testing.assert_array_equal(clean, kept)
    assert np.random.get_state()[1].tolist() == state  # noqa: NPY002
    if draws(module, settings) and not np.array_equal(y, clean.astype(np.float32)):
        assert not np.array_equal(y, add(clean, **settings, seed=1))


@pytest.mark.parametrize("name, settings", CASES)
def test_it_does_not_depend_on_the_pieces_it_is_made_in_and_takes_three_times_the_memory_of_a_picture(
    name, settings, monkeypatch
):
    module = discover.load("noises", name)
    clean = np.random.default_rng(1).random((3, 300, 400)).astype(np.float32)
    whole = module.add(clean, **settings)
    monkeypatch.setattr(pieces, "VALUES", 1000)
    tracemalloc.start()
    y = module.add(clean, **settings)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(y, whole)
    assert peak < 3.2 * clean.nbytes


@pytest.mark.parametrize("name, settings", [case.values for case in CASES if case.values[0] in MOMENTS])
@pytest.mark.parametrize("x", [0.0, 0.07, 0.5, 1.0])
def test_mean_and_variance_are_the_textbook_s(name, settings, x):
    count = 400_000
    y = discover.load("noises", name).add(np.full(count, x), **settings).astype(np.float64)
    mean, variance = MOMENTS[name](x, **settings)
    fourth = ((y - y.mean()) ** 4).mean()
    assert y.mean() == pytest.approx(mean, abs=5 * (variance / count) ** 0.5 + 1e-7)
    assert y.var() == pytest.approx(variance, abs=5 * (max(fourth - variance**2, 0) / count) ** 0.5 + 1e-9)


@pytest.mark.parametrize("name, settings", CASES)
def test_the_deviation_that_methods_are_told_is_the_true_error_s(name, settings):
    module, x = discover.load("noises", name), photograph()
    y = module.add(x, **settings)
    error = float(np.sqrt(((y - x.astype(np.float64)) ** 2).mean()))
    sigma = told(module, y, settings)
    assert isinstance(sigma, int | float)
    assert sigma == pytest.approx(error, rel=getattr(module, "FOUND", 0.03), abs=1e-9)


@pytest.mark.parametrize("name", ["poisson", "poisson_gaussian"])
def test_there_are_no_counts_below_none(name):
    clean = np.full((1, 50, 50), -0.009)
    clean[0, 0, 0] = 1
    y = discover.load("noises", name).add(clean, peak=20)
    assert abs(y[0, 1:].mean()) < 0.002
    with pytest.raises(BadInput, match="noise: photons are counted, but what is measured here is from -0.018 to 1$"):
        discover.load("noises", name).add(np.where(clean < 0, 2 * clean, clean), peak=20)


def test_however_dark_it_is_ringing_is_a_hundredth_of_the_largest():
    with pytest.raises(BadInput, match="photons are counted"):
        discover.load("noises", "poisson").add(np.array([[[0.1, -0.005]]]))


@pytest.mark.parametrize(("name", "settings", "sigma"), [("poisson", {}, 0), ("poisson_gaussian", {"sigma": 0.1}, 0.1)])
def test_a_measured_picture_below_black_has_a_deviation(name, settings, sigma):
    y = np.full((1, 8, 8), -0.01)
    assert told(discover.load("noises", name), y, settings) == pytest.approx(sigma)


def test_gaussian_noise_is_the_draw_that_it_was():
    clean = np.full((1, 2, 2), 0.5, np.float32)
    draw = np.random.default_rng([7, 0]).standard_normal((1, 2, 2), dtype=np.float32)
    np.testing.assert_array_equal(gaussian.add(clean, sigma=0.1, seed=7), clean + np.float32(0.1) * draw)


@pytest.mark.parametrize("bsnr", [-3, 20, 40.5])
def test_bsnr_is_the_ratio_of_variances_in_decibels(bsnr):
    x = photograph()
    sigma = gaussian.settle(x, bsnr=bsnr)["sigma"]
    assert 10 * np.log10(x.astype(np.float64).var() / sigma**2) == pytest.approx(bsnr)
    y = gaussian.add(x, bsnr=bsnr)
    np.testing.assert_array_equal(y, gaussian.add(x, sigma=sigma))
    noise = y.astype(np.float64) - x
    assert 10 * np.log10(x.var() / noise.var()) == pytest.approx(bsnr, abs=0.05)


def test_bsnr_of_a_constant_is_refused():
    with pytest.raises(BadInput, match="bsnr: 40 dB is not allowed of what is measured here, a constant; give sigma"):
        gaussian.add(np.full((1, 4, 4), 0.3), bsnr=40)
