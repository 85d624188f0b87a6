"""Networks whose structure is the prior, and their codes."""

import itertools
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from steps.base.errors import BadInput
from steps.prior.doubled import convolve_doubled, normalise_doubled, pays
from steps.prior.layers import Dropout, convolve, product, project
from steps.prior.processor import has_triton


def smallest_side(scales):
    """Return the smallest side in pixels of an image with two pixels left at the coarsest scale."""
    return 2**scales + 1


def fitting_scales(scales, height, width):
    """Return `scales`, or the most that an image of this size allows, saying so in a printed line.

    Raises BadInput for sides below 3 pixels, where even one halving leaves a single pixel.
    """
    side = min(height, width)
    most = (side - 1).bit_length() - 1 if side > 1 else 0
    if most < 1:
        raise BadInput(
            f"the {height}x{width} image is too small for a network, which needs {smallest_side(1)} pixels a side"
        )
    if scales > most:
        needed = smallest_side(scales)
        print(f"scales={scales} needs {needed} pixels a side; the {height}x{width} image gets scales={most}")
    return min(scales, most)


class Hourglass(nn.Module):
    """The hourglass of Ulyanov et al. (2018); without skips, what Anderson calls the network-structure prior.

    Maps a code (B, inputs, H, W) to an image (B, outputs, H, W) in (0, 1), H and W being multiples of 2^scales, at
    least twice that. Each of `scales` times down is conv3×3/2 – norm – LeakyReLU(0.2) – conv3×3 – norm – LeakyReLU,
    each time up is ×2 – norm – conv3×3 – norm – LeakyReLU – conv1×1 – norm – LeakyReLU, and the end is conv1×1 –
    sigmoid. If skip > 0, the input of every time down also passes conv1×1 to `skip` channels – norm – LeakyReLU and is
    laid before the channels of its time up, after ×2. Convolutions have biases; norm is by the mean and variance of
    each channel of the image itself, so that of channels laid side by side is that of each.

    upsampling  "bilinear" or "nearest".
    padding     "reflect" or "zeros", of the 3×3 convolutions.
    p_keep      each value after an activation is kept with this probability, and divided by it, else set to zero, in
                training mode only; `seed` is that of its draws.

    Under autocast the last convolution and the sigmoid are in float32.
    """

    def __init__(
        self, inputs, outputs, channels, scales, skip=0, upsampling="bilinear", padding="reflect", p_keep=1.0, seed=0
    ):
        super().__init__()
        layers = itertools.count()

        bordered = padding == "reflect" and p_keep == 1  # of what only a 3×3 convolution reads

        def activation(width, border=False):
            dropout = [Dropout(p_keep, stream(seed, 3, next(layers)))] if p_keep < 1 else []
            return [Norm(width, 0.2, border and bordered), *dropout]

        def block(inputs, outputs, size, stride=1, before=False, after=False):
            convolution = Convolution(inputs, outputs, size, stride, padding, before and bordered)
            return [convolution, *activation(outputs, after)]

        self.down, self.beside, self.up = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for scale in range(scales):
            entering, inner = (inputs, False) if scale == 0 else (channels, not skip)
            first = block(entering, channels, 3, 2, before=inner, after=True)
            second = block(channels, channels, 3, before=True, after=not skip and scale + 1 < scales)
            self.down.append(nn.Sequential(*first, *second))
            self.beside.append(nn.Sequential(*block(entering, skip, 1), Norm(skip)) if skip else None)
            after = [*activation(channels), *block(channels, channels, 1)]
            self.up.append(Up(skip, channels, upsampling, padding, nn.Sequential(*after)))
        self.last = nn.Conv2d(channels, outputs, 1)

    def forward(self, code):
        """Return the image (B, outputs, H, W) of the code (B, inputs, H, W)."""
        x, passed = code, []
        for down, beside in zip(self.down, self.beside):
            passed.append([beside(x)] if beside else [])
            x = down(x)
        for up in reversed(self.up):
            x = up(*passed.pop(), x)
        return torch.sigmoid(project(x, self.last.weight, self.last.bias))


class DeepDecoder(nn.Module):
    """The Deep Decoder of Heckel and Hand (2019): no convolution wider than a pixel, few parameters.

    Maps a code (B, inputs, h, w) to an image (B, outputs, 2^scales · h, 2^scales · w) in (0, 1): `scales` times
    conv1×1 – ×2 – ReLU – norm, then conv1×1 – ReLU – norm – conv1×1 – sigmoid. Convolutions have no biases.
    upsampling, p_keep, seed and float32 at the end as for the `Hourglass`.
    """

    def __init__(self, inputs, outputs, channels, scales, upsampling="bilinear", p_keep=1.0, seed=0):
        super().__init__()
        self.layers = nn.ModuleList()
        for layer in range(scales + 1):
            convolution = nn.Conv2d(inputs if layer == 0 else channels, channels, 1, bias=False)
            enlarge = [Upsample(upsampling)] if layer < scales else []
            dropout = [Dropout(p_keep, stream(seed, 3, layer))] if p_keep < 1 else []
            self.layers.append(nn.Sequential(convolution, *enlarge, nn.ReLU(), norm(channels), *dropout))
        self.last = nn.Conv2d(channels, outputs, 1, bias=False)

    def forward(self, code):
        """Return the image (B, outputs, H, W) of the code."""
        x = code
        for layer in self.layers:
            x = layer(x)
        return torch.sigmoid(project(x, self.last.weight))


