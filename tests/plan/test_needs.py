import os

import pytest
import torch

from steps.base import discover
from steps.base.recoveries import Recovery
from steps.inverse import measurement
from steps.inverse.operators import LinearOperator
from steps.plan import needs


def recovery(task, corruption, method, params, image_mb):
    return needs.recovery(Recovery(task, "any", corruption, method, params, ""), image_mb, {})


def megabytes(height, width, channels=1):
    return height * width * channels * 4 / 1e6


@pytest.mark.parametrize("method", discover.available("methods"))
def test_every_method_says_what_it_needs_and_more_for_more_pixels(method):
    small = recovery("denoising", "sigma=0.1", method, "default", megabytes(64, 64))
    large = recovery("denoising", "sigma=0.1", method, "default", megabytes(512, 512))
    assert 500 < small[0] < large[0] < 16000
    assert 1 <= small[1] <= large[1] < 7 * 24 * 60
    assert all(isinstance(number, int) for number in small + large)
    assert hasattr(discover.load("methods", method), "needs")


@pytest.mark.parametrize("method", ["tv", "nlm", "bm3d"])
def test_memory_for_a_large_picture_that_is_denoised_by_tiles_is_bounded_and_time_is_not(method):
    twelve, twenty_four = (
        recovery("denoising", "sigma=0.1", method, "default", megabytes(3000, side, 3)) for side in (4000, 8000)
    )
    assert twelve[0] < twenty_four[0] < 7000 and twenty_four[1] - 5 > 1.5 * (twelve[1] - 5)
    assert recovery("deconvolution", "blur=2", method, "default", megabytes(3000, 4000, 3))[0] > 20_000


# (megapixels, processor seconds, MB) that denoising in colour took by run.json, on one thread of an AMD EPYC (AVX-512).
LARGE = {
    ("wiener", "default"): [(0.25, 0.1, 271), (12, 3.3, 895), (24, 6.7, 1543)],
    ("nlm", "default"): [(0.25, 0.3, 278), (12, 15.7, 962), (24, 36.6, 1585)],
    ("tv", "default"): [(0.25, 1.6, 766), (12, 79, 1070), (24, 167.5, 1642)],
    ("bm3d", "default"): [(0.25, 3.3, 549), (12, 233, 1398)],
    ("bm3d", "profile=fast"): [(0.25, 2.1, 539), (12, 139.6, 1519)],
}


@pytest.mark.parametrize(("method", "params"), LARGE)
def test_beyond_five_minutes_and_a_gigabyte_it_asks_for_two_to_four_times_what_denoising_took(method, params):
    for pixels, seconds, memory in LARGE[method, params]:
        asked = recovery("denoising", "sigma=0.1", method, params, 12 * pixels)
        assert 2 * seconds / 60 - 0.5 <= asked[1] - 5 <= 4 * seconds / 60 + 1  # of whole minutes
        assert 1.3 * memory <= asked[0] <= 1000 + 4 * memory


def test_of_other_tasks_and_slower_settings_it_asks_for_more_minutes():
    def minutes(method, params="default", task="denoising"):
        return recovery(task, "default", method, params, 300)[1]

    for method in ("nlm", "tv", "bm3d"):
        assert minutes(method, task="deconvolution") > 10 * minutes(method)
    assert minutes("nlm", "fast=false") > minutes("nlm", "distance=12") > minutes("nlm") + 2
    assert minutes("bm3d", "profile=high") > minutes("bm3d") + 10 > minutes("bm3d", "profile=fast") + 20
    assert minutes("tv", "iterations=200") > minutes("tv") + 5


def test_corruption_and_score_ask_for_what_they_took_and_more_for_metrics_that_say_so():
    """At 24 megapixels these took 1.6 and 2.0 GB; MS-SSIM 4.3 GB at 0.25."""
    assert 1.3 * 1600 < needs.corrupting("denoising", "noise=camera", 288) < 2 * 1600
    assert needs.corrupting("single_pixel", "compression=2,patterns=gaussian", 0.05) > 1000 + 30
    assert 1.3 * 2000 < needs.scoring(["psnr", "ssim"], 288) < 2 * 2000
    assert needs.scoring(["psnr", "ms_ssim"], 3.15) > 1.3 * 4300


# MB that recoveries took on the CPU of one machine, by run.json, with the deep image prior in float32.
MEASURED = [
    ("wiener", (512, 512, 3), 279),
    ("tv", (512, 512, 3), 346),
    ("nlm", (512, 512, 3), 322),
    ("bm3d", (512, 512, 3), 577),
    ("bm3d_package", (512, 512, 3), 577),
    ("dip", (256, 256, 1), 1010),
    ("dip", (512, 512, 3), 3011),
    ("wiener_dip", (512, 512, 3), 1758),
    ("admm_dip", (512, 512, 3), 1848),
]


@pytest.mark.parametrize(("method", "shape", "measured"), MEASURED)
def test_no_method_asks_for_less_than_it_was_measured_to_take(method, shape, measured):
    height, width, channels = shape
    memory, _ = recovery("denoising", "sigma=0.1", method, "default", megabytes(height, width, channels))
    assert memory > 1.3 * measured


