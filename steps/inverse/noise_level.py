"""The noise-level function of a picture, found in the picture alone: the variance of noise against brightness.

Of a raw picture it is a line,  gain · x + offset: gain is 1 over the photons of white, offset the square of the read
noise. A camera's JPEG has been brightened in the dark parts and flattened in the bright ones, its noise likewise. So
the function is a curve, linear between `LEVELS`, and as near to a line as the picture allows. It is found of each
channel in blocks of 8 × 8 pixels, by their cosine transform, whose coefficients are put together in four bands. In each
of some intervals of brightness the flattest blocks are taken. For the energy in one band they are those with the least
in the others, so that what is chosen does not depend on what is measured. Blocks near black and white, where noise is
clipped, are left out. Intervals whose flattest blocks have texture, which is stronger in the lower bands than noise is,
only say that noise is no stronger.

Texture is least in the highest band, so the curve is that band's. What noise has in the lower ones decides its variance
as a whole: as much if it is white. It is not in a JPEG, whose colours are at half the resolution. So of three channels
their mean is taken to be white, unless its highest band has too little, and the difference of a channel from the mean
is measured in all bands. Idea after Foi, Trimeche, Katkovnik, Egiazarian (2008).
"""

import numpy as np

from steps.base.errors import BadInput
from steps.inverse.collaborative import OPPONENT
from steps.inverse.photograph import LEAST, estimate_sigma, telling

SIDE = 8
SUM = np.add.outer(np.arange(SIDE), np.arange(SIDE))  # of the two frequencies of a coefficient
BANDS = [np.isin(SUM, range(*ends)) for ends in ((2, 4), (4, 6), (6, 9), (9, 15))]
CENTRES = (2.5, 4.5, 7.0, 10.5)  # of the bands, in SUM
COUNT = np.array([band.sum() for band in BANDS])
SHARE = (COUNT + [2, 0, 0, 0]) / (COUNT.sum() + 2)  # of the variance of white noise; what is below is as the first band
HIGH = 3  # the band of which the curve is
MOST = 200_000  # blocks that are looked at
FEWEST = 200  # blocks for a curve; below it the noise is taken to be the same everywhere
INTERVALS, FLAT, FLATTEST, LEAST_BLOCKS = 20, 0.1, 0.05, 25
COLOUR = 0.3  # FLATTEST for the spectrum of colours, which have little texture
LEVELS = np.linspace(0, 1, 17)  # of brightness, between which the curve is linear
BEND, SLOPE = 0.3, 0.01  # what a bend and a slope of the curve cost, in relative errors
BELOW = 0.5  # weight of a variance below the curve: texture only adds, so that noise is no stronger
ROUNDS = 6  # of choosing blocks by the noise found so far
ENDS = 2.0  # deviations between a block's mean and black or white
WHITE = 0.75  # of the energy in the band below: with less in the highest noise is not white


