"""What every method must do on every task; a new file in steps/methods is tested because it is there."""

import importlib.util

import pytest
import torch

from steps.base import discover
from steps.base.parameters import check_parameters, keywords
from steps.noises.gaussian import add

SIGMA = 0.1
QUICK = {"iterations": 6, "inner": 2, "channels": 8, "scales": 3}  # used where a method has such a parameter
ENOUGH = {
    "bm3d": {"iterations": 12},
    "dip": {"iterations": 250, "channels": 32, "scales": 3, "lr": 0.01},
    "wiener_dip": {"iterations": 250, "channels": 32, "scales": 3, "lr": 0.01},
    "admm_dip": {"iterations": 20, "inner": 20, "channels": 32, "scales": 3, "lr": 0.01},
}  # otherwise the defaults
METHODS = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            name == "bm3d" and importlib.util.find_spec("bm3d") is None, reason="the package bm3d is not installed"
        ),
    )
    for name in discover.available("methods")
]


def problem(task, x, **settings):
    A = discover.load("tasks", task).Operator(x.shape, **settings)
    return torch.from_numpy(add(A.forward(x).numpy(), sigma=SIGMA)), A


def quick(module):
    return {name: value for name, value in QUICK.items() if name in keywords(module.recover)}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("task", discover.available("tasks"))
@pytest.mark.parametrize("channels", [1, 3])
def test_recovers_an_image_from_every_task(method, task, channels, request):
    x = request.getfixturevalue("gray" if channels == 1 else "colour")[:, :, :37]  # odd width
    y, A = problem(task, x)
    kept_y, state = y.clone(), torch.random.get_rng_state()
    module = discover.load("methods", method)
    seen = []

    def callback(iteration, estimate, loss):
        assert estimate.shape == x.shape and torch.isfinite(torch.as_tensor(loss))
        seen.append(iteration)

    estimate = module.recover(y, A, SIGMA, **quick(module), callback=callback)
    assert estimate.shape == x.shape and torch.isfinite(estimate).all() and not estimate.requires_grad
    assert torch.equal(y, kept_y), "the measurement was changed"
    assert torch.equal(torch.random.get_rng_state(), state), "the global random state was used"
    assert seen == list(range(1, len(seen) + 1))
    if method != "bm3d":  # not bit-reproducible
        assert torch.equal(estimate, module.recover(y, A, SIGMA, **quick(module)))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("task", discover.available("tasks"))
def test_a_seed_matters_where_there_is_one(method, task, gray):
    module = discover.load("methods", method)
    if "seed" not in keywords(module.recover):
        pytest.skip(f"{method} draws nothing")
    y, A = problem(task, gray)
    first, second = (module.recover(y, A, SIGMA, **quick(module), seed=seed) for seed in (0, 1))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("channels", [1, 3])
def test_denoising_comes_closer_to_the_truth(method, channels, request):
    x = request.getfixturevalue("gray" if channels == 1 else "colour")
    y, A = problem("denoising", x)
    estimate = discover.load("methods", method).recover(y, A, SIGMA, **ENOUGH.get(method, {}))
    assert (estimate - x).norm() < 0.8 * (y - x).norm()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "task, settings, sigma",
    [("deconvolution", {"blur": 2.0, "kernel": 15}, 0.01), ("single_pixel", {"compression": 2.0}, 0.0)],
)
def test_beats_its_input_on_its_own_ground(method, task, settings, sigma, gray):
    A = discover.load("tasks", task).Operator(gray.shape, **settings)
    y = torch.from_numpy(add(A.forward(gray).numpy(), sigma=sigma))
    estimate = discover.load("methods", method).recover(y, A, sigma, **ENOUGH.get(method, {}))
    assert (estimate - gray).norm() < 0.9 * (A.backproject(y) - gray).norm()


@pytest.mark.parametrize("method", METHODS)
def test_takes_a_measurement_without_noise(method, gray):
    module = discover.load("methods", method)
    A = discover.load("tasks", "denoising").Operator(gray.shape)
    estimate = module.recover(gray, A, 0.0, **quick(module))
    assert torch.isfinite(estimate).all()
    if not method.endswith("dip"):  # six steps of a network are far from any image
        assert (estimate - gray).abs().mean() < 0.01


@pytest.mark.parametrize("method", METHODS)
def test_every_parameter_has_a_checked_type_and_an_allowed_default(method):
    parameters = keywords(discover.load("methods", method).recover)
    for name, parameter in parameters.items():
        assert parameter.default is not parameter.empty, f"{name} has no default"
        if parameter.default is not None:
            assert check_parameters({name: parameter.default}, parameters, method) == {name: parameter.default}
