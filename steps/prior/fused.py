"""On CUDA: the norm, with what comes before it and after it, and the last convolution, each in few passes over memory.

An iteration of the hourglass on a GPU is bound by memory. torch's own layers go through it once for the mean, once for
the norm, once for LeakyReLU, once for the border, and again as often for gradients. Here an image (C, H, W), in
channels_last, is read once for its moments and once to be normed, activated, doubled and given its border. Sums are
added in a fixed order, so that the same bits come again. Written in Triton, which comes with torch for CUDA.
"""

import math

import torch
import triton

from steps.prior import kernels
from steps.prior import kernels_of_gradients as gradients

TILE = 4096  # values that a program has in registers, 16 in each thread
WARPS = 8
PROGRAMS = 528  # at most, that add up sums: four for each multiprocessor of an H100
FEW = 256, 8  # programs' sums and channels that a program works on at once to add them up
DOUBLING = {None: (0.0, 1.0), "nearest": (0.0, 1.0), "bilinear": (0.25, 0.75)}  # weights of far and near pixels


def normalise(x, weight, bias, eps, slope=1.0, up=None, border=False):
    """Return LeakyReLU(batch norm of x), by the mean and variance of each channel of x itself.

    x is (1, C, H, W), weight and bias are (C,) float32. With up, "nearest" or "bilinear", it is x doubled, (1, C, 2 H,
    2 W), that is normed; then slope must be 1. With `border` there is one more pixel on every side, by reflection. The
    result is in channels_last and has the type of x.
    """
    return _Normalise.apply(x, weight, bias, eps, slope, up, border)


class _Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, eps, slope, up, border):
        x = x.contiguous(memory_format=torch.channels_last)
        one, channels, *size = x.shape
        assert one == 1, "images one by one"
        pixels, tile, doubling = math.prod(size), _tile(channels), DOUBLING[up]
        sums = _sums(x, pixels, tile)
        statistics = torch.empty((4, channels), dtype=torch.float32, device=x.device)
        kernels.moments[(len(sums),)](x, sums, *size, *doubling, up == "bilinear", channels, *tile, num_warps=WARPS)
        kernels.settle[_few(channels)](sums, x, weight, bias, statistics, len(sums), pixels, eps, channels, *FEW)
        across = 1 + (up is not None)
        height, width = (across * side + 2 * border for side in size)
        shape = 1, channels, height, width
        y = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
        kernels.norm[(triton.cdiv(height * width, tile[0]),)](
            x, statistics, y, *size, slope, *doubling, across, border, channels, *tile, num_warps=WARPS
        )
        ctx.save_for_backward(x, statistics)
        ctx.settings = slope, up, border, tile
        return y

    @staticmethod
    def backward(ctx, gradient):
        (x, statistics), (slope, up, border, tile) = ctx.saved_tensors, ctx.settings
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        _, channels, *size = x.shape
        sums, for_x = _sums(x, math.prod(size), tile), torch.empty_like(x)
        grads = torch.empty((2, channels), dtype=torch.float32, device=x.device)
        few, all_of_it = (len(sums),), (triton.cdiv(math.prod(size), tile[0]),)
        last = channels, *tile
        if up is None:
            start = gradient, x, statistics
            gradients.sums_of_gradient[few](*start, sums, *size, slope, border, *last, num_warps=WARPS)
            gradients.settle_gradients[_few(channels)](sums, statistics, grads, len(sums), channels, *FEW)
            gradients.gradient_of_norm[all_of_it](*start, grads, for_x, *size, slope, border, *last, num_warps=WARPS)
        else:
            halved, doubling = torch.empty_like(x), DOUBLING[up]
            start = halved, x, statistics
            gradients.halve[few](
                gradient, x, statistics, halved, sums, *size, *doubling, border, *last, num_warps=WARPS
            )
            gradients.settle_gradients[_few(channels)](sums, statistics, grads, len(sums), channels, *FEW)
            spread = up == "bilinear"
            gradients.gradient_of_doubled[all_of_it](
                *start, grads, for_x, *size, *doubling, spread, *last, num_warps=WARPS
            )
        return for_x, grads[0], grads[1], None, None, None, None


def project(x, weight, bias=None):
    """Return the 1×1 convolution of x (1, C, H, W) to few channels (1, O, H, W), in float32 whatever x is.

    weight is (O, C, 1, 1) and bias (O,), float32. The gradient of x has the type of x.
    """
    return _Project.apply(x, weight, bias)


class _Project(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        x = x.contiguous(memory_format=torch.channels_last)
        _, channels, height, width = x.shape
        y = torch.empty((1, len(weight), height, width), dtype=torch.float32, device=x.device)
        tile, biased = _tile(channels), bias is not None
        kernels.product[(triton.cdiv(height * width, tile[0]),)](
            x, weight, bias if biased else y, y, height * width, biased, len(weight), channels, *tile, num_warps=WARPS
        )
        ctx.save_for_backward(x, weight)
        ctx.biased, ctx.tile = biased, tile
        return y

    @staticmethod
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        _, channels, height, width = x.shape
        gradient = gradient.contiguous()
        for_x, outputs = torch.empty_like(x), len(weight)
        tile = min(ctx.tile[0], 1024), ctx.tile[1]  # a product's operands, 16 rows each, are in the GPU's fast memory
        sums = _sums(x, height * width, tile, outputs)
        gradients.gradient_of_product[(len(sums),)](
            gradient, x, weight, for_x, sums, height * width, outputs, channels, *tile, num_warps=WARPS
        )
        for_weight = sums.sum(0).view_as(weight)
        return for_x, for_weight, gradient.sum((0, 2, 3)) if ctx.biased else None


def _tile(channels):
    """Return (pixels, channels) of what a program works on at once, powers of two."""
    across = triton.next_power_of_2(channels)
    return max(16, TILE // across), across


def _sums(x, pixels, tile, kinds=2):
    """Return what programs write their sums to, (programs, kinds, C)."""
    programs = min(triton.cdiv(pixels, tile[0]), PROGRAMS)
    return torch.empty((programs, kinds, x.shape[1]), dtype=torch.float32, device=x.device)


def _few(channels):
    return (triton.cdiv(channels, FEW[1]),)