def noise_level(y):
    """Return what is found of the noise of y (C, H, W) in y alone: levels, variances, spectrum and range.

    variances [C][K]  of each channel where the picture is levels [K], in [0, 1]; between them they are linear.
    spectrum [P][4]  the power of noise in the four bands where its variance has been made 1 (stabilising.py): of the
        opponent colours of BM3D if there are three channels, 1/3, 1/2 and 3/8 of white noise; else of each channel, 1.
    range [2]  of brightness in which nearly all of the picture lies; beyond it, what is said of noise is a guess.

    A channel that is the same everywhere has no noise, and tells nothing of the others; nor does one that is nearly all
    black or white, of whose noise nearly all was clipped. Raises BadInput for a picture in which no noise is found, see
    `estimate_sigma`.
    """
    channels = len(y)
    varies = np.array([plane.min() < plane.max() for plane in y])
    if varies.any() and not varies.all():
        return _spread(noise_level(y[varies]), y, varies)
    y = np.asarray(y, dtype=np.float32)
    ends = np.quantile(y[:, ::SIDE, ::SIDE], (0.02, 0.98)).clip(0, 1).tolist()
    means, clipped, energies = _blocks(y)
    usable = (clipped < 0.05).sum(0).min() if len(means) else 0
    if usable < FEWEST:
        tells = telling(y)
        if tells.any() and not tells.all():
            return _spread(noise_level(y[tells]), y, tells)
        curves = [[estimate_sigma(y) ** 2] * len(LEVELS)] * channels
        white = np.square(OPPONENT).sum(1) if channels == 3 else np.ones(channels)
        rows = np.outer(white, np.ones(4)).tolist()
        return {"levels": LEVELS.tolist(), "variances": curves, "spectrum": rows, "range": ends}
    curves = np.repeat(np.median(energies[:, :channels, HIGH], axis=0)[:, None] + 1e-12, len(LEVELS), axis=1)
    ratios = np.ones((channels, len(BANDS)))
    for _ in range(ROUNDS):
        variances = np.stack([np.interp(means[:, c], LEVELS, curves[c]) for c in range(channels)], 1)
        flatness = np.einsum("ncj,cj,j->nj", energies[:, :channels] / variances[..., None], 1 / ratios, COUNT)
        reach = ENDS * np.sqrt(variances)
        good = (clipped < 0.05) & (means + reach < 1) & (means - reach > 0)
        good = good if good.sum(0).min() >= FEWEST else clipped < 0.05
        found = [_curve(c, good[:, c], means, variances, energies, flatness) for c in range(channels)]
        curves, ratios = (np.array(part) for part in zip(*found, strict=True))
    if np.sqrt(min(np.interp(means.mean(), LEVELS, curve) for curve in curves)) < LEAST:
        raise BadInput(f"no noise is found in the {y.shape[1]}x{y.shape[2]} picture; give sigma as a number")
    spectrum = _spectrum(y, curves, good.all(1) if good.all(1).sum() >= FEWEST else good.any(1), flatness)
    return {"levels": LEVELS.tolist(), "variances": curves.tolist(), "spectrum": spectrum, "range": ends}


def _spread(found, y, varies):
    """Return what `noise_level` has found in some channels of y, `varies`, as that of all: the others have no noise.

    The noise of those that vary is taken to be independent, which that of a JPEG is not.
    """
    variances, rows = np.zeros((len(y), len(LEVELS))), np.zeros((len(y), len(BANDS)))
    variances[varies], rows[varies] = found["variances"], found["spectrum"]
    if len(y) == 3:
        rows = np.square(OPPONENT) @ rows
    return found | {"variances": variances.tolist(), "spectrum": rows.tolist()}