def test_parameters_count():
    def minutes(params):
        return recovery("denoising", "sigma=0.1", "dip", params, megabytes(256, 256))[1]

    assert minutes("iterations=10000") > 4 * minutes("iterations=2000")
    assert minutes("default") == minutes("iterations=1200,fits=3") == minutes("iterations=3600,fits=1")
    assert minutes("channels=256") > 2 * minutes("default")


def test_a_method_that_does_not_say_gets_what_is_plenty(monkeypatch):
    monkeypatch.delattr(discover.load("methods", "tv"), "needs")
    assert recovery("denoising", "sigma=0.1", "tv", "default", 2) == (5000, 120)


def test_dense_patterns_count():
    image = megabytes(64, 64)
    dense = recovery("single_pixel", "compression=4", "tv", "default", image)[0]
    scrambled = recovery("single_pixel", "compression=4,patterns=hadamard", "tv", "default", image)[0]
    assert dense - scrambled > 3 * 4 * 4096 * 1024 / 1e6 - 2
    default = recovery("single_pixel", "default", "tv", "default", image)[0]
    assert default == recovery("single_pixel", "compression=2", "tv", "default", image)[0]
    assert needs.measuring("denoising", "sigma=0.1", 3) == 0


def test_of_what_was_measured_the_image_is_what_counts():
    """M numbers are of N = M · compression pixels, or as many as the patterns have that were shown."""
    for task, corruption, shape, files, image in (
        ("single_pixel", "compression=4,patterns=gaussian,sigma=1", (1, 1, 1024), {}, (1, 64, 64)),
        ("single_pixel", "patterns=shown,sigma=1", (3, 1, 8), {"shown": (8, 20, 30)}, (3, 20, 30)),
        ("single_pixel", "patterns=shown,sigma=1", (3, 1, 8), {}, (3, 1, 8)),  # which is not known
        ("single_pixel", "compression=4,patterns=gaussian,sigma=1", (1, 1, 7), {}, (1, 1, 7)),  # of no square
        ("super_resolution", "factor=4,sigma=0.1", (3, 10, 20), {}, (3, 40, 80)),
        ("deconvolution", "psf=k,boundary=valid,sigma=0.1", (3, 10, 20), {"k": (5, 7)}, (3, 14, 26)),
        ("denoising", "sigma=estimate", (3, 10, 20), {}, (3, 10, 20)),
    ):
        assert needs.image_shape(task, corruption, shape, files) == image


def test_what_the_config_says_counts_more_and_a_gpu_is_ten_times_as_fast():
    wanted = Recovery("denoising", "any", "sigma=0.1", "dip", "default", "")
    memory, minutes = needs.recovery(wanted, 3, {"tv": {"memory_mb": 1}})
    assert needs.recovery(wanted, 3, {}, gpu=True) == (memory, pytest.approx(10 + minutes / 10, abs=1))
    assert needs.recovery(wanted, 3, {"dip": {"minutes": 7}}, gpu=True) == (memory, 7)


class Tenth(LinearOperator):
    """Every tenth pixel: a measurement of a tenth of the image's size, which no parameter says."""

    def __init__(self, shape, *, step: int = 10):
        super().__init__(shape)
        self.step = step

    def forward(self, x):
        return x.flatten(-3)[..., :: self.step]


def test_a_measurement_knows_the_size_of_its_image_however_small_it_is(tmp_path):
    image = torch.zeros(3, 512, 512)
    A = Tenth(image.shape)
    path = tmp_path / "measurement.npz"
    measurement.save(path, A.forward(image), "tenth", A.shape, {}, measurement.Noise("gaussian", {}, 0.1))
    assert path.stat().st_size < image.numel() * 4 / 9
    assert measurement.shape(path) == (3, 512, 512)
    assert recovery("denoising", "sigma=0.1", "dip", "iterations=2000,channels=128", megabytes(512, 512, 3))[1] > 700


def test_a_measurement_that_is_made_anew_is_looked_at_anew_and_one_that_is_not_there_is_not_found(tmp_path):
    path = tmp_path / "measurement.npz"
    with pytest.raises(FileNotFoundError) as raised:  # by its name Snakemake knows that it is still to be made
        measurement.shape(str(path))
    assert raised.value.filename == str(path)
    for side in (4, 8):
        shape = (1, side, side)
        measurement.save(path, torch.zeros(shape), "denoising", shape, {}, measurement.Noise("gaussian", {}, 0.1))
        os.utime(path, (side, side))
        assert measurement.shape(path) == shape


def test_the_methods_by_the_prior_need_the_same_for_the_same_steps():
    dip = needs.of_method("dip", "iterations=2000,fits=1", 3, "denoising")
    assert needs.of_method("wiener_dip", "iterations=2000", 3, "denoising") == dip
    assert needs.of_method("admm_dip", "iterations=50,inner=40", 3, "denoising") == dip
