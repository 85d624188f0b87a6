"""PSNR against the corruption parameter, a panel for each image and each value of any other that varies.

Of more than a dozen images it is one panel with the means over them.
"""

from steps.figures import metrics
from steps.tables.columns import PSNR

CAPTION = """\
PSNR against the strength of the corruption, a panel an image. Dashed, unless it is exact: the input before recovery.
**Look for** lines that cross, where another prior becomes the better one. Of a line that comes near the dashed one the
prior adds nothing.
"""
EACH = ()
TRUTH = True


def draw(scores):
    """Return the figure `metrics` of PSNR alone."""
    return metrics.draw(scores, [PSNR])
