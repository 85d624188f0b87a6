import pytest
import torch

from steps.base.discover import load
from steps.base.errors import BadInput
from steps.methods import dip
from steps.methods.admm_dip import recover
from steps.prior import fit as fit_module

SMALL = {"channels": 8, "scales": 2, "lr": 0.01}


def single_pixel(x):
    A = load("tasks", "single_pixel").Operator(x.shape, compression=2.0)
    return A.forward(x), A


def test_the_steps_are_those_of_admm(gray, monkeypatch):
    """x = (AᵀA + rho I)⁻¹(Aᵀy + rho (z − u)), z = f(θ) fitted to x + u, u ← u + x − z; one network for all of them."""
    y, A = single_pixel(gray)
    rho, targets, answers, created = 0.3, [], [], []
    run, start = fit_module.Fit.run, fit_module.Fit._start

    def spied(self, data_term, iterations, callback=None):
        zero = torch.zeros_like(gray)
        answers.append(run(self, data_term, iterations, callback))
        gradient = torch.func.grad(data_term)(zero)  # of mean (x − v)² at 0 is −2 v / N
        targets.append(-gradient * gray.numel() / 2)
        assert iterations == 2
        return answers[-1]

    monkeypatch.setattr(fit_module.Fit, "run", spied)
    monkeypatch.setattr(fit_module.Fit, "_start", lambda self, dtype: created.append(1) or start(self, dtype))
    found = recover(y, A, 0.0, iterations=3, inner=2, rho=rho, **SMALL)
    z, u = A.solve(A.adjoint(y), rho), torch.zeros_like(gray)
    for target, answer in zip(targets, answers):
        x = A.solve(A.adjoint(y) + rho * (z - u), rho)
        torch.testing.assert_close(target, x + u, rtol=1e-3, atol=1e-4)
        z, u = answer, u + x - answer
    assert torch.equal(found, answers[-1])
    assert len(created) == 1 and len(answers) == 3


def test_goes_on_from_the_last_weights(gray):
    """A warm start: the second z-step begins where the first ended, not at a new network."""
    y, A = single_pixel(gray)
    losses = []
    recover(y, A, 0.0, iterations=30, inner=10, **SMALL, callback=lambda i, z, loss: losses.append(float(loss)))
    assert losses[-1] < 0.2 * losses[0]


def test_calls_back_with_the_image_and_the_data_term(gray):
    y, A = single_pixel(gray)
    seen = []
    found = recover(y, A, 0.0, iterations=2, inner=1, **SMALL, callback=lambda *arguments: seen.append(arguments))
    assert [i for i, _, _ in seen] == [1, 2] and torch.equal(seen[-1][1], found)
    assert float(seen[-1][2]) == pytest.approx(float((A.forward(found) - y).square().sum() / 2), rel=1e-5)


def test_a_denoising_is_one_fit(gray):
    A = load("tasks", "denoising").Operator(gray.shape)
    plain = {"input_noise": 0.0, "output": "last", "discrepancy": 0.0, "clipped": False, "fits": 1}
    plain |= {"optimiser": "muon", "skip": 0, "inputs": 32, "upsampling": "bilinear"}
    expected = dip.recover(gray, A, 0.1, iterations=6, **SMALL, **plain)
    seen = []
    found = recover(gray, A, 0.1, iterations=3, inner=2, **SMALL, callback=lambda *arguments: seen.append(arguments))
    assert torch.equal(found, expected) and torch.equal(seen[-1][1], expected)
    assert [iteration for iteration, _, _ in seen] == [1, 2, 3]
    with pytest.raises(BadInput, match="rho: not allowed in denoising"):
        recover(gray, A, 0.1, rho=0.5, **SMALL)


@pytest.mark.parametrize(
    "settings",
    [
        {"inner": 3},
        {"rho": 0.2},
        {"skip": 2},
        {"inputs": 3},
        {"upsampling": "nearest"},
        {"optimiser": "adam"},
        {"precision": "float32"},
    ],
    ids=str,
)
def test_every_setting_reaches_the_fit(settings, gray):
    y, A = single_pixel(gray)
    base = {"iterations": 2, "inner": 2, "precision": "bfloat16", **SMALL}
    assert not torch.equal(recover(y, A, 0.0, **base), recover(y, A, 0.0, **base | settings))


def test_deterministic_reaches_the_fit(gray, monkeypatch):
    start = fit_module.Fit.__init__
    seen = {}
    monkeypatch.setattr(
        fit_module.Fit, "__init__", lambda self, *a, **settings: seen.update(settings) or start(self, *a, **settings)
    )
    y, A = single_pixel(gray)
    recover(y, A, 0.0, iterations=1, inner=1, deterministic=True, **SMALL)
    assert seen["deterministic"] is True
