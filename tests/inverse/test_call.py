import sys
import types

import pytest
import torch

from steps.base.errors import BadInput
from steps.inverse.call import call
from steps.tasks.denoising import Operator


def method(recover):
    """Return a module of the registry that has only this `recover`."""
    module = types.ModuleType("steps.methods.mine")
    module.recover = recover
    return module


def returned(made, gray):
    return call(method(lambda y, A, sigma: made(y)), gray, Operator(gray.shape), 0.1, {})


FLAWED = {
    "a dimension short": (lambda x: x[0], "float32 of shape (40, 40)"),
    "a dimension more": (lambda x: x[None], "float32 of shape (1, 1, 40, 40)"),
    "one that would be broadcast": (lambda x: x[:, :1], "float32 of shape (1, 1, 40)"),
    "complex": (lambda x: x + 0j, "complex64 of shape (1, 40, 40)"),
    "integers": (lambda x: x.to(torch.uint8), "uint8 of shape (1, 40, 40)"),
    "an array": (lambda x: x.numpy(), "of type ndarray"),
    "a list": (lambda x: x.tolist(), "of type list"),
    "nothing": (lambda x: None, "of type NoneType"),
}


@pytest.mark.parametrize("case", FLAWED)
def test_an_estimate_of_another_kind_or_shape_is_refused(gray, case):
    made, received = FLAWED[case]
    with pytest.raises(BadInput) as caught:
        returned(made, gray)
    words = "must be a tensor of floats of shape (1, 40, 40), the image's"
    assert str(caught.value) == f"mine: the estimate is {received}; {words}"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300], ids=["nan", "inf", "large in float64"])
def test_an_estimate_that_is_not_finite_is_refused(gray, value):
    with pytest.raises(BadInput, match="^mine: the estimate has values that are not finite$"):
        returned(lambda y: torch.full_like(y, value, dtype=torch.float64), gray)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_an_estimate_in_any_precision_becomes_float32_without_its_gradient(gray, dtype):
    estimate = returned(lambda y: y.to(dtype).requires_grad_(), gray)
    assert estimate.dtype == torch.float32 and not estimate.requires_grad
    assert torch.equal(estimate, gray.to(dtype).float())


def test_a_method_gets_a_callback_only_if_it_names_it(gray):
    seen = []

    def plain(y, A, sigma, *, width=0.8):
        return width * y

    def telling(y, A, sigma, *, width=0.8, callback=None):
        callback(1, y, 0.0)
        return width * y

    def hear(*said):
        seen.append(said)

    for recover in (plain, telling):
        estimate = call(method(recover), gray, Operator(gray.shape), 0.1, {"width": 0.5}, hear)
        assert torch.equal(estimate, 0.5 * gray)
    assert len(seen) == 1


@pytest.mark.parametrize("code, words", [(0, ""), (3, "3"), (None, "")])
def test_a_method_that_ends_the_process_has_failed(gray, code, words):
    """Of a job it would pass for the end: nothing is written, and nothing is wrong."""
    with pytest.raises(BadInput) as caught:
        returned(lambda y: sys.exit(code), gray)
    assert str(caught.value) == f"mine: it ended this process by sys.exit({words})"
