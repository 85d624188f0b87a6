"""What a page shows in place of the images: their errors |x̂ − x|, and the noise that was removed, y − A x̂."""

import math

import numpy as np

NICE = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)  # where a scale may end, times a power of ten
SIGMAS = 3  # standard deviations of the noise, where the scale of what was removed ends


def error_map(truth, estimate):
    """Return the absolute error |x̂ − x| of two (C, H, W) images, neither clipped, the mean over channels: (H, W)."""
    return np.abs(estimate.astype(np.float64) - truth).mean(axis=0)


def scale(errors):
    """Return where the one colour bar of several error maps ends: the median of their 99.5 % quantiles, rounded up.

    So half of the methods saturate in less than 1 pixel of 200, and one that failed does not darken all others.
    """
    end = max(float(np.median([np.quantile(error, 0.995) for error in errors])), 1e-6)
    power = 10.0 ** math.floor(math.log10(end))
    return float(f"{next(n for n in NICE if n * power >= end * (1 - 1e-9)) * power:.3g}")


def about_gray(image, end):
    """Return (C, H, W) from −end to end as a picture in [0, 1]; 0 is the gray 128 of 255."""
    return (128 + 127 * np.clip(image / end, -1, 1)) / 255
