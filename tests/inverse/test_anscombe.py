"""The generalised Anscombe transform and what it makes of denoisers of Gaussian noise."""

import types

import numpy as np
import pytest
import skimage
import torch
from scipy import integrate, stats

from steps.base import discover
from steps.base.errors import BadInput
from steps.inverse.anscombe import Anscombe, expectation
from steps.inverse.call import call
from steps.inverse.measurement import Noise
from steps.noises import poisson, poisson_gaussian
from steps.tasks import deconvolution
from steps.tasks.denoising import Operator


def f(z, s):
    return 2 * np.sqrt(np.maximum(z + 3 / 8 + s**2, 0))


def by_quadrature(count, s):
    """Return E f and E f² by adaptive quadrature and the distribution's own weights, term by term."""
    photons = np.arange(stats.poisson.isf(1e-13, count) + 2) if count else np.zeros(1)
    weights = stats.poisson.pmf(photons, count)

    def term(k, power):
        if not s:
            return f(k, 0) ** power
        low = max(-(k + 3 / 8 + s**2) / s, -9)  # below it f is 0
        return integrate.quad(lambda n: f(k + s * n, s) ** power * stats.norm.pdf(n), low, 9, epsabs=1e-10)[0]

    return [float(weights @ np.array([term(k, power) for k in photons])) for power in (1, 2)]


@pytest.mark.parametrize("s", [0, 0.2, 1.0, 4.0])
@pytest.mark.parametrize("count", [0, 0.1, 0.7, 3, 20, 99.5])
def test_the_expectation_is_its_integral(count, s):
    assert expectation(np.array([count]), s)[0] == pytest.approx(by_quadrature(count, s)[0], abs=2e-5)


@pytest.mark.parametrize("s", [0, 0.2, 1.0, 4.0, 30.0])
def test_sums_and_series_meet(s):
    low, high = expectation(np.array([100.0, 100.0001]), s)
    assert 0 < high - low < 2e-5
    assert expectation(np.array([400.0]), s)[0] == pytest.approx(2 * (400 + 1 / 8 + s**2) ** 0.5, abs=2e-3)


@pytest.mark.parametrize("s", [0, 0.5, 2.0])
@pytest.mark.parametrize("count", [4, 10, 60])
def test_the_noise_has_variance_one_from_some_counts_on(count, s):
    mean, square = by_quadrature(count, s)
    assert square - mean**2 == pytest.approx(1, abs=0.06 if count < 10 else 0.03)


@pytest.mark.parametrize("module, settings", [(poisson, {}), (poisson_gaussian, {"sigma": 0.05})])
@pytest.mark.parametrize("peak", [2, 30, 3000])
def test_the_deviation_told_is_that_of_a_white_picture_transformed_and_images_stay_in_range(module, settings, peak):
    transform = module.stabiliser(peak=peak, **settings)
    y = torch.from_numpy(module.add(np.full((1, 300, 300), 0.9), peak=peak, **settings))
    z = transform.forward(y)
    assert z.dtype == torch.float32
    assert z.std() == pytest.approx(transform.sigma, rel=0.02 if peak > 2 else 0.2)
    for x in (0.0, 1.0):
        flat = module.add(np.full((1, 300, 300), x), peak=peak, **settings)
        assert transform.forward(torch.from_numpy(flat)).mean() == pytest.approx(x, abs=5 * transform.sigma / 300)


