"""Richardson–Lucy deconvolution: from a flat image towards the maximum likelihood for counted photons."""

from typing import Annotated

LABEL = "Richardson–Lucy"
LOOK = ("#0072B2", "p")
TASKS = ("deconvolution",)
EXACT = False
QUICK = {"iterations": 6}
UNSEEN = 1e-3  # of what a pixel gives to y: with less, as at an unknown border, it stays as it is


def needs(image_mb, *, iterations, **_):
    """Return (MB of memory, minutes) for an image of so many MB: measured at 512 pixels, with a margin."""
    return 1000 + 100 * image_mb, 5 + iterations * image_mb / 60


def recover(y, A, sigma, *, iterations: Annotated[int, ">= 1"] = 30, callback=None, noise=None):
    """Return x after `iterations` of  x ← x · Aᵀ(y / A x) / Aᵀ1,  from the mean of y; the shape of the image, x >= 0.

    They climb the likelihood of y ~ Poisson(A x), first with what is smooth: the fewer, the less noise. A and y are to
    be non-negative; what of them is not counts as 0. sigma and the noise are not used: the right number of iterations
    depends on them and on the image. Calls callback(iteration, x, ½‖A x − y‖²).
    Source: Richardson (1972), Lucy (1974).
    """
    import torch

    least = 1e-6
    y = y.clamp(min=0)
    sensitivity = A.adjoint(torch.ones_like(y))
    x = y.new_ones(A.shape) * y.mean().clamp(min=least)
    for iteration in range(1, iterations + 1):
        ratio = A.adjoint(y / A.forward(x).clamp(min=least)).clamp(min=0) / sensitivity.clamp(min=UNSEEN)
        x = x * torch.where(sensitivity < UNSEEN, 1, ratio)
        if callback:
            callback(iteration, x, (A.forward(x) - y).square().sum() / 2)
    return x
