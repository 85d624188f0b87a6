"""The noise-level function of a picture, found in the picture alone: the variance of noise against brightness.

A camera's noise has the variance  gain · x + offset  where the picture is x: gain is 1 over the photons of white,
offset the square of the read noise. It is found of each channel in blocks of 8 × 8 pixels, by their cosine transform,
whose coefficients are put together in four bands. In each of some intervals of brightness the flattest blocks are
taken. For the energy in one band they are those with the least in the others, so that what is chosen does not depend on
what is measured. Blocks near black and white, where noise is clipped, are left out. A line is fitted through the
intervals; those that have no flat blocks count less.

Texture is least in the highest band, so the line is that band's. What noise has in the lower ones decides its variance
as a whole: as much if it is white. It is not in a JPEG, whose colours are at half the resolution. So of three channels
their mean is taken to be white, unless its highest band has too little, and the difference of a channel from the mean
is measured in all bands. Idea after Foi, Trimeche, Katkovnik, Egiazarian (2008).
"""

import numpy as np

from steps.base.errors import BadInput
from steps.inverse.collaborative import OPPONENT
from steps.inverse.photograph import LEAST, estimate_sigma

SIDE = 8
SUM = np.add.outer(np.arange(SIDE), np.arange(SIDE))  # of the two frequencies of a coefficient
BANDS = [np.isin(SUM, range(*ends)) for ends in ((2, 4), (4, 6), (6, 9), (9, 15))]
CENTRES = (2.5, 4.5, 7.0, 10.5)  # of the bands, in SUM
COUNT = np.array([band.sum() for band in BANDS])
SHARE = (COUNT + [2, 0, 0, 0]) / (COUNT.sum() + 2)  # of the variance of white noise; what is below is as the first band
HIGH = 3  # the band of which the line is
MOST = 200_000  # blocks that are looked at
FEWEST = 200  # blocks for a line; below it the noise is taken to be the same everywhere
INTERVALS, FLAT, FLATTEST, LEAST_BLOCKS = 20, 0.05, 0.02, 25
ROUNDS = 4  # of choosing blocks by the noise found so far
ENDS = 2.0  # deviations between a block's mean and black or white
WHITE = 0.75  # of the energy in the band below: with less in the highest noise is not white


def noise_level(y):
    """Return {"gains": [C], "offsets": [C], "spectrum": [P][4]} of the noise of y (C, H, W), found in y alone.

    The variance of channel c is  gains[c] · x + offsets[c],  x in [0, 1]. spectrum is the power of noise in the four
    bands over its mean variance: of the opponent colours of BM3D if there are three channels, else of each channel;
    1/3, 1/2 and 3/8 for white noise in three channels, 1 in one.
    Raises BadInput for a picture in which no noise is found, see `estimate_sigma`.
    """
    channels = len(y)
    means, clipped, energies = _blocks(np.asarray(y, dtype=np.float32))
    usable = (clipped < 0.05).sum(0).min() if len(means) else 0
    if usable < FEWEST:
        offsets = [estimate_sigma(y) ** 2] * channels
        white = np.square(OPPONENT).sum(1) if channels == 3 else np.ones(channels)
        return {"gains": [0.0] * channels, "offsets": offsets, "spectrum": np.outer(white, np.ones(4)).tolist()}
    lines = np.stack([0 * energies[0, :channels, 0], np.median(energies[:, :channels, HIGH], axis=0) + 1e-12], 1)
    ratios = np.ones((channels, len(BANDS)))
    for _ in range(ROUNDS):
        variances = np.maximum(lines[:, 0] * means + lines[:, 1], 1e-10)
        flatness = np.einsum("ncj,cj,j->nj", energies[:, :channels] / variances[..., None], 1 / ratios, COUNT)
        reach = ENDS * np.sqrt(variances)
        good = (clipped < 0.05) & (means + reach < 1) & (means - reach > 0)
        good = good if good.sum(0).min() >= FEWEST else clipped < 0.05
        found = [_line(c, good[:, c], means, variances, energies, flatness) for c in range(channels)]
        lines, ratios = (np.array(part) for part in zip(*found, strict=True))
    if np.sqrt(np.maximum(lines @ [means.mean(), 1], 0).max()) < LEAST:
        raise BadInput(f"no noise is found in the {y.shape[1]}x{y.shape[2]} picture; give sigma as a number")
    spectrum = _spectrum(good.all(1) if good.all(1).sum() >= FEWEST else good.any(1), variances, energies, flatness)
    return {"gains": lines[:, 0].tolist(), "offsets": lines[:, 1].tolist(), "spectrum": spectrum}


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
    return np.stack(means, 1).astype(np.float64), np.stack(clipped, 1), np.stack(energies, 1).astype(np.float64)


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
    """Return the energies (4,) of noise in the bands, where texture has been added to them: those of white noise."""
    return np.full(4, profile[HIGH]) if profile[HIGH] > WHITE * profile[HIGH - 1] else profile


