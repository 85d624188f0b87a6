"""ADMM with the deep image prior as its proximal operator: Anderson's NS prior for the single-pixel camera."""

from typing import Annotated, Literal

from steps.prior import needs as needs

LABEL = "ADMM + DIP"
GPU = True
LOOK = ("#CC79A7", "X")
QUICK = {"iterations": 6, "inner": 2, "channels": 8, "scales": 3}
ENOUGH = {"iterations": 10, "inner": 15, "channels": 16, "scales": 3, "lr": 0.02}
RHO = 0.5
EXACT = False  # a network is far from any image at first


def recover(
    y,
    A,
    sigma,
    *,
    iterations: Annotated[int, ">= 1"] = 30,
    inner: Annotated[int, ">= 1"] = 10,
    rho: Annotated[float | None, "> 0"] = None,
    optimiser: Literal["adam", "muon"] = "muon",
    lr: Annotated[float, "> 0"] = 0.01,
    channels: Annotated[int, ">= 1"] = 32,
    scales: Annotated[int, ">= 1"] = 3,
    skip: Annotated[int, ">= 0"] = 0,
    inputs: Annotated[int, ">= 1"] = 32,
    upsampling: Literal["bilinear", "nearest"] = "bilinear",
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
    deterministic: bool = False,
    seed: Annotated[int, ">= 0"] = 0,
    callback=None,
):
    """Return z after `iterations` of ADMM (see `solvers.plug_and_play`) with  z ← f_θ(code), θ fitted to x + u.

    Each z-step is `inner` steps on  min_θ mean (f_θ(code) − (x + u))², starting from the weights and the
    optimiser of the last (a warm start). If A = I every z-step is one towards y, since ADMM would come back to the
    noise of y. rho is ADMM's penalty, by default 0.5; sigma is not used. The network's settings are those of
    steps/methods/dip.py. Calls callback(iteration, z, ½‖A z − y‖²). Raises BadInput for a rho where A = I. Source:
    Anderson, section 5.3.
    """
    from steps.base.errors import BadInput
    from steps.inverse.solvers import plug_and_play
    from steps.prior import networks
    from steps.prior.fit import Fit

    if A.identity and rho is not None:
        raise BadInput("rho: not allowed in denoising, where nothing is plugged in")
    size = {"channels": channels, "scales": scales, "skip": skip, "inputs": inputs, "upsampling": upsampling}
    settings = {"optimiser": optimiser, "lr": lr, "precision": precision, "deterministic": deterministic}
    fit = Fit(lambda: networks.create(A.shape, **size, seed=seed), A.shape, y.device, **settings)

    goal = y.new_empty(A.shape)

    def data_term(x):  # one function for all steps, which a GPU has captured in one graph
        return (x - goal).square().mean()

    def project(v, _=None):
        goal.copy_(v)
        return fit.run(data_term, inner)

    if A.identity:
        for iteration in range(1, iterations + 1):
            z = project(y)
            if callback:
                callback(iteration, z, (z - y).square().sum() / 2)
        return z
    return plug_and_play(y, A, project, [0.0] * iterations, rho or RHO, callback)
