import math

import numpy as np
import pandas
import pytest
from scipy import stats

from steps.tables.statistics import interval


@pytest.mark.parametrize("count", [2, 3, 10])
def test_the_interval_is_scipy_s(count):
    values = np.random.default_rng(count).normal(25, 2, count)
    low, high = stats.t.interval(0.95, count - 1, loc=values.mean(), scale=stats.sem(values))
    mean, half = interval(pandas.Series(values))
    assert (mean - half, mean + half) == pytest.approx((low, high))


def test_one_value_has_no_interval():
    mean, half = interval([25])
    assert mean == 25 and math.isnan(half)
