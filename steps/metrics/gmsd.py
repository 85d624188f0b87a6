"""Gradient magnitude similarity deviation (Xue et al. 2014), mean over channels."""

LABEL = "GMSD"
DECIMALS = 4
BETTER = "lower"
SMALLEST = 6  # pixels a side: three after halving, the filter's


def measure(truth, estimate):
    """Return std((2 g ĝ + c) / (g² + ĝ² + c)) of two (C, H, W) images, 0 if they are alike; None below 6 pixels a side.

    g and ĝ are the magnitudes of Prewitt's gradients of x and x̂, both first averaged over 2 × 2 pixels and halved, in
    [0, 1], c = 170 / 255². The paper measures the luminance of colours; here their channels count alike.
    """
    import numpy as np
    from scipy.ndimage import prewitt

    if min(truth.shape[-2:]) < SMALLEST:
        return None

    def gradient(channel):
        even = channel[: len(channel) // 2 * 2, : channel.shape[1] // 2 * 2].astype(np.float64)
        half = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4
        return np.hypot(*(prewitt(half, axis, mode="constant") / 3 for axis in (0, 1)))

    deviations, c = [], 170 / 255**2
    for g, h in zip(map(gradient, truth), map(gradient, estimate)):
        deviations.append(np.std((2 * g * h + c) / (g**2 + h**2 + c)))
    return np.mean(deviations)
