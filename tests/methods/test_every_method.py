"""What every method must do on every task it can do; a new file in steps/methods is tested because it is there.

Its file says what these tests should know of it: TASKS that it can do (all); QUICK, parameters with which it takes no
time (its defaults); ENOUGH, with which it should recover well (its defaults); PACKAGE, that it needs beside ours;
REPEATABLE = False if it is not, to the last bit; EXACT = False if a clean image does not come back nearly as it is.
"""

import numpy as np
import pytest
import torch

from steps.base import discover
from steps.base.parameters import check_parameters, keywords
from steps.inverse.call import call
from steps.noises.gaussian import add

SIGMA = 0.1
MODULES = {name: discover.load("methods", name) for name in discover.available("methods")}


def params(*tasks):
    """Return the (method, task) pairs to test: each method with those of the tasks (by default all) that it can do."""
    return [
        pytest.param(module, task, marks=_needs(module), id=f"{name}-{task}")
        for name, module in MODULES.items()
        for task in tasks or discover.available("tasks")
        if task in getattr(module, "TASKS", [task])
    ]


def _needs(module):
    package = discover.missing_package(module)
    return pytest.mark.skipif(package is not None, reason=f"the package {package} is not installed")


def problem(task, x, sigma=SIGMA, **settings):
    if discover.load("tasks", task).Operator.channels not in (None, len(x)):
        pytest.skip("not for so many channels")
    A = discover.load("tasks", task).Operator(x.shape, **settings)
    return torch.from_numpy(add(A.forward(x).numpy(), sigma=sigma)), A


def quick(module):
    return getattr(module, "QUICK", {})


def global_states():
    """Return the states of torch's and numpy's global random generators."""
    return torch.random.get_rng_state().tolist(), str(np.random.get_state())  # noqa: NPY002


@pytest.mark.parametrize(("module", "task"), params())
@pytest.mark.parametrize("channels", [1, 3])
def test_recovers_an_image_from_every_task(module, task, channels, request):
    x = request.getfixturevalue("gray" if channels == 1 else "colour")[:, :, :37]  # odd width
    y, A = problem(task, x)
    kept_y, states = y.clone(), global_states()
    seen = []

    def callback(iteration, estimate, loss, penalty=0, total=None):
        assert estimate.shape == x.shape and torch.isfinite(torch.as_tensor(loss))
        seen.append(iteration)

    estimate = call(module, y, A, SIGMA, quick(module), callback)
    assert not estimate.requires_grad
    assert torch.equal(y, kept_y), "the measurement was changed"
    assert global_states() == states, "a global random state was used"
    assert seen == list(range(1, len(seen) + 1))
    if getattr(module, "REPEATABLE", True):
        again = call(module, y, A, SIGMA, quick(module))
        assert torch.equal(estimate, again), "not the same twice: draw from a seed, or say REPEATABLE = False"


@pytest.mark.parametrize(("module", "task"), params())
def test_a_seed_matters_where_there_is_one(module, task, gray):
    if "seed" not in keywords(module.recover):
        pytest.skip("it draws nothing")
    y, A = problem(task, gray)
    first, second = (call(module, y, A, SIGMA, quick(module) | {"seed": seed}) for seed in (0, 1))
    assert not torch.equal(first, second)


@pytest.mark.parametrize(("module", "task"), params("denoising"))
@pytest.mark.parametrize("channels", [1, 3])
def test_denoising_comes_closer_to_the_truth(module, task, channels, request):
    x = request.getfixturevalue("gray" if channels == 1 else "colour")
    y, A = problem(task, x)
    estimate = call(module, y, A, SIGMA, getattr(module, "ENOUGH", {}))
    assert (estimate - x).norm() < 0.8 * (y - x).norm(), "say by ENOUGH with which parameters it would"


GROUNDS = {
    "deconvolution": {"blur": 2.0, "kernel": 15, "sigma": 0.01},
    "single_pixel": {"compression": 2.0, "sigma": 0.0},
    "super_resolution": {"factor": 2, "sigma": 0.01},
    "demosaicking": {"sigma": 0.01},
    "inpainting": {"seen": 0.5, "sigma": 0.01},
}


@pytest.mark.parametrize(("module", "task"), params(*GROUNDS))
def test_beats_its_input_on_its_own_ground(module, task, gray, colour):
    x = colour if discover.load("tasks", task).Operator.channels == 3 else gray
    y, A = problem(task, x, **GROUNDS[task])
    estimate = call(module, y, A, GROUNDS[task]["sigma"], getattr(module, "ENOUGH", {}))
    better = (estimate - x).norm() < 0.95 * (A.backproject(y) - x).norm()
    assert better, "say by ENOUGH with which parameters it would, or by TASKS what it can do"


@pytest.mark.parametrize(("module", "task"), params("denoising"))
def test_takes_a_measurement_without_noise(module, task, gray):
    y, A = problem(task, gray, sigma=0)
    estimate = call(module, y, A, 0.0, quick(module))
    if getattr(module, "EXACT", True):
        assert (estimate - gray).abs().mean() < 0.01, "say EXACT = False if a clean image may change"


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_every_parameter_has_a_checked_type_and_an_allowed_default(module):
    parameters = keywords(module.recover)
    for name, parameter in parameters.items():
        assert parameter.default is not parameter.empty, f"{name} has no default"
        if parameter.default is not None:
            assert check_parameters({name: parameter.default}, parameters, "it") == {name: parameter.default}


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_what_its_file_says_of_it_is_there(module):
    for task in getattr(module, "TASKS", []):
        allowed = keywords(discover.load("tasks", task).Operator)
        for name, values in getattr(module, "ONLY", {}).items():
            for value in values if name in allowed else ():
                assert check_parameters({name: value}, allowed, "it") == {name: value}
    for settings in (quick(module), getattr(module, "ENOUGH", {})):
        check_parameters(settings, keywords(module.recover), "it")