def _line(c, good, means, variances, energies, flatness):
    """Return ((gain, offset), ratios (4,) of the bands' energies to the variance) of channel c."""
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
        texture.append(flatness[chosen, :HIGH].sum(1).mean())
    texture = np.array(texture)
    flat = np.median(np.sort(texture)[: max(1, len(texture) // 3)])
    weights = (1 + 3 * np.maximum(texture / max(flat, 1e-12) - 1, 0)) ** -4.0
    whole = SHARE @ profile
    return _fit(np.array(middles), np.array(found), weights) * whole / profile[HIGH], profile / whole


def _fit(x, variance, weights):
    """Return (gain, offset) ≥ 0 of the line through variances at x: relative errors; those above it count less."""
    from scipy.optimize import nnls

    columns = np.stack([x, np.ones_like(x)], 1)
    line, predicted, robust = None, np.full_like(variance, max(np.median(variance), 1e-12)), weights**0.5
    for _ in range(30):
        scale = robust / predicted
        line, _ = nnls(columns * scale[:, None], variance * scale)
        predicted = np.maximum(columns @ line, 1e-12)
        error = variance / predicted - 1
        robust = weights / np.sqrt(1 + (error / np.where(error > 0, 0.1, 0.2)) ** 2)
    return line


def _spectrum(good, variances, energies, flatness):
    """Return the power (P, 4) of the noise in the bands, of opponent colours or channels, over its mean variance."""
    usable, channels = np.flatnonzero(good), variances.shape[1]
    planes = range(channels, channels + 3) if channels == 3 else range(channels)
    found = np.empty((len(planes), 4))
    for band in range(4):
        chosen = _flattest(flatness, usable, band, FLATTEST)
        for i, plane in enumerate(planes):
            scale = variances[chosen].mean(1) if channels == 3 else variances[chosen, plane]
            found[i, band] = _average(energies[chosen, plane, band] / scale, band)
    rows = [_whitened(row) if i == 0 or channels != 3 else row for i, row in enumerate(found)]
    return np.maximum(rows, 1e-3).tolist()


def sentence(found):
    """Return in words what `noise_level` found: the noise at black and white, gain and read noise, if it is white."""
    gains, offsets, spectrum = (np.array(found[key]) for key in ("gains", "offsets", "spectrum"))
    text = f"Noise found: {np.sqrt(offsets.mean()):.3f} at black, {np.sqrt((gains + offsets).mean()):.3f} at white"
    smooth = len(spectrum) == 3 and spectrum[1:].max() > 0.01  # a gray picture in three channels has none
    smooth = smooth and (spectrum[1:, HIGH] < 0.3 * spectrum[0, HIGH]).any()
    if gains.mean() > 0.05 * offsets.mean():
        photons = "" if smooth else f", as of {1 / gains.mean():.0f} photons at white"
        text += f" (gain {_several(gains)}{photons}; read noise {_several(np.sqrt(offsets))})"
    return f"{text}. {'Its colours are smooth, as those of a JPEG.' if smooth else 'It is white noise.'}"


def _several(values):
    texts = [f"{value:.2g}" for value in values]
    return texts[0] if len(set(texts)) == 1 else ", ".join(texts)


class Levels:
    """The transform that makes noise with a noise-level function Gaussian, as strong in all channels, and its inverse.

    Each channel has the generalised Anscombe transform of its own gain and offset (steps/inverse/anscombe.py), scaled
    so that the noise's standard deviation is `sigma`. `spectrum` is its power spectral density, of opponent colours
    (3, 16, 16) or of one channel (16, 16), which a method may be told in the place of sigma; None of other channels.
    """

    def __init__(self, gains, offsets, spectrum):
        import torch

        from steps.inverse.anscombe import Anscombe

        parts = zip(gains, offsets, strict=True)
        self.channels = [Anscombe(1 / max(gain, 1e-5), max(offset, 1e-10) ** 0.5) for gain, offset in parts]
        self.sigma = float(np.mean([channel.sigma for channel in self.channels]))
        frequency = np.abs(np.fft.fftfreq(2 * SIDE)) * 2 * SIDE
        place = frequency[:, None] + frequency
        powers = np.stack([np.interp(place, CENTRES, row) for row in spectrum]) * self.sigma**2
        self.spectrum = torch.from_numpy(powers if len(powers) == 3 else powers[0]) if len(powers) in (1, 3) else None

    def forward(self, y):
        """Return the transform of y (C, H, W)."""
        import torch

        return torch.stack([part.forward(c) * (self.sigma / part.sigma) for part, c in zip(self.channels, y)])

    def inverse(self, d):
        """Return the x with E forward(y) = d, (C, H, W); below black, which a measured float picture may be, nearly."""
        import torch

        planes = []
        for part, c in zip(self.channels, d, strict=True):
            c = c * (part.sigma / self.sigma)
            f = c.clamp(max=0) / part.sigma + part.low
            planes.append(part.inverse(c) + (f.square() - part.low**2) / 4 / part.peak)
        return torch.stack(planes)
