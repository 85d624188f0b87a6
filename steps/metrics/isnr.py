"""Improvement in signal-to-noise ratio: the gain in PSNR over the measurement, if that is a picture."""

LABEL = "ISNR"
UNIT = "dB"
DECIMALS = 2
BETTER = "higher"


def measure(truth, estimate, *, measured):
    """Return 10 log10(‖y − x‖² / ‖x̂ − x‖²) in dB, the PSNR of x̂ less that of y, of (C, H, W).

    None where the measurement is no picture: `measured` is None then. Infinite where x̂ alone is exact, −inf where y
    alone is, 0 where both are.
    """
    import numpy as np

    if measured is None:
        return None

    def squared(image):
        error = np.subtract(image, truth, dtype=np.float64)
        return float(np.sum(np.square(error, out=error)))

    before, after = squared(measured), squared(estimate)
    if not before or not after:
        return float("inf") if before else float("-inf") if after else 0.0
    return 10 * np.log10(before / after)
