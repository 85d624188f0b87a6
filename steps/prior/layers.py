"""Layers of the networks that are faster than torch's own, and what torch has no layer for."""

import itertools

import torch
from torch import nn
from torch.nn import functional

from steps.prior.processor import has_avx512

ROWS = {"cpu": 2**13, "cuda": 2**20}  # pixels that `project` makes float32 at a time; on a CPU they stay in the cache
SIDES = ((2, 0), (2, 1), (3, 0), (3, 1))  # dimension and end: top, bottom, left, right
PIXELS = 2**11  # whose windows `_sum_of_windows` copies at a time


def convolve(parts, weight, bias=None, stride=1, padding="reflect"):
    """Return the convolution of tensors (B, C_i, H, W), laid one before the other along the channels.

    weight is (O, Σ C_i, k, k) with k odd; the padding is by k // 2, "reflect" or "zeros". The result is (B, O, H, W),
    or half of that if stride = 2.
    """
    width = weight.shape[-1] // 2
    if width and padding == "reflect":
        return _product(_pad(padding, *parts), weight, bias, stride)
    return _product(torch.cat(parts, 1) if len(parts) > 1 else parts[0], weight, bias, stride, width)


def _pad(mode, *parts):
    """Return tensors (B, C_i, H, W) as one (B, Σ C_i, H + 2, W + 2), mode "reflect" or "replicate".

    torch's own pass is the fastest on a CPU, though autocast would have it in float32; on CUDA its gradient is summed
    in no fixed order.
    """
    if parts[0].device.type != "cpu":
        return _Pad.apply(1 if mode == "reflect" else 0, *parts)
    with torch.autocast("cpu", enabled=False):
        return functional.pad(torch.cat(parts, 1) if len(parts) > 1 else parts[0], (1, 1, 1, 1), mode=mode)


def _product(x, weight, bias, stride=1, padding=0):
    """Return torch's convolution; where oneDNN's gradient of a weight is slow, that comes from matrix products."""
    if x.device.type == "cpu" and x.dtype != torch.bfloat16:
        if weight.shape[-1] == stride == 1:
            return _image(functional.linear(_rows(x), weight.flatten(1), bias), x)
        if not has_avx512():
            return _Convolution.apply(x, weight, bias, stride, padding)
    return functional.conv2d(x, weight, bias, stride, padding)


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, stride, padding):
        ctx.save_for_backward(x, weight)
        ctx.settings = (stride, stride), (padding, padding), (1, 1), False, (0, 0), 1
        return functional.conv2d(x, weight, bias, stride, padding)

    @staticmethod
    def backward(ctx, gradient):
        (x, weight), (stride, padding, *_) = ctx.saved_tensors, ctx.settings
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        for_x, for_weight, for_bias = None, None, None
        if ctx.needs_input_grad[0]:
            wanted = (True, False, False)
            for_x = torch.ops.aten.convolution_backward(gradient, x, weight, None, *ctx.settings, wanted)[0]
        if ctx.needs_input_grad[1]:
            padded = functional.pad(x, 2 * padding + 2 * padding) if padding[0] else x
            for_weight = _sum_of_windows(padded, gradient, weight.shape[-1], stride[0])
        if ctx.needs_input_grad[2]:
            for_bias = gradient.sum((0, 2, 3))
        return for_x, for_weight, for_bias, None, None


