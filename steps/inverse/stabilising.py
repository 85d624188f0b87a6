"""The transform that makes the noise of one channel Gaussian and as strong everywhere, and its unbiased inverse."""

from functools import cached_property

import numpy as np
import torch

STEPS = 4096  # of the table of the inverse
NODES = 32  # of the integral over the normal distribution
LEAST = 1e-4  # of a variance, over the largest
BEYOND = 2.0  # the table goes so far below black and above white; there the transform is linear


class Curve:
    """The transform of one channel whose noise at x has the variance v(x), linear between `levels`, constant beyond.

        f(y) = ∫ dt / √(v(t) + 3/8 v'(t)²)  from black to y

    has noise of standard deviation 1, nearly. Of v(x) = gain · x + offset it is the generalised Anscombe transform. The
    inverse is of  x ↦ E f(x + √v(x) n),  n normal, not of f, which would leave a bias. Sources: Prucnal, Saleh (1981);
    Starck et al. (1998); Mäkitalo, Foi (2013).
    """

    def __init__(self, levels, variances):
        levels = np.asarray(levels, dtype=np.float64)
        v = np.asarray(variances, dtype=np.float64)
        v = np.maximum(v, LEAST * v.max())
        slopes = np.concatenate([[0], np.diff(v) / np.diff(levels), [0]])  # below, between and above the levels
        starts, at_starts = (np.concatenate([a[:1], a]) for a in (levels, v))  # of the part below it is its end
        at_starts = at_starts + 3 / 8 * np.concatenate([slopes[1:2], slopes[1:-1], slopes[-2:-1]]) ** 2
        step = np.diff(levels)
        parts = 2 * step / (np.sqrt(at_starts[1:-1]) + np.sqrt(at_starts[1:-1] + slopes[1:-1] * step))
        values = np.concatenate([[0, 0], np.cumsum(parts)])
        self.levels, self.variances, self.range = levels, v, values[-1]
        self.parts = [torch.from_numpy(a) for a in (starts, slopes, at_starts, values)]

    def forward(self, y):
        """Return f(y) of a tensor of any shape."""
        part = torch.bucketize(y.contiguous(), torch.from_numpy(self.levels).to(y), right=True)
        start, slope, v, value = (a.to(y)[part] for a in self.parts)
        step = y - start
        return value + 2 * step / (v.sqrt() + (v + slope * step).clamp(min=0).sqrt())

    def inverse(self, d):
        """Return the x with E f(x + √v(x) n) = d, the shape of d; by linear interpolation, linear beyond the table."""
        low, high, table = self._table
        place = (d - low) * ((STEPS - 1) / (high - low))
        index = place.nan_to_num().clamp(0, STEPS - 2).long()  # of NaN comes NaN
        below, above = (torch.from_numpy(table).to(d)[index + i] for i in (0, 1))
        return below + (place - index) * (above - below)

    @cached_property
    def _table(self):
        """Return (low, high, x (STEPS,)): x of STEPS values of E f, equally far apart, from low to high."""
        starts, slopes, v, values = (a.numpy() for a in self.parts)
        ends = self.forward(torch.tensor([-BEYOND, 1 + BEYOND], dtype=torch.float64)).tolist()
        f = np.linspace(*ends, STEPS)
        part = np.searchsorted(values[1:], f, side="right")
        x = starts[part] + (f - values[part]) * (np.sqrt(v[part]) + slopes[part] * (f - values[part]) / 4)
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        noisy = x[:, None] + np.sqrt(np.interp(x, self.levels, self.variances))[:, None] * nodes
        means = self.forward(torch.from_numpy(noisy)).numpy() @ (weights / weights.sum())
        means = np.maximum.accumulate(means)
        return means[0], means[-1], np.interp(np.linspace(means[0], means[-1], STEPS), means, x)
