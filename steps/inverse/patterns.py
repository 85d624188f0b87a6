"""Patterns of a single-pixel camera: fast transforms, the orders of their rows, arrays of patterns from files."""

import math

import numpy as np

from steps.base.errors import BadInput
from steps.inverse.dense import of_ones

LARGEST, SMALLEST = 1e15, 1e-15  # of values whose squares float32 holds


def hadamard_transform(x):
    """Return H x along the last dimension of size P, a power of 2, in P log P steps; H is Sylvester's ±1 matrix."""
    import torch

    shape = x.shape
    step = 1
    while step < shape[-1]:
        pairs = x.reshape(*shape[:-1], -1, 2, step)
        x = torch.stack((pairs[..., 0, :] + pairs[..., 1, :], pairs[..., 0, :] - pairs[..., 1, :]), dim=-2)
        step *= 2
    return x.reshape(shape)


def sign_changes(size):
    """Return how often the sign changes along each row of Sylvester's matrix of a size, a power of 2: a permutation.

    It is the row's number with its bits reversed, read as a Gray code.
    """
    rows, found = np.arange(size), np.zeros(size, dtype=np.int64)
    for _ in range(size.bit_length() - 1):
        found = 2 * found + rows % 2
        rows = rows // 2
    shift = 1
    while shift < size:
        found ^= found >> shift
        shift *= 2
    return found


def walsh_order(height, width, order):
    """Return the rows of H_height ⊗ H_width, as numbers, in an order: of "natural", "sequency", "cake_cutting".

    A row is a picture, the outer product of two Walsh functions with a and b changes of sign, for a checkerboard of
    (a + 1)(b + 1) rectangles. No two that touch along a side have one sign, so that these are its connected regions.

    sequency      by how many neighbours along rows and columns differ, a · width + b · height: low frequencies first.
    cake_cutting  by the number of connected regions, then by sequency. Source: Yu (2019), Sensors 19, 4122.

    Ties are in the order of a. Raises BadInput for sides that are no powers of 2.
    """
    check_powers(height, width, order)
    if order == "natural":
        return np.arange(height * width)
    a, b = (axis.ravel() for axis in np.meshgrid(sign_changes(height), sign_changes(width), indexing="ij"))
    changes = a * width + b * height
    first = (a + 1) * (b + 1) if order == "cake_cutting" else changes
    return np.lexsort((a, changes, first))


def check_powers(height, width, order):
    """Raise BadInput if a side of an image is no power of 2, as the rows of H_height ⊗ H_width must have them."""
    if any(side & (side - 1) for side in (height, width)):
        raise BadInput(
            f"order: {order} is not of {height}x{width} pixels; sides must be powers of 2, or order=scrambled"
        )


def fourier_order(height, width):
    """Return (index, weight) of the real Fourier basis of an image's pixels: low frequencies first, cosine then sine.

    Coefficients are  weight · z[index],  z being the orthonormal FFT as real numbers, real and imaginary parts in turn.
    Of frequencies k and −k, which have conjugate coefficients, there is one; its weights are √2 and −√2, and 1 where k
    is −k, which has no sine. So the basis is orthonormal. The first is the constant.
    """
    rows, columns = (np.rint(np.fft.fftfreq(side) * side).astype(np.int64) for side in (height, width))
    number = np.arange(height * width).reshape(height, width)
    opposite = number[(-np.arange(height)) % height][:, (-np.arange(width)) % width].ravel()
    number = number.ravel()
    radius = ((rows[:, None] * width) ** 2 + (columns * height) ** 2).ravel()  # of cycles a pixel, in whole numbers
    kept = number[number <= opposite]
    kept = kept[np.argsort(radius[kept], kind="stable")]
    alone = opposite[kept] == kept
    index = np.stack((2 * kept, 2 * kept + 1), axis=1)
    weight = np.where(alone, 1.0, 2**0.5)[:, None] * np.array([1.0, -1.0])
    there = np.stack((np.ones_like(alone), ~alone), axis=1)
    return index[there], weight[there]


def fourier_power(height, width, index):
    """Return which of the frequencies (height, width) Fourier patterns of an index see: 1, or 1/2 without the sine."""
    power = np.zeros(height * width)
    np.add.at(power, index // 2, 1)
    power = power.reshape(height, width)
    both = power + power[(-np.arange(height)) % height][:, (-np.arange(width)) % width]  # of k and −k
    return both / 2


def as_patterns(numbers, size=None):
    """Return the patterns in an array of shape (M, height, width) or (M, N), float32; once a size is known, the first.

    Raises BadInput for another shape, for patterns of another size than an image's (height, width), for values that are
    not finite, and if all are 0.
    """
    shape = numbers.shape
    if numbers.ndim not in (2, 3) or not numbers.size:
        raise BadInput(f"shape {shape} is no set of patterns; must be (M, height, width) or (M, pixels)")
    if not (np.abs(numbers) < LARGEST).all():
        raise BadInput("patterns have values that are not finite, or too large")
    if np.abs(numbers).max() < SMALLEST:
        raise BadInput(f"all values of the patterns are 0, or smaller than {SMALLEST:g}")
    if size is None:
        return numbers.astype(np.float32)
    height, width = size
    if shape[1:] not in ((height, width), (height * width,)):
        raise BadInput(f"patterns of shape {shape[1:]} do not fit the image; must be {height}x{width} pixels")
    return numbers.reshape(-1, height, width).astype(np.float32)


def common(patterns):
    """Return (mean, share): the mean p of patterns (M, …), and what of it to subtract from each: P − share · 1 pᵀ.

    What all patterns have in common is one number of the image, seen M times; of patterns of 0 and 1 it has half of
    their squared norm. So stiff a direction costs iterative methods hundreds of iterations. With
    share = 1 − t it has t times its norm, that of the mean of the other M − 1; 0 where it has no more than that. Of y
    goes share times its mean. Noise stays white but in that one number, of which there is less.
    """
    mean, count = patterns.mean(axis=0, dtype=np.float64), len(patterns)
    level = count * np.square(mean).sum()
    rest = (np.square(patterns, dtype=np.float64).sum() - level) / max(count - 1, 1)
    share = 1 - (rest / level) ** 0.5 if 1e-9 * level < rest < level else 0.0
    return mean.astype(np.float32), share


def least_squares_picture(A, y):
    """Return  α 1 + β Aᵀ r,  (…, C, H, W), α and β of each channel such that A of it is nearest to y (…, C, M).

    r is what of y no constant image explains. Patterns of 0 and 1 see a constant far more than anything else, so that
    Aᵀ y would be one. For orthogonal rows, of which one is the constant, it is the image of least norm that explains y.
    Patterns that do not see a constant leave it at 0.
    """
    import torch

    pixels = math.prod(A.shape[-2:])
    flat = of_ones(A, y.new_ones(*y.shape[:-1], *A.shape[-2:]), pixels)
    level = (flat * y).sum(-1, keepdim=True) / flat.square().sum(-1, keepdim=True).clamp(min=1e-30)
    detail = A.adjoint(y - level * flat)
    seen = A.forward(detail)
    basis = torch.stack((flat, seen), dim=-1).double()
    scale = (torch.linalg.pinv(basis) @ y.double()[..., None]).to(y.dtype)
    return scale[..., :1, :] + scale[..., 1:, :] * detail
