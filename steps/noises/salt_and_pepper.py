"""Salt-and-pepper noise: some values of A x are replaced by 0 or by 1."""

from typing import Annotated

import numpy as np

from steps.inverse.pieces import pieces

LABEL = "salt-and-pepper"
SYMBOLS = {"amount": ("amount", "Amount (share of values replaced)")}
TRIED = [{"amount": 0}, {"amount": 0.7}]


def add(clean, *, amount: Annotated[float, ">= 0", "< 1"] = 0.1, seed: Annotated[int, ">= 0"] = 0):
    """Return clean, float32, in which each value is with the chance `amount` replaced, by 0 or by 1, as likely.

    Mean (1 − amount) · clean + amount / 2.
    """
    random, noisy = np.random.default_rng([seed, 0]), clean.astype(np.float32, order="C")
    for part in pieces(noisy):
        chance = random.random(part.shape)
        part[:] = np.where(chance < amount, chance < amount / 2, part)
    return noisy


def sigma(y, *, amount: Annotated[float, ">= 0", "< 1"] = 0.1):
    """Return the root mean square of y − A x, √(amount · mean(½ − A x + (A x)²)): of an error that has a bias, too.

    The means of A x and of its square are those of y, solved for:  E y = (1 − amount) A x + amount / 2,  and the same
    for squares. The mean is at least ¼, whatever A x.
    """
    y = np.array(y, dtype=np.float64)
    means = y.mean(), np.square(y, out=y).mean()
    first, second = ((mean - amount / 2) / (1 - amount) for mean in means)
    return float(np.sqrt(amount * max(0.5 - first + second, 0.25)))
