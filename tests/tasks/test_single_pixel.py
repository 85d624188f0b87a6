import hashlib
import math

import numpy as np
import pytest
import scipy.linalg
import torch
from skimage.measure import label

from steps.base.errors import BadInput
from steps.inverse.operators import convolve
from steps.inverse.patterns import fourier_order, hadamard_transform, sign_changes, walsh_order
from steps.tasks import single_pixel
from steps.tasks.single_pixel import LARGEST, Operator, memory_mb
from tests.conftest import picture


@pytest.mark.parametrize("size", [1, 2, 8, 64, 256])
def test_fast_transform_is_scipy_s_matrix(size):
    matrix = torch.from_numpy(scipy.linalg.hadamard(size)).double()
    assert torch.equal(hadamard_transform(torch.eye(size, dtype=torch.float64)), matrix)


def matrix_of(A):
    pixels = A.shape[-2] * A.shape[-1]
    return A.forward(torch.eye(pixels, dtype=torch.float64).reshape(pixels, 1, *A.shape[-2:]))[:, 0].T


@pytest.mark.parametrize("side", [8, 7])
def test_hadamard_patterns_are_plus_minus_one_and_the_first_is_constant(side):
    A = Operator((1, side, side), compression=2.0, patterns="hadamard")
    matrix = matrix_of(A) * A.count**0.5
    assert torch.allclose(matrix.abs(), torch.ones_like(matrix))
    assert torch.allclose(matrix[0], torch.ones_like(matrix[0]))
    assert len(torch.unique(matrix, dim=0)) == A.count


def test_unpadded_hadamard_rows_are_orthogonal():
    A = Operator((1, 8, 8), compression=4.0, patterns="hadamard")
    matrix = matrix_of(A)
    assert torch.allclose(matrix @ matrix.T, 4 * torch.eye(16, dtype=torch.float64))


@pytest.mark.parametrize("patterns", ["gaussian", "hadamard"])
@pytest.mark.parametrize("compression, count", [(1.0, 1024), (2.0, 512), (3.0, 341), (8.0, 128), (5000.0, 1)])
def test_number_and_norm_of_patterns(patterns, compression, count):
    A = Operator((1, 32, 32), compression=compression, patterns=patterns)
    assert A.forward(torch.ones(1, 32, 32)).shape == (1, count)
    if count > 10:
        assert matrix_of(A).square().sum(1).mean() == pytest.approx(1024 / count, rel=0.05)


@pytest.mark.parametrize("patterns, side", [("gaussian", 16), ("hadamard", 16), ("hadamard", 15)])
@pytest.mark.parametrize("compression", [1.0, 2.0])
@pytest.mark.parametrize("rho", [1.0, 1e-3, 1e-6])
def test_solve_is_right_in_float32_for_small_rho_too(patterns, side, compression, rho):
    A = Operator((1, side, side), compression=compression, patterns=patterns)
    matrix = matrix_of(A)
    b = A.adjoint(A.forward(torch.rand(1, side, side))) + rho * torch.rand(1, side, side)
    solved = A.solve(b, rho)
    assert solved.dtype == torch.float32
    normal = matrix.T @ matrix + rho * torch.eye(side * side, dtype=torch.float64)
    expected = torch.linalg.solve(normal, b.double().flatten())
    assert (solved.double().flatten() - expected).norm() < 1e-5 * expected.norm()


def test_one_operator_solves_for_one_rho_after_another():
    A, b = Operator((1, 8, 8)), torch.rand(1, 8, 8, dtype=torch.float64)
    for rho in (1.0, 0.01):
        x = A.solve(b, rho)
        torch.testing.assert_close(A.adjoint(A.forward(x)) + rho * x, b)


def test_seed_chooses_the_patterns():
    x = torch.rand(1, 16, 16)
    for patterns in ("gaussian", "hadamard"):
        same = [Operator(x.shape, patterns=patterns, seed=seed).forward(x) for seed in (0, 0, 1)]
        assert torch.equal(same[0], same[1]) and not torch.equal(same[0], same[2])


def test_dense_patterns_that_do_not_fit_are_refused():
    with pytest.raises(BadInput, match="256x256.*patterns=hadamard"):
        Operator((1, 256, 256), compression=1.0)


def test_dense_patterns_may_take_as_much_memory_as_is_said_and_no_more(monkeypatch):
    monkeypatch.setattr(single_pixel, "LARGEST", 4 * 128 * 256)
    assert Operator((1, 16, 16), compression=2.0).count == 128
    with pytest.raises(BadInput, match="use patterns=hadamard"):
        Operator((1, 16, 16), compression=1.98)


