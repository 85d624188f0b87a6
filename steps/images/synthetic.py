"""Images drawn by code: what the source synthetic:NAME means."""

import numpy as np

from steps.base.errors import BadInput, no_such

SIDE = 256  # pixels


def logo(side=SIDE):
    """Return a two-level (side, side) image of flat regions, sharp edges and thin strokes, float64 in {0, 1}.

    A stand-in, drawn by code, for the Stanford logo of Anderson's figure 5, which may not be redistributed.
    """
    row, column = (np.mgrid[:side, :side] + 0.5) / side - 0.5
    radius = np.hypot(row, column)
    shield = (radius < 0.44) & ~((radius > 0.37) & (radius < 0.39))
    trunk = (np.abs(column) < 0.045) & (row > -0.05) & (row < 0.29)
    crown = np.zeros_like(shield)
    for top, bottom, half in ((-0.3, -0.12, 0.13), (-0.18, 0.02, 0.19), (-0.06, 0.17, 0.25)):
        crown |= (row > top) & (row < bottom) & (np.abs(column) < half * (row - top) / (bottom - top))
    strokes = (np.abs(row - 0.24) < 0.012) & (np.abs(column) > 0.08) & (np.abs(column) < 0.24)
    return (shield & ~(trunk | crown | strokes)).astype(np.float64)


def noise(side=SIDE):
    """Return (side, side) pixels drawn uniformly from [0, 1]: the image that no prior should like (Anderson 4.3)."""
    return np.random.default_rng(0).random((side, side))


IMAGES = {"logo": logo, "noise": noise}


def check(name, where):
    """Raise BadInput, naming `where`, if no image drawn by code has this name."""
    if name not in IMAGES:
        raise BadInput(f"{where}: {no_such('synthetic image', name, IMAGES)}")


def draw(name, where):
    """Return the image of a name, float64 (H, W) in [0, 1]; raises BadInput, naming `where`, if there is none."""
    check(name, where)
    return IMAGES[name]()
