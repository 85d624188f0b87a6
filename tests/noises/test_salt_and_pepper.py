import numpy as np
import pytest

from steps.noises import salt_and_pepper


def test_sigma_is_never_below_that_of_gray_pixels():
    """½ of all that is lost goes to black, ½ to white: at least ½ away in the mean of squares, whatever y is."""
    gray = np.full((1, 8, 8), 0.5)  # of which no pixel was lost: solved for, A x would be gray with less than nothing
    assert salt_and_pepper.sigma(gray, amount=0.1) == pytest.approx((0.1 * 0.25) ** 0.5)
    assert np.array_equal(gray, np.full((1, 8, 8), 0.5))
