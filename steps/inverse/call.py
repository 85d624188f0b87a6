"""Calling a method: what it is given, and what it must give."""

import inspect

from steps.base.errors import BadInput


def call(module, y, A, sigma, parameters, callback=None):
    """Return x̂ = recover(y, A, sigma, **parameters) of a method's module, (C, H, W) float32 on the CPU.

    `callback` is handed to a method that names it. Raises BadInput for an estimate that is not a finite image of A's
    shape.
    """
    named = inspect.signature(module.recover).parameters
    extra = {"callback": callback} if "callback" in named else {}
    method = module.__name__.rpartition(".")[2]
    return check_estimate(module.recover(y, A, sigma, **parameters, **extra), A.shape, method)


def check_estimate(estimate, shape, method):
    """Return what a method gave, in float32 on the CPU. Raises BadInput unless it is a finite image of this shape."""
    import torch

    tensor = isinstance(estimate, torch.Tensor)
    if not tensor or not estimate.is_floating_point() or tuple(estimate.shape) != shape:
        found = f"of type {type(estimate).__name__}"
        if tensor:
            found = f"{str(estimate.dtype).removeprefix('torch.')} of shape {tuple(estimate.shape)}"
        raise BadInput(f"{method}: the estimate is {found}; must be a tensor of floats of shape {shape}, the image's")
    estimate = estimate.detach().to("cpu", torch.float32)
    if not torch.isfinite(estimate).all():
        raise BadInput(f"{method}: the estimate has values that are not finite")
    return estimate
