import numpy as np
import pytest
import skimage
import torch
from scipy import integrate, stats

from steps.inverse import clipping
from steps.noises.gaussian import add

CASES = [(x, sigma) for x in (-0.3, 0.0, 0.02, 0.4, 0.9, 1.0, 1.2) for sigma in (0.005, 0.1, 0.5, 2.0)]


def tensor(*values):
    return torch.tensor(values, dtype=torch.float64)


def moments(x, sigma):
    """Return E y and E (y − E y)² of y = clip(x + sigma n, 0, 1) by quadrature over n, its two atoms apart."""
    low, high = -x / sigma, (1 - x) / sigma
    atoms = stats.norm.cdf(low), stats.norm.sf(high)
    low, high = np.clip([low, high], -12, 12)

    def expect(function):
        inside, _ = integrate.quad(lambda n: function(x + sigma * n) * stats.norm.pdf(n), low, high, epsabs=1e-12)
        return inside + function(0) * atoms[0] + function(1) * atoms[1]

    mean = expect(lambda y: y)
    return mean, expect(lambda y: (y - mean) ** 2)


@pytest.mark.parametrize("x, sigma", CASES)
def test_mean_and_variance_are_their_integrals(x, sigma):
    mean, variance = moments(x, sigma)
    assert float(clipping.mean(tensor(x), sigma)[0]) == pytest.approx(mean, abs=1e-9)
    assert float(clipping.variance(tensor(x), sigma)[0]) == pytest.approx(variance, abs=1e-9)


@pytest.mark.parametrize("x, sigma", [(0.0, 0.1), (0.3, 0.5), (0.97, 0.05)])
def test_mean_and_variance_are_those_of_the_noise_that_corrupt_draws(x, sigma):
    y = add(np.full(10**6, x), sigma=sigma, clip=True).astype(np.float64)
    mean, deviation = float(clipping.mean(tensor(x), sigma)), float(clipping.variance(tensor(x), sigma).sqrt())
    assert y.mean() == pytest.approx(mean, abs=4e-3 * deviation)  # four standard errors
    assert y.std() == pytest.approx(deviation, rel=5e-3)


def test_an_image_stays_float32_and_is_near_float64(colour):
    for function in (clipping.mean, clipping.variance, clipping.undo):
        found = function(colour, 0.3)
        assert found.shape == colour.shape and found.dtype == torch.float32
        np.testing.assert_allclose(found.numpy(), function(colour.double(), 0.3).numpy(), atol=1e-6)


@pytest.mark.parametrize("sigma", [0.02, 0.5])
def test_the_mean_s_gradient_is_the_chance_of_not_being_clipped(sigma):
    x = tensor(-0.1, 0.0, 0.3, 1.0, 1.05).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: clipping.mean(x, sigma), x)
    (slope,) = torch.autograd.grad(clipping.mean(x, sigma).sum(), x)
    at = x.detach().numpy()
    np.testing.assert_allclose(slope.numpy(), stats.norm.cdf(1, at, sigma) - stats.norm.cdf(0, at, sigma), atol=1e-9)


@pytest.mark.parametrize("sigma", [0.005, 0.01, 0.05, 0.1, 0.5, 1.0])
def test_what_is_undone_is_what_it_was(sigma):
    x = torch.linspace(0, 1, 777, dtype=torch.float64)
    np.testing.assert_allclose(clipping.undo(clipping.mean(x, sigma), sigma).numpy(), x.numpy(), atol=5e-4)


def test_what_no_mean_can_be_is_undone_to_the_nearer_end():
    assert clipping.undo(tensor(-3, 0, 1, 7), 0.5).tolist() == [-0.5, -0.5, 1.5, 1.5]
    assert not torch.isnan(clipping.undo(torch.linspace(-1, 2, 99), 0.005)).any()


def test_without_noise_there_is_nothing_but_the_limits():
    x = tensor(-0.2, 0, 0.3, 1, 1.4)
    assert clipping.mean(x, 0.0).tolist() == [0, 0, 0.3, 1, 1]
    assert clipping.variance(x, 0.0).tolist() == [0] * 5
    assert clipping.undo(tensor(0.1, 0.25, 0.9), 0.0).tolist() == pytest.approx([0.1, 0.25, 0.9])
    assert clipping.spread(tensor(0.1, 0.9)[None, None], 0.0) == 0


def pictures():
    camera = skimage.data.camera()[::2, ::2] / 255
    return {"black": np.zeros((64, 64)), "gray": np.full((64, 64), 0.4), "camera": camera}


@pytest.mark.parametrize("picture", pictures())
@pytest.mark.parametrize("sigma", [0.05, 0.1, 0.5])
def test_the_spread_is_that_of_the_noise_without_knowing_the_picture(picture, sigma):
    x = pictures()[picture]
    y = add(x[None], sigma=sigma, clip=True)
    noise = y.astype(np.float64) - clipping.mean(torch.from_numpy(x), sigma).numpy()
    actual = np.sqrt((noise**2).mean())
    assert clipping.spread(torch.from_numpy(y), sigma) == pytest.approx(actual, rel=0.06)  # black: 5 % too much
    if sigma == 0.5:
        assert actual < 0.8 * sigma  # far from the noise before clipping


def test_the_spread_of_what_is_no_image_is_that_at_its_own_values():
    """A measurement (C, M) has no neighbourhood: no mean over it may be taken."""
    y = torch.tensor([[0.0, 1.0] * 50, [0.5] * 100])
    expected = np.mean([moments(x, 0.2)[1] for x in clipping.undo(y.double(), 0.2).clamp(0, 1).flatten().tolist()])
    assert clipping.spread(y, 0.2) == pytest.approx(expected**0.5, rel=1e-4)
    blurred = clipping.spread(y[:, None], 0.2)
    assert blurred > 1.2 * clipping.spread(y, 0.2)
