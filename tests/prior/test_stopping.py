import numpy as np
import pytest
import torch

from steps.prior.stopping import MovingVariance, average_centred_at, polynomial_weight


def test_moving_variance_is_that_of_the_last_estimates():
    random = np.random.default_rng(0)
    images = torch.from_numpy(random.random((30, 1, 4, 5)) * np.linspace(3, 1, 30)[:, None, None, None])
    stop = MovingVariance(window=5, patience=100, min_start=0)
    variances = []
    for i, image in enumerate(images, start=1):
        assert not stop(i, image)
        if i >= 5:
            recent = images[i - 5 : i]
            variances.append(float((recent - recent.mean(0)).square().sum() / 5))
    assert stop.least == pytest.approx(min(variances))
    assert stop.iteration == 5 + int(np.argmin(variances))
    assert torch.equal(stop.best, images[stop.iteration - 1])


def quiet_at_first():
    """Return 200 estimates: ten that are equal, then ten times as many that are not."""
    return [torch.zeros(1, 2, 2) if i < 10 else torch.rand(1, 2, 2) for i in range(200)]


def test_moving_variance_stops_after_its_patience():
    stop = MovingVariance(window=10, patience=30, min_start=0)
    assert next(i for i, x in enumerate(quiet_at_first(), start=1) if stop(i, x)) == 40
    assert stop.iteration == 10


def test_moving_variance_does_not_count_what_is_before_min_start():
    stop = MovingVariance(window=10, patience=30, min_start=50)
    ended = next(i for i, x in enumerate(quiet_at_first(), start=1) if stop(i, x))
    assert stop.iteration >= 50 and ended == stop.iteration + 30


def test_a_window_that_ends_at_min_start_counts():
    stop = MovingVariance(window=10, patience=30, min_start=10)
    assert any(stop(i, x) for i, x in enumerate(quiet_at_first(), start=1)) and stop.iteration == 10


@pytest.mark.parametrize("n", [1, 2, 7, 500])
def test_the_polynomial_average_has_weights_that_grow_with_the_fourth_power(n):
    """Of the n iterates the i-th weighs i (i + 1) (i + 2) (i + 3) over the sum of these (Shamir and Zhang 2013)."""
    average = np.zeros(n)
    for k in range(1, n + 1):
        weight = polynomial_weight(k)
        average = (1 - weight) * average + weight * np.eye(n)[k - 1]
    i = np.arange(1, n + 1.0)
    rising = i * (i + 1) * (i + 2) * (i + 3)
    np.testing.assert_allclose(average, rising / rising.sum(), atol=1e-12)


@pytest.mark.parametrize("iteration", [1, 10, 303])
def test_the_polynomial_average_has_its_centre_where_it_was_asked_for(iteration):
    n = average_centred_at(iteration)
    i = np.arange(1, n + 1.0)
    rising = i * (i + 1) * (i + 2) * (i + 3)
    assert (i * rising).sum() / rising.sum() == pytest.approx(iteration, abs=1.2)
    assert 5 * n - 4 <= 6 * iteration <= 5 * n  # 6/5 of it, rounded up
