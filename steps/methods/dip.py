"""Deep image prior: an image is what an untrained convolutional network fits first."""

from typing import Annotated

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
    channels: Annotated[int, ">= 1"] = 128,
    scales: Annotated[int, ">= 1"] = 5,
    inputs: Annotated[int, ">= 1"] = 32,
    seed: Annotated[int, ">= 0"] = 0,
    callback=None,
):
    """Return f_θ(z) after `iterations` steps of Adam on  min_θ mean (A f_θ(z) − y)²,  z ~ U(0, 1/10) fixed.

    y is a measurement, A its operator, sigma is not used: the prior is the network and the early stop. The weights and
    z (`inputs` channels) are drawn from `seed`. The estimate is the last iterate, in (0, 1), (C, H, W). On a CPU a seed
    and a number of threads give the same estimate again; on CUDA not exactly (the gradients of padding and upsampling).
    Calls callback(iteration, estimate, loss). Raises BadInput if the image is too small for `scales`.
    Source: Ulyanov, Vedaldi, Lempitsky (2018); Anderson, section 3, has no skips, lr = 1e-4.
    """
    import numpy as np
    import torch

    from steps import networks

    network = networks.build(lambda: networks.Hourglass(inputs, A.shape[0], channels, scales), seed)
    random = np.random.default_rng([seed, 1])  # not the weights' generator: z must not repeat them
    z = torch.from_numpy(0.1 * random.random((1, inputs, *A.shape[-2:]), dtype=np.float32))
    network = network.to(y.device, memory_format=torch.channels_last)
    z = z.to(y.device, memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(network.parameters(), lr=lr, fused=True)
    for iteration in range(1, iterations + 1):
        optimiser.zero_grad()
        estimate = network(z)[0]
        loss = (A.forward(estimate) - y).square().mean()
        loss.backward()
        optimiser.step()
        if callback:
            callback(iteration, estimate.detach(), loss.detach())
    return estimate.detach()
