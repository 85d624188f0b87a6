import contextlib

import numpy as np
import pytest

from steps.base.errors import BadInput
from steps.noises import gaussian, rounding


def test_it_is_what_a_file_of_8_bits_does():
    clean = np.array([[[-0.1, 0.0, 0.4999 / 255, 0.5001 / 255, 0.7, 1.0, 1.2]]])
    y = rounding.add(clean)
    np.testing.assert_array_equal(y, np.array([[[0, 0, 0, 1, 178, 255, 255]]], np.float32) / np.float32(255))
    np.testing.assert_array_equal(rounding.add(y), y)


@pytest.mark.parametrize("levels", [1, 7, 255, 65535])
def test_there_are_as_many_levels_and_one_more(levels):
    y = rounding.add(np.linspace(0, 1, 4 * levels + 1)[None, None], levels=levels)
    assert len(np.unique(y)) == levels + 1
    np.testing.assert_allclose(levels * y, np.round(levels * y), atol=levels * 1e-7)


def test_noise_is_there_before_and_is_the_draw_of_gaussian_noise():
    clean = np.random.default_rng(0).random((3, 20, 20)).astype(np.float32)
    noisy = gaussian.add(clean, sigma=0.1, clip=True, seed=3)
    assert abs(rounding.add(clean, sigma=0.1, seed=3) - noisy).max() <= 0.5001 / 255
    np.testing.assert_array_equal(rounding.add(clean, seed=3), rounding.add(clean))


def test_the_deviation_is_that_of_two_independent_errors():
    assert rounding.sigma(None) == pytest.approx(1 / 255 / 12**0.5)
    assert rounding.sigma(None, levels=15, sigma=0.3) == pytest.approx((0.3**2 + 1 / (12 * 15**2)) ** 0.5)


def test_what_is_no_picture_is_refused():
    with pytest.raises(BadInput, match="rounding is of pictures, clipped to .0, 1., but .* from -2 to 2"):
        rounding.add(np.array([[-2.0, 2.0]]))


@pytest.mark.parametrize(("value", "refused"), [(-0.6, True), (-0.4, False), (1.4, False), (1.6, True)])
def test_what_is_far_beyond_the_range_at_either_end_is_no_picture(value, refused):
    with pytest.raises(BadInput, match="rounding is of pictures") if refused else contextlib.nullcontext():
        rounding.add(np.array([[0.5, value]], dtype=np.float32))
