import pytest

from steps.base import discover
from steps.plan import needs


def megabytes(height, width, channels=1):
    return height * width * channels * 4 / 1e6


@pytest.mark.parametrize("method", discover.available("methods"))
def test_every_method_says_what_it_needs_and_more_for_more_pixels(method):
    small = needs.recovery("denoising", "sigma=0.1", method, "default", megabytes(64, 64))
    large = needs.recovery("denoising", "sigma=0.1", method, "default", megabytes(512, 512))
    assert 500 < small[0] < large[0] < 16000
    assert 1 <= small[1] <= large[1] < 7 * 24 * 60
    assert all(isinstance(number, int) for number in small + large)
    assert hasattr(discover.load("methods", method), "needs")


# MB that recoveries took on the CPU of one machine, by run.json, with the deep image prior in float32.
MEASURED = [
    ("wiener", (512, 512, 3), 279),
    ("tv", (512, 512, 3), 346),
    ("nlm", (512, 512, 3), 322),
    ("bm3d", (512, 512, 3), 577),
    ("dip", (256, 256, 1), 1010),
    ("dip", (512, 512, 3), 3011),
    ("wiener_dip", (512, 512, 3), 1758),
    ("admm_dip", (512, 512, 3), 1848),
]


@pytest.mark.parametrize(("method", "shape", "measured"), MEASURED)
def test_no_method_asks_for_less_than_it_was_measured_to_take(method, shape, measured):
    height, width, channels = shape
    memory, _ = needs.recovery("denoising", "sigma=0.1", method, "default", megabytes(height, width, channels))
    assert memory > 1.3 * measured


def test_parameters_count():
    def minutes(params):
        return needs.recovery("denoising", "sigma=0.1", "dip", params, megabytes(256, 256))[1]

    assert minutes("iterations=10000") > 4 * minutes("iterations=2000")
    assert minutes("default") == minutes("iterations=2000")
    assert minutes("channels=256") > 2 * minutes("default")


def test_a_method_that_does_not_say_gets_what_is_plenty(monkeypatch):
    monkeypatch.delattr(discover.load("methods", "tv"), "needs")
    assert needs.recovery("denoising", "sigma=0.1", "tv", "default", 2) == (5000, 120)


def test_dense_patterns_count_and_the_image_is_larger_than_its_measurement():
    whole = megabytes(64, 64)
    dense = needs.recovery("single_pixel", "compression=4", "tv", "default", whole / 4)[0]
    scrambled = needs.recovery("single_pixel", "compression=4,patterns=hadamard", "tv", "default", whole / 4)[0]
    assert dense - scrambled > 3 * 4 * 4096 * 1024 / 1e6 - 2
    default = needs.recovery("single_pixel", "default", "tv", "default", whole / 2)[0]
    assert default == needs.recovery("single_pixel", "compression=2", "tv", "default", whole / 2)[0]
    assert needs.measuring("denoising", "sigma=0.1", 3) == 0
