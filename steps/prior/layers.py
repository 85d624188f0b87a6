"""Layers of the networks that are faster than torch's own, and what torch has no layer for."""

import torch
from torch import nn
from torch.nn import functional

ROWS = {"cpu": 2**13, "cuda": 2**20}  # pixels that `project` makes float32 at a time; on a CPU they stay in the cache


def convolve(parts, weight, bias=None, stride=1, padding="reflect"):
    """Return the convolution of tensors (B, C_i, H, W), laid one before the other along the channels.

    weight is (O, Σ C_i, k, k) with k odd; the padding is by k // 2, "reflect" or "zeros". The result is (B, O, H, W),
    or half of that if stride = 2. torch's own reflection would pad bfloat16 in float32, in a pass of its own after that
    of laying side by side.
    """
    width = weight.shape[-1] // 2
    if width and padding == "reflect":
        return functional.conv2d(_Pad.apply(1, *parts), weight, bias, stride)
    return functional.conv2d(torch.cat(parts, 1) if len(parts) > 1 else parts[0], weight, bias, stride, width)


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


def convolve_doubled(x, weight, bias, padding):
    """Return the 3×3 convolution of x (B, C, H, W) at twice its size by nearest neighbours: (B, O, 2 H, 2 W).

    Where the kernel falls on one pixel of x twice, its weights are added first. So each of the four pixels that come of
    one pixel of x sees 2×2 of them: 16 products instead of 36, and nothing is computed at twice the size.
    weight is (O, C, 3, 3); padding "reflect" or "zeros", which is that of the doubled x.
    """
    kernels = torch.cat([kernel for rows in _add_twice_seen(weight, 2) for kernel in _add_twice_seen(rows, 3)])
    padded = _Pad.apply(0, x) if padding == "reflect" else functional.pad(x, (1, 1, 1, 1))
    return _Interleave.apply(functional.conv2d(padded, kernels, bias.repeat(4)))


def _add_twice_seen(weight, dim):
    """Return the kernels, 2 wide, of the even and of the odd outputs along one dimension."""
    before, here, after = weight.unbind(dim)
    return torch.stack((before, here + after), dim), torch.stack((before + here, after), dim)


class _Interleave(torch.autograd.Function):
    """(B, 4 O, H + 1, W + 1), the outputs for even and odd rows × even and odd columns, to (B, O, 2 H, 2 W)."""

    @staticmethod
    def forward(ctx, x):
        batch, channels, height, width = x.shape
        ctx.size = x.shape
        size = (batch, channels // 4, 2 * height - 2, 2 * width - 2)
        result = _empty(size, x)
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
