"""Wiener filter, then the deep image prior fitted to its estimate: Anderson's Wiener + NS."""

from typing import Annotated, Literal

from steps.prior import needs as needs

LABEL = "Wiener + DIP"
GPU = True
LOOK = ("#E69F00", "P")
QUICK = {"iterations": 6, "channels": 8, "scales": 3}
ENOUGH = {"iterations": 120, "channels": 16, "scales": 3, "lr": 0.02}
EXACT = False  # a network is far from any image at first


def recover(
    y,
    A,
    sigma,
    *,
    prior: Literal["smooth", "white"] = "smooth",
    iterations: Annotated[int, ">= 1"] = 150,
    optimiser: Literal["adam", "muon"] = "muon",
    lr: Annotated[float, "> 0"] = 0.02,
    channels: Annotated[int, ">= 1"] = 32,
    scales: Annotated[int, ">= 1"] = 4,
    skip: Annotated[int, ">= 0"] = 4,
    inputs: Annotated[int, ">= 1"] = 8,
    upsampling: Literal["bilinear", "nearest"] = "nearest",
    input_noise: Annotated[float, ">= 0"] = 0.0,
    output: Literal["last", "average", "polynomial", "unperturbed"] = "polynomial",
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
    deterministic: bool = False,
    seed: Annotated[int, ">= 0"] = 0,
    callback=None,
    noise=None,
):
    """Return f_θ(z) after `iterations` steps on  min_θ mean (f_θ(z) − x_W)²,  x_W the Wiener estimate from y.

    prior is the Wiener filter's (see steps/methods/wiener.py; the paper's is "white"), the rest the deep image prior's
    (see steps/methods/dip.py), without its stop: how much noise the filter leaves is not known. The result is (C, H, W)
    in (0, 1): the network sees neither y nor A, so what the filter has lost is lost. `noise` is named for the filter's
    sake. Calls callback(iteration, estimate, loss). Source: Anderson, section 5.1; the paper's settings are in
    config/paper.yaml.
    """
    from steps.methods import dip, wiener
    from steps.tasks.denoising import Operator

    settings = {"channels": channels, "scales": scales, "skip": skip, "inputs": inputs, "upsampling": upsampling}
    settings |= {"optimiser": optimiser, "lr": lr, "input_noise": input_noise, "output": output, "seed": seed}
    settings |= {"precision": precision, "deterministic": deterministic}
    settings |= {"discrepancy": 0.0, "fits": 1, "clipped": False}
    filtered = wiener.recover(y, A, sigma, prior=prior)
    return dip.recover(filtered, Operator(A.shape), sigma, iterations=iterations, **settings, callback=callback)
