"""What every metric must do; a new file in steps/metrics is tested because it is there.

Its file says what these tests should know of it: ALIKE = False if channels do not count alike; CLIPS = True if what is
beyond [0, 1] does not count; SMALLEST, the side in pixels that it needs; PACKAGE, that it needs beside ours.
"""

import importlib.util
import inspect

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage import data
from skimage.restoration import denoise_tv_chambolle

from steps import score, tabulate
from steps.base import discover
from steps.images import synthetic
from steps.plan.metrics import facts
from steps.tables.columns import Metric
from tests.conftest import picture

SIDE = 192  # pixels: enough for every scale of every metric
SIGMAS = (0.02, 0.05, 0.1, 0.3)
METRICS = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            importlib.util.find_spec(package) is None, reason=f"the package {package} is not installed"
        ),
    )
    for name in discover.available("metrics")
    for package in [getattr(discover.load("metrics", name), "PACKAGE", "numpy")]
]


def number(name, truth, estimate, measured=None):
    """Return score's number of a metric; what is measured is by default the truth with noise of 0.2."""
    return score.number(name, truth, estimate, noisy(truth, 0.2) if measured is None else measured)


def noisy(truth, sigma):
    return truth + sigma * np.random.default_rng(0).standard_normal(truth.shape)


@pytest.fixture(params=[1, 3], ids=["gray", "colour"])
def truth(request):
    return picture(request.param, SIDE, SIDE + 9).double().numpy()


def needs(name, channels):
    """Skip a test of a metric that has no number for an image of so many channels."""
    if channels == 1 and of_colours(name):
        pytest.skip("it is of colours")


def of_colours(name):
    return getattr(discover.load("metrics", name), "COLOUR", False)


def metric_of(name):
    return Metric(**facts([name])[0])


@pytest.mark.parametrize("name", METRICS)
def test_the_truth_is_the_best_estimate_and_more_noise_is_worse_in_its_direction(name, truth):
    needs(name, len(truth))
    numbers = [number(name, truth, noisy(truth, sigma)) for sigma in (0, *SIGMAS)]
    assert all(isinstance(value, float) and value == value for value in numbers)
    assert all(np.isfinite(numbers[1:]))
    assert len(set(numbers)) == len(numbers)
    assert numbers == sorted(numbers, reverse=metric_of(name).better == "higher")
    metric = metric_of(name)
    assert metric.is_best(numbers[0], metric.best(numbers)) and not metric.is_best(numbers[-1], metric.best(numbers))


def photograph(channels):
    """Return (channels, SIDE, SIDE) pixels of a photograph that comes with scikit-image."""
    planes = data.camera()[None] if channels == 1 else np.moveaxis(data.coffee(), -1, 0)
    return planes[:, 100 : 100 + SIDE, 200 : 200 + SIDE] / 255


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", METRICS)
def test_the_truth_is_ranked_first_and_the_input_last_beside_recoveries(name, channels):
    """The noise is so strong that each recovery is better than nothing, be it by the mean or by the worst pixel."""
    needs(name, channels)
    x = photograph(channels)
    y, metric = noisy(x, 0.2), metric_of(name)
    estimates = {"truth": x, "input": y}
    estimates |= {f"TV {weight}": denoise_tv_chambolle(y, weight, channel_axis=0) for weight in (0.05, 0.2)}
    estimates |= {f"Gaussian {width}": gaussian_filter(y, (0, width, width)) for width in (0.5, 1)}
    numbers = {label: number(name, x, estimate, y) for label, estimate in estimates.items()}
    first, *between, last = sorted(numbers, key=numbers.get, reverse=metric.better == "higher")
    assert (first, last) == ("truth", "input"), numbers
    shown = {label: metric.digits(value) for label, value in numbers.items()}
    assert not {shown[first], shown[last]}.intersection(shown[label] for label in between), shown


@pytest.mark.parametrize("name", METRICS)
def test_a_perfect_recovery_has_one_number_whatever_the_image(name, truth):
    """That of the column `truth` of tables, which is measured of one picture."""
    needs(name, len(truth))
    expected = metric_of(name).digits(tabulate.perfect(name))
    for x in (truth, truth[:, ::-1] ** 2, photograph(len(truth)), np.stack([synthetic.logo()] * len(truth))):
        assert metric_of(name).digits(number(name, x, x.copy())) == expected


@pytest.mark.parametrize("name", METRICS)
def test_channels_count_alike_and_three_equal_ones_are_a_gray_image(name, truth):
    needs(name, len(truth))
    estimate = noisy(truth, 0.1)
    swapped = number(name, truth[::-1], estimate[::-1], noisy(truth, 0.2)[::-1])
    if getattr(discover.load("metrics", name), "ALIKE", True):
        assert swapped == pytest.approx(number(name, truth, estimate)), "say ALIKE = False if that is meant"
    gray = [np.repeat(image[:1], 3, axis=0) for image in (truth, estimate, noisy(truth, 0.2))]
    alone = number(name, *(image[:1] for image in gray))
    same = alone is None if of_colours(name) else number(name, *gray) == pytest.approx(alone)
    assert same, "of three equal channels the number is to be that of one, or None of one if the metric says COLOUR"


@pytest.mark.parametrize("name", METRICS)
def test_neither_image_is_changed_and_values_beyond_the_range_are_not_clipped(name, truth):
    needs(name, len(truth))
    estimate, measured = truth + 0.8 * (truth > 0.5), noisy(truth, 0.2)
    kept = [image.copy() for image in (truth, estimate, measured)]
    for image in (truth, estimate, measured):
        image.flags.writeable = False
    value = number(name, truth, estimate, measured)
    clips = getattr(discover.load("metrics", name), "CLIPS", False)
    assert (value == number(name, truth, np.clip(estimate, 0, 1), measured)) == clips, "say CLIPS = True if it does"
    assert all(np.array_equal(now, before) for now, before in zip((truth, estimate, measured), kept))


@pytest.mark.parametrize("name", METRICS)
def test_a_tiny_image_has_a_number_or_none_from_the_size_that_its_file_says(name):
    smallest = getattr(discover.load("metrics", name), "SMALLEST", 1)
    for side, there in ((smallest, True), (smallest - 1, False)):
        truth = (
            picture(3 if of_colours(name) else 1, max(SIDE, smallest), max(SIDE, smallest))
            .double()
            .numpy()[:, :side, -max(side, 1) :]
        )
        if side:
            assert (number(name, truth, noisy(truth, 0.1)) is not None) == there, side


@pytest.mark.parametrize("name", METRICS)
def test_its_file_says_what_tables_need(name):
    module, (said,) = discover.load("metrics", name), facts([name])
    assert said["about"] and len(said["about"]) < 110 and not said["about"].startswith(said["name"])
    assert isinstance(said["decimals"], int) and 0 <= said["decimals"] <= 6
    assert set(inspect.signature(module.measure).parameters) <= {"truth", "estimate", "measured"}


@pytest.mark.parametrize("value", [0.1, 0.3, 0.7, 0.9])
def test_of_a_flat_truth_there_is_no_visual_information(value):
    pytest.importorskip("torchmetrics")
    flat = np.full((3, 64, 64), value, np.float32)
    flat[:2] = np.random.default_rng(0).random((2, 64, 64))
    assert discover.load("metrics", "vif").measure(flat, flat) is None
