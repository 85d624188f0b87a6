import numpy as np
import pytest
import torch

from steps.prior.stopping import MovingVariance


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
