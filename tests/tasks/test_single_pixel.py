import pytest
import scipy.linalg
import torch

from steps.base.errors import BadInput
from steps.tasks.single_pixel import Operator, hadamard_transform


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


def test_seed_chooses_the_patterns():
    x = torch.rand(1, 16, 16)
    for patterns in ("gaussian", "hadamard"):
        same = [Operator(x.shape, patterns=patterns, seed=seed).forward(x) for seed in (0, 0, 1)]
        assert torch.equal(same[0], same[1]) and not torch.equal(same[0], same[2])


def test_dense_patterns_that_do_not_fit_are_refused():
    with pytest.raises(BadInput, match="256x256.*patterns=hadamard"):
        Operator((1, 256, 256), compression=1.0)
