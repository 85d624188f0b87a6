import numpy as np
import pytest

from steps.base.errors import BadInput
from steps.noises.camera import add, jpeg, sigma


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


@pytest.mark.parametrize("shape", [(2, 16, 16), (16, 16)])
def test_a_jpeg_of_what_is_no_picture_is_refused(shape):
    with pytest.raises(BadInput, match="quality: a JPEG is of pictures of one or three channels"):
        add(np.full(shape, 0.5), quality=90)


def test_it_is_clipped_to_black_and_white():
    y = add(np.tile([0.0, 1.0], (1, 50, 50)), peak=40, sigma=0.1)
    assert y.min() == 0 and y.max() == 1


def test_its_deviation_is_that_of_all_channels():
    x = np.full((3, 200, 200), 0.5, np.float32)
    y = np.concatenate([add(x[:1], peak=1e8, sigma=s, seed=c) for c, s in enumerate((0.02, 0.05, 0.1))])
    assert sigma(y) == pytest.approx(float(np.sqrt(((y - x) ** 2).mean())), rel=0.1)


def test_of_what_is_no_picture_it_cannot_be_estimated():
    with pytest.raises(BadInput, match="what is measured here is none, so its noise cannot be estimated"):
        sigma(np.random.default_rng(0).random((1, 500)).astype(np.float32))
