"""Wiener filter that estimates the powers of noise and image from y alone; for circular convolutions."""

from typing import Annotated

LABEL = "Wiener, unsupervised"
LOOK = ("#0072B2", "h")
TASKS = ("deconvolution",)
ONLY = {"boundary": ("circular",)}


def needs(image_mb, **_):
    """Return (MB of memory, minutes) for an image of so many MB: measured at 512 pixels, with a margin."""
    return 1000 + 200 * image_mb, 5 + image_mb


def recover(y, A, sigma, *, seed: Annotated[int, ">= 0"] = 0, noise=None):
    """Return the posterior mean of x, the shape of the image, by Gibbs sampling, each channel by itself.

    The model is  y ~ N(A x, 1/γₙ),  x ~ N(0, (γₓ LᵀL)⁻¹)  with the Laplacian L and unknown γₙ and γₓ, which are drawn
    in turn with x (by [seed, 5, channel], no draw of the noise); so sigma is not used. The filter of scikit-image,
    `unsupervised_wiener`. Raises BadInput if A is no circular convolution. Source: Orieux, Giovannelli, Rodet (2010).
    """
    import numpy as np
    import torch
    from skimage.restoration import unsupervised_wiener

    from steps.base.errors import BadInput

    if A.transfer is None:
        raise BadInput("unsupervised_wiener is for circular convolutions only")
    transfer = A.transfer.numpy()
    channels = [
        unsupervised_wiener(channel, transfer, clip=False, rng=np.random.default_rng([seed, 5, k]))[0]
        for k, channel in enumerate(y.cpu().double().numpy())
    ]
    return torch.from_numpy(np.array(channels)).to(y)
