"""What methods share: differences, ADMM, and denoisers plugged in as priors. Tensors are (…, H, W)."""

import functools
import math

from steps.base.errors import BadInput
from steps.inverse import clipping
from steps.inverse.dense import Dense
from steps.inverse.operators import conjugate_gradient, convolve

SMOOTH = 1e-2  # weight of the gradient in the first guess: what fills holes, and keeps what is seen
LEAST = 0.004  # of sigma, a step of 8 bits: without noise there would be no balance of data and prior
ERROR = 0.2  # of the first guess, about its standard deviation: that of holes, and of what a blur took
PENALTY, ITERATIONS = 0.3, 16  # of half-quadratic splitting


def gradient(x):
    """Return D x: the forward differences of x along rows and columns, periodic, stacked as (2, …, H, W)."""
    import torch

    return torch.stack((x.roll(-1, -1) - x, x.roll(-1, -2) - x))


def gradient_adjoint(z):
    """Return Dᵀ z, (…, H, W), for z of shape (2, …, H, W)."""
    return z[0].roll(1, -1) - z[0] + z[1].roll(1, -2) - z[1]


def nearest(A, y, rho):
    """Return the function (v, A v) ↦ (x, A x) with  x = argmin ½‖A x − y‖² + rho/2 ‖x − v‖²,  made once for many v."""
    if A.matrix is not None:
        return Dense(A, y, rho)
    Aty = A.adjoint(y)

    def step(v, _):
        x = A.solve(Aty + rho * v, rho)
        return x, A.forward(x)

    return step


