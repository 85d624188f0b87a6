"""On CUDA: the norm, with what comes before it and after it, and the last convolution, each in few passes over memory.

An iteration of the hourglass on a GPU is bound by memory. torch's own layers go through it once for the mean, once for
the norm, once for LeakyReLU, once for the border, and again as often for gradients. Here an image (C, H, W), in
channels_last, is read once for its moments and once to be normed, activated, doubled and given its border. Sums are
added in a fixed order, so that the same bits come again. Written in Triton, which comes with torch for CUDA.
"""

import torch
import triton
import triton.language as tl

TILE = 4096  # values that a program has in registers, 16 in each thread
WARPS = 8
PROGRAMS = 528  # at most, that add up sums: four for each multiprocessor of an H100
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
        _, channels, height, width = x.shape
        pixels = height * width
        tile = _tile(channels)
        sums = _sums(x, pixels, tile)
        statistics = torch.empty((4, channels), dtype=torch.float32, device=x.device)
        far, near = DOUBLING[up]
        _moments[(len(sums),)](x, sums, height, width, far, near, up == "bilinear", channels, *tile, num_warps=WARPS)
        _statistics[_split(channels)](sums, x, weight, bias, statistics, len(sums), pixels, eps, channels, 256, 8)
        across = 1 + (up is not None)
        size = (1, channels, across * height + 2 * border, across * width + 2 * border)
        y = torch.empty(size, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
        grid = (triton.cdiv(size[2] * size[3], tile[0]),)
        _normed[grid](
            x, statistics, y, height, width, slope, far, near, across, border, channels, *tile, num_warps=WARPS
        )
        ctx.save_for_backward(x, statistics)
        ctx.settings = slope, up, border, tile
        return y

    @staticmethod
    def backward(ctx, gradient):
        x, statistics = ctx.saved_tensors
        slope, up, border, tile = ctx.settings
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        _, channels, height, width = x.shape
        pixels = height * width
        far, near = DOUBLING[up]
        sums = _sums(x, pixels, tile)
        grads = torch.empty((2, channels), dtype=torch.float32, device=x.device)
        for_x = torch.empty_like(x)
        grid = (triton.cdiv(pixels, tile[0]),)
        if up is None:
            _folded[(len(sums),)](
                gradient, x, statistics, sums, height, width, slope, border, channels, *tile, num_warps=WARPS
            )
            _gradients[_split(channels)](sums, statistics, grads, len(sums), channels, 256, 8)
            _for_x[grid](
                gradient, x, statistics, grads, for_x, height, width, slope, border, channels, *tile, num_warps=WARPS
            )
        else:
            halved = torch.empty_like(x)
            _halved[(len(sums),)](
                gradient,
                x,
                statistics,
                halved,
                sums,
                height,
                width,
                far,
                near,
                border,
                channels,
                *tile,
                num_warps=WARPS,
            )
            _gradients[_split(channels)](sums, statistics, grads, len(sums), channels, 256, 8)
            bilinear = up == "bilinear"
            _for_doubled[grid](
                halved,
                x,
                statistics,
                grads,
                for_x,
                height,
                width,
                far,
                near,
                bilinear,
                channels,
                *tile,
                num_warps=WARPS,
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
        tile = _tile(channels)
        grid = (triton.cdiv(height * width, tile[0]),)
        _projected[grid](
            x,
            weight,
            y if bias is None else bias,
            y,
            height * width,
            bias is not None,
            len(weight),
            channels,
            *tile,
            num_warps=WARPS,
        )
        ctx.save_for_backward(x, weight)
        ctx.biased, ctx.tile = bias is not None, tile
        return y

    @staticmethod
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        _, channels, height, width = x.shape
        gradient = gradient.contiguous()
        for_x = torch.empty_like(x)
        outputs = len(weight)
        sums = _sums(x, height * width, ctx.tile, outputs)
        _unprojected[(len(sums),)](
            gradient, x, weight, for_x, sums, height * width, outputs, channels, *ctx.tile, num_warps=WARPS
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


def _split(channels):
    return (triton.cdiv(channels, 8),)


@triton.jit
def _places(start, pixels, C: tl.constexpr, BP: tl.constexpr, BC: tl.constexpr):
    """Return pixels (BP, 1), channels (1, BC), and which of both there are."""
    p = (start + tl.arange(0, BP))[:, None]
    c = tl.arange(0, BC)[None, :]
    return p, c, (p < pixels) & (c < C)


@triton.jit
def _at(x, row, column, width, c, there, C: tl.constexpr):
    """Return x (H, W, C) there, float32; 0 elsewhere."""
    place = (row * width + column).to(tl.int64) * C + c
    return tl.load(x + place, mask=there, other=0).to(tl.float32)


@triton.jit
def _at_the_edge(start, height, width, BP: tl.constexpr):
    """Return whether one of BP pixels from `start` on may be within two of the edge of (height, width)."""
    row, column = start // width, start % width
    return (row < 2) | (row >= height - 2) | (column < 2) | (column + BP > width - 2)


@triton.jit
def _spread(x, pivot, row, column, height, width, c, there, far, near, C: tl.constexpr):
    """Return Uᵀ U (x − pivot) at a pixel, U being bilinear doubling: (3, 10, 3)/8 along rows and columns."""
    beside, middle = 2 * far * near, 2 * (far * far + near * near)
    total = tl.zeros(there.shape, tl.float32)
    for down in tl.static_range(-1, 2):
        r = tl.minimum(tl.maximum(row + down, 0), height - 1)
        line = tl.zeros(there.shape, tl.float32)
        for right in tl.static_range(-1, 2):
            k = tl.minimum(tl.maximum(column + right, 0), width - 1)
            line += (middle if right == 0 else beside) * (_at(x, r, k, width, c, there, C) - pivot)
        total += (middle if down == 0 else beside) * line
    return total


@triton.jit(do_not_specialize=["height", "width"])
def _moments(
    x, sums, height, width, far, near, SPREAD: tl.constexpr, C: tl.constexpr, BP: tl.constexpr, BC: tl.constexpr
):
    """Σ (x − pivot) and Σ (x − pivot)², of x doubled bilinearly Σ (x − pivot) Uᵀ U (x − pivot) / 4, for a program.

    The pivot is the first pixel: without one the square of a large mean would hide a small variance.
    """
    pixels = height * width
    first = tl.zeros((BP, BC), tl.float32)
    second = tl.zeros((BP, BC), tl.float32)
    _, c, inside = _places(0, pixels, C, BP, BC)
    pivot = tl.load(x + c, mask=c < C, other=0).to(tl.float32)
    for start in range(tl.program_id(0) * 2 * BP, pixels, tl.num_programs(0) * 2 * BP):  # two tiles are on their way
        p, c, there = _places(start, pixels, C, BP, BC)
        q, c, also = _places(start + BP, pixels, C, BP, BC)
        value, other = _at(x, 0, p, width, c, there, C), _at(x, 0, q, width, c, also, C)
        value, other = tl.where(there, value - pivot, 0.0), tl.where(also, other - pivot, 0.0)
        first += value + other
        if SPREAD:
            second += value * _spread(x, pivot, p // width, p % width, height, width, c, there, far, near, C) / 4
            second += other * _spread(x, pivot, q // width, q % width, height, width, c, also, far, near, C) / 4
        else:
            second += value * value + other * other
    lanes = tl.arange(0, BC)
    place = sums + tl.program_id(0) * 2 * C + lanes
    tl.store(place, tl.sum(first, 0), mask=lanes < C)
    tl.store(place + C, tl.sum(second, 0), mask=lanes < C)


@triton.jit
def _added(sums, programs, c, C: tl.constexpr, BP: tl.constexpr, BC: tl.constexpr):
    """Return both sums of all programs, (BC,) each."""
    first = tl.zeros((BP, BC), tl.float32)
    second = tl.zeros((BP, BC), tl.float32)
    for start in range(0, programs, BP):
        p = (start + tl.arange(0, BP))[:, None]
        there = (p < programs) & (c < C)[None, :]
        place = sums + p * 2 * C + c[None, :]
        first += tl.load(place, mask=there, other=0)
        second += tl.load(place + C, mask=there, other=0)
    return tl.sum(first, 0), tl.sum(second, 0)


@triton.jit(do_not_specialize=["pixels", "programs"])
def _statistics(
    sums, x, weight, bias, statistics, programs, pixels, eps, C: tl.constexpr, BP: tl.constexpr, BC: tl.constexpr
):
    """Mean, 1/√(variance + eps), and the factor and the summand that norm with weight and bias."""
    c = tl.program_id(0) * BC + tl.arange(0, BC)
    first, second = _added(sums, programs, c, C, BP, BC)
    first, second = first / pixels, second / pixels
    scale = 1 / tl.sqrt(tl.maximum(second - first * first, 0.0) + eps)
    mean = first + tl.load(x + c, mask=c < C, other=0).to(tl.float32)
    factor = scale * tl.load(weight + c, mask=c < C, other=0)
    summand = tl.load(bias + c, mask=c < C, other=0) - mean * factor
    tl.store(statistics + c, mean, mask=c < C)
    tl.store(statistics + C + c, scale, mask=c < C)
    tl.store(statistics + 2 * C + c, factor, mask=c < C)
    tl.store(statistics + 3 * C + c, summand, mask=c < C)


@triton.jit
def _reflected(k, size):
    """Return the pixel that a border of one pixel repeats by reflection; others stay."""
    k = tl.where(k < 0, -k, k)
    return tl.where(k >= size, 2 * size - 2 - k, k)


@triton.jit(do_not_specialize=["height", "width"])
def _normed(
    x,
    statistics,
    y,
    height,
    width,
    slope,
    far,
    near,
    ACROSS: tl.constexpr,
    BORDER: tl.constexpr,
    C: tl.constexpr,
    BP: tl.constexpr,
    BC: tl.constexpr,
):
    """y = LeakyReLU(factor · x + summand), x doubled if ACROSS is 2, with its border."""
    across = ACROSS * width + 2 * BORDER
    pixels = (ACROSS * height + 2 * BORDER) * across
    p, c, there = _places(tl.program_id(0) * BP, pixels, C, BP, BC)
    row, column = p // across, p % across
    if BORDER:
        row = _reflected(row - 1, ACROSS * height)
        column = _reflected(column - 1, ACROSS * width)
    if ACROSS == 1:
        value = _at(x, row, column, width, c, there, C)
    else:
        r, k = row // 2, column // 2
        value = near * near * _at(x, r, k, width, c, there, C)
        if far > 0:
            above = tl.minimum(tl.maximum(r + 2 * (row % 2) - 1, 0), height - 1)
            beside = tl.minimum(tl.maximum(k + 2 * (column % 2) - 1, 0), width - 1)
            value += near * far * _at(x, r, beside, width, c, there, C)
            value += near * far * _at(x, above, k, width, c, there, C)
            value += far * far * _at(x, above, beside, width, c, there, C)
    factor = tl.load(statistics + 2 * C + c, mask=c < C, other=0)
    summand = tl.load(statistics + 3 * C + c, mask=c < C, other=0)
    z = value * factor + summand
    z = tl.where(z > 0, z, slope * z)
    tl.store(y + p.to(tl.int64) * C + c, z.to(y.dtype.element_ty), mask=there)


@triton.jit
def _fold(gradient, start, row, column, height, width, c, there, BORDER: tl.constexpr, C: tl.constexpr):
    """Return the gradient at a pixel: that of its place, and of the border's places that repeat it."""
    total = _at(gradient, row + BORDER, column + BORDER, width + 2 * BORDER, c, there, C)
    if BORDER:  # noqa: SIM102, a constant, by which a kernel is compiled with the rest or without
        if _at_the_edge(start, height, width, row.shape[0]):
            for line in tl.static_range(3):
                r = row + 1 if line == 0 else (0 * row if line == 1 else 0 * row + height + 1)
                above = there if line == 0 else there & ((row == 1) if line == 1 else (row == height - 2))
                for post in tl.static_range(3):
                    if line + post > 0:
                        k = column + 1 if post == 0 else (0 * column if post == 1 else 0 * column + width + 1)
                        both = above if post == 0 else above & ((column == 1) if post == 1 else (column == width - 2))
                        total += _at(gradient, r, k, width + 2, c, both, C)
    return total


@triton.jit
def _before(g, value, statistics, c, there, slope, C: tl.constexpr):
    """Return (gradient before the activation, x − mean) of a gradient after it and the value of x."""
    mean = tl.load(statistics + c, mask=c < C, other=0)
    factor = tl.load(statistics + 2 * C + c, mask=c < C, other=0)
    summand = tl.load(statistics + 3 * C + c, mask=c < C, other=0)
    g = tl.where(value * factor + summand > 0, g, slope * g)
    return g, tl.where(there, value - mean, 0.0)


@triton.jit(do_not_specialize=["height", "width"])
def _folded(
    gradient,
    x,
    statistics,
    sums,
    height,
    width,
    slope,
    BORDER: tl.constexpr,
    C: tl.constexpr,
    BP: tl.constexpr,
    BC: tl.constexpr,
):
    """Σ g and Σ g (x − mean) for a program, g being the gradient before the activation; the border counts as well."""
    across = width + 2 * BORDER
    pixels = (height + 2 * BORDER) * across
    first = tl.zeros((BP, BC), tl.float32)
    second = tl.zeros((BP, BC), tl.float32)
    for start in range(tl.program_id(0) * 2 * BP, pixels, tl.num_programs(0) * 2 * BP):  # two tiles are on their way
        p, c, there = _places(start, pixels, C, BP, BC)
        q, c, also = _places(start + BP, pixels, C, BP, BC)
        g, h = _at(gradient, 0, p, width, c, there, C), _at(gradient, 0, q, width, c, also, C)
        if BORDER:
            p = _reflected(p // across - 1, height) * width + _reflected(p % across - 1, width)
            q = _reflected(q // across - 1, height) * width + _reflected(q % across - 1, width)
        value, other = _at(x, 0, p, width, c, there, C), _at(x, 0, q, width, c, also, C)
        g, value = _before(g, value, statistics, c, there, slope, C)
        h, other = _before(h, other, statistics, c, also, slope, C)
        first += g + h
        second += g * value + h * other
    lanes = tl.arange(0, BC)
    place = sums + tl.program_id(0) * 2 * C + lanes
    tl.store(place, tl.sum(first, 0), mask=lanes < C)
    tl.store(place + C, tl.sum(second, 0), mask=lanes < C)


@triton.jit(do_not_specialize=["programs"])
def _gradients(sums, statistics, grads, programs, C: tl.constexpr, BP: tl.constexpr, BC: tl.constexpr):
    """The gradients of weight and bias."""
    c = tl.program_id(0) * BC + tl.arange(0, BC)
    first, second = _added(sums, programs, c, C, BP, BC)
    scale = tl.load(statistics + C + c, mask=c < C, other=0)
    tl.store(grads + c, second * scale, mask=c < C)
    tl.store(grads + C + c, first, mask=c < C)


@triton.jit(do_not_specialize=["height", "width"])
def _for_x(
    gradient,
    x,
    statistics,
    grads,
    for_x,
    height,
    width,
    slope,
    BORDER: tl.constexpr,
    C: tl.constexpr,
    BP: tl.constexpr,
    BC: tl.constexpr,
):
    """The gradient of x: factor · (g − mean of g − x̂ · mean of g x̂), x̂ being x normed without weight and bias."""
    pixels = height * width
    p, c, there = _places(tl.program_id(0) * BP, pixels, C, BP, BC)
    row, column = p // width, p % width
    g = _fold(gradient, tl.program_id(0) * BP, row, column, height, width, c, there, BORDER, C)
    g, centred = _before(g, _at(x, row, column, width, c, there, C), statistics, c, there, slope, C)
    scale = tl.load(statistics + C + c, mask=c < C, other=0)
    factor = tl.load(statistics + 2 * C + c, mask=c < C, other=0)
    for_weight = tl.load(grads + c, mask=c < C, other=0) / pixels
    for_bias = tl.load(grads + C + c, mask=c < C, other=0) / pixels
    result = factor * (g - for_bias - centred * scale * for_weight)
    tl.store(for_x + p.to(tl.int64) * C + c, result.to(for_x.dtype.element_ty), mask=there)


@triton.jit
def _taps(k, size, tap: tl.constexpr, far, near, BORDER: tl.constexpr):
    """Return (place, weight) of the tap-th of the doubled pixels, with their border, that the k-th pixel goes into."""
    if tap < 4:
        place = tl.minimum(tl.maximum(2 * k - 1 + tap, 0), 2 * size - 1) + BORDER
        weight = tl.where(k >= 0, near if tap == 1 or tap == 2 else far, 0.0)
    elif tap == 4:  # the border before the first pixel repeats the second doubled one
        place = 0 * k
        weight = tl.where(k == 0, near, tl.where(k == 1, far, 0.0))
    else:
        place = 0 * k + 2 * size + 1
        weight = tl.where(k == size - 1, near, tl.where(k == size - 2, far, 0.0))
    return place, weight


@triton.jit(do_not_specialize=["height", "width"])
def _halved(
    gradient,
    x,
    statistics,
    halved,
    sums,
    height,
    width,
    far,
    near,
    BORDER: tl.constexpr,
    C: tl.constexpr,
    BP: tl.constexpr,
    BC: tl.constexpr,
):
    """h = Uᵀ gradient, U doubling with its border; Σ h and Σ h (x − mean) for a program."""
    pixels = height * width
    across = 2 * width + 2 * BORDER
    first = tl.zeros((BP, BC), tl.float32)
    second = tl.zeros((BP, BC), tl.float32)
    for start in range(tl.program_id(0) * BP, pixels, tl.num_programs(0) * BP):
        p, c, there = _places(start, pixels, C, BP, BC)
        row, column = p // width, p % width
        h = tl.zeros((BP, BC), tl.float32)
        for line in tl.static_range(4):
            r, above = _taps(row, height, line, far, near, BORDER)
            for post in tl.static_range(4):
                k, beside = _taps(column, width, post, far, near, BORDER)
                h += above * beside * _at(gradient, r, k, across, c, there & (above * beside != 0), C)
        if BORDER:  # noqa: SIM102
            if _at_the_edge(start, height, width, BP):
                for line in tl.static_range(6):
                    r, above = _taps(row, height, line, far, near, BORDER)
                    for post in tl.static_range(6):
                        if line > 3 or post > 3:
                            k, beside = _taps(column, width, post, far, near, BORDER)
                            h += above * beside * _at(gradient, r, k, across, c, there & (above * beside != 0), C)
        h = h.to(halved.dtype.element_ty)
        tl.store(halved + p.to(tl.int64) * C + c, h, mask=there)
        mean = tl.load(statistics + c, mask=c < C, other=0)
        centred = tl.where(there, _at(x, row, column, width, c, there, C) - mean, 0.0)
        first += h.to(tl.float32)
        second += h.to(tl.float32) * centred
    lanes = tl.arange(0, BC)
    place = sums + tl.program_id(0) * 2 * C + lanes
    tl.store(place, tl.sum(first, 0), mask=lanes < C)
    tl.store(place + C, tl.sum(second, 0), mask=lanes < C)


@triton.jit(do_not_specialize=["height", "width"])
def _for_doubled(
    halved,
    x,
    statistics,
    grads,
    for_x,
    height,
    width,
    far,
    near,
    SPREAD: tl.constexpr,
    C: tl.constexpr,
    BP: tl.constexpr,
    BC: tl.constexpr,
):
    """The gradient of x doubled and normed: Uᵀ of what `_for_x` has; Uᵀ 1 = 4, and Uᵀ U x̂ as `_spread` has it."""
    pixels = height * width
    p, c, there = _places(tl.program_id(0) * BP, pixels, C, BP, BC)
    row, column = p // width, p % width
    h = _at(halved, row, column, width, c, there, C)
    mean = tl.load(statistics + c, mask=c < C, other=0)
    scale = tl.load(statistics + C + c, mask=c < C, other=0)
    factor = tl.load(statistics + 2 * C + c, mask=c < C, other=0)
    for_weight = tl.load(grads + c, mask=c < C, other=0) / pixels
    for_bias = tl.load(grads + C + c, mask=c < C, other=0) / pixels
    if SPREAD:
        centred = _spread(x, mean, row, column, height, width, c, there, far, near, C) / 4
    else:
        centred = _at(x, row, column, width, c, there, C) - mean
    result = factor * (h - for_bias - centred * scale * for_weight)
    tl.store(for_x + p.to(tl.int64) * C + c, result.to(for_x.dtype.element_ty), mask=there)


@triton.jit(do_not_specialize=["pixels"])
def _projected(
    x,
    weight,
    bias,
    y,
    pixels,
    BIASED: tl.constexpr,
    OUTPUTS: tl.constexpr,
    C: tl.constexpr,
    BP: tl.constexpr,
    BC: tl.constexpr,
):
    """y (O, P) = weight (O, C) · x (P, C) + bias."""
    p, c, there = _places(tl.program_id(0) * BP, pixels, C, BP, BC)
    value = _at(x, 0, p, 1, c, there, C)
    places = tl.program_id(0) * BP + tl.arange(0, BP)
    for o in tl.static_range(OUTPUTS):
        total = tl.sum(value * tl.load(weight + o * C + c, mask=c < C, other=0), 1)
        if BIASED:
            total += tl.load(bias + o)
        tl.store(y + o * pixels + places, total, mask=places < pixels)


@triton.jit(do_not_specialize=["pixels"])
def _unprojected(
    gradient, x, weight, for_x, sums, pixels, OUTPUTS: tl.constexpr, C: tl.constexpr, BP: tl.constexpr, BC: tl.constexpr
):
    """The gradient of x, and for a program that of the weight."""
    o = tl.arange(0, 16)[:, None]  # the least that a matrix product takes
    total = tl.zeros((16, BC), tl.float32)
    for start in range(tl.program_id(0) * BP, pixels, tl.num_programs(0) * BP):
        p, c, there = _places(start, pixels, C, BP, BC)
        value = tl.load(x + p.to(tl.int64) * C + c, mask=there, other=0)
        places = (start + tl.arange(0, BP))[None, :]
        g = tl.load(gradient + o * pixels + places, mask=(o < OUTPUTS) & (places < pixels), other=0)
        total += tl.dot(g.to(value.dtype), value, input_precision="ieee")
        result = tl.zeros((BP, BC), tl.float32)
        for output in tl.static_range(OUTPUTS):
            g = tl.load(gradient + output * pixels + p, mask=p < pixels, other=0)
            result += g * tl.load(weight + output * C + c, mask=c < C, other=0)
        tl.store(for_x + p.to(tl.int64) * C + c, result.to(for_x.dtype.element_ty), mask=there)
    lanes = tl.arange(0, BC)[None, :]
    tl.store(sums + (tl.program_id(0) * OUTPUTS + o) * C + lanes, total, mask=(o < OUTPUTS) & (lanes < C))
