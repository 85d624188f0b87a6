"""Malvar, He and Cutler's demosaicking: bilinear interpolation, corrected by the colour measured at a pixel."""

LABEL = "Malvar"
LOOK = ("#484848", "*")
TASKS = ("demosaicking",)


def needs(image_mb, **_):
    """Return (MB of memory, minutes) for an image of so many MB: measured at 512 pixels, with a margin."""
    return 1000 + 50 * image_mb, 5


def recover(y, A, sigma):
    """Return the colours (3, H, W) of a Bayer mosaic y (1, H, W) by four linear filters: `steps/inverse/mosaic.py`.

    Values may be a little outside [0, 1]; sigma is not used. Source: Malvar, He, Cutler (2004).
    """
    from steps.inverse import mosaic

    return mosaic.malvar(y, A)
