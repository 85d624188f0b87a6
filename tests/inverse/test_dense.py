import numpy as np
import pytest
import scipy.linalg
import torch

from steps.inverse.dense import cholesky
from steps.inverse.solvers import gradient, nearest, smoothest
from steps.tasks.single_pixel import Operator


def matrices(A):
    """Return A and D of one channel as matrices, float64."""
    pixels = A.shape[-2] * A.shape[-1]
    images = torch.eye(pixels, dtype=torch.float64).reshape(pixels, 1, *A.shape[-2:])
    return A.forward(images)[:, 0].T, gradient(images).movedim(1, 0).flatten(1).T


@pytest.mark.parametrize("compression", [1.0, 2.0, 8.0])
@pytest.mark.parametrize("rho", [10.0, 0.1, 1e-3, 1e-6])
def test_steps_in_float32_are_what_a_direct_solve_in_float64_finds(compression, rho):
    """To a hundredth of a decibel of an estimate of 60 dB, also where there are as many patterns as pixels."""
    A = Operator((2, 24, 20), compression=compression)
    x = torch.rand(A.shape, generator=torch.Generator().manual_seed(0))
    y, v = A.forward(x), x + 0.1
    matrix, D = matrices(A)
    exact = y.double().T, v.double().flatten(1).T
    for step, L in ((nearest(A, y, rho), torch.eye(480, dtype=torch.float64)), (smoothest(A, y, rho), D)):
        aim = v if L is not D else gradient(v)
        found, seen = step(aim, A.forward(v) if L is not D else None)
        expected = torch.linalg.solve(matrix.T @ matrix + rho * L.T @ L, matrix.T @ exact[0] + rho * L.T @ L @ exact[1])
        tolerance = 1e-4 if L is not D or rho > 1e-5 or compression > 1 else 0.05  # nearly any image fits them
        assert (found.double().flatten(1).T - expected).norm() < tolerance * expected.norm()
        torch.testing.assert_close(seen.double(), (matrix @ expected).T, atol=1e-4, rtol=0)


def test_factor_of_several_blocks(monkeypatch):
    monkeypatch.setattr("steps.inverse.dense.BLOCK", 16)
    root = torch.randn(50, 60, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    L = cholesky(root, 0.3)
    torch.testing.assert_close(L @ L.T, root @ root.T / 0.3 + torch.eye(50, dtype=torch.float64))
    assert torch.equal(L, L.tril())


def test_a_mean_that_no_pattern_sees_is_left_alone():
    """What is found of it would be one rounding error over another: it was −2 000 000 once."""
    pixels = 256
    patterns = np.float32(scipy.linalg.hadamard(pixels)[1:129])
    A = Operator((1, 16, 16), patterns=patterns)
    x = torch.rand(A.shape, generator=torch.Generator().manual_seed(0))
    y = A.forward(x)
    found, seen = smoothest(A, y, 1e-4)(gradient(0 * x), None)
    matrix, D = matrices(A)
    expected = torch.linalg.pinv(matrix.T @ matrix + 1e-4 * D.T @ D) @ matrix.T @ y.double().T
    torch.testing.assert_close(found.double().flatten(1).T, expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(seen, A.forward(found), atol=1e-4, rtol=0)
    assert A.blind and not Operator((1, 16, 16)).blind
    assert not Operator((1, 16, 16), patterns=patterns + np.float32(0.01)).blind