def _sum_of_windows(x, gradient, width, stride):
    """Return the gradient (O, C, k, k) of a weight: the sum over pixels of gradient (O,) times window of x (C, k, k).

    A few lines at a time, so that the windows of a line, which overlap and are copied, stay in the cache.
    """
    (batch, channels, _, across), (_, outputs, height, places) = x.shape, gradient.shape
    x = x.contiguous(memory_format=torch.channels_last)
    line, step = across * channels, max(1, PIXELS // places)
    result = x.new_zeros((width, width * channels, outputs))
    for image, top in itertools.product(range(batch), range(0, height, step)):
        part = gradient[image, :, top : top + step].permute(1, 2, 0)
        size = (stride * (len(part) - 1) + width, places, width * channels)
        start = x[image, :, stride * top].storage_offset()
        windows = x.as_strided(size, (line, stride * channels, 1), start).contiguous()
        for row in range(width):
            rows = windows[row : row + stride * len(part) : stride].reshape(-1, width * channels)
            result[row].addmm_(rows.t(), part.reshape(-1, outputs))
    return result.view(width, width, channels, outputs).permute(3, 2, 0, 1)


class _Pad(torch.autograd.Function):
    """Tensors (B, C_i, H, W) to one (B, Σ C_i, H + 2, W + 2) in channels_last.

    The border repeats the line that is `inside` lines from the edge: 1 reflects, 0 replicates. The gradient is summed
    in a fixed order.
    """

    @staticmethod
    def forward(ctx, inside, *parts):
        batch, _, height, width = parts[0].shape
        ctx.inside, ctx.channels = inside, [part.shape[1] for part in parts]
        padded = _empty((batch, sum(ctx.channels), height + 2, width + 2), parts[0])
        for part, place in zip(parts, padded.split(ctx.channels, 1)):
            place[..., 1:-1, 1:-1] = part
        padded[..., 0, 1:-1] = padded[..., 1 + inside, 1:-1]
        padded[..., -1, 1:-1] = padded[..., -2 - inside, 1:-1]
        padded[..., 0] = padded[..., 1 + inside]
        padded[..., -1] = padded[..., -2 - inside]
        return padded

    @staticmethod
    def backward(ctx, gradient):
        """Return the adjoint: every border line is added to the line it was taken from."""
        return None, *(_fold(part, ctx.inside) for part in gradient.split(ctx.channels, 1))


def _empty(size, like):
    return torch.empty(size, dtype=like.dtype, device=like.device, memory_format=torch.channels_last)


def _fold(gradient, inside):
    inner = gradient[..., 1:-1, 1:-1].clone(memory_format=torch.channels_last)
    for taken, border in ((inside, 0), (-1 - inside, -1)):
        column = gradient[..., border]
        inner[..., taken] += column[..., 1:-1]
        inner[..., inside, taken] += column[..., 0]
        inner[..., -1 - inside, taken] += column[..., -1]
        inner[..., taken, :] += gradient[..., border, 1:-1]
    return inner


def convolve_doubled(x, weight, bias, padding, upsampling="nearest"):
    """Return the 3×3 convolution of x (B, C, H, W) at twice its size: (B, O, 2 H, 2 W).

    With upsampling "nearest" the kernel falls on one pixel of x twice, and those weights are added first. So each of
    the four pixels that come of one pixel of x sees 2×2 of them: 16 products instead of 36, and nothing is computed at
    twice the size. "bilinear" is "nearest" smoothed by (1, 2, 1)/4 along rows and columns, and smoothing the product
    does the same; only the outermost lines, which see the padding, are made as one would.
    weight is (O, C, 3, 3); padding "reflect" or "zeros", which is that of the doubled x.
    """
    kernels = torch.cat([kernel for rows in _add_twice_seen(weight, 2) for kernel in _add_twice_seen(rows, 3)])
    repeated = upsampling == "bilinear" or padding == "reflect"
    padded = _pad("replicate", x) if repeated else functional.pad(x, (1, 1, 1, 1))
    phases = _product(padded, kernels, bias.repeat(4))
    if upsampling == "nearest":
        return _Interleave.apply(phases)
    lines = [_outermost(near, weight, bias, padding, *side) for near, side in zip(_Sides.apply(x), SIDES)]
    return _Smooth.apply(phases, *lines)


def _add_twice_seen(weight, dim):
    """Return the kernels, 2 wide, of the even and of the odd outputs along one dimension."""
    before, here, after = weight.unbind(dim)
    return torch.stack((before, here + after), dim), torch.stack((before + here, after), dim)


class _Sides(torch.autograd.Function):
    """The two outermost lines of x on each of its SIDES."""

    @staticmethod
    def forward(ctx, x):
        ctx.size = x.shape
        return tuple(_lines(x, side, 2).clone() for side in SIDES)

    @staticmethod
    def backward(ctx, *gradients):
        x = _empty(ctx.size, gradients[0]).zero_()
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
        result = _empty((batch, channels // 4, 2 * height - 2, 2 * width - 2), x)
        for place, part in _places(result, x):
            place.copy_(part)
        return result

    @staticmethod
    def backward(ctx, gradient):
        x = _empty(ctx.size, gradient).zero_()
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
        doubled = _empty((batch, channels // 4, 2 * height, 2 * width), x)
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
    """Return x (B, C, H, W), each channel by mean and variance of what it is doubled bilinearly, times weight plus bias.

    Doubled, it is the batch normalisation of x doubled: the mean of that is the mean of x, and the mean of its square
    is the mean of x times x smoothed by (3, 10, 3)/16 along rows and columns, the lines at the edges repeated.
    """
    return _NormaliseDoubled.apply(x, weight, bias, eps)


class _NormaliseDoubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, eps):
        wide = x.to(weight.dtype)
        centred = wide - wide.mean((0, 2, 3), keepdim=True)
        smoothed = smooth(_pad("replicate", centred), (3 / 16, 10 / 16, 3 / 16))
        scale = ((centred * smoothed).mean((0, 2, 3)) + eps).rsqrt()
        ctx.save_for_backward(centred, smoothed, weight, scale)
        return torch.addcmul(bias[:, None, None], centred, (scale * weight)[:, None, None]).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        centred, smoothed, weight, scale = ctx.saved_tensors
        wide = gradient.to(weight.dtype)
        for_bias, for_scale = wide.sum((0, 2, 3)), (wide * centred).sum((0, 2, 3))
        count = wide.numel() // len(weight)
        step = scale * weight
        drift = (step * scale.square() * for_scale / count)[:, None, None]
        for_x = torch.addcmul((wide - (for_bias / count)[:, None, None]) * step[:, None, None], smoothed, drift, value=-1)
        return for_x.to(gradient.dtype), for_scale * scale, for_bias, None


def project(x, weight, bias=None):
    """Return the 1×1 convolution of x (B, C, H, W) to few channels (B, O, H, W), in float32 whatever x is.

    An image needs more than bfloat16's 8 bits, its gradient does not: that of x has the type of x. weight is
    (O, C, 1, 1) and bias (O,), float32.
    """
    return _Project.apply(x, weight, bias)


class _Project(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        ctx.biased = bias is not None
        rows, matrix = _rows(x), weight.flatten(1)
        result = torch.empty((len(rows), len(matrix)), dtype=torch.float32, device=x.device)
        step = ROWS[x.device.type]
        for chunk, place in zip(rows.split(step), result.split(step)):
            torch.mm(chunk.float(), matrix.t(), out=place)
        if ctx.biased:
            result += bias
        return _image(result, x)

    @staticmethod
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        rows = _rows(gradient)
        narrow = rows.to(x.dtype)
        for_x = _image(narrow @ weight.flatten(1).to(x.dtype), x)
        for_weight = (narrow.t() @ _rows(x)).to(weight.dtype).view_as(weight)
        return for_x, for_weight, rows.sum(0) if ctx.biased else None


def _rows(x):
    """Return x (B, C, H, W) as (B·H·W, C), a view if it is channels_last."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def _image(rows, like):
    """Return (B·H·W, C) as (B, C, H, W) in channels_last, B, H, W being those of `like`."""
    batch, _, height, width = like.shape
    return rows.view(batch, height, width, -1).permute(0, 3, 1, 2)


class Dropout(nn.Module):
    """Keep each value with probability p_keep and divide it by p_keep, else 0; the identity in evaluation mode.

    The draws come from a generator of this layer's own, not from torch's global one. Source: Srivastava et al. (2014).
    """

    def __init__(self, p_keep, seed):
        super().__init__()
        self.p_keep, self.seed, self.generator = p_keep, seed, None

    def forward(self, x):
        """Return x with some of its values dropped, in training mode."""
        if not self.training:
            return x
        if self.generator is None or self.generator.device != x.device:
            self.generator = torch.Generator(x.device).manual_seed(self.seed)
        kept = torch.empty_like(x).bernoulli_(self.p_keep, generator=self.generator)
        return x * kept.div_(self.p_keep)
