"""Deep image prior: an image is what an untrained convolutional network fits first."""

from typing import Annotated, Literal

LABEL = "DIP"
GPU = True
THREADS = 2


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
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
    deterministic: bool = False,
    seed: Annotated[int, ">= 0"] = 0,
    callback=None,
):
    """Return f_θ(z) after `iterations` steps of Adam on  min_θ mean (A f_θ(z) − y)² + l1 Σ‖W‖₁ + l2 Σ ½‖W‖².

    y is a measurement, A its operator, sigma is not used: the prior is the network and the early stop. The result is
    (C, H, W) in (0, 1). Raises BadInput if the loss is not finite, if memory runs out, and for a `window` with too few
    iterations to stop in.

    network, channels, scales, skip, inputs, upsampling, padding, p_keep (dropout), seed
        the network and its code z ~ U(0, 1/10), see steps/networks.py; an image too small for `scales` gets fewer.
    lr, l1, l2, input_noise, output, backtrack, window, patience, min_start, precision, deterministic
        how it is fitted, what is returned and when it stops, see steps/fit.py.

    Calls callback(iteration, estimate, data term), with the penalty as a fourth argument if there is one.
    Source: Ulyanov, Vedaldi, Lempitsky (2018): skip = 4, lr = 0.01, input_noise = 1/30, output = average for denoising;
    Anderson, section 3: no skips, lr = 1e-4.
    """
    from steps import networks
    from steps.fit import Fit

    def create():
        return networks.create(
            A.shape,
            network=network,
            channels=channels,
            scales=scales,
            skip=skip,
            inputs=inputs,
            upsampling=upsampling,
            padding=padding,
            p_keep=p_keep,
            seed=seed,
        )

    fit = Fit(
        create,
        A.shape,
        y.device,
        lr=lr,
        l1=l1,
        l2=l2,
        input_noise=input_noise,
        output=output,
        backtrack=backtrack,
        window=window,
        patience=patience,
        min_start=min_start,
        precision=precision,
        deterministic=deterministic,
        seed=seed,
    )
    return fit.run(lambda x: (A.forward(x) - y).square().mean(), iterations, callback)