@pytest.mark.parametrize("sigma", [0, 0.03])
@pytest.mark.parametrize("peak", [1, 10, 200])
def test_the_inverse_has_no_bias(peak, sigma):
    """The mean of transformed noise is brought back to x, from 0.2 counts on; the algebraic inverse does not."""
    transform = Anscombe(peak, sigma)
    x = np.array([0.2, 0.5, 1, 2, 5, 30, 150]) / peak
    y = poisson_gaussian.add(np.repeat(x[:, None], 80_000, axis=1), peak=peak, sigma=sigma)
    z = transform.forward(torch.from_numpy(y).double())
    back = transform.inverse(z.mean(1)).numpy()
    errors = z.std(1).numpy() / 80_000**0.5 * np.maximum(x * peak + (peak * sigma) ** 2 + 3 / 8, 1) ** 0.5 / peak
    errors *= transform.high - transform.low
    np.testing.assert_array_less(np.abs(back - x), 5 * errors)
    direct = ((z.mean(1).numpy() * (transform.high - transform.low) + transform.low) / 2) ** 2 - 3 / 8
    direct -= (peak * sigma) ** 2
    assert abs(direct[2] / peak - x[2]) > 10 * errors[2]


@pytest.mark.parametrize("peak, sigma", [(0.5, 0), (1, 0.1), (30, 0), (30, 0.02), (255, 0.3), (1e6, 0)])
def test_it_is_undone_over_the_whole_range_and_beyond(peak, sigma):
    transform = Anscombe(peak, sigma)
    x = torch.linspace(0, 12, 500, dtype=torch.float64)
    d = (torch.from_numpy(expectation(peak * x.numpy(), transform.s)) - transform.low) * transform.sigma
    found = transform.inverse(d)
    np.testing.assert_allclose(found.numpy(), x.numpy(), atol=2e-3 / peak + 1e-6, rtol=1e-4)
    assert (found[1:] > found[:-1]).all()
    assert transform.inverse(torch.tensor([-0.3, 0.0])).tolist() == pytest.approx([0, 0], abs=1e-7)
    single = transform.inverse(d.float())
    assert single.dtype == torch.float32
    np.testing.assert_allclose(single.numpy(), x.numpy(), atol=1e-4 / min(peak, 1), rtol=1e-4)


@pytest.mark.parametrize("s", [0, 0.5, 2.0])
def test_it_agrees_with_the_published_closed_form(s):
    """Mäkitalo, Foi (2013), equation 10: an approximation of the exact unbiased inverse."""
    transform = Anscombe(50, s / 50)
    D = np.linspace(2 * (3 / 8 + s**2) ** 0.5 + 0.3, 15, 200)
    root = (3 / 2) ** 0.5
    closed = D**2 / 4 + root / (4 * D) - 11 / (8 * D**2) + 5 * root / (8 * D**3) - 1 / 8 - s**2
    found = 50 * transform.inverse(torch.from_numpy((D - transform.low) * transform.sigma)).numpy()
    np.testing.assert_allclose(found, np.maximum(closed, 0), atol=0.04)
    np.testing.assert_allclose(found[D > 5], closed[D > 5], atol=0.02)


def test_it_is_differentiable_and_keeps_the_device_and_shape():
    transform = Anscombe(30)
    d = torch.linspace(0.05, 1.3, 60, dtype=torch.float64).reshape(3, 4, 5).requires_grad_()
    assert transform.inverse(d).shape == (3, 4, 5)
    assert torch.autograd.grad(transform.inverse(d).sum(), d)[0].min() > 0


def psnr(estimate, x):
    return float(-10 * (estimate - x).square().mean().log10())


@pytest.fixture(scope="module")
def case():
    x = torch.from_numpy((skimage.data.camera()[None, 60:316:2, 120:376:2] / 255).astype(np.float32))
    y = torch.from_numpy(poisson.add(x.numpy(), peak=30))
    return x, y, Noise("poisson", {"peak": 30}, poisson.sigma(y.numpy(), peak=30))


@pytest.mark.parametrize("method, gain, over", [("bm3d", 8.3, 0.3), ("nlm", 7, 0.2), ("tv", 7, 0.3)])
def test_denoisers_of_gaussian_noise_are_good_at_poisson_noise(case, method, gain, over):
    x, y, noise = case
    module = discover.load("methods", method)
    stable = psnr(call(module, y, Operator(x.shape), noise.sigma, {}, noise=noise), x)
    assert stable > psnr(y, x) + gain
    assert stable > psnr(call(module, y, Operator(x.shape), noise.sigma, {}), x) + over


