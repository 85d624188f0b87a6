"""Kernels in Triton for the gradients of what steps/prior/kernels.py computes."""

import triton
import triton.language as tl

from steps.prior.kernels import added, at, places, reflected, spread


@triton.jit
def at_the_edge(start, height, width, BP: tl.constexpr):
    """Return whether one of BP pixels from `start` on may be within two of the edge of (height, width)."""
    row, column = start // width, start % width
    return (row < 2) | (row >= height - 2) | (column < 2) | (column + BP > width - 2)


@triton.jit
def fold(gradient, start, row, column, height, width, c, there, BORDER: tl.constexpr, C: tl.constexpr):
    """Return the gradient at a pixel: that of its place, and of the border's places that repeat it."""
    total = at(gradient, row + BORDER, column + BORDER, width + 2 * BORDER, c, there, C)
    if BORDER:  # noqa: SIM102, a constant, by which a kernel is compiled with the rest or without
        if at_the_edge(start, height, width, row.shape[0]):
            for line in tl.static_range(3):
                r = row + 1 if line == 0 else (0 * row if line == 1 else 0 * row + height + 1)
                above = there if line == 0 else there & ((row == 1) if line == 1 else (row == height - 2))
                for post in tl.static_range(3):
                    if line + post > 0:
                        k = column + 1 if post == 0 else (0 * column if post == 1 else 0 * column + width + 1)
                        both = above if post == 0 else above & ((column == 1) if post == 1 else (column == width - 2))
                        total += at(gradient, r, k, width + 2, c, both, C)
    return total


@triton.jit
def before_activation(g, value, statistics, c, there, slope, C: tl.constexpr):
    """Return (gradient before the activation, x − mean) of a gradient after it and the value of x."""
    mean = tl.load(statistics + c, mask=c < C, other=0)
    factor = tl.load(statistics + 2 * C + c, mask=c < C, other=0)
    summand = tl.load(statistics + 3 * C + c, mask=c < C, other=0)
    g = tl.where(value * factor + summand > 0, g, slope * g)
    return g, tl.where(there, value - mean, 0.0)


