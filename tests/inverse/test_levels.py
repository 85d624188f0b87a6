"""What was found of a picture's noise: in words, and the transform of pictures that have it."""

import numpy as np
import pytest
import torch

from steps.inverse.collaborative import OPPONENT
from steps.inverse.levels import Levels, line, sentence
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


def test_the_spectrum_has_each_band_s_power_at_its_frequencies_and_sigma_is_the_mean_of_channels():
    powers = [1.0, 0.5, 0.25, 0.1]
    levels = Levels([0, 1], [[0.01, 0.01]], [powers])
    relative = levels.spectrum / levels.sigma**2
    found = [float(relative[k]) for k in ((0, 0), (1, 1), (5, 2), (-5, 2), (2, 5), (8, 8))]
    assert found == pytest.approx([1, 1, 0.25, 0.25, 0.25, 0.1])
    two = Levels([0, 1], [[0.01, 0.01], [0.04, 0.04]], [powers, powers])
    assert two.sigma == pytest.approx(0.15) and two.spectrum is None


def found(*variances, spectrum=((1.0,) * 4,), levels=(0, 1), ends=(0, 1)):
    """Return what `noise_level` would have found: the variances at levels of each channel, in a picture of a range."""
    return {"levels": list(levels), "variances": list(variances), "spectrum": list(spectrum), "range": list(ends)}


def test_the_numbers_that_are_said_are_those_of_the_line_where_the_picture_has_it():
    assert sentence(found([0.0004, 0.0104])) == (
        "Noise found: 0.020 at brightness 0.00, 0.073 at brightness 0.50, 0.102 at brightness 1.00 "
        "(gain 0.01, as of 100 photons at white; read noise 0.02). It is white noise."
    )
    said = sentence(found([0.0004, 0.0104], ends=(0.2, 0.6)))
    assert "0.049 at brightness 0.20, 0.066 at brightness 0.40, 0.080 at brightness 0.60" in said


def test_each_channel_s_gain_is_said_if_they_differ_and_photons_are_of_their_mean():
    white = [[share] * 4 for share in (1 / 3, 1 / 2, 3 / 8)]
    said = sentence(found([0.0004, 0.0104], [0.0004, 0.0304], [0.0004, 0.0104], spectrum=white))
    assert "gain 0.01, 0.03, 0.01, as of 60 photons at white; read noise 0.02" in said
    assert said.startswith("Noise found: 0.020 at brightness 0.00, 0.093 at")


def test_noise_that_differs_by_more_than_fifteen_per_cent_is_said_at_three_levels():
    assert sentence(found([0.0004, 0.0004 * 1.1**2])).startswith("Noise found: 0.021. ")
    assert "at brightness" in sentence(found([0.0004, 0.0004 * 1.3**2]))


def test_what_is_a_third_off_is_no_line():
    levels = np.linspace(0, 1, 17)
    assert line(found(list(0.001 * (1 + 0.5 * np.sin(9 * levels))), levels=levels)) is None
