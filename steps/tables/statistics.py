"""Statistics of several seeds: means, and how far they can be trusted."""

import math

FEWEST = 3  # seeds that an interval needs: with two it would be 9 standard deviations wide


def interval(values):
    """Return (mean, half of its 95 % interval, Student's t) of numbers; the half is NaN for fewer than two."""
    import numpy as np
    from scipy import stats

    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return float(values.mean()), math.nan
    return float(values.mean()), float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5)
