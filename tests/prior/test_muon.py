import numpy as np
import pytest
import torch

from steps.prior.muon import Muon, orthogonal


def random(*shape):
    return torch.from_numpy(np.random.default_rng(0).standard_normal(shape).astype(np.float32))


@pytest.mark.parametrize("shape", [(3, 32, 288), (2, 288, 32), (2, 1, 7), (1, 40, 20)], ids=str)
def test_has_the_singular_vectors_of_the_matrix_and_singular_values_near_1(shape):
    """Against the SVD: U Vᵀ is the polar factor."""
    for matrix, found in zip(random(*shape), orthogonal(random(*shape))):
        u, s, v = torch.linalg.svd(matrix, full_matrices=False)
        assert float(s[-1] / s.norm()) > 0.02
        core = u.mT @ found @ v.mT  # diagonal, if the singular vectors are the same
        values = core.diagonal()
        torch.testing.assert_close(core, torch.diag(values), rtol=0, atol=1e-3)
        torch.testing.assert_close(u @ core @ v, found, rtol=0, atol=1e-3)
        assert float(values.min()) > 0.65 and float(values.max()) < 1.25


def test_does_not_depend_on_the_size_of_the_matrix_and_a_zero_stays_one():
    matrix = random(1, 4, 9)
    torch.testing.assert_close(orthogonal(1e-6 * matrix), orthogonal(matrix), rtol=1e-3, atol=1e-4)
    assert not orthogonal(0 * matrix).any()


def test_a_step_is_momentum_made_orthogonal():
    """For kernels of two shapes, one of them tall; M ← 0.95 M + G, and the step along G + 0.95 M."""
    kernels = [torch.nn.Parameter(random(*shape)) for shape in ((4, 3, 3, 3), (8, 2, 1, 1), (4, 3, 3, 3))]
    expected = [kernel.detach().clone() for kernel in kernels]
    optimiser, momenta = Muon(kernels, lr=0.1), [0, 0, 0]
    for step in range(1, 4):
        for k, kernel in enumerate(kernels):
            kernel.grad = step * (k + 1) * random(*kernel.shape).roll(step)
            momenta[k] = 0.95 * momenta[k] + kernel.grad.flatten(1)
            update = orthogonal((kernel.grad.flatten(1) + 0.95 * momenta[k])[None])[0].view_as(kernel)
            expected[k] -= 0.1 * (2 if k == 1 else 1) * update  # √(8 / 2) for the tall one
        optimiser.step()
    for kernel, value in zip(kernels, expected):
        torch.testing.assert_close(kernel.detach(), value, rtol=1e-4, atol=1e-5)


def test_its_state_can_be_saved_and_restored():
    found = []
    for restored in (False, True):
        kernel = torch.nn.Parameter(random(4, 9))
        optimiser = Muon([kernel], lr=0.1)
        for step in range(4):
            if restored and step == 2:
                state = optimiser.state_dict()
                optimiser = Muon([kernel], lr=0.1)
                optimiser.load_state_dict(state)
            kernel.grad = random(4, 9).roll(step)
            optimiser.step()
        found.append(kernel.detach())
    assert torch.equal(*found)
