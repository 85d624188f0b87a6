"""What methods share: differences, ADMM, plug-and-play ADMM. Tensors are (…, H, W)."""

import math

from steps.base.errors import BadInput
from steps.inverse import clipping
from steps.inverse.operators import conjugate_gradient


def gradient(x):
    """Return D x: the forward differences of x along rows and columns, periodic, stacked as (2, …, H, W)."""
    import torch

    return torch.stack((x.roll(-1, -1) - x, x.roll(-1, -2) - x))


def gradient_adjoint(z):
    """Return Dᵀ z, (…, H, W), for z of shape (2, …, H, W)."""
    return z[0].roll(1, -1) - z[0] + z[1].roll(1, -2) - z[1]


def solve_smooth(A, b, rho, start=None, iterations=500, tolerance=1e-6):
    """Return (AᵀA + rho DᵀD)⁻¹ b: by FFT if A is a convolution, else by conjugate gradients from `start`."""
    import torch

    if A.transfer is None:
        return conjugate_gradient(
            lambda x: A.adjoint(A.forward(x)) + rho * gradient_adjoint(gradient(x)), b, start, iterations, tolerance
        )
    height, width = b.shape[-2:]
    rows = 2 - 2 * torch.cos(2 * math.pi * torch.arange(height, dtype=torch.float64) / height)
    columns = 2 - 2 * torch.cos(2 * math.pi * torch.arange(width // 2 + 1, dtype=torch.float64) / width)
    response = A.transfer.abs() ** 2 + rho * (rows[:, None] + columns)
    return torch.fft.irfft2(torch.fft.rfft2(b) / response.to(b), s=(height, width))


def admm(minimise, prox, transform, start, iterations, callback=None, report=None):
    """Minimise f(x) + g(D x) by the alternating direction method of multipliers, scaled form (Boyd et al. 2011, 3.1.1).

        x ← argmin f(x) + rho/2 ‖D x − z + u‖²      minimise(z − u, x)
        z ← argmin g(z) + rho/2 ‖D x + u − z‖²      prox(D x + u)
        u ← u + D x − z

    `transform` is D, `start` the first x; report(x, z) are the estimate and the loss for callback(iteration, estimate,
    loss). Returns the last x and z.
    """
    x = start
    z = transform(x)
    u = 0 * z
    for iteration in range(1, iterations + 1):
        x = minimise(z - u, x)
        moved = transform(x) + u
        z = prox(moved)
        u = moved - z
        if callback:
            callback(iteration, *report(x, z))
    return x, z


def plug_and_play(y, A, denoise, strengths, rho, callback=None):
    """Recover an image by plug-and-play ADMM, a denoiser standing for the prior's proximal operator.

        x ← (AᵀA + rho I)⁻¹ (Aᵀ y + rho (z − u))
        z ← denoise(x + u, strength)
        u ← u + x − z

    denoise(v, strength) takes and gives (C, H, W), strength being the standard deviation of the noise to remove;
    `strengths` has one for each iteration. A constant strength and rho minimise ½‖A x − y‖² + lam · prior(x) with
    lam = rho · strength². Calls callback(iteration, z, ½‖A z − y‖²) and returns the last z.
    Source: Venkatakrishnan, Bouman, Wohlberg (2013).
    """
    Aty = A.adjoint(y)
    schedule = iter(strengths)

    def minimise(v, _):
        return A.solve(Aty + rho * v, rho)

    def prox(v):
        return denoise(v, next(schedule))

    def report(_, z):
        return z, (A.forward(z) - y).square().sum() / 2

    return admm(minimise, prox, lambda x: x, A.solve(Aty, rho), len(strengths), callback, report)[1]


def denoise_or_plug_in(y, A, sigma, denoise, start, strength, rho, iterations, callback=None, clipped=False):
    """Return denoise(y, sigma) if A = I, else plug-and-play ADMM with the denoiser.

    start, strength  the denoiser's strength in the first and the last iteration, falling geometrically between.
    rho              ADMM's penalty; if None, (sigma / strength)², so that lam = sigma² as for a maximum a posteriori
                     estimate, with sigma kept above 0.004.

    clipped          if A = I, and the noisy y was clipped to [0, 1]: the denoiser is told the standard deviation that
                     clipping has left, and what clipping has done to the mean is undone (`inverse/clipping.py`).

    sigma is the standard deviation of the measurement's noise, before clipping. Raises BadInput if `clipped` is asked
    for where A is not I.
    """
    if A.identity and clipped:
        return clipping.undo(denoise(y, clipping.spread(y, sigma)), sigma).clamp(0, 1)
    if A.identity:
        return denoise(y, sigma)
    if clipped:
        raise BadInput("clipped: true is for denoising only, where the image itself is measured")
    rho = rho or (max(sigma, 0.004) / strength) ** 2
    ratio = (strength / start) ** (1 / max(iterations - 1, 1))
    strengths = [start * ratio**i for i in range(iterations)] if iterations > 1 else [strength]
    return plug_and_play(y, A, denoise, strengths, rho, callback)
