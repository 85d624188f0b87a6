"""Pictures that are themselves measurements: nothing is simulated of them, and no truth is known."""

import warnings

from steps.base.errors import BadInput

LEAST = 1e-6  # an estimate below it is no noise: one step of 16 bits is 1.5e-5


def telling(y):
    """Return which channels of y (C, H, W) tell of noise, (C,): those that are not the same everywhere.

    Of these, those of which at most half is black or white, clipped, if there are any.
    """
    varies = y.min((1, 2)) < y.max((1, 2))
    seen = varies & (((y == 0) | (y == 1)).mean((1, 2)) <= 0.5)
    return seen if seen.any() else varies


def estimate_sigma(y):
    """Return the standard deviation of the white Gaussian noise of y (C, H, W), from y alone; mean over channels.

    It is the median absolute finest wavelet coefficient (Donoho and Johnstone 1994), by scikit-image: fine texture
    counts as noise, and noise that was clipped as less than it was. Raises BadInput for a picture that is too small, or
    has no noise: its estimate is below LEAST. Only channels that are `telling` count.
    """
    import numpy as np
    from skimage.restoration import estimate_sigma

    tells = telling(y)
    y = y[tells] if tells.any() else y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a mean of nothing, which the next lines say in words
        sigma = float(np.mean([estimate_sigma(channel.astype(np.float64)) for channel in y]))
    if min(y.shape[1:]) < 2:
        raise BadInput(f"the {y.shape[1]}x{y.shape[2]} picture is too small to estimate sigma; give a number")
    if not sigma >= LEAST:  # NaN of a channel that is all 0
        raise BadInput(f"no noise is found in the {y.shape[1]}x{y.shape[2]} picture; give sigma as a number")
    return sigma
