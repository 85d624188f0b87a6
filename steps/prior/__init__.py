"""The deep image prior: networks, layers, the fit, when to stop, and what a recovery by it needs."""


def needs(image_mb, *, iterations, channels, inner=1, fits=1, **_):
    """Return (MB of memory, minutes on one CPU thread) of a method that fits the prior to an image of so many MB.

    Measured at 512 pixels, doubled; the time is that of iterations × inner × fits steps. 4000 MB are for CUDA's
    libraries, which are not measured.
    """
    width = (channels or 64) / 128  # by default at most 64
    steps = iterations * inner * fits
    return 4000 + 2500 * image_mb * max(1, width), 15 + steps * image_mb * max(1 / 2, width) ** 2 / 8
