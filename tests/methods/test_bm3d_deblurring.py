import numpy as np
import pytest
import torch

from steps.base import discover
from steps.base.errors import BadInput
from steps.images import load as image
from steps.methods.bm3d_deblurring import recover
from steps.metrics import psnr
from steps.noises.gaussian import add


def problem(x, sigma, **settings):
    A = discover.load("tasks", "deconvolution").Operator(x.shape, **settings)
    return torch.from_numpy(add(A.forward(torch.as_tensor(x)).numpy(), sigma=sigma)), A


@pytest.mark.parametrize("source", ["camera", "astronaut"])
def test_is_better_than_the_wiener_filter_by_more_than_a_decibel(source):
    x = image.prepare(image.load(f"skimage:{source}"), crop=[60, 180, 128, 128])
    y, A = problem(x, 2 / 255, blur=1.6, kernel=25)
    linear = psnr.measure(x, discover.load("methods", "wiener").recover(y, A, 2 / 255).numpy())
    assert psnr.measure(x, recover(y, A, 2 / 255).numpy()) > linear + 1.5


@pytest.mark.parametrize("sigma", [0.0, 0.1])
def test_a_constant_stays(sigma):
    A = discover.load("tasks", "deconvolution").Operator((1, 40, 33), blur=2.0, kernel=9)
    y = torch.full((1, 40, 33), 0.3)
    np.testing.assert_allclose(recover(y, A, sigma), y, atol=1e-5)
    assert torch.equal(recover(0 * y, A, sigma), 0 * y)


def test_without_noise_a_mild_blur_is_undone(gray):
    y, A = problem(gray, 0.0, blur=0.7, kernel=5)
    assert (recover(y, A, 0.0) - gray).abs().max() < 0.01


def test_any_threads_the_same_bits(colour):
    y, A = problem(colour, 0.02, blur=1.5, kernel=9)
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            found.append(recover(y, A, 0.02))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)


def test_what_is_no_convolution_is_refused(gray):
    A = discover.load("tasks", "single_pixel").Operator(gray.shape)
    with pytest.raises(BadInput, match="^bm3d_deblurring is for circular convolutions only$"):
        recover(A.forward(gray), A, 0.1)
