"""Bicubic interpolation: the baseline for super-resolution."""

LABEL = "Bicubic"
LOOK = ("#999999", "h")
TASKS = ("super_resolution",)


def needs(image_mb, **_):
    """Return (MB of memory, minutes) for an image of so many MB: measured at 512 pixels, with a margin."""
    return 1000 + 50 * image_mb, 5


def recover(y, A, sigma, *, callback=None):
    """Return y enlarged to the shape of the image by Keys' cubic kernel, a = −1/2, as MATLAB's imresize does it.

    y is an image reduced by A.factor, whatever the filter; its border is mirrored. An interpolation takes y for exact
    values of the image: neither the filter nor the noise's standard deviation sigma matters. Source: Keys (1981).
    """
    from steps.tasks.super_resolution import cubic, resizing

    rows, columns = (
        resizing(few, many, A.factor, cubic).to(y) for few, many in zip(y.shape[-2:], A.shape[-2:], strict=True)
    )
    return rows @ y @ columns.T
