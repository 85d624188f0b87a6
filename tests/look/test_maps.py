import numpy as np

from steps.look import maps


def test_the_colour_bar_ends_at_a_round_number_that_one_failure_does_not_move():
    flat = [np.full((10, 10), value) for value in (0.11, 0.12, 0.13)]
    assert maps.scale(flat) == 0.15
    assert maps.scale([*flat[:2], np.full((10, 10), 9.0)]) == 0.15
    assert maps.scale([np.full((10, 10), 0.02)]) == 0.02
    assert maps.scale([np.zeros((10, 10))]) > 0
    few = np.zeros((20, 50))
    few[0, :10] = 0.5  # a pixel of a hundred may not be beyond it, one of a thousand may
    few[1, 0] = 9
    assert maps.scale([few]) == 0.5


def test_an_error_is_the_mean_over_channels_of_what_is_not_clipped():
    truth, estimate = np.zeros((3, 1, 1)), np.array([-1.5, 0.5, 1]).reshape(3, 1, 1)
    assert maps.error_map(truth, estimate) == 1


def test_nothing_is_the_middle_gray_and_what_is_beyond_the_scale_is_black_or_white():
    picture = maps.about_gray(np.array([-9, -0.2, -0.1, 0, 0.1, 0.2, 9]), 0.2)
    np.testing.assert_allclose(255 * picture, [1, 1, 64.5, 128, 191.5, 255, 255])