def smoothest(A, y, rho, exact=True, iterations=500, tolerance=1e-6):
    """Return the function (v, start) ↦ (x, A x) with  x = argmin ½‖A x − y‖² + rho/2 ‖D x − v‖²,  made once for many v.

    By FFT if A is a convolution, and exactly, too, if it is dense and `exact`; else by conjugate gradients from start,
    preconditioned by FFT if A is nearly a convolution.
    """
    import torch

    height, width = A.shape[-2:]
    rows = 2 - 2 * torch.cos(2 * math.pi * torch.arange(height, dtype=torch.float64) / height)
    columns = 2 - 2 * torch.cos(2 * math.pi * torch.arange(width // 2 + 1, dtype=torch.float64) / width)
    response = rows[:, None] + columns  # of DᵀD
    if exact and A.matrix is not None:
        inverse = (1 / response).masked_fill(response == 0, 0).to(y)
        dense = Dense(A, y, rho, inverse)

        def step(v, _):
            x = convolve(gradient_adjoint(v), inverse)
            return dense(x, A.forward(x))

        return step
    Aty = A.adjoint(y)
    transfer = A.nearly if A.transfer is None else A.transfer
    inverse = (1 / (transfer.abs() ** 2 + rho * response)).to(y) if transfer is not None else None
    precondition = None if inverse is None else lambda r: convolve(r, inverse)

    def apply(x):
        return A.adjoint(A.forward(x)) + rho * gradient_adjoint(gradient(x))

    def step(v, start):
        b = Aty + rho * gradient_adjoint(v)
        if A.transfer is not None:
            x = precondition(b)
        else:
            x = conjugate_gradient(apply, b, start, iterations, tolerance, precondition)
        return x, A.forward(x)

    return step


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
    lam = rho · strength². It begins with (AᵀA + rho I)⁻¹ Aᵀ y; unless A is a convolution or dense, with
    `first_guess`. Calls callback(iteration, z, ½‖A z − y‖²) and returns the last z. What ADMM
    is given are images and A of them, laid end to end: so A is applied to z only, and to no sum of images.
    Source: Venkatakrishnan, Bouman, Wohlberg (2013).
    """
    import torch

    step = nearest(A, y, rho)
    schedule = iter(strengths)
    size = math.prod(A.shape)

    def join(x, seen):
        return torch.cat((x.flatten(), seen.flatten()))

    def split(both):
        return both[:size].reshape(A.shape), both[size:].reshape(y.shape)

    def minimise(v, _):
        return join(*step(*split(v)))

    def prox(v):
        z = denoise(split(v)[0], next(schedule))
        return join(z, A.forward(z))

    def report(_, z):
        image, seen = split(z)
        return image, (seen - y).square().sum() / 2

    if A.transfer is None and A.matrix is None:  # then y may leave pixels open, and 0 would be a poor guess of them
        x = first_guess(A, y)[0]
        start = join(x, A.forward(x))
    else:
        start = join(*step(y.new_zeros(A.shape), 0 * y))
    return split(admm(minimise, prox, lambda x: x, start, len(strengths), callback, report)[1])[0]


def first_guess(A, y):
    """Return (x, about the standard deviation of its error): A's own guess of an image that explains y, if it has one.

    Else argmin ½‖A x − y‖² + SMOOTH/2 ‖D x‖²: the smoothest image, with no hole.
    """
    nothing = y.new_zeros(A.shape)
    return A.guess(y) or (smoothest(A, y, SMOOTH)(gradient(nothing), nothing)[0], ERROR)


def half_quadratic_splitting(y, A, denoise, z, strengths, penalties, callback=None):
    """Recover an image by half-quadratic splitting, a denoiser standing for the prior's proximal operator.

        x ← argmin ½‖A x − y‖² + rho/2 ‖x − z‖²
        z ← denoise(x, strength)

    with a strength and a penalty rho for each iteration; z is the first guess.
    Calls callback(iteration, z, ½‖A z − y‖²) and returns the last z.
    Source: Geman, Yang (1995); Zhang et al. (2017), "Learning deep CNN denoiser prior for image restoration".
    """
    Aty = A.adjoint(y)
    for iteration, (strength, rho) in enumerate(zip(strengths, penalties, strict=True), 1):
        z = denoise(A.solve(Aty + rho * z, rho), strength)
        if callback:
            callback(iteration, z, (A.forward(z) - y).square().sum() / 2)
    return z


def denoise_or_plug_in(
    y,
    A,
    sigma,
    denoise,
    *,
    start=None,
    strength=None,
    rho=None,
    iterations=None,
    admm=(0.4, 0.06, 30),
    callback=None,
    clipped=False,
):
    """Return denoise(y, sigma) if A = I, else what it finds as a prior: plugged in, with falling strength.

    start, strength, iterations  the denoiser's strength in the first and the last iteration, geometric between, and
             their number, which does nothing if A = I.
    rho      the penalty of `plug_and_play`, ADMM. If it is not given, and y is a picture, so that each value is of
             pixels near to each other, `half_quadratic_splitting` stands in its place: the strength falls from the
             error of `first_guess` to max(sigma, LEAST) in ITERATIONS, the penalty is PENALTY · (sigma / strength)².
             If y is none, as in inpainting and a single-pixel camera, ADMM's is (sigma / strength)² of the last
             strength, so that lam = sigma² as for a maximum a posteriori estimate.
    admm     the schedule of ADMM: (first strength, least last strength, iterations).
    clipped  if A = I, and the noisy y was clipped to [0, 1]: the denoiser is told the standard deviation that clipping
             has left, and what clipping has done to the mean is undone (`inverse/clipping.py`).

    sigma is the standard deviation of the measurement's noise, before clipping. Raises BadInput if `clipped` is asked
    for where A is not I, and start, strength or rho where it is.
    """
    for name, given in {"start": start, "strength": strength, "rho": rho}.items():
        if A.identity and given is not None:
            raise BadInput(f"{name}: not allowed in denoising, where nothing is plugged in")
    if A.identity and clipped:
        return clipping.undo(denoise(y, clipping.spread(y, sigma)), sigma).clamp(0, 1)
    if A.identity:
        return denoise(y, sigma)
    if clipped:
        raise BadInput("clipped: true is for denoising only, where the image itself is measured")
    split = rho is None and y.ndim == len(A.shape)
    first, least, count = admm
    if split:
        guess, first = first_guess(A, y)
        least, count = 0, ITERATIONS
    sigma = max(sigma, LEAST)
    if callback and not iterations:  # whose number nobody knows yet
        callback = functools.partial(callback, total=count)
    strength, iterations = strength or max(sigma, least), iterations or count
    start = start or max(first, strength)
    ratio = (strength / start) ** (1 / max(iterations - 1, 1))
    strengths = [start * ratio**i for i in range(iterations)] if iterations > 1 else [strength]
    if split:
        penalties = [PENALTY * (sigma / strength) ** 2 for strength in strengths]
        return half_quadratic_splitting(y, A, denoise, guess, strengths, penalties, callback)
    return plug_and_play(y, A, denoise, strengths, rho or (sigma / strength) ** 2, callback)
