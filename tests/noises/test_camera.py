import numpy as np
import pytest

from steps.noises.camera import jpeg


@pytest.mark.parametrize("channels", [1, 3])
def test_a_jpeg_of_the_best_quality_is_rounded_to_eight_bits(channels):
    found = jpeg(np.full((channels, 16, 16), 100.6 / 255, dtype=np.float32), 100)
    assert found.dtype == np.float32 and found.shape == (channels, 16, 16)
    np.testing.assert_allclose(255 * found, 101, atol=1e-4)


def test_a_jpeg_has_colours_at_half_the_resolution_and_keeps_brightness():
    striped = np.zeros((3, 16, 16), dtype=np.float32)
    striped[0, :, ::2] = striped[2, :, 1::2] = 0.5  # columns of red and of blue
    found = jpeg(striped, 100)
    colour = found[0] - found[2]
    assert abs(colour[:, ::2] - colour[:, 1::2]).max() < 0.1 and abs(striped[0] - striped[2]).min() == 0.5
    assert found[1].std() > 0.02 and abs(np.tensordot([0.299, 0.587, 0.114], found - striped, 1)).max() < 0.05
