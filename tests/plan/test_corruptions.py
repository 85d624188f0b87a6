import pytest

from steps.base.errors import BadInput
from steps.plan import corruptions


def test_the_seed_of_patterns_is_the_noise_s():
    operator, noise = corruptions.parameters("single_pixel", {"compression": 4, "seed": 3}, "x")
    assert operator == {"compression": 4.0, "seed": 3}
    assert noise == {"sigma": 0.0, "clip": False, "seed": 3}


@pytest.mark.parametrize(
    ("task", "given", "words"),
    [
        ("denoising", {"sigma": -0.1}, "x.sigma: -0.1 is not allowed; must be >= 0"),
        ("denoising", {"sigma": "loud"}, "x.sigma: 'loud' is not allowed; must be a number"),
        ("denoising", {"blur": 5}, "unknown parameter 'blur'; allowed: clip, seed, sigma"),
        ("deconvolution", {"blurr": 5}, "unknown parameter 'blurr' .did you mean 'blur'"),
        ("single_pixel", {"compression": 0.5}, "x.compression: 0.5 is not allowed; must be >= 1"),
        ("single_pixel", {"patterns": "random"}, "'random' is not allowed; must be one of gaussian, hadamard"),
        ("deblurring", {}, "unknown task 'deblurring'.*steps/tasks/deblurring.py"),
    ],
)
def test_bad_corruptions_are_refused(task, given, words):
    with pytest.raises(BadInput, match=words):
        corruptions.parameters(task, given, "x")


def test_a_corruption_has_one_spelling():
    assert corruptions.spelled("denoising", "seed=0,sigma=1e-1") == "sigma=0.1,seed=0"
