"""PSNR against the corruption parameter, a panel for each image and each value of any other that varies.

Of more than a dozen images it is one panel with the means over them.
"""

from steps.tables.columns import PSNR

EACH = ()
TRUTH = True


def draw(scores):
    """Return the figure `metrics` of PSNR alone."""
    from steps.figures import metrics

    return metrics.draw(scores, [PSNR])
