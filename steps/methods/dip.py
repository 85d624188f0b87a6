"""Deep image prior: an untrained convolutional network is fitted to y, and stopped before it fits the noise."""

from typing import Annotated, Literal

from steps.prior import needs as needs

LABEL = "DIP"
GPU = True
LOOK = ("#D55E00", "v")
QUICK = {"iterations": 6, "channels": 8, "scales": 3, "fits": 1}
ENOUGH = {"iterations": 120, "channels": 16, "scales": 3, "fits": 1}
EXACT = False  # a network is far from any image at first


def recover(
    y,
    A,
    sigma,
    *,
    iterations: Annotated[int, ">= 1"] = 1200,
    optimiser: Literal["adam", "muon"] = "muon",
    lr: Annotated[float, "> 0"] = 0.02,
    network: Literal["hourglass", "deep_decoder"] = "hourglass",
    channels: Annotated[int | None, ">= 1"] = None,
    scales: Annotated[int, ">= 1"] = 4,
    skip: Annotated[int, ">= 0"] = 4,
    inputs: Annotated[int, ">= 1"] = 8,
    upsampling: Literal["bilinear", "nearest"] = "nearest",
    padding: Literal["reflect", "zeros"] = "reflect",
    l1: Annotated[float, ">= 0"] = 0.0,
    l2: Annotated[float, ">= 0"] = 0.0,
    p_keep: Annotated[float, "> 0", "<= 1"] = 1.0,
    input_noise: Annotated[float, ">= 0"] = 0.0333,
    output: Literal["last", "average", "polynomial", "unperturbed"] = "polynomial",
    backtrack: bool = False,
    window: Annotated[int, ">= 0", "!= 1"] = 0,
    patience: Annotated[int, ">= 1"] = 1000,
    min_start: Annotated[int, ">= 0"] = 500,
    discrepancy: Annotated[float, ">= 0"] = 1.0,
    fits: Annotated[int, ">= 1"] = 3,
    clipped: bool | None = None,
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
    deterministic: bool = False,
    seed: Annotated[int, ">= 0"] = 0,
    callback=None,
):
    """Return f_θ(z) after at most `iterations` steps on  min_θ mean (A f_θ(z) − y)² + l1 Σ‖W‖₁ + l2 Σ ½‖W‖².

    y is a measurement, A its operator: the prior is the network and the early stop. sigma, the standard deviation of
    y's noise, is used by `discrepancy` and `clipped` only. The result is (C, H, W) in (0, 1). Raises BadInput if the
    loss is not finite, if memory runs out, and for a `window` with too few iterations to stop in.

    network, channels, scales, skip, inputs, upsampling, padding, p_keep (dropout), seed
        the network and its code z ~ U(0, 1/10), see prior/networks.py; an image too small for `scales` gets fewer.
        By default it has 32 channels, or 64 for an image of more than 2¹⁷ pixels, some 360 × 360.
    optimiser, lr, l1, l2, input_noise, output, backtrack, window, patience, min_start, precision, deterministic
        how it is fitted, what is returned and when it stops, see steps/prior/fit.py.
    discrepancy  stop as soon as the data term is at most discrepancy · (variance of y's noise), Morozov's principle,
        a polynomial average somewhat later; 0, like a sigma of 0, for never.
    fits  return the mean of so many, whose networks, codes and input noises are other draws; each has `iterations`.
    clipped  y was clipped to [0, 1] after the noise was added, so that its mean is not A x but that of clipped noise:
        the data term is  mean (E clip(A f_θ(z) + sigma n) − y)²,  see steps/inverse/clipping.py. By default true if
        A = I and y lies in [0, 1]: either it was clipped, or that would have changed nothing.

    Calls callback(iteration, estimate, data term), with the penalty as a fourth argument if there is one; the estimate
    is the mean of the present fit's and of those before it, and the count goes on from fit to fit. Source: Ulyanov,
    Vedaldi, Lempitsky (2018), for the mean section 4.1; Anderson, section 3; the settings of both, and how the defaults
    were found, are in docs/prior.md.
    """
    from functools import partial

    from steps.inverse import clipping
    from steps.inverse.trace import kept
    from steps.prior import networks
    from steps.prior.fit import Fit

    size = {"network": network, "channels": channels, "scales": scales, "skip": skip, "inputs": inputs}
    size |= {"upsampling": upsampling, "padding": padding, "p_keep": p_keep}
    settings = {"lr": lr, "l1": l1, "l2": l2, "input_noise": input_noise, "output": output}
    settings |= {"backtrack": backtrack, "window": window, "patience": patience, "min_start": min_start}
    settings |= {"optimiser": optimiser, "precision": precision, "deterministic": deterministic}

    if clipped is None:
        clipped = bool(A.identity and sigma and y.min() >= 0 and y.max() <= 1)

    def data_term(x):
        expected = clipping.mean(A.forward(x), sigma) if clipped else A.forward(x)
        return (expected - y).square().mean()

    results, behind, latest = [], 0, 0

    def tell(iteration, x, *losses):
        nonlocal latest
        latest = behind + iteration
        if callback:
            callback(latest, sum(results, x) / (len(results) + 1), *losses)

    noise = clipping.spread(y, sigma) if clipped else sigma
    for k in range(fits):
        draw = networks.stream(seed, 4, k) if k else seed
        fit = Fit(partial(networks.create, A.shape, **size, seed=draw), A.shape, y.device, seed=draw, **settings)
        traced = {iteration - behind for iteration in kept(iterations * fits)}
        x = fit.run(data_term, iterations, tell, discrepancy * noise**2, traced)
        mean = sum(results, x) / (k + 1)
        results.append(x)
        behind = latest
    return mean
