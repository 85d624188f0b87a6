"""The transform that makes the noise of one channel Gaussian."""

import numpy as np
import pytest
import torch

from steps.inverse.anscombe import Anscombe
from steps.inverse.stabilising import Curve

HUMP = [0.0, 0.15, 0.3, 0.6, 1.0], np.square([0.02, 0.05, 0.06, 0.03, 0.01])


def test_of_a_line_it_is_the_generalised_anscombe_transform():
    """Anscombe's is written for counts, and its inverse sums over photons: another computation of the same."""
    curve, anscombe = Curve([0, 1], [0.02**2, 0.02**2 + 1 / 100]), Anscombe(100, 0.02)
    y = torch.linspace(0, 1, 101, dtype=torch.float64)
    other = anscombe.forward(y) / anscombe.sigma
    torch.testing.assert_close(curve.forward(y), other - other[0], rtol=1e-12, atol=1e-12)
    middle = curve.forward(torch.linspace(0.1, 0.9, 50, dtype=torch.float64))
    both = curve.inverse(middle), anscombe.inverse((middle + other[0]) * anscombe.sigma)
    torch.testing.assert_close(*both, rtol=0, atol=2e-4)


def test_without_read_noise_it_is_anscombe_s_down_to_black():
    curve, anscombe = Curve([0, 1], [0, 1 / 100]), Anscombe(100)
    y = torch.linspace(0, 1, 101, dtype=torch.float64)
    other = anscombe.forward(y) / anscombe.sigma
    torch.testing.assert_close(curve.forward(y), other - other[0], rtol=0, atol=0.05)


def test_its_slope_is_one_over_the_deviation_and_a_bend_breaks_nothing():
    curve = Curve(*HUMP)
    y = torch.linspace(-0.5, 1.5, 20001, dtype=torch.float64)
    f = curve.forward(y)
    slope = torch.diff(f) / torch.diff(y)
    middle = ((y[1:] + y[:-1]) / 2).numpy()
    inside = np.abs(middle[:, None] - np.array(HUMP[0])).min(1) > 1e-3
    v = np.interp(middle, *HUMP)
    bends = np.diff(HUMP[1]) / np.diff(HUMP[0])
    bend = bends[np.clip(np.searchsorted(HUMP[0], middle) - 1, 0, len(bends) - 1)]
    np.testing.assert_allclose(slope.numpy()[inside], (v + 3 / 8 * bend**2)[inside] ** -0.5, rtol=1e-3)
    assert torch.diff(f).min() > 0 and torch.diff(f).max() < 1.1 * 1e-4 / 0.01
    assert float(curve.forward(torch.zeros(1))) == 0 and curve.forward(torch.ones(1)).item() == pytest.approx(
        curve.range
    )


@pytest.mark.parametrize("x", [0.05, 0.2, 0.45, 0.8])
def test_noise_has_the_deviation_one_and_the_mean_is_undone(x):
    curve = Curve(*HUMP)
    noise = np.random.default_rng(0).standard_normal(200_000)
    z = curve.forward(torch.from_numpy(x + np.interp(x, *HUMP) ** 0.5 * noise))
    assert float(z.std()) == pytest.approx(1, abs=0.12)
    assert float(curve.inverse(z.mean())) == pytest.approx(x, abs=5e-4)
    assert torch.isnan(curve.inverse(torch.tensor([float("nan")]))).all()


@pytest.mark.parametrize("x", [0.1, 0.3, 0.8])
def test_the_inverse_has_no_bias_in_strong_noise(x):
    curve = Curve([0, 1], [0.02, 0.3])
    n = np.linspace(-8, 8, 4001)
    weight = np.exp(-(n**2) / 2)
    f = curve.forward(torch.from_numpy(x + (0.02 + 0.28 * x) ** 0.5 * n)).numpy()
    assert float(curve.inverse(torch.tensor(f @ weight / weight.sum()))) == pytest.approx(x, abs=2e-3)


@pytest.mark.parametrize("value", [-4.0, 5.0])
def test_far_beyond_black_and_white_the_inverse_goes_on(value):
    curve = Curve([0, 1], [0.02**2, 0.02**2])
    y = torch.tensor([value])
    torch.testing.assert_close(curve.inverse(curve.forward(y)), y, rtol=1e-3, atol=0)