def _blocks(y):
    """Return (means (n, C), clipped shares (n, C), energies (n, P, 4)) of blocks at the same places of all planes.

    The planes are the channels, and of three channels their opponent colours, of which the first is the mean.
    """
    from scipy.fft import dctn

    sides = [n - SIDE + 1 for n in y.shape[1:]]
    if min(sides) < 1:
        return np.empty((0, len(y))), np.empty((0, len(y))), None
    step = 2
    while (sides[0] // step + 1) * (sides[1] // step + 1) > MOST:
        step += 1
    means, clipped, energies = [], [], []
    for plane in (*y, *(np.tensordot(row, y, 1) for row in np.float32(OPPONENT) if len(y) == 3)):
        rows = np.lib.stride_tricks.sliding_window_view(plane, (SIDE, SIDE))[::step, ::step]
        parts = []
        for row in rows:
            powers = dctn(row, axes=(1, 2), norm="ortho") ** 2
            parts.append(np.stack([powers[:, band].mean(1) for band in BANDS], 1))
        energies.append(np.concatenate(parts))
        if len(means) < len(y):
            means.append(rows.mean((2, 3)).ravel())
            clipped.append(((rows == 0) | (rows == 1)).mean((2, 3)).ravel())
    energies = np.stack(energies, 1).astype(np.float64)
    drawn = energies[:, : len(y), HIGH] < LEAST**2  # a frame or a caption, of which nothing is to be learnt
    return np.stack(means, 1).astype(np.float64), np.where(drawn, 1, np.stack(clipped, 1)), energies


def _flattest(flatness, among, band, share):
    """Return those of the blocks `among` (indices) that have the least energy in the other bands."""
    others = flatness[among].sum(1) - flatness[among, band]
    count = min(max(LEAST_BLOCKS, int(share * len(among))), len(among))
    return among[np.argpartition(others, count - 1)[:count]]


def _average(energies, band):
    """Return the mean of energies (n, …) in a band; of lower ones by the median, which a few edges do not move."""
    if band == HIGH:
        return energies.mean(0)
    return np.median(energies, axis=0) / (1 - 2 / (9 * COUNT[band])) ** 3  # of a chi-squared variable


def _whitened(profile):
    """Return the energies (4,) of noise in the bands: white, from the highest, unless that has too little of it."""
    return np.full(4, profile[HIGH]) if profile[HIGH] > WHITE * profile[HIGH - 1] else profile


def _curve(c, good, means, variances, energies, flatness):
    """Return (variances (K,) at LEVELS, ratios (4,) of the bands' energies to the variance) of channel c."""
    colours, usable = means.shape[1] == 3, np.flatnonzero(good)
    profile = np.empty(4)
    difference = np.zeros(4)
    for band in range(4):
        chosen = _flattest(flatness, usable, band, FLATTEST)
        plane = energies[chosen, 3 if colours else c, band] / variances[chosen, c]
        profile[band] = _average(plane, band)
        if colours:
            difference[band] = np.mean(energies[chosen, c, band] / variances[chosen, c] - plane)
    profile = np.maximum(_whitened(profile) + difference, 1e-3)
    order = usable[np.argsort(means[usable, c])]
    middles, found, texture = [], [], []
    for interval in np.array_split(order, max(1, min(INTERVALS, len(order) // 300))):
        chosen = _flattest(flatness, interval, HIGH, FLAT)
        middles.append(means[chosen, c].mean())
        found.append(energies[chosen, c, HIGH].mean())
        texture.append(flatness[chosen, :HIGH].sum(1).mean() / max(flatness[chosen, HIGH].mean(), 1e-12))
    texture = np.array(texture)
    flat = np.median(np.sort(texture)[: max(1, len(texture) // 3)])
    weights = (1 + 3 * np.maximum(texture / max(flat, 1e-12) - 1, 0)) ** -4.0
    whole = SHARE @ profile
    return _fit(np.array(middles), np.array(found), weights) * whole / profile[HIGH], profile / whole


def _fit(x, variance, weights):
    """Return variances (K,) > 0 at LEVELS of the curve through variances (n,) at x (n,) with the least relative errors.

    It is linear between LEVELS, and as near to one line as the variances allow. weights (n,) are of those above it,
    which may have texture; those below it count BELOW.
    """
    from scipy.optimize import nnls

    steps = len(LEVELS) - 1
    place = np.clip(x * steps, 0, steps)
    columns = np.maximum(1 - np.abs(place[:, None] - np.arange(steps + 1)), 0)
    bends = np.diff(np.eye(steps + 1), 2, axis=0)
    slopes = np.diff(np.eye(steps + 1), 1, axis=0)
    curve = np.full(steps + 1, max(np.median(variance), 1e-12))
    robust = weights**0.5
    for _ in range(30):
        predicted = columns @ curve
        scale = robust / predicted
        rows = [columns * scale[:, None], BEND * bends / curve[1:-1, None], SLOPE * slopes / curve[1:, None]]
        right = np.concatenate([variance * scale, np.zeros(2 * steps - 1)])
        curve = np.maximum(nnls(np.concatenate(rows), right)[0], predicted.min() / 8)
        error = variance / (columns @ curve) - 1
        above, below = weights / np.sqrt(1 + (error / 0.1) ** 2), BELOW / np.sqrt(1 + (error / 0.2) ** 2)
        robust = np.where(error > 0, above, below)
    return curve


def _spectrum(y, curves, good, flatness):
    """Return the power (P, 4) of the noise in the bands, of opponent colours or channels, its variance being made 1."""
    import torch

    from steps.inverse.stabilising import Curve

    even = np.empty(y.shape, dtype=np.float32)
    for curve, plane, made in zip(curves, y, even, strict=True):
        transform = Curve(LEVELS, curve)
        for row, of_row in zip(plane, made, strict=True):  # a large picture takes much memory else
            of_row[:] = transform.forward(torch.from_numpy(row))
    energies = _blocks(even)[2]
    usable, channels = np.flatnonzero(good), len(y)
    planes = range(channels, channels + 3) if channels == 3 else range(channels)
    found = np.empty((len(planes), 4))
    for band in range(4):
        for i, plane in enumerate(planes):
            chosen = _flattest(flatness, usable, band, COLOUR if channels == 3 and i else FLATTEST)
            found[i, band] = _average(energies[chosen, plane, band], band)
    rows = [_whitened(row) if i == 0 or channels != 3 else row for i, row in enumerate(found)]
    return np.maximum(rows, 1e-3).tolist()