def test_a_job_asks_for_no_more_memory_than_dense_patterns_may_take_and_for_a_file_s_as_if_it_had_all():
    assert LARGEST == 4 * 2**30
    assert memory_mb(1.0, compression=1, patterns="gaussian") == pytest.approx(6 * LARGEST / 1e6)
    dense = memory_mb(0.01, compression=1, patterns="gaussian")
    assert dense == memory_mb(0.01, compression=8, patterns="mine") == pytest.approx(6 * 4 * 2500**2 / 1e6)


def digest(tensor):
    return hashlib.sha256(tensor.numpy().tobytes()).hexdigest()[:12]


@pytest.mark.parametrize(
    ("shape", "settings", "patterns", "measured"),
    [
        ((1, 16, 16), {}, "d86f31916edc", "8be7821d4c84"),
        ((3, 7, 9), {"compression": 5.0, "seed": 3}, "5102075ff72f", "d7c2a2ccabd1"),
    ],
)
def test_the_patterns_of_what_is_published_stay_the_same_to_the_last_bit(shape, settings, patterns, measured):
    """Of sums and differences of sixteenths, which are exact, so that every processor has the same."""
    assert digest(Operator(shape, **settings).matrix) == patterns
    x = (torch.arange(math.prod(shape)) % 17 / 16).reshape(shape)
    assert digest(Operator(shape, patterns="hadamard", **settings).forward(x)) == measured


ORTHOGONAL = [{"patterns": "fourier"}] + [
    {"patterns": "hadamard", "order": order} for order in ("natural", "sequency", "cake_cutting")
]


@pytest.mark.parametrize("settings", ORTHOGONAL)
@pytest.mark.parametrize("compression", [1.0, 3.0])
def test_ordered_rows_are_orthogonal_of_one_norm_and_the_first_is_constant(settings, compression):
    A = Operator((1, 8, 16), compression=compression, **settings)
    matrix = matrix_of(A)
    expected = 128 / A.count * torch.eye(A.count, dtype=torch.float64)
    torch.testing.assert_close(matrix @ matrix.T, expected, atol=1e-10, rtol=0)
    torch.testing.assert_close(matrix[0], torch.full((128,), A.count**-0.5, dtype=torch.float64))


@pytest.mark.parametrize("shape", [(1, 5, 7), (1, 6, 4), (1, 1, 9), (1, 8, 8)])
def test_all_fourier_patterns_are_an_orthonormal_basis_low_frequencies_first(shape):
    pixels = shape[1] * shape[2]
    matrix = matrix_of(Operator(shape, compression=1.0, patterns="fourier"))
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(pixels, dtype=torch.float64), atol=1e-10, rtol=0)
    power = torch.fft.fft2(matrix.reshape(pixels, *shape[1:])).abs().square()
    rows, columns = (torch.fft.fftfreq(side, dtype=torch.float64) for side in shape[1:])
    squared = rows[:, None] ** 2 + columns**2
    frequency = (power * squared).sum((1, 2)) / power.sum((1, 2))
    assert (frequency.diff() > -1e-9).all() and frequency[0] < 1e-12


def test_a_fourier_pattern_is_a_cosine_then_its_sine():
    matrix = matrix_of(Operator((1, 8, 8), compression=1.0, patterns="fourier")).reshape(64, 8, 8)
    angle = 2 * math.pi * torch.arange(8, dtype=torch.float64) / 8
    expected = torch.stack((angle.cos(), angle.sin())) * 2**0.5 / 8
    torch.testing.assert_close(matrix[1:3, 0], expected)
    torch.testing.assert_close(matrix[1:3, 5], expected)


def test_fourier_patterns_of_one_frequency_are_in_the_order_of_rows():
    number = fourier_order(32, 32)[0] // 2
    rows, columns = (np.where(part < 16, part, part - 32) for part in divmod(number, 32))
    same = np.diff(rows**2 + columns**2) == 0
    assert (np.diff(number)[same] >= 0).all()


@pytest.mark.parametrize("size", [1, 2, 4, 16, 64])
def test_sign_changes_are_those_of_scipy_s_matrix(size):
    counted = (np.diff(scipy.linalg.hadamard(size), axis=1) != 0).sum(1)
    assert sign_changes(size).tolist() == counted.tolist()


