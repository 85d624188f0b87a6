"""Metrics against their formulas, written slowly, and against numbers of other packages."""

import math

import numpy as np
import pytest
from scipy.signal import convolve2d
from skimage.metrics import structural_similarity

from steps.metrics import gmsd, isnr, ms_ssim, psnr, ssim, vif
from tests.conftest import picture


def pair(channels, side):
    """Return (truth, estimate): noise of 0.05, clipped to [0, 1], which other packages ask for."""
    truth = picture(channels, side, side).double().numpy()
    return truth, np.clip(truth + np.random.default_rng(0).normal(0, 0.05, truth.shape), 0, 1)


@pytest.mark.parametrize("channels", [1, 3])
def test_psnr_is_its_formula(channels):
    truth, estimate = pair(channels, 40)
    assert psnr.measure(truth, estimate) == pytest.approx(-10 * math.log10(np.mean((estimate - truth) ** 2)))
    assert psnr.measure(truth, truth + 0.1) == pytest.approx(20)
    assert psnr.measure(truth, truth) == math.inf


def test_ssim_is_scikit_image_s_with_the_settings_of_wang_et_al():
    truth, estimate = pair(3, 40)
    channels = [
        structural_similarity(x, y, data_range=1.0, gaussian_weights=True, use_sample_covariance=False)
        for x, y in zip(truth, estimate)
    ]
    assert ssim.measure(truth, estimate) == pytest.approx(np.mean(channels))
    assert ssim.measure(truth, truth) == pytest.approx(1)


def test_isnr_is_the_difference_of_two_psnr():
    truth, estimate = pair(3, 40)
    measured = truth + np.random.default_rng(1).normal(0, 0.2, truth.shape)
    expected = psnr.measure(truth, estimate) - psnr.measure(truth, measured)
    assert isnr.measure(truth, estimate, measured=measured) == pytest.approx(expected)
    assert isnr.measure(truth, measured, measured=measured) == 0
    assert isnr.measure(truth, truth, measured=measured) == math.inf
    assert isnr.measure(truth, measured, measured=truth) == -math.inf
    assert isnr.measure(truth, truth, measured=truth) == 0
    assert isnr.measure(truth, estimate, measured=None) is None


def slow_ms_ssim(x, y):
    """Return the multi-scale structural similarity of two (H, W), as Wang, Simoncelli and Bovik (2003) write it."""
    line = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2
    c1, c2, found = 0.01**2, 0.03**2, 1.0
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        mx, my, xx, yy, xy = (convolve2d(image, window, "valid") for image in (x, y, x * x, y * y, x * y))
        similar = (2 * (xy - mx * my) + c2) / (xx - mx**2 + yy - my**2 + c2)
        if scale == 4:
            similar = similar * (2 * mx * my + c1) / (mx**2 + my**2 + c1)
        found *= similar.mean() ** weight
        x, y = ((a[::2, ::2] + a[1::2, ::2] + a[::2, 1::2] + a[1::2, 1::2]) / 4 for a in (x, y))
    return found


def test_ms_ssim_is_its_formula_but_for_borders():
    pytest.importorskip("torchmetrics")
    truth, estimate = pair(3, 192)
    expected = np.mean([slow_ms_ssim(x, y) for x, y in zip(truth, estimate)])
    assert float(ms_ssim.measure(truth, estimate)) == pytest.approx(expected, abs=1e-3)


def test_ms_ssim_of_a_negative_is_zero():
    """Its contrast is below zero on each scale, which to a broken power is no number."""
    pytest.importorskip("torchmetrics")
    truth = np.kron(np.indices((6, 6)).sum(0) % 2, np.ones((32, 32)))[None].astype("float32")
    assert float(ms_ssim.measure(truth, 1 - truth)) == pytest.approx(0, abs=1e-6)


def test_gmsd_is_its_formula():
    """Xue et al. (2014), equations 1 to 5, with loops over pixels."""
    truth, estimate = pair(1, 24)
    kernel = np.array([[1, 0, -1]] * 3) / 3

    def magnitude(image):
        half = convolve2d(image, np.full((2, 2), 0.25), "valid")[::2, ::2]
        return np.hypot(convolve2d(half, kernel, "same"), convolve2d(half, kernel.T, "same"))

    g, h = magnitude(truth[0]), magnitude(estimate[0])
    similar = [(2 * a * b + 0.0026) / (a * a + b * b + 0.0026) for a, b in zip(g.flat, h.flat)]
    assert gmsd.measure(truth, estimate) == pytest.approx(np.std(similar), rel=2e-3)  # c is 0.002614


@pytest.mark.parametrize(
    ("channels", "side", "expected"), [(1, 64, 0.05961151881), (3, 192, (0.10931749481, 0.10957918939, 0.10637106948))]
)
def test_gmsd_is_that_of_piq(channels, side, expected):
    """piq 0.8.0, `gmsd` of each channel."""
    assert gmsd.measure(*pair(channels, side)) == pytest.approx(np.mean(expected), abs=1e-10)


@pytest.mark.parametrize(
    ("channels", "side", "expected"), [(1, 64, 0.33696036747), (1, 192, 0.28379030934), (3, 192, 0.2823556746)]
)
def test_vif_is_that_of_sewar(channels, side, expected):
    """sewar 0.4.10, `vifp` of 255 x, the mean over channels; piq 0.8.0 has the same to nine digits."""
    pytest.importorskip("torchmetrics")
    assert float(vif.measure(*pair(channels, side))) == pytest.approx(expected, abs=1e-9)
