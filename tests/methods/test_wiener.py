import numpy as np
import pytest
import skimage.restoration
import torch

from steps.base.discover import load
from steps.inverse import solvers
from steps.inverse.kernels import gaussian
from steps.methods.wiener import PHOTOGRAPH, filtered, gradient_power, recover
from steps.tasks import denoising
from steps.tasks.deconvolution import Operator


def blurred(x, sigma):
    A = Operator(x.shape, blur=2.0, kernel=9)
    return A.forward(x) + sigma * torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype), A


def test_white_prior_is_the_textbook_formula(gray):
    y, A = blurred(gray.double(), 0.01)
    spectrum = np.fft.fft2(y[0].numpy())
    kernel = np.zeros(y.shape[-2:])
    kernel[:9, :9] = gaussian(9, 2.0)
    H = np.fft.fft2(np.roll(kernel, (-4, -4), (0, 1)))
    K = 0.01 / float(y.mean())
    expected = np.fft.ifft2(np.conj(H) * spectrum / (np.abs(H) ** 2 + K)).real
    np.testing.assert_allclose(recover(y, A, 0.01, prior="white")[0].numpy(), expected, atol=1e-10)


def test_smooth_prior_is_scikit_image_s_wiener_with_the_gradient_as_regulariser(gray):
    y, A = blurred(gray.double(), 0.01)
    K = 0.02
    laplacian = np.zeros(y.shape[-2:])
    laplacian[0, 0], laplacian[0, 1], laplacian[1, 0], laplacian[0, -1], laplacian[-1, 0] = 4, -1, -1, -1, -1
    # |D|, whose square is the Laplacian's response; complex, or scikit-image takes it for an impulse response
    square_root = np.sqrt(np.abs(np.fft.rfft2(laplacian))).astype(complex)
    psf = gaussian(9, 2.0)
    expected = skimage.restoration.wiener(y[0].numpy(), psf, K, reg=square_root, clip=False)
    np.testing.assert_allclose(recover(y, A, 0.01, K=K)[0].numpy(), expected, atol=1e-8)


def test_the_power_of_the_gradient_is_found_in_what_is_blurred_and_noisy():
    """Of an image whose power falls as g / |D|²."""
    random, side, power = torch.Generator().manual_seed(0), 256, 0.1
    line = 2 - 2 * torch.cos(2 * np.pi * torch.fft.fftfreq(side, dtype=torch.float64))
    response = line[:, None] + line
    response[0, 0] = np.inf
    white = torch.randn(1, side, side, generator=random, dtype=torch.float64)
    x = torch.fft.ifft2(torch.fft.fft2(white) * (power / response).sqrt()).real
    for A, sigma in ((Operator(x.shape, blur=0.7, kernel=5), 0.05), (denoising.Operator(x.shape), 0.1)):
        y = A.forward(x) + sigma * torch.randn(x.shape, generator=random, dtype=torch.float64)
        assert gradient_power(y, A, sigma) == pytest.approx(power, rel=0.03)
    assert gradient_power(0 * y, A, sigma) == PHOTOGRAPH


def test_the_default_weights_are_kept_from_zero_and_a_given_one_is_used_as_it_is(gray):
    y, A = blurred(gray, 0.1)
    for prior, K in (("smooth", 0.1**2 / gradient_power(y, A, 0.1)), ("white", 0.1 / float(y.mean()))):
        torch.testing.assert_close(recover(y, A, 0.1, prior=prior), filtered(y, A, K, prior, A.shape))
        torch.testing.assert_close(recover(y, A, 0.0, prior=prior), filtered(y, A, 1e-4, prior, A.shape))
        torch.testing.assert_close(recover(y, A, 0.1, prior=prior, K=1e-6), filtered(y, A, 1e-6, prior, A.shape))
    A = load("tasks", "single_pixel").Operator(gray.shape)
    y = A.forward(gray)
    K = 0.1 / float(A.adjoint(y).mean())  # y is no picture, whose mean would be the brightness
    torch.testing.assert_close(recover(y, A, 0.1, prior="white"), filtered(y, A, K, "white", A.shape))


@pytest.mark.parametrize("patterns", ["gaussian", "hadamard"])
def test_is_the_minimum_for_an_operator_that_is_no_convolution(gray, patterns):
    x = gray[:, :20, :20].double()
    A = load("tasks", "single_pixel").Operator(x.shape, patterns=patterns)
    y = A.forward(x)
    for prior in ("white", "smooth"):
        estimate = recover(y, A, 0.0, prior=prior, K=0.1).requires_grad_()
        smooth = (estimate - estimate.roll(1, -1)).square().sum() + (estimate - estimate.roll(1, -2)).square().sum()
        penalty = smooth if prior == "smooth" else estimate.square().sum()
        (gradient,) = torch.autograd.grad((A.forward(estimate) - y).square().sum() + 0.1 * penalty, estimate)
        assert gradient.norm() < 1e-4 * A.adjoint(y).norm()


@pytest.mark.parametrize("prior", ["smooth", "white"])
def test_channels_are_undone_one_after_another_and_are_as_all_at_once(colour, prior, monkeypatch):
    """So a picture of 24 megapixels takes 1.5 GB."""
    seen, gradient, nearest = [], solvers.gradient, solvers.nearest
    monkeypatch.setattr(solvers, "gradient", lambda x: seen.append(x.shape) or gradient(x))
    monkeypatch.setattr(solvers, "nearest", lambda A, y, K: seen.append(y.shape) or nearest(A, y, K))
    for y, A in (blurred(colour, 0.1), (colour, denoising.Operator(colour.shape))):
        found = recover(y, A, 0.1, prior=prior, K=0.3)
        assert set(seen) == {colour.shape[1:]}
        recover(y, A, 0.1, prior=prior)
        assert set(seen) == {colour.shape[1:]}
        torch.testing.assert_close(found, filtered(y, A, 0.3, prior, A.shape), rtol=0, atol=1e-6)
        seen.clear()
