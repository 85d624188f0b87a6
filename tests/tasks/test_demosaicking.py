import numpy as np
import pytest
import torch
from click.testing import CliRunner

from steps import corrupt
from steps.base.errors import BadInput
from steps.inverse import measurement
from steps.methods import bm3d, malvar
from steps.metrics import psnr
from steps.tasks.demosaicking import Operator

PATTERNS = ("RGGB", "BGGR", "GRBG", "GBRG")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_by_hand_on_four_by_four_pixels(pattern):
    red = torch.arange(16.0).reshape(4, 4)
    x = torch.stack((red, red + 100, red + 200))
    expected = {
        "RGGB": [[0, 101, 2, 103], [104, 205, 106, 207], [8, 109, 10, 111], [112, 213, 114, 215]],
        "BGGR": [[200, 101, 202, 103], [104, 5, 106, 7], [208, 109, 210, 111], [112, 13, 114, 15]],
        "GRBG": [[100, 1, 102, 3], [204, 105, 206, 107], [108, 9, 110, 11], [212, 113, 214, 115]],
        "GBRG": [[100, 201, 102, 203], [4, 105, 6, 107], [108, 209, 110, 211], [12, 113, 14, 115]],
    }
    A = Operator(x.shape, pattern=pattern)
    y = A.forward(x)
    assert y.tolist() == [expected[pattern]]
    seen = A.adjoint(torch.ones_like(y))
    assert seen.sum((1, 2)).tolist() == [4, 8, 4]
    assert torch.equal(A.backproject(y), seen * x)


@pytest.mark.parametrize("size", [(2, 2), (2, 5), (3, 2)])
def test_sizes_from_two_pixels(size):
    x = torch.rand(3, *size)
    y = Operator(x.shape).forward(x)
    assert y[0, 0, 0] == x[0, 0, 0] and y[0, 1, 1] == x[2, 1, 1] and y[0, 0, 1] == x[1, 0, 1]


def test_a_line_of_pixels_is_refused():
    with pytest.raises(BadInput, match="1x8 image is too small; must have 2 pixels a side"):
        Operator((3, 1, 8))


def test_gray_images_are_refused_in_one_line(tmp_path, gray):
    np.save(tmp_path / "image.npy", gray.numpy())
    arguments = [str(tmp_path / "image.npy"), "demosaicking", "sigma=0.01", str(tmp_path / "out")]
    result = CliRunner().invoke(corrupt.main, arguments)
    assert result.exit_code == 1 and result.output.count("\n") == 1
    assert "demosaicking: the image has 1 channel; must have 3" in result.output
    assert not (tmp_path / "out").exists()


def test_a_raw_mosaic_is_a_measurement(tmp_path, colour):
    mosaic = Operator(colour.shape, pattern="GBRG").forward(colour)
    np.save(tmp_path / "image.npy", mosaic.numpy())
    arguments = [str(tmp_path / "image.npy"), "demosaicking", "pattern=GBRG,sigma=0.01", str(tmp_path), "--measured"]
    result = CliRunner().invoke(corrupt.main, arguments)
    assert result.exit_code == 0, result.output
    y, A, *_ = measurement.load(tmp_path / "measurement.npz")
    assert torch.equal(y, mosaic) and A.shape == tuple(colour.shape)
    np.testing.assert_array_equal(np.load(tmp_path / "picture.npy"), A.adjoint(y).numpy())


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_a_colour_photo_is_no_mosaic(channels):
    with pytest.raises(BadInput, match=f"^demosaicking: the mosaic has {channels} channels; must have 1, gray$"):
        Operator.image_shape((channels, 8, 8))


def test_denoisers_begin_with_malvar_s_colours_and_better_them(colour):
    A = Operator(colour.shape)
    y = A.forward(colour)
    start, error = A.guess(y)
    assert torch.equal(start, malvar.recover(y, A, 0.0)) and error == 0.05
    recovered = bm3d.recover(y, A, 0.0, iterations=4)
    assert psnr.measure(colour.numpy(), recovered.numpy()) > psnr.measure(colour.numpy(), start.numpy()) + 1
