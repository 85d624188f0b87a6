"""Calling a method: what it is given, and what it must give."""

import inspect

from steps.base.errors import BadInput
from steps.inverse import tiles


def call(module, y, A, sigma, parameters, callback=None, noise=None):
    """Return x̂ = recover(y, A, sigma, **parameters) of a method's module, (C, H, W) float32 on the CPU.

    `callback` and `noise` (see steps/inverse/measurement.py) are handed to a method that names them. To one that does
    not name `noise`, an image with a noise that can be made Gaussian, such as Poisson's, is handed transformed, with
    the sigma of that, and its estimates, the callback's, too, are transformed back. So every denoiser of Gaussian noise
    is one of Poisson noise; its parameters and losses are on the transform's scale. If that noise is not white, a
    method that says COLOURED = True gets its power spectral density in the place of sigma. To a method that says LOCAL
    a large image with A = I is handed in tiles, see steps/inverse/tiles.py, and its iterates are then not reported.

    Raises BadInput for an estimate that is not a finite image of A's shape, and for `clipped`, which is of Gaussian
    noise, with another noise.
    """
    overlap = getattr(module, "LOCAL", None)
    if overlap and A.identity and y[0].numel() > tiles.LARGEST:

        def solve(part):
            return call(module, part, type(A)(part.shape), sigma, parameters, noise=noise)

        return tiles.join(y, overlap, solve)
    named = inspect.signature(module.recover).parameters
    method = module.__name__.rpartition(".")[2]
    if noise and noise.name != "gaussian" and parameters.get("clipped"):
        raise BadInput(f"{method}: clipped: true is not allowed with {noise.name} noise; must be gaussian")
    stable = noise.stabiliser() if noise and A.identity and "noise" not in named else None
    back = stable.inverse if stable else lambda estimate: estimate
    if stable:
        y, sigma = stable.forward(y), stable.sigma
        if getattr(module, "COLOURED", False) and getattr(stable, "spectrum", None) is not None:
            sigma = stable.spectrum
    if noise and noise.name != "gaussian" and "clipped" in named:
        parameters = parameters | {"clipped": False}  # which a method may take it to be by itself

    def report(iteration, estimate, *losses, **total):
        callback(iteration, back(estimate), *losses, **total)

    handed = {"callback": callback and report, "noise": noise}
    extra = {name: value for name, value in handed.items() if name in named}
    try:
        estimate = module.recover(y, A, sigma, **parameters, **extra)
    except SystemExit as error:  # it would pass for the end of the job
        raise BadInput(f"{method}: it ended this process by sys.exit({error.code or ''})") from error
    estimate = check_estimate(estimate, A.shape, method)
    return check_estimate(back(estimate), A.shape, method) if stable else estimate


def check_estimate(estimate, shape, method):
    """Return what a method gave, in float32 on the CPU. Raises BadInput unless it is a finite image of this shape."""
    import torch

    tensor = isinstance(estimate, torch.Tensor)
    if not tensor or not estimate.is_floating_point() or tuple(estimate.shape) != shape:
        got = f"of type {type(estimate).__name__}"
        if tensor:
            got = f"{str(estimate.dtype).removeprefix('torch.')} of shape {tuple(estimate.shape)}"
        raise BadInput(f"{method}: the estimate is {got}; must be a tensor of floats of shape {shape}, the image's")
    estimate = estimate.detach().to("cpu", torch.float32)
    if not torch.isfinite(estimate).all():
        raise BadInput(f"{method}: the estimate has values that are not finite")
    return estimate
