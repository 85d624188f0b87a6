"""Kernels in Triton for the norm and the last convolution of steps/prior/fused.py: images (H, W, C), one after another.

A program works on BP pixels × BC channels at once, powers of two of which C channels count.
"""

import triton
import triton.language as tl


@triton.jit
def places(start, pixels, C: tl.constexpr, BP: tl.constexpr, BC: tl.constexpr):
    """Return pixels (BP, 1), channels (1, BC), and which of both there are."""
    p = (start + tl.arange(0, BP))[:, None]
    c = tl.arange(0, BC)[None, :]
    return p, c, (p < pixels) & (c < C)


@triton.jit
def at(x, row, column, width, c, there, C: tl.constexpr):
    """Return x (H, W, C) there, float32; 0 elsewhere."""
    place = (row * width + column).to(tl.int64) * C + c
    return tl.load(x + place, mask=there, other=0).to(tl.float32)


@triton.jit
def spread(x, pivot, row, column, height, width, c, there, far, near, C: tl.constexpr):
    """Return Uᵀ U (x − pivot) at a pixel, U being bilinear doubling: (3, 10, 3)/8 along rows and columns."""
    beside, middle = 2 * far * near, 2 * (far * far + near * near)
    total = tl.zeros(there.shape, tl.float32)
    for down in tl.static_range(-1, 2):
        r = tl.minimum(tl.maximum(row + down, 0), height - 1)
        line = tl.zeros(there.shape, tl.float32)
        for right in tl.static_range(-1, 2):
            k = tl.minimum(tl.maximum(column + right, 0), width - 1)
            line += (middle if right == 0 else beside) * (at(x, r, k, width, c, there, C) - pivot)
        total += (middle if down == 0 else beside) * line
    return total


@triton.jit(do_not_specialize=["height", "width"])
def moments(
    x, sums, height, width, far, near, SPREAD: tl.constexpr, C: tl.constexpr, BP: tl.constexpr, BC: tl.constexpr
):
    """Σ (x − pivot) and Σ (x − pivot)², of x doubled bilinearly Σ (x − pivot) Uᵀ U (x − pivot) / 4, for a program.

    The pivot is the first pixel: without one the square of a large mean would hide a small variance.
    """
    pixels = height * width
    first = tl.zeros((BP, BC), tl.float32)
    second = tl.zeros((BP, BC), tl.float32)
    _, c, inside = places(0, pixels, C, BP, BC)
    pivot = tl.load(x + c, mask=c < C, other=0).to(tl.float32)
    for start in range(tl.program_id(0) * 2 * BP, pixels, tl.num_programs(0) * 2 * BP):  # two tiles are on their way
        p, c, there = places(start, pixels, C, BP, BC)
        q, c, also = places(start + BP, pixels, C, BP, BC)
        value, other = at(x, 0, p, width, c, there, C), at(x, 0, q, width, c, also, C)
        value, other = tl.where(there, value - pivot, 0.0), tl.where(also, other - pivot, 0.0)
        first += value + other
        if SPREAD:
            second += value * spread(x, pivot, p // width, p % width, height, width, c, there, far, near, C) / 4
            second += other * spread(x, pivot, q // width, q % width, height, width, c, also, far, near, C) / 4
        else:
            second += value * value + other * other
    lanes = tl.arange(0, BC)
    place = sums + tl.program_id(0) * 2 * C + lanes
    tl.store(place, tl.sum(first, 0), mask=lanes < C)
    tl.store(place + C, tl.sum(second, 0), mask=lanes < C)


@triton.jit
def added(sums, programs, c, C: tl.constexpr, BP: tl.constexpr, BC: tl.constexpr):
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
def settle(
    sums, x, weight, bias, statistics, programs, pixels, eps, C: tl.constexpr, BP: tl.constexpr, BC: tl.constexpr
):
    """Mean, 1/√(variance + eps), and the factor and the summand that norm with weight and bias."""
    c = tl.program_id(0) * BC + tl.arange(0, BC)
    first, second = added(sums, programs, c, C, BP, BC)
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
def reflected(k, size):
    """Return the pixel that a border of one pixel repeats by reflection; others stay."""
    k = tl.where(k < 0, -k, k)
    return tl.where(k >= size, 2 * size - 2 - k, k)


@triton.jit(do_not_specialize=["height", "width"])
def norm(
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
    p, c, there = places(tl.program_id(0) * BP, pixels, C, BP, BC)
    row, column = p // across, p % across
    if BORDER:
        row = reflected(row - 1, ACROSS * height)
        column = reflected(column - 1, ACROSS * width)
    if ACROSS == 1:
        value = at(x, row, column, width, c, there, C)
    else:
        r, k = row // 2, column // 2
        value = near * near * at(x, r, k, width, c, there, C)
        if far > 0:
            above = tl.minimum(tl.maximum(r + 2 * (row % 2) - 1, 0), height - 1)
            beside = tl.minimum(tl.maximum(k + 2 * (column % 2) - 1, 0), width - 1)
            value += near * far * at(x, r, beside, width, c, there, C)
            value += near * far * at(x, above, k, width, c, there, C)
            value += far * far * at(x, above, beside, width, c, there, C)
    factor = tl.load(statistics + 2 * C + c, mask=c < C, other=0)
    summand = tl.load(statistics + 3 * C + c, mask=c < C, other=0)
    z = value * factor + summand
    z = tl.where(z > 0, z, slope * z)
    tl.store(y + p.to(tl.int64) * C + c, z.to(y.dtype.element_ty), mask=there)


@triton.jit(do_not_specialize=["pixels"])
def product(
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
    p, c, there = places(tl.program_id(0) * BP, pixels, C, BP, BC)
    value = at(x, 0, p, 1, c, there, C)
    line = tl.program_id(0) * BP + tl.arange(0, BP)
    for o in tl.static_range(OUTPUTS):
        total = tl.sum(value * tl.load(weight + o * C + c, mask=c < C, other=0), 1)
        if BIASED:
            total += tl.load(bias + o)
        tl.store(y + o * pixels + line, total, mask=line < pixels)
