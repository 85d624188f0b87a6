import numpy as np
import pytest
import torch
from skimage.restoration import denoise_nl_means

from steps.base.discover import load
from steps.base.errors import BadInput
from steps.images import load as image
from steps.inverse import clipping
from steps.methods.nlm import recover
from steps.metrics import psnr
from steps.noises.gaussian import add


@pytest.mark.parametrize("name, axis", [("gray", None), ("colour", -1)])
@pytest.mark.parametrize("settings", [{}, {"h": 0.08, "patch": 7, "distance": 10, "fast": False}])
def test_is_scikit_image_s(name, axis, settings, request):
    x = request.getfixturevalue(name)
    y = x + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    found = recover(y, load("tasks", "denoising").Operator(y.shape), 0.1, **settings)
    picture = y.movedim(0, -1).double().squeeze().numpy()
    width, known = (settings["h"], 0) if settings else (0.08, 0.1)
    patch, distance = settings.get("patch", 5), settings.get("distance", 6)
    expected = denoise_nl_means(picture, patch, distance, width, not settings, known, channel_axis=axis)
    np.testing.assert_allclose(found.movedim(0, -1).squeeze().numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["camera", "astronaut"])
def test_undoing_what_clipping_did_gains_more_than_a_decibel(name):
    x = image.prepare(image.load(f"skimage:{name}"), crop=[60, 180, 96, 96])
    y = torch.from_numpy(add(x, sigma=0.5, clip=True))
    A = load("tasks", "denoising").Operator(y.shape)
    plain, undone = (recover(y, A, 0.5, clipped=clipped).numpy() for clipped in (False, True))
    assert psnr.measure(x, undone) > psnr.measure(x, plain) + 1
    told = recover(y, A, clipping.spread(y, 0.5))  # of less noise: what clipping has left of it
    np.testing.assert_allclose(undone, clipping.undo(told, 0.5).clamp(0, 1).numpy(), atol=1e-5)


@pytest.mark.parametrize("task", ["deconvolution", "single_pixel"])
def test_clipping_is_undone_only_where_the_image_itself_is_measured(task, gray):
    A = load("tasks", task).Operator(gray.shape)
    with pytest.raises(BadInput, match="^clipped: true is for denoising only, where the image itself is measured$"):
        recover(A.forward(gray), A, 0.1, clipped=True)