def recorder(**extra):
    """Return (module, what its recover was given): a method that returns y and reports it."""
    seen = {}

    def plain(y, A, sigma, *, clipped=None, callback=None):
        seen.update(y=y, sigma=sigma, clipped=clipped)
        if callback:
            callback(1, y, 0.5)
            callback(2, y, 0.4, 0.1)
        return y

    def knowing(y, A, sigma, *, noise=None):
        seen.update(y=y, sigma=sigma, noise=noise)
        return y

    return types.SimpleNamespace(recover=knowing if extra else plain, __name__="steps.methods.mine"), seen


def test_a_method_gets_stable_noise_and_its_estimates_are_transformed_back(case):
    x, y, noise = case
    module, seen = recorder()
    reports = []
    estimate = call(module, y, Operator(x.shape), noise.sigma, {}, lambda *report: reports.append(report), noise)
    transform = Anscombe(30)
    assert torch.equal(seen["y"], transform.forward(y)) and seen["sigma"] == transform.sigma
    assert torch.equal(estimate, transform.inverse(transform.forward(y)))
    assert [(report[0], report[2:]) for report in reports] == [(1, (0.5,)), (2, (0.4, 0.1))]
    assert all(torch.equal(report[1], estimate) for report in reports)


def test_a_method_that_names_the_noise_gets_it_and_y_as_it_is(case):
    x, y, noise = case
    module, seen = recorder(knowing=True)
    estimate = call(module, y, Operator(x.shape), noise.sigma, {}, lambda *_: None, noise)
    assert seen == {"y": y, "sigma": noise.sigma, "noise": noise} and torch.equal(estimate, y)


def test_other_noise_and_other_tasks_are_left_as_they_are(case):
    x, y, noise = case
    for A, kind in ((Operator(x.shape), Noise("gaussian", {}, 0.1)), (deconvolution.Operator(x.shape), noise)):
        module, seen = recorder()
        assert torch.equal(call(module, y, A, kind.sigma, {}, noise=kind), y)
        assert torch.equal(seen["y"], y) and seen["sigma"] == kind.sigma


def test_clipped_is_of_gaussian_noise(case):
    x, y, noise = case
    module, seen = recorder()
    with pytest.raises(BadInput, match="^mine: clipped: true is not allowed with poisson noise; must be gaussian$"):
        call(module, y, Operator(x.shape), noise.sigma, {"clipped": True}, noise=noise)
    call(module, y, Operator(x.shape), 0.1, {"clipped": True}, noise=Noise("gaussian", {}, 0.1))
    assert seen["clipped"]
    call(module, y, Operator(x.shape), noise.sigma, {}, noise=noise)
    assert seen["clipped"] is False


@pytest.mark.parametrize(
    "flaw, received", [(lambda y: y * float("nan"), "not finite"), (lambda y: y.numpy(), "ndarray")]
)
def test_a_flawed_estimate_is_refused_in_words_before_it_is_transformed_back(case, flaw, received):
    x, y, noise = case
    module = types.SimpleNamespace(recover=lambda y, A, sigma: flaw(y), __name__="steps.methods.mine")
    with pytest.raises(BadInput, match=f"^mine: the estimate .*{received}"):
        call(module, y, Operator(x.shape), noise.sigma, {}, noise=noise)
    assert Anscombe(30).inverse(torch.tensor([float("nan")])).isnan().all()


@pytest.mark.parametrize("peak, sigma", [(1e-20, 0), (1e9, 1e5)])
def test_noise_in_which_white_is_black_is_refused(peak, sigma):
    with pytest.raises(BadInput, match="are too much noise: transformed, white is no brighter than black"):
        Anscombe(peak, sigma)


def test_a_stabiliser_gets_what_sigma_names_and_no_more():
    assert Noise("poisson", {"peak": 30, "clip": True}, 0.1).stabiliser().peak == 30
