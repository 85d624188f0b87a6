"""The norm and the 3×3 convolution of an image at twice its size, computed at its own."""

import torch
from torch.nn import functional

from steps.prior.layers import empty, pad, product

SIDES = ((2, 0), (2, 1), (3, 0), (3, 1))  # dimension and end: top, bottom, left, right
TWICE_SEEN = ((1, 0, 0), (0, 1, 1)), ((1, 1, 0), (0, 0, 1))  # the weights that even and odd outputs add for 2 pixels


def pays(x):
    """Return whether bilinear `convolve_doubled` beats doubling x: not where products are cheap or few."""
    return x.device.type == "cpu" and x.dtype != torch.bfloat16 and x.numel() * x.shape[1] >= 2**21


def convolve_doubled(x, weight, bias, padding, upsampling="nearest"):
    """Return the 3×3 convolution of x (B, C, H, W) at twice its size: (B, O, 2 H, 2 W).

    With upsampling "nearest" the kernel falls on one pixel of x twice, and those weights are added first. So each of
    the four pixels that come of one pixel of x sees 2×2 of them: 16 products instead of 36, and nothing is computed at
    twice the size. Doubling bilinearly is doubling so and smoothing by (1, 2, 1)/4 along rows and columns, for which
    the product may be smoothed instead; its outermost lines, which see the padding, are made from x doubled.
    weight is (O, C, 3, 3); padding "reflect" or "zeros", which is that of the doubled x.
    """
    with torch.autocast(x.device.type, enabled=False):
        twice = torch.tensor(TWICE_SEEN, dtype=weight.dtype, device=weight.device)
        kernels = torch.einsum("pai,qbj,ocij->pqocab", twice, twice, weight).flatten(0, 2)
    repeated = upsampling == "bilinear" or padding == "reflect"
    padded = pad("replicate", x) if repeated else functional.pad(x, (1, 1, 1, 1))
    phases = product(padded, kernels, bias.repeat(4))
    if upsampling == "nearest":
        return _Interleave.apply(phases)
    lines = [_outermost(near, weight, bias, padding, *side) for near, side in zip(_Sides.apply(x), SIDES)]
    return _Smooth.apply(phases, *lines)


class _Sides(torch.autograd.Function):
    """The two outermost lines of x on each of its SIDES."""

    @staticmethod
    def forward(ctx, x):
        ctx.size = x.shape
        return tuple(_lines(x, side, 2).clone() for side in SIDES)

    @staticmethod
    def backward(ctx, *gradients):
        x = empty(ctx.size, gradients[0]).zero_()
        for side, gradient in zip(SIDES, gradients):
            _lines(x, side, 2).add_(gradient)
        return x


def _lines(x, side, count):
    dim, end = side
    count = min(count, x.shape[dim])
    return x.narrow(dim, end * (x.shape[dim] - count), count)


def _outermost(near, weight, bias, padding, dim, end):
    """Return the outermost line on a side of the convolution of x doubled bilinearly, from the two of x near it."""
    doubled = _lines(functional.interpolate(near, scale_factor=2, mode="bilinear"), (dim, end), 2)
    around = [1, 1, 1, 1]  # left, right, top, bottom
    around[2 * (3 - dim) + 1 - end] = 0
    padded = functional.pad(doubled, around, mode="reflect" if padding == "reflect" else "constant")
    return functional.conv2d(padded, weight, bias)


class _Interleave(torch.autograd.Function):
    """(B, 4 O, H + 1, W + 1), the outputs for even and odd rows × even and odd columns, to (B, O, 2 H, 2 W)."""

    @staticmethod
    def forward(ctx, x):
        batch, channels, height, width = x.shape
        ctx.size = x.shape
        result = empty((batch, channels // 4, 2 * height - 2, 2 * width - 2), x)
        for place, part in _places(result, x):
            place.copy_(part)
        return result

    @staticmethod
    def backward(ctx, gradient):
        x = empty(ctx.size, gradient).zero_()
        for place, part in _places(gradient, x):
            part.copy_(place)
        return x


def _places(doubled, parts):
    height, width = parts.shape[-2] - 1, parts.shape[-1] - 1
    for index, part in enumerate(parts.chunk(4, 1)):
        row, column = divmod(index, 2)
        yield doubled[..., row::2, column::2], part[..., row : row + height, column : column + width]


class _Smooth(torch.autograd.Function):
    """The outputs as `_Interleave` has them, with one more on every side, smoothed; the outermost lines are given."""

    @staticmethod
    def forward(ctx, x, *outermost):
        batch, channels, height, width = x.shape
        doubled = empty((batch, channels // 4, 2 * height, 2 * width), x)
        for index, part in enumerate(x.chunk(4, 1)):
            doubled[..., 1 - index // 2 :: 2, 1 - index % 2 :: 2] = part
        result = smooth(doubled, (0.25, 0.5, 0.25))
        for side, line in zip(SIDES, outermost):
            _lines(result, side, 1).copy_(line)
        return result

    @staticmethod
    def backward(ctx, gradient):
        padded = functional.pad(gradient, (2, 2, 2, 2)).contiguous(memory_format=torch.channels_last)
        inner, lines = padded[..., 2:-2, 2:-2], []
        for side in reversed(SIDES):  # a corner's gradient is that of the line which was laid last
            line = _lines(inner, side, 1)
            lines.insert(0, line.clone())
            line.zero_()
        doubled = smooth(padded, (0.25, 0.5, 0.25))
        places = [doubled[..., 1 - row :: 2, 1 - column :: 2] for row in (0, 1) for column in (0, 1)]
        return torch.cat(places, 1), *lines


def smooth(x, weights):
    """Return x (B, C, H, W) smoothed by three weights along columns and rows, without the outermost lines."""
    weights = torch.tensor(weights, dtype=x.dtype)
    kernel = torch.outer(weights, weights).expand(x.shape[1], 1, 3, 3)
    return functional.conv2d(x, kernel.contiguous(), groups=x.shape[1])


def normalise_doubled(x, weight, bias, eps):
    """Return what, doubled bilinearly, is the batch norm of x (B, C, H, W) doubled, with weight and bias (C,).

    Nothing is doubled: the mean of x doubled is that of x, and the mean of its square is the mean of x times x smoothed
    by (3, 10, 3)/16 along rows and columns, the outermost lines repeated. All are of one type, not bfloat16.
    """
    return _NormaliseDoubled.apply(x, weight, bias, eps)


class _NormaliseDoubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, eps):
        centred = x - x.mean((0, 2, 3), keepdim=True)
        smoothed = smooth(pad("replicate", centred), (3 / 16, 10 / 16, 3 / 16))
        scale = ((centred * smoothed).mean((0, 2, 3)) + eps).rsqrt()
        ctx.save_for_backward(centred, smoothed, weight, scale)
        return torch.addcmul(bias[:, None, None], centred, (scale * weight)[:, None, None])

    @staticmethod
    def backward(ctx, gradient):
        centred, smoothed, weight, scale = ctx.saved_tensors
        count = gradient.numel() // len(weight)
        for_bias, for_scale = gradient.sum((0, 2, 3)), (gradient * centred).sum((0, 2, 3))
        step = scale * weight
        drift = step * scale.square() * for_scale / count
        for_x = (gradient - (for_bias / count)[:, None, None]) * step[:, None, None]
        return for_x.addcmul_(smoothed, drift[:, None, None], value=-1), for_scale * scale, for_bias, None
