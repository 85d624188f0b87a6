import numpy as np
import pytest

from steps.noises.gaussian import add


def test_noise_has_the_standard_deviation_and_the_seed_asked_for():
    y = np.full((1, 200, 200), 0.5, np.float32)
    noisy = add(y, sigma=0.1)
    assert noisy.dtype == np.float32
    assert noisy.std() == pytest.approx(0.1, rel=0.02)
    assert noisy.mean() == pytest.approx(0.5, abs=0.002)
    np.testing.assert_array_equal(noisy, add(y, sigma=0.1, seed=0))
    assert not np.array_equal(noisy, add(y, sigma=0.1, seed=1))
    # one draw: the noise of another sigma is the same, scaled
    np.testing.assert_allclose((add(y, sigma=0.2) - y) / 2, noisy - y, atol=1e-6)


def test_clipping_only_if_asked_for():
    y = np.full((1, 50, 50), 0.9, np.float32)
    assert add(y, sigma=0.5).max() > 1
    clipped = add(y, sigma=0.5, clip=True)
    assert clipped.min() == 0
    assert clipped.max() == 1
