"""Deconvolution with a kernel from a file."""

import numpy as np
import pytest
import scipy.ndimage
import torch

from steps.base.errors import BadInput
from steps.inverse import measurement
from steps.inverse.kernels import from_numbers, gaussian
from steps.methods import wiener
from steps.tasks.deconvolution import Operator


def motion(height=9, width=12):
    """Return a kernel of motion, bent, off its centre, with one negative value; no sum of 1."""
    k = np.zeros((height, width))
    k[2, 1:8] = 2
    k[2:7, 8] = np.linspace(2, 0.5, 5)
    k[8, 0] = -0.25
    return k


@pytest.mark.parametrize("size", [(9, 12), (8, 11), (10, 10), (9, 9)])
def test_its_centre_is_at_half_its_size(gray, size):
    k = motion(10, 12)[: size[0], : size[1]]
    found = Operator(gray.shape, psf=k).forward(gray.double())[0].numpy()
    expected = np.zeros(gray.shape[-2:])
    for row, column in np.argwhere(k):
        shift = row - size[0] // 2, column - size[1] // 2
        expected += k[row, column] / k.sum() * np.roll(gray[0].double().numpy(), shift, (0, 1))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    if size == (9, 9):  # of odd sizes it is scipy's
        scipys = scipy.ndimage.convolve(gray[0].double().numpy(), k / k.sum(), mode="wrap")
        np.testing.assert_allclose(found, scipys, atol=1e-12)


def test_the_gaussian_from_a_file_is_the_gaussian(gray):
    mine, theirs = Operator(gray.shape, psf=5 * gaussian(9, 2.0)), Operator(gray.shape, blur=2.0, kernel=9)
    torch.testing.assert_close(mine.transfer, theirs.transfer, atol=1e-14, rtol=0)


def test_it_passes_the_dot_test_and_keeps_the_mean(colour):
    A = Operator(colour.shape, psf=motion())
    x = torch.randn(colour.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = torch.randn(colour.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert (A.forward(x) * y).sum() == pytest.approx(float((x * A.adjoint(y)).sum()), rel=1e-10)
    assert A.forward(colour.double()).mean() == pytest.approx(float(colour.mean()), rel=1e-6)


def test_wiener_recovers_what_motion_blurred(gray, tmp_path):
    """From the measurement's file alone, in which the kernel travels."""
    A = Operator(gray.shape, psf=motion())
    y = A.forward(gray) + 0.002 * torch.randn(gray.shape, generator=torch.Generator().manual_seed(0))
    noise = measurement.Noise("gaussian", {"sigma": 0.002}, 0.002)
    contents = {"psf": from_numbers(motion())}
    measurement.save(tmp_path / "m.npz", y, "deconvolution", gray.shape, {"psf": "motion"}, noise, contents)
    y, A, sigma, _ = measurement.load(tmp_path / "m.npz")
    error = (wiener.recover(y, A, sigma) - gray).square().mean()
    assert error < 0.1 * (y - gray).square().mean()
    assert error < 0.1 * (wiener.recover(y, Operator(gray.shape, blur=2.0, kernel=9), sigma) - gray).square().mean()


@pytest.mark.parametrize("numbers", [motion(), motion()[..., None], motion()[None], 1e300 * np.dstack([motion()] * 3)])
def test_a_gray_channel_is_taken_off_and_the_sum_is_one(numbers):
    k = from_numbers(numbers)
    assert k.shape == (9, 12) and k.sum() == pytest.approx(1) and k.min() < 0
    np.testing.assert_allclose(k * motion().sum(), motion())


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([[-1.0, 1.01]], [[-100, 101]]),
        ([[-1.0, -3.0]], [[0.25, 0.75]]),
        (np.full((3, 3), 1e308), np.full((3, 3), 1 / 9)),
    ],
    ids=["small", "negative", "beyond the largest float"],
)
def test_any_sum_but_zero_becomes_one(numbers, expected):
    np.testing.assert_allclose(from_numbers(np.array(numbers)), expected)


def test_it_may_be_as_large_as_the_image():
    assert from_numbers(np.ones((5, 40)), (5, 40)).shape == (5, 40)
    assert Operator((1, 9, 9), kernel=9).forward(torch.ones(1, 9, 9)).shape == (1, 9, 9)


@pytest.mark.parametrize(
    ("numbers", "size", "words"),
    [
        (np.full((3, 3), np.nan), None, "values that are not finite"),
        (np.array([[1.0, np.inf]]), None, "values that are not finite"),
        (np.zeros((3, 3)), None, "sum to 0; must be another sum than 0"),
        (np.array([[1.0, -1.0]]), None, "sum to 0; must be another sum than 0"),
        (np.arange(27.0).reshape(3, 3, 3), None, r"shape \(3, 3, 3\) is no kernel; must be \(height, width\), gray"),
        (np.ones(5), None, r"shape \(5,\) is no kernel"),
        (np.ones((2, 2, 2, 2)), None, "is no kernel"),
        (np.ones((0, 3)), None, r"shape \(0, 3\) is no kernel"),
        (np.float64(1), None, r"shape \(\) is no kernel"),
        (np.ones((5, 41)), (40, 40), "the 5x41 kernel is larger than the 40x40 image"),
    ],
)
def test_what_is_no_kernel_is_refused(numbers, size, words):
    with pytest.raises(BadInput, match=words):
        from_numbers(numbers, size)
