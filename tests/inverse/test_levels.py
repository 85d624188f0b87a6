"""The transform of pictures whose noise has a noise-level function."""

import numpy as np
import pytest
import torch

from steps.inverse.collaborative import OPPONENT
from steps.inverse.levels import Levels
from steps.noises import gaussian


@pytest.mark.parametrize("level", [-0.3, -0.1, 0.0, 0.2])
def test_values_below_black_are_not_lost(level):
    y = gaussian.add(np.full((1, 300, 300), level, np.float32), sigma=0.05)
    levels = Levels([0, 1], [[0.05**2, 0.05**2 + 0.0003]], [[1.0] * 4])
    back = levels.inverse(levels.forward(torch.from_numpy(y)).mean((1, 2), keepdim=True))
    assert float(back) == pytest.approx(level, abs=1e-3)


def test_noise_is_as_strong_in_all_channels_after_the_transform_and_it_is_undone():
    variances = [[0.0, 0.05], [0.01, 0.03], [0.01, 0.01]]
    levels = Levels([0, 1], variances, np.outer([1 / 3, 1 / 2, 3 / 8], np.ones(4)).tolist())
    random = np.random.default_rng(0)
    for value in (0.3, 0.8):
        flat = np.full((200, 200), value)
        planes = [
            random.poisson(20 * flat) / 20,
            random.poisson(50 * flat) / 50 + 0.1 * random.standard_normal(flat.shape),
        ]
        planes.append(flat + 0.1 * random.standard_normal(flat.shape))
        z = levels.forward(torch.from_numpy(np.stack(planes)))
        assert (z.std((1, 2)) / levels.sigma).tolist() == pytest.approx([1, 1, 1], abs=0.06)
        assert levels.inverse(z.mean((1, 2), keepdim=True)).ravel().tolist() == pytest.approx([value] * 3, abs=0.01)
    assert levels.spectrum.shape == (3, 16, 16)
    np.testing.assert_allclose(levels.spectrum[1].numpy(), levels.sigma**2 / 2)
    assert levels.forward(torch.rand(3, 4, 5)).dtype == torch.float32


def test_a_channel_without_noise_stays_as_it_is_and_the_spectrum_is_of_the_others():
    random = np.random.default_rng(0)
    planes = [random.poisson(40 * np.full((200, 200), level)) / 40 for level in (0.3, 0.6)]
    y = torch.from_numpy(np.stack([*planes, np.full((200, 200), 0.4)]))
    power = np.outer(np.square(OPPONENT)[:, :2].sum(1), np.ones(4)).tolist()
    levels = Levels([0, 1], [[0, 1 / 40], [0, 1 / 40], [0, 0]], power)
    z = levels.forward(y)
    assert (z.std((1, 2))[:2] / levels.sigma).tolist() == pytest.approx([1, 1], abs=0.06) and torch.equal(z[2], y[2])
    colours = np.tensordot(OPPONENT, z.numpy(), 1)
    np.testing.assert_allclose(levels.spectrum.mean((1, 2)).numpy(), colours.var((1, 2)), rtol=0.1)
    back = levels.inverse(z.mean((1, 2), keepdim=True)).ravel().tolist()
    assert back == pytest.approx([0.3, 0.6, 0.4], abs=0.01)
