import tracemalloc

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from steps.metrics import ssim


def test_ssim_is_scikit_image_s_with_the_settings_of_wang_et_al(colour):
    truth = colour.double().numpy()
    estimate = truth + np.random.default_rng(0).normal(0, 0.1, truth.shape)
    expected = structural_similarity(
        np.moveaxis(truth, 0, -1),
        np.moveaxis(estimate, 0, -1),
        data_range=1.0,
        channel_axis=-1,
        gaussian_weights=True,
        use_sample_covariance=False,
    )
    assert ssim.measure(truth, estimate) == pytest.approx(expected)
    assert ssim.measure(truth, truth) == pytest.approx(1)
    assert ssim.measure(truth[:, :10], estimate[:, :10]) is None


@pytest.mark.parametrize("height", [11, 26, 27, 28, 42, 43])
def test_a_large_picture_is_compared_in_parts_with_the_same_bits(height, colour, monkeypatch):
    truth = colour.numpy()[:, :height]
    estimate = truth + np.random.default_rng(0).normal(0, 0.1, truth.shape).astype(np.float32)
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    whole = structural_similarity(truth.astype(float), estimate.astype(float), data_range=1, channel_axis=0, **settings)
    monkeypatch.setattr(ssim, "ROWS", 16)
    assert ssim.measure(truth, estimate) == whole


def test_memory_is_that_of_some_rows():
    truth = np.random.default_rng(0).random((1, 20_000, 40), dtype=np.float32)
    tracemalloc.start()
    ssim.measure(truth, 0.9 * truth)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * truth.nbytes
