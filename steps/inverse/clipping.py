"""Gaussian noise that was clipped to [0, 1]: its mean and spread, and the way back (Foi 2009)."""

import math

ROOT_2, ROOT_2PI = math.sqrt(2), math.sqrt(2 * math.pi)
STEPS = 1024  # of the table that `undo` reads
REACH = 0.5  # how far beyond [0, 1] the table goes, so that noise about black and white keeps its sign


def mean(x, sigma):
    """Return E clip(x + sigma · n, 0, 1) for n ~ N(0, 1), the shape of x: what a denoiser of clipped noise finds.

    With a = −x / sigma, b = (1 − x) / sigma it is  x (Φ(b) − Φ(a)) + sigma (φ(a) − φ(b)) + 1 − Φ(b);  differentiable.
    """
    if not sigma:
        return x.clamp(0, 1)
    a, b = -x / sigma, (1 - x) / sigma
    return x * (_cdf(b) - _cdf(a)) + sigma * (_pdf(a) - _pdf(b)) + 1 - _cdf(b)


def variance(x, sigma):
    """Return Var clip(x + sigma · n, 0, 1) for n ~ N(0, 1), the shape of x."""
    if not sigma:
        return 0 * x
    a, b = -x / sigma, (1 - x) / sigma
    square = (x.square() + sigma**2) * (_cdf(b) - _cdf(a)) + sigma * (x * _pdf(a) - (1 + x) * _pdf(b)) + 1 - _cdf(b)
    return (square - mean(x, sigma).square()).clamp(min=0)


def undo(m, sigma):
    """Return the x with mean(x, sigma) = m, the shape of m; beyond what x from −0.5 to 1.5 can give, the nearer end."""
    import numpy as np
    import torch

    x = torch.linspace(-REACH, 1 + REACH, STEPS, dtype=torch.float64)
    undone = np.interp(m.cpu().double().numpy(), mean(x, sigma).numpy(), x.numpy())
    return torch.from_numpy(undone).to(m)


def spread(y, sigma):
    """Return the standard deviation, root mean square over y, of the clipped noise in y, as a number.

    It depends on what is unknown, y without noise. If y is an image (C, H, W), the mean of 5 × 5 pixels, with the
    clipping undone, stands for it; else y itself.
    """
    import torch

    blurred = torch.nn.functional.avg_pool2d(y, 5, 1, 2, count_include_pad=False) if y.ndim > 2 else y
    return float(variance(undo(blurred, sigma).clamp(0, 1), sigma).mean().sqrt())


def _cdf(t):
    import torch

    return (1 + torch.erf(t / ROOT_2)) / 2


def _pdf(t):
    import torch

    return torch.exp(-t.square() / 2) / ROOT_2PI
