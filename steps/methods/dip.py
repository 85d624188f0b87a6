"""Deep image prior: an image is what an untrained convolutional network fits first."""

from typing import Annotated, Literal

from steps.prior import needs as needs

LABEL = "DIP"
GPU = True
LOOK = ("#D55E00", "v")
QUICK = {"iterations": 6, "channels": 8, "scales": 3}
ENOUGH = {"iterations": 120, "channels": 16, "scales": 3, "lr": 0.02}
EXACT = False  # a network is far from any image at first


def recover(
    y,
    A,
    sigma,
    *,
    iterations: Annotated[int, ">= 1"] = 2000,
    lr: Annotated[float, "> 0"] = 0.001,
    network: Literal["hourglass", "deep_decoder"] = "hourglass",
    channels: Annotated[int, ">= 1"] = 128,
    scales: Annotated[int, ">= 1"] = 5,
    skip: Annotated[int, ">= 0"] = 0,
    inputs: Annotated[int, ">= 1"] = 32,
    upsampling: Literal["bilinear", "nearest"] = "bilinear",
    padding: Literal["reflect", "zeros"] = "reflect",
    l1: Annotated[float, ">= 0"] = 0.0,
    l2: Annotated[float, ">= 0"] = 0.0,
    p_keep: Annotated[float, "> 0", "<= 1"] = 1.0,
    input_noise: Annotated[float, ">= 0"] = 0.0,
    output: Literal["last", "average", "unperturbed"] = "last",
    backtrack: bool = False,
    window: Annotated[int, ">= 0", "!= 1"] = 0,
    patience: Annotated[int, ">= 1"] = 1000,
    min_start: Annotated[int, ">= 0"] = 500,
    discrepancy: Annotated[float, ">= 0"] = 0.0,
    clipped: bool = False,
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
    deterministic: bool = False,
    seed: Annotated[int, ">= 0"] = 0,
    callback=None,
):
    """Return f_θ(z) after `iterations` steps of Adam on  min_θ mean (A f_θ(z) − y)² + l1 Σ‖W‖₁ + l2 Σ ½‖W‖².

    y is a measurement, A its operator: the prior is the network and the early stop. sigma, the standard deviation of
    y's noise, is used by `discrepancy` and `clipped` only. The result is (C, H, W) in (0, 1). Raises BadInput if the
    loss is not finite, if memory runs out, for a `window` with too few iterations to stop in, and for `discrepancy`
    without noise.

    network, channels, scales, skip, inputs, upsampling, padding, p_keep (dropout), seed
        the network and its code z ~ U(0, 1/10), see prior/networks.py; an image too small for `scales` gets fewer.
    lr, l1, l2, input_noise, output, backtrack, window, patience, min_start, precision, deterministic
        how it is fitted, what is returned and when it stops, see steps/prior/fit.py.
    discrepancy  stop as soon as the data term is at most discrepancy · (variance of y's noise), Morozov's principle;
        0 for never.
    clipped  y was clipped to [0, 1] after the noise was added, so that its mean is not A x but that of clipped noise:
        the data term is  mean (E clip(A f_θ(z) + sigma n) − y)²,  see steps/inverse/clipping.py.

    Calls callback(iteration, estimate, data term), with the penalty as a fourth argument if there is one.
    Source: Ulyanov, Vedaldi, Lempitsky (2018): skip = 4, lr = 0.01, input_noise = 1/30, output = average for denoising;
    Anderson, section 3: no skips, lr = 1e-4.
    """
    from steps.base.errors import BadInput
    from steps.inverse import clipping
    from steps.prior import networks
    from steps.prior.fit import Fit

    if discrepancy and not sigma:
        raise BadInput(f"discrepancy: {discrepancy} needs noise to stop at, but sigma is 0")
    size = {"network": network, "channels": channels, "scales": scales, "skip": skip, "inputs": inputs, "seed": seed}
    size |= {"upsampling": upsampling, "padding": padding, "p_keep": p_keep}
    settings = {"lr": lr, "l1": l1, "l2": l2, "input_noise": input_noise, "output": output, "seed": seed}
    settings |= {"backtrack": backtrack, "window": window, "patience": patience, "min_start": min_start}
    settings |= {"precision": precision, "deterministic": deterministic}
    fit = Fit(lambda: networks.create(A.shape, **size), A.shape, y.device, **settings)

    def data_term(x):
        expected = clipping.mean(A.forward(x), sigma) if clipped else A.forward(x)
        return (expected - y).square().mean()

    noise = clipping.spread(y, sigma) if clipped else sigma
    return fit.run(data_term, iterations, callback, discrepancy * noise**2)
