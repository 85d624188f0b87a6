"""The generalised Anscombe transform, which makes Poisson–Gaussian noise Gaussian, and its exact unbiased inverse."""

from functools import cached_property

import numpy as np

from steps.base.errors import BadInput

STEPS = 4096  # of the table of the inverse
SUMMED = 100  # counts up to which expectations are sums; beyond, a series is exact to 1e-5 counts
LEAST = 1e-9  # of what white differs from black by, as a share: below it float64 has few digits
REACH = 4  # the table goes to so many times white; beyond, the inverse goes on as the asymptotic one does


class Anscombe:
    """The transform of images y = Poisson(peak · x) / peak + sigma · N(0, 1), scaled so that means stay in [0, 1].

        f(z) = 2 √(max(z + 3/8 + s², 0))   for counts z = peak · y, with s = peak · sigma

    has noise of standard deviation 1. forward(y) is (f(peak · y) − low) / (high − low), where low and high are what
    E f is for x = 0 and x = 1; its noise has the standard deviation `sigma`, 1 / (high − low).

    The inverse is of  x ↦ E[f(z) | x],  not of f, which would leave a bias where counts are few: what a denoiser finds
    is near the mean of f(z). Raises BadInput if noise is so strong that f is the same of black and white. Sources:
    Anscombe (1948), Starck et al. (1998); Mäkitalo, Foi (2011, 2013).
    """

    def __init__(self, peak, sigma=0.0):
        self.peak, self.s = float(peak), float(peak * sigma)
        self.low, self.high = expectation(np.array([0.0, self.peak]), self.s).tolist()
        if self.high - self.low < LEAST * self.high:
            words = f"peak {self.peak:g} and sigma {sigma:g} are too much noise"
            raise BadInput(f"{words}: transformed, white is no brighter than black")
        self.sigma = 1 / (self.high - self.low)

    def forward(self, y):
        """Return the transform of y, a tensor of any shape, on the scale on which images are in [0, 1]."""
        f = 2 * (self.peak * y + 3 / 8 + self.s**2).clamp(min=0).sqrt()
        return (f - self.low) * self.sigma

    def inverse(self, d):
        """Return the x with E forward(y) = d, the shape of d; 0 for what no x can give; by linear interpolation."""
        import torch

        top, table = self._table
        end = float(table[-1])
        d = d * (self.high - self.low)  # above that of black
        place = (d * ((STEPS - 1) / top)).clamp(0, STEPS - 1)
        index = place.nan_to_num().long().clamp(max=STEPS - 2)  # of NaN comes NaN
        counts = torch.lerp(*(torch.from_numpy(table).to(d)[index + i] for i in (0, 1)), place - index)
        beyond = end + ((d + self.low) ** 2 - (top + self.low) ** 2) / 4
        return torch.where(d > top, beyond, counts) / self.peak

    @cached_property
    def _table(self):
        """Return (top, counts): counts at STEPS values of E f − low, equally far apart, from 0 to top."""
        last = max(REACH * self.peak, SUMMED)
        counts = np.linspace(0, last**0.5, STEPS) ** 2  # E f is nearly straight over their square root
        values = expectation(counts, self.s) - self.low
        return values[-1], np.interp(np.linspace(0, values[-1], STEPS), values, counts)


def expectation(counts, s):
    """Return E f(z) of z = Poisson(counts) + s · N(0, 1), an array as `counts` (1-d, ≥ 0): what the inverse inverts.

    Sums over photons, each term an integral over the normal distribution; for many counts Taylor's series of f about
    the mean with the first four central moments.
    """
    counts = np.asarray(counts, dtype=np.float64)
    m = counts + 3 / 8 + s**2
    variance = counts + s**2
    series = (
        2 * m**0.5 - variance / (4 * m**1.5) + counts / (8 * m**2.5) - 5 * (3 * variance**2 + counts) / (64 * m**3.5)
    )
    few = counts <= SUMMED
    if few.any():
        series[few] = _summed(counts[few], s)
    return series


def _summed(counts, s):
    from scipy.special import gammaln, xlogy

    photons = np.arange(counts.max() + 12 * counts.max() ** 0.5 + 20)
    n, weight = np.zeros(1), np.ones(1)
    if s:
        n = np.linspace(-8, 8, 4001)
        weight = np.exp(-(n**2) / 2)
        weight /= weight.sum()
    f = 2 * np.sqrt(np.maximum(photons[:, None] + 3 / 8 + s**2 + s * n, 0)) @ weight
    return np.exp(xlogy(photons, counts[:, None]) - counts[:, None] - gammaln(photons + 1)) @ f