def create(
    shape,
    *,
    network="hourglass",
    channels=128,
    scales=5,
    skip=0,
    inputs=32,
    upsampling="bilinear",
    padding="reflect",
    p_keep=1.0,
    seed=0,
):
    """Return (network, code) for an image of shape (C, H, W): the weights drawn from `seed`, z ~ U(0, 1/10).

    channels None for 32, or for 64 if the image has more than 2¹⁷ pixels: 32 cannot hold the details of a larger
    one. scales is that of `fitting_scales`. The image that the network makes of the code (1, inputs, …) has the
    next multiples of 2^scales as its height and width, to be cropped; the hourglass's code is drawn for (H, W) and
    padded by reflection. z has a generator of its own: it must not repeat the weights. torch's random state is left as
    it was. Raises BadInput for a skip or padding with the Deep Decoder, which has neither.
    """
    if network == "deep_decoder" and (skip or padding != "reflect"):
        raise BadInput(f"skip={skip}, padding={padding}: not allowed with network=deep_decoder; must be 0 and reflect")
    outputs, height, width = shape
    channels, scales = channels or (64 if height * width > 2**17 else 32), fitting_scales(scales, height, width)
    step = 2**scales
    settings = {"upsampling": upsampling, "p_keep": p_keep, "seed": seed}
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(seed)
        if network == "hourglass":
            made = Hourglass(inputs, outputs, channels, scales, skip=skip, padding=padding, **settings)
        else:
            made = DeepDecoder(inputs, outputs, channels, scales, **settings)
    size = (height, width) if network == "hourglass" else (-(-height // step), -(-width // step))
    random = np.random.default_rng([seed, 1])  # streams 2 and 3 are the input noise's and the dropout's
    code = torch.from_numpy(0.1 * random.random((1, inputs, *size), dtype=np.float32))
    if network == "hourglass":
        code = functional.pad(code, (0, -width % step, 0, -height % step), mode="reflect")
    return made, code


def stream(seed, *keys):
    """Return the seed of a generator of its own for each (seed, keys); `seed` itself is that of the weights."""
    return int(np.random.SeedSequence([seed, *keys]).generate_state(1)[0])


class Convolution(nn.Conv2d):
    """A convolution that keeps the size, or halves it if stride = 2; padding "reflect" or "zeros"; a norm follows it.

    bordered  on CUDA what it gets has its border already, see `Norm`. There the bias, which the norm takes out again
              and for which torch goes through the image twice, is left out.
    """

    def __init__(self, inputs, outputs, size, stride, padding, bordered=False):
        super().__init__(inputs, outputs, size, stride, size // 2, padding_mode=padding)
        self.bordered = bordered

    def forward(self, *parts):
        """Return the convolution of tensors (B, C_i, H, W) laid one before the other along the channels."""
        if not has_triton(parts[0].device):
            return convolve(parts, self.weight, self.bias, self.stride[0], self.padding_mode)
        if self.bordered:
            return product(*parts, self.weight, None, self.stride[0])
        return convolve(parts, self.weight, None, self.stride[0], self.padding_mode)


class Norm(nn.BatchNorm2d):
    """Batch normalisation by the statistics of what it is given: an image is normalised by itself; then LeakyReLU.

    slope   of the LeakyReLU below zero; 1 for none.
    border  on CUDA, where a pass over an image costs more than what is done in it, the result has its border by
            reflection already.
    """

    def __init__(self, width, slope=1.0, border=False):
        super().__init__(width, track_running_stats=False)
        self.slope, self.border = slope, border

    def forward(self, x, up=None):
        """Return x (B, C, H, W) normed and activated; on CUDA it may be doubled before, see steps/prior/fused.py."""
        if has_triton(x.device):
            from steps.prior import fused

            return fused.normalise(x, self.weight, self.bias, self.eps, self.slope, up, self.border)
        x = super().forward(x)
        return x if self.slope == 1 else functional.leaky_relu_(x, self.slope)


class Up(nn.Module):
    """One time up: x at twice its size – norm, `skip` channels laid before it – conv3×3 – what comes `after`."""

    def __init__(self, skip, channels, upsampling, padding, after):
        super().__init__()
        self.enlarge = Upsample(upsampling)
        border = padding == "reflect" and not skip
        self.norm = Norm(channels, border=border)
        self.convolution = Convolution(skip + channels, channels, 3, 1, padding, border)
        self.after = after

    def forward(self, *parts):
        """Return (B, channels, 2 H, 2 W) for parts ([skip channels at that size,] x of (B, channels, H, W))."""
        *beside, x = parts
        if has_triton(x.device):
            return self.after(self.convolution(*beside, self.norm(x, self.enlarge.mode)))
        bilinear = self.enlarge.mode == "bilinear"
        if bilinear and not pays(x):
            return self.after(self.convolution(*beside, self.norm(self.enlarge(x))))
        weight, padding = self.convolution.weight, self.convolution.padding_mode
        skip = weight.shape[1] - x.shape[1]
        normed = normalise_doubled(x, self.norm.weight, self.norm.bias, self.norm.eps) if bilinear else self.norm(x)
        y = convolve_doubled(normed, weight[:, skip:], self.convolution.bias, padding, self.enlarge.mode)
        return self.after(y + convolve(beside, weight[:, :skip], padding=padding) if beside else y)


def norm(channels):
    """Return batch normalisation, always by the statistics of what it is given: an image is normalised by itself."""
    return nn.BatchNorm2d(channels, track_running_stats=False)


class Upsample(nn.Upsample):
    """(B, C, H, W) to (B, C, 2 H, 2 W); mode "bilinear" (pixel centres kept) or "nearest"."""

    def __init__(self, mode):
        super().__init__(scale_factor=2, mode=mode, align_corners=False if mode == "bilinear" else None)


def count_parameters(network):
    """Return the number of a network's parameters."""
    return sum(math.prod(parameter.shape) for parameter in network.parameters())
