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
