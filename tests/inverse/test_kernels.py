"""Blur kernels by name."""

import numpy as np
import pytest
import scipy.signal

from steps.base.errors import BadInput
from steps.inverse import kernels


def named(psf, blur=2.0, kernel=9, length=9.0, angle=0.0):
    return kernels.named(psf, blur=blur, kernel=kernel, length=length, angle=angle)


@pytest.mark.parametrize("psf", kernels.NAMES)
@pytest.mark.parametrize("angle", [0, 33, 90, -135])
def test_each_has_sum_one_a_centre_and_the_same_from_either_end(psf, angle):
    k = named(psf, angle=angle)
    assert k.sum() == pytest.approx(1, abs=1e-12) and k.min() >= 0
    assert k.shape[0] % 2 == k.shape[1] % 2 == 1
    np.testing.assert_allclose(k, k[::-1, ::-1], atol=1e-15)
    if psf != "motion":
        assert k.shape == (9, 9)
        np.testing.assert_allclose(k, k.T, atol=1e-15)


def test_those_that_the_literature_writes_down():
    np.testing.assert_allclose(named("binomial", kernel=5), np.outer(*[[1, 4, 6, 4, 1]] * 2) / 256)
    np.testing.assert_allclose(named("uniform"), np.full((9, 9), 1 / 81))
    k = named("inverse_square", kernel=15)
    assert k[7, 7] / k[7, 14] == pytest.approx(50) and k[7, 7] / k[0, 0] == pytest.approx(99)
    line = scipy.signal.windows.gaussian(25, 1.6)
    np.testing.assert_allclose(named("gaussian", 1.6, 25), np.outer(line, line) / line.sum() ** 2, atol=1e-15)


@pytest.mark.parametrize("kernel", [1, 5, 21])
def test_a_disk_has_the_area_of_a_disk(kernel):
    k = named("disk", kernel=kernel)
    assert 1 / k.max() == pytest.approx(np.pi * (kernel / 2) ** 2, rel=0.005 if kernel > 1 else 0.3)
    distance = np.hypot(*(np.indices(k.shape) - kernel // 2))
    assert (k[distance < kernel / 2 - 0.8] == k.max()).all() and (k[distance > kernel / 2 + 0.8] == 0).all()


def test_motion_along_a_row_is_a_row_and_turns_counterclockwise():
    np.testing.assert_allclose(named("motion", length=5.0), np.full((1, 5), 0.2), atol=1e-4)
    np.testing.assert_allclose(named("motion", length=5.0, angle=90.0), np.full((5, 1), 0.2), atol=1e-4)
    np.testing.assert_allclose(named("motion", length=4.0), [[0.125, 0.25, 0.25, 0.25, 0.125]], atol=1e-3)
    diagonal = named("motion", length=5 * 2**0.5, angle=45.0)
    np.testing.assert_allclose(diagonal, np.fliplr(np.eye(5)) / 5, atol=1e-3)
    assert named("motion", length=1.0, angle=17.0).shape == (1, 1)


@pytest.mark.parametrize(("length", "angle"), [(9.0, 20.0), (20.5, 70.0), (3.0, 150.0)])
def test_motion_has_the_spread_of_a_line(length, angle):
    k = named("motion", length=length, angle=angle)
    rows, columns = (grid - size // 2 for grid, size in zip(np.indices(k.shape), k.shape))
    direction = np.array([-np.sin(np.radians(angle)), np.cos(np.radians(angle))])
    along = (direction[0] * rows + direction[1] * columns) ** 2
    across = (direction[1] * rows - direction[0] * columns) ** 2
    assert (k * along).sum() == pytest.approx(length**2 / 12, abs=0.2)
    assert (k * across).sum() < 0.2


@pytest.mark.parametrize("psf", [name for name in kernels.NAMES if name != "motion"])
@pytest.mark.parametrize("kernel", [2, 6, 8])
def test_an_even_size_is_refused(psf, kernel):
    with pytest.raises(BadInput, match=f"kernel: {kernel} is not allowed; must be odd"):
        named(psf, kernel=kernel)


@pytest.mark.parametrize("blur", [1e-200, 1e-30, 1e-3])
def test_a_gaussian_of_no_width_is_a_point(blur):
    k = kernels.gaussian(5, blur)
    assert k[2, 2] == 1 and k.sum() == 1