@pytest.mark.parametrize("sides", [(4, 4), (8, 4), (2, 16), (8, 8)])
@pytest.mark.parametrize("order", ["natural", "sequency", "cake_cutting"])
def test_orders_are_what_they_say_of_scipy_s_matrix(sides, order):
    """Regions are counted, changes are counted, in the patterns themselves."""
    height, width = sides
    matrix = np.kron(scipy.linalg.hadamard(height), scipy.linalg.hadamard(width))
    A = Operator((1, *sides), compression=1.0, patterns="hadamard", order=order)
    found = np.rint(matrix_of(A).numpy() * A.count**0.5).astype(int)
    assert np.array_equal(found, matrix[walsh_order(height, width, order)])
    assert len(np.unique(found, axis=0)) == len(matrix)
    if order == "natural":
        assert np.array_equal(found, matrix)
        return
    pictures = found.reshape(-1, height, width)
    changes = [int(sum((np.diff(picture, axis=axis) != 0).sum() for axis in (0, 1))) for picture in pictures]
    regions = [label(picture, background=0, connectivity=1).max() for picture in pictures]
    keys = list(zip(regions, changes)) if order == "cake_cutting" else changes
    assert keys == sorted(keys)


@pytest.mark.parametrize("order", ["sequency", "cake_cutting"])
def test_ties_of_an_order_are_in_that_of_the_changes_along_columns(order):
    a, b = (sign_changes(8)[part] for part in divmod(walsh_order(8, 8, order), 8))
    keys = list(zip((a + 1) * (b + 1) if order == "cake_cutting" else a + b, a + b, a))
    assert keys == sorted(keys)


def test_an_order_is_of_sides_that_are_powers_of_2():
    with pytest.raises(BadInput, match="order: sequency is not of 48x64 pixels; sides must be powers of 2"):
        Operator((1, 48, 64), patterns="hadamard", order="sequency")


def test_bernoulli_patterns_are_plus_minus_one():
    A = Operator((1, 16, 16), patterns="bernoulli")
    assert set((A.matrix * A.count**0.5).round(decimals=4).unique().tolist()) == {-1.0, 1.0}
    assert abs(float(A.matrix.mean()) * A.count**0.5) < 0.02


@pytest.mark.parametrize("settings", [{"patterns": "bernoulli"}, {"patterns": "random"}, *ORTHOGONAL])
@pytest.mark.parametrize("rho", [1.0, 1e-3, 1e-6])
def test_solve_of_every_kind_is_that_of_its_matrix(settings, rho):
    side = 16
    if settings["patterns"] == "random":
        settings = {"patterns": np.random.default_rng(0).integers(0, 2, (100, side, side)).astype(float)}
    A = Operator((1, side, side), **settings)
    matrix = matrix_of(A)
    b = A.adjoint(A.forward(torch.rand(1, side, side))) + rho * torch.rand(1, side, side)
    normal = matrix.T @ matrix + rho * torch.eye(side * side, dtype=torch.float64)
    expected = torch.linalg.solve(normal, b.double().flatten())
    assert (A.solve(b, rho).double().flatten() - expected).norm() < 1e-5 * expected.norm()


def test_seeds_and_ordered_patterns():
    x = torch.rand(1, 16, 16)
    for settings in ORTHOGONAL:
        assert torch.equal(
            Operator(x.shape, seed=0, **settings).forward(x), Operator(x.shape, seed=1, **settings).forward(x)
        )


@pytest.mark.parametrize("settings", ORTHOGONAL)
def test_what_one_sees_of_orthogonal_patterns_is_the_least_image(settings):
    A = Operator((3, 16, 16), compression=4.0, **settings)
    x = torch.rand(3, 16, 16, dtype=torch.float64)
    expected = (torch.linalg.pinv(matrix_of(A)) @ A.forward(x)[..., None]).reshape(x.shape)
    torch.testing.assert_close(A.backproject(A.forward(x)), expected, atol=1e-6, rtol=0)


def test_fourier_patterns_in_pairs_are_a_convolution():
    """Its frequency response makes TV's conjugate gradients exact at once."""
    A = Operator((1, 8, 8), compression=64 / 9, patterns="fourier")
    x = torch.rand(1, 8, 8, dtype=torch.float64)
    assert A.count == 9
    torch.testing.assert_close(A.adjoint(A.forward(x)), convolve(x, A.nearly**2))


@pytest.mark.parametrize("compression", [1.0, 3.0, 8.0])
def test_what_one_sees_of_scrambled_rows_is_as_bright_as_the_image(compression):
    """The constant row is always among them: Aᵀ y would be N / M times as bright."""
    x = picture(3, 20, 16)
    A = Operator(x.shape, patterns="hadamard", compression=compression)
    seen = A.backproject(A.forward(x))
    torch.testing.assert_close(seen.mean((1, 2)), x.mean((1, 2)), atol=0.02, rtol=0.1)
