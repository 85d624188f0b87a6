import subprocess
import sys

import numpy as np
import pytest
import torch

from steps.base import discover
from steps.base.errors import BadInput
from steps.images import load as image
from steps.inverse import collaborative, solvers
from steps.methods.bm3d import recover
from steps.metrics import psnr
from steps.noises.gaussian import add
from tests.workflows import ROOT


def denoising(y):
    return discover.load("tasks", "denoising").Operator(y.shape)


@pytest.mark.parametrize("source", ["camera", "astronaut"])
@pytest.mark.parametrize("sigma", [0.02, 0.1, 0.2])
def test_is_as_good_as_its_authors_program(source, sigma):
    pytest.importorskip("bm3d")
    x = image.prepare(image.load(f"skimage:{source}"), crop=[60, 180, 96, 96])
    y = torch.from_numpy(add(x, sigma=sigma))
    ours, theirs = (
        discover.load("methods", name).recover(y, denoising(y), sigma).numpy() for name in ("bm3d", "bm3d_package")
    )
    assert psnr.measure(x, ours) > psnr.measure(x, theirs) - 0.25
    assert np.square(ours - theirs).mean() < 0.2 * np.square(theirs - x).mean()


def test_denoising_is_bm3d_itself(colour):
    y = colour + 0.1 * torch.randn(colour.shape, generator=torch.Generator().manual_seed(0))
    assert torch.equal(recover(y, denoising(y), 0.1, profile="fast"), collaborative.denoise(y, 0.1, "fast"))


def test_a_better_profile_is_better():
    x = image.prepare(image.load("skimage:camera"), crop=[60, 180, 128, 128])
    y = torch.from_numpy(add(x, sigma=0.1))
    found = [psnr.measure(x, recover(y, denoising(y), 0.1, profile=p).numpy()) for p in ("fast", "normal", "high")]
    assert found == sorted(found)


def test_too_small_an_image_is_refused():
    y = torch.full((1, 15, 40), 0.5)
    with pytest.raises(BadInput, match="^the 15x40 image is too small; BM3D needs 16 pixels a side$"):
        recover(y, denoising(y), 0.1)


def test_needs_no_package_and_gives_the_same_bits_in_another_process(gray):
    code = (
        "import sys, hashlib; sys.modules['bm3d'] = sys.modules['bm4d'] = None\n"
        "import torch; from tests.conftest import picture; from steps.inverse.collaborative import denoise\n"
        "print(hashlib.sha256(denoise(picture(), 0.1).numpy().tobytes()).hexdigest())\n"
    )
    outputs = {
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, text=True).stdout
        for _ in range(2)
    }
    assert len(outputs) == 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu_it_gives_the_same_bits_twice_and_nearly_the_processor_s(colour):
    y = colour + 0.1 * torch.randn(colour.shape, generator=torch.Generator().manual_seed(0))
    first, second = (collaborative.denoise(y.cuda(), 0.1).cpu() for _ in range(2))
    assert torch.equal(first, second)
    np.testing.assert_allclose(first, collaborative.denoise(y, 0.1), atol=1e-3)


def test_the_spectrum_of_opponent_colours_is_turned_into_that_of_separate_channels(colour):
    A = denoising(colour)
    powers = 0.1**2 * torch.tensor(collaborative.OPPONENT).double().square().sum(1)  # of white noise
    spectrum = powers[:, None, None].expand(colour.shape)
    found = recover(colour, A, spectrum, colour="separate", profile="fast")
    torch.testing.assert_close(found, recover(colour, A, 0.1, colour="separate", profile="fast"), atol=1e-4, rtol=0)


@pytest.mark.parametrize("method", ["bm3d", "bm3d_package"])
def test_plugged_in_its_least_strength_is_smaller_where_a_photo_may_be_measured(method, gray, monkeypatch):
    module = discover.load("methods", method)
    if discover.missing_package(module):
        pytest.skip("no package")
    told = []
    monkeypatch.setattr(solvers, "denoise_or_plug_in", lambda *given, admm, **more: told.append(admm))
    for task in ("inpainting", "single_pixel"):
        A = discover.load("tasks", task).Operator(gray.shape)
        module.recover(A.forward(gray), A, 0.01)
    assert told == [(0.4, 0.02, 30), (0.4, 0.06, 30)]


def test_separate_channels_are_gray_images(colour):
    y = colour + 0.1 * torch.randn(colour.shape, generator=torch.Generator().manual_seed(0))
    A = denoising(colour)
    found = recover(y, A, 0.1, colour="separate")
    for channel in range(3):
        gray = y[channel : channel + 1]
        assert torch.equal(found[channel : channel + 1], recover(gray, denoising(gray), 0.1))
    assert not torch.equal(found, recover(y, A, 0.1))
