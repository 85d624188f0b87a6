import math

import numpy as np
import pytest
from skimage.color import rgb2ycbcr

from steps.metrics import psnr, psnr_y
from tests.conftest import picture


def pair(channels):
    truth = picture(channels, 40, 33).double().numpy()
    return truth, truth + np.random.default_rng(0).normal(0, 0.1, truth.shape)


def test_it_is_that_of_files_of_8_bits():
    truth, estimate = pair(3)
    files = [np.round(255 * np.clip(image, 0, 1)).astype(np.uint8) for image in (truth, estimate)]
    x, y = (np.round(rgb2ycbcr(np.moveaxis(file, 0, -1))[4:-4, 4:-4, 0]) for file in files)
    assert psnr_y.measure(truth, estimate) == pytest.approx(10 * np.log10(255**2 / np.mean((x - y) ** 2)))


def test_of_a_gray_image_it_is_higher_by_the_studio_range():
    truth = picture(1, 60, 60).double().numpy()
    estimate = np.clip(truth + np.random.default_rng(0).normal(0, 0.1, truth.shape), 0, 1)
    inner = (slice(None), slice(4, -4), slice(4, -4))
    expected = psnr.measure(truth[inner], estimate[inner]) + 20 * math.log10(255 / 219)
    assert psnr_y.measure(truth, estimate) == pytest.approx(expected, abs=0.01)


def test_neither_the_border_nor_what_8_bits_do_not_hold_counts():
    truth, _ = pair(3)
    estimate = np.round(255 * truth) / 255 + 0.3 / 255
    estimate[:, :4], estimate[:, -4:], estimate[..., :4], estimate[..., -4:] = 1, 0, 0, 1
    assert psnr_y.measure(truth, estimate) == math.inf
    assert psnr_y.measure(truth[:2], truth[:2]) is None
