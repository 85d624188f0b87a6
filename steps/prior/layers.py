"""Layers of the networks that are faster than torch's own, and what torch has no layer for."""

import itertools

import torch
from torch import nn
from torch.nn import functional

from steps.prior.processor import has_avx512, has_triton

ROWS = {"cpu": 2**13, "cuda": 2**20}  # pixels that `project` makes float32 at a time; on a CPU they stay in the cache
PIXELS = 2**12  # whose windows `_sum_of_windows` copies at a time


def convolve(parts, weight, bias=None, stride=1, padding="reflect"):
    """Return the convolution of tensors (B, C_i, H, W), laid one before the other along the channels.

    weight is (O, Σ C_i, k, k) with k odd; the padding is by k // 2, "reflect" or "zeros". The result is (B, O, H, W),
    or half of that if stride = 2.
    """
    width = weight.shape[-1] // 2
    if width and padding == "reflect":
        return product(pad(padding, *parts), weight, bias, stride)
    return product(_beside(parts), weight, bias, stride, width)


def _beside(parts):
    return _Beside.apply(*parts) if len(parts) > 1 else parts[0]


class _Beside(torch.autograd.Function):
    """torch.cat along the channels; the gradient of each part is dense, on which norms are up to ten times as fast."""

    @staticmethod
    def forward(ctx, *parts):
        ctx.channels = [part.shape[1] for part in parts]
        return torch.cat(parts, 1)

    @staticmethod
    def backward(ctx, gradient):
        split = gradient.split(ctx.channels, 1)
        return tuple(part.contiguous(memory_format=torch.channels_last) for part in split)


def pad(mode, *parts):
    """Return tensors (B, C_i, H, W) as one (B, Σ C_i, H + 2, W + 2), mode "reflect" or "replicate".

    torch's own pass is the fastest on a CPU, though autocast would have it in float32; on CUDA its gradient is summed
    in no fixed order.
    """
    if parts[0].device.type != "cpu":
        return _Pad.apply(1 if mode == "reflect" else 0, *parts)
    with torch.autocast("cpu", enabled=False):
        return functional.pad(_beside(parts), (1, 1, 1, 1), mode=mode)


def product(x, weight, bias, stride=1, padding=0):
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
            padded = functional.pad(x, 2 * padding) if padding[0] else x
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
        padded = empty((batch, sum(ctx.channels), height + 2, width + 2), parts[0])
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


def empty(size, like):
    """Return an uninitialised tensor in channels_last of the type and on the device of another."""
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


def project(x, weight, bias=None):
    """Return the 1×1 convolution of x (B, C, H, W) to few channels (B, O, H, W), in float32 whatever x is.

    An image needs more than bfloat16's 8 bits, its gradient does not: that of x has the type of x. weight is
    (O, C, 1, 1) and bias (O,), float32.
    """
    if has_triton(x.device):
        from steps.prior import fused

        return fused.project(x, weight, bias)
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
        kept = torch.empty_like(x).bernoulli_(self.p_keep, generator=self.generator_on(x.device))
        return x * kept.div_(self.p_keep)

    def generator_on(self, device):
        """Return the layer's generator, a new one if it was on another device."""
        if self.generator is None or self.generator.device != device:
            self.generator = torch.Generator(device).manual_seed(self.seed)
        return self.generator