@triton.jit(do_not_specialize=["height", "width"])
def sums_of_gradient(
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
        p, c, there = places(start, pixels, C, BP, BC)
        q, c, also = places(start + BP, pixels, C, BP, BC)
        g, h = at(gradient, 0, p, width, c, there, C), at(gradient, 0, q, width, c, also, C)
        if BORDER:
            p = reflected(p // across - 1, height) * width + reflected(p % across - 1, width)
            q = reflected(q // across - 1, height) * width + reflected(q % across - 1, width)
        value, other = at(x, 0, p, width, c, there, C), at(x, 0, q, width, c, also, C)
        g, value = before_activation(g, value, statistics, c, there, slope, C)
        h, other = before_activation(h, other, statistics, c, also, slope, C)
        first += g + h
        second += g * value + h * other
    lanes = tl.arange(0, BC)
    place = sums + tl.program_id(0) * 2 * C + lanes
    tl.store(place, tl.sum(first, 0), mask=lanes < C)
    tl.store(place + C, tl.sum(second, 0), mask=lanes < C)


@triton.jit(do_not_specialize=["programs"])
def settle_gradients(sums, statistics, grads, programs, C: tl.constexpr, BP: tl.constexpr, BC: tl.constexpr):
    """The gradients of weight and bias."""
    c = tl.program_id(0) * BC + tl.arange(0, BC)
    first, second = added(sums, programs, c, C, BP, BC)
    scale = tl.load(statistics + C + c, mask=c < C, other=0)
    tl.store(grads + c, second * scale, mask=c < C)
    tl.store(grads + C + c, first, mask=c < C)


@triton.jit(do_not_specialize=["height", "width"])
def gradient_of_norm(
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
    p, c, there = places(tl.program_id(0) * BP, pixels, C, BP, BC)
    row, column = p // width, p % width
    g = fold(gradient, tl.program_id(0) * BP, row, column, height, width, c, there, BORDER, C)
    g, centred = before_activation(g, at(x, row, column, width, c, there, C), statistics, c, there, slope, C)
    scale = tl.load(statistics + C + c, mask=c < C, other=0)
    factor = tl.load(statistics + 2 * C + c, mask=c < C, other=0)
    for_weight = tl.load(grads + c, mask=c < C, other=0) / pixels
    for_bias = tl.load(grads + C + c, mask=c < C, other=0) / pixels
    result = factor * (g - for_bias - centred * scale * for_weight)
    tl.store(for_x + p.to(tl.int64) * C + c, result.to(for_x.dtype.element_ty), mask=there)


@triton.jit
def taps(k, size, tap: tl.constexpr, far, near, BORDER: tl.constexpr):
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
def halve(
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
        p, c, there = places(start, pixels, C, BP, BC)
        row, column = p // width, p % width
        h = tl.zeros((BP, BC), tl.float32)
        for line in tl.static_range(4):
            r, above = taps(row, height, line, far, near, BORDER)
            for post in tl.static_range(4):
                k, beside = taps(column, width, post, far, near, BORDER)
                h += above * beside * at(gradient, r, k, across, c, there & (above * beside != 0), C)
        if BORDER:  # noqa: SIM102
            if at_the_edge(start, height, width, BP):
                for line in tl.static_range(6):
                    r, above = taps(row, height, line, far, near, BORDER)
                    for post in tl.static_range(6):
                        if line > 3 or post > 3:
                            k, beside = taps(column, width, post, far, near, BORDER)
                            h += above * beside * at(gradient, r, k, across, c, there & (above * beside != 0), C)
        h = h.to(halved.dtype.element_ty)
        tl.store(halved + p.to(tl.int64) * C + c, h, mask=there)
        mean = tl.load(statistics + c, mask=c < C, other=0)
        centred = tl.where(there, at(x, row, column, width, c, there, C) - mean, 0.0)
        first += h.to(tl.float32)
        second += h.to(tl.float32) * centred
    lanes = tl.arange(0, BC)
    place = sums + tl.program_id(0) * 2 * C + lanes
    tl.store(place, tl.sum(first, 0), mask=lanes < C)
    tl.store(place + C, tl.sum(second, 0), mask=lanes < C)


@triton.jit(do_not_specialize=["height", "width"])
def gradient_of_doubled(
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
    """The gradient of x doubled and normed: Uᵀ of what `gradient_of_norm` has; Uᵀ 1 = 4, Uᵀ U x̂ is as in `spread`."""
    pixels = height * width
    p, c, there = places(tl.program_id(0) * BP, pixels, C, BP, BC)
    row, column = p // width, p % width
    h = at(halved, row, column, width, c, there, C)
    mean = tl.load(statistics + c, mask=c < C, other=0)
    scale = tl.load(statistics + C + c, mask=c < C, other=0)
    factor = tl.load(statistics + 2 * C + c, mask=c < C, other=0)
    for_weight = tl.load(grads + c, mask=c < C, other=0) / pixels
    for_bias = tl.load(grads + C + c, mask=c < C, other=0) / pixels
    if SPREAD:
        centred = spread(x, mean, row, column, height, width, c, there, far, near, C) / 4
    else:
        centred = at(x, row, column, width, c, there, C) - mean
    result = factor * (h - for_bias - centred * scale * for_weight)
    tl.store(for_x + p.to(tl.int64) * C + c, result.to(for_x.dtype.element_ty), mask=there)


@triton.jit(do_not_specialize=["pixels"])
def gradient_of_product(
    gradient, x, weight, for_x, sums, pixels, OUTPUTS: tl.constexpr, C: tl.constexpr, BP: tl.constexpr, BC: tl.constexpr
):
    """The gradient of x, and for a program that of the weight."""
    o = tl.arange(0, 16)[:, None]  # the least that a matrix product takes
    total = tl.zeros((16, BC), tl.float32)
    for start in range(tl.program_id(0) * BP, pixels, tl.num_programs(0) * BP):
        p, c, there = places(start, pixels, C, BP, BC)
        value = tl.load(x + p.to(tl.int64) * C + c, mask=there, other=0)
        line = (start + tl.arange(0, BP))[None, :]
        g = tl.load(gradient + o * pixels + line, mask=(o < OUTPUTS) & (line < pixels), other=0)
        total += tl.dot(g.to(value.dtype), value, input_precision="ieee")
        result = tl.zeros((BP, BC), tl.float32)
        for output in tl.static_range(OUTPUTS):
            g = tl.load(gradient + output * pixels + p, mask=p < pixels, other=0)
            result += g * tl.load(weight + output * C + c, mask=c < C, other=0)
        tl.store(for_x + p.to(tl.int64) * C + c, result.to(for_x.dtype.element_ty), mask=there)
    lanes = tl.arange(0, BC)[None, :]
    tl.store(sums + (tl.program_id(0) * OUTPUTS + o) * C + lanes, total, mask=(o < OUTPUTS) & (lanes < C))
