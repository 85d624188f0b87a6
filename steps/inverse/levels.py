"""What is found of a picture's noise (noise_level.py): in numbers, in words, and as the transform that undoes it."""

import numpy as np

from steps.inverse.noise_level import CENTRES, HIGH, SIDE, WHITE


def at(found, c, x):
    """Return the variance that `noise_level` found in channel c where the picture is x, an array of any shape."""
    return np.interp(x, found["levels"], found["variances"][c])


def line(found):
    """Return (gains, offsets) of the lines  gain · x + offset  nearest to what `noise_level` found in noisy channels.

    None unless they are within 20 % of it in the root mean square, as of a camera's raw picture.
    """
    from scipy.optimize import nnls

    columns = np.stack([found["levels"], np.ones(len(found["levels"]))], 1)
    lines = []
    for variances in filter(np.any, found["variances"]):
        variances = np.maximum(variances, 1e-12)
        solution, distance = nnls(columns / variances[:, None], np.ones(len(variances)))
        if distance > 0.2 * len(variances) ** 0.5:
            return None
        lines.append(solution)
    return np.array(lines).T


def sentence(found):
    """Return in words what `noise_level` found, where the picture has it.

    The noise at a dark, a middle and a bright level, once if it is much the same; photons and read noise, if the noise
    is that of a raw picture; and whether it is white, coarse, or a JPEG's.
    """
    spectrum = np.array(found["spectrum"])
    coloured = spectrum[1:].max(1, initial=0) > 0.01  # a gray picture in three channels has none
    smooth = len(spectrum) == 3 and (coloured & (spectrum[1:, HIGH] < 0.3 * spectrum[0, HIGH])).any()
    levels = np.linspace(*found["range"], 3)
    noisy = [c for c, variances in enumerate(found["variances"]) if np.any(variances)]
    deviations = np.sqrt(np.mean([at(found, c, levels) for c in noisy], axis=0))
    lines = line(found)
    if deviations.max() < 1.15 * deviations.min():
        text = f"{deviations[1]:.3f}"
    else:
        text = ", ".join(f"{one:.3f} at brightness {x:.2f}" for one, x in zip(deviations, levels, strict=True))
        if lines is not None and lines[0].mean() > 0.3 * lines[1].mean():
            photons = "" if smooth else f", as of {1 / lines[0].mean():.0f} photons at white"
            text += f" (gain {_several(lines[0])}{photons}; read noise {_several(np.sqrt(lines[1]))})"
    white = spectrum[0, HIGH] > WHITE * spectrum[0].max()
    rest = "It is white noise." if white else "It is coarse: stronger in low frequencies than in high ones."
    return f"Noise found: {text}. {'Its colours are smooth, as those of a JPEG.' if smooth else rest}"


def _several(values):
    texts = [f"{value:.2g}" for value in values]
    return texts[0] if len(set(texts)) == 1 else ", ".join(texts)


class Levels:
    """The transform of pictures whose noise has a noise-level function: `levels`, `variances` [C] as `noise_level`'s.

    Each channel has the transform of its own `Curve`, scaled so that the noise's standard deviation is `sigma`, the
    mean of what it would be if each kept black 0 and white 1. `spectrum` is the power spectral density, of opponent
    colours (3, 16, 16) or of one channel (16, 16), which a method may be told in the place of sigma; None of others.
    A channel without noise stays as it is.
    """

    def __init__(self, levels, variances, spectrum):
        import torch

        from steps.inverse.stabilising import Curve

        self.channels = [Curve(levels, of_one) if np.any(of_one) else None for of_one in variances]
        noisy = list(filter(None, self.channels))
        self.sigma = float(np.mean([1 / channel.range for channel in noisy]))
        frequency = np.abs(np.fft.fftfreq(2 * SIDE)) * 2 * SIDE
        place = frequency[:, None] + frequency
        powers = np.stack([np.interp(place, CENTRES, row) for row in spectrum]) * self.sigma**2
        self.spectrum = torch.from_numpy(powers if len(powers) == 3 else powers[0]) if len(powers) in (1, 3) else None

    def forward(self, y):
        """Return the transform of y (C, H, W)."""
        import torch

        pairs = zip(self.channels, y, strict=True)
        return torch.stack([curve.forward(c) * self.sigma if curve else c for curve, c in pairs])

    def inverse(self, d):
        """Return the x with E forward(y) = d, (C, H, W)."""
        import torch

        pairs = zip(self.channels, d, strict=True)
        return torch.stack([curve.inverse(c / self.sigma) if curve else c for curve, c in pairs])
