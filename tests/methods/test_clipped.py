"""`clipped` of the methods that undo what clipping did to the mean: each file that has it, false by default."""

import numpy as np
import pytest
import torch

from steps.base import discover
from steps.base.errors import BadInput
from steps.base.parameters import defaults
from steps.images import load as image
from steps.inverse import clipping
from steps.metrics import psnr
from steps.noises.gaussian import add

MODULES = {name: discover.load("methods", name) for name in discover.available("methods")}
DENOISERS = [
    pytest.param(module, id=name, marks=pytest.mark.skipif(bool(discover.missing_package(module)), reason="no package"))
    for name, module in MODULES.items()
    if defaults(module.recover).get("clipped") is False
]


@pytest.mark.parametrize("module", DENOISERS)
@pytest.mark.parametrize("name", ["camera", "astronaut"])
def test_undoing_what_clipping_did_gains_more_than_a_decibel(module, name):
    x = image.prepare(image.load(f"skimage:{name}"), crop=[60, 180, 96, 96])
    y = torch.from_numpy(add(x, sigma=0.5, clip=True))
    A = discover.load("tasks", "denoising").Operator(y.shape)
    plain, undone = (module.recover(y, A, 0.5, clipped=clipped).numpy() for clipped in (False, True))
    assert psnr.measure(x, undone) > psnr.measure(x, plain) + 1
    told = module.recover(y, A, clipping.spread(y, 0.5))  # of less noise: what clipping has left of it
    least = 1e-5 if getattr(module, "REPEATABLE", True) else 2e-3
    np.testing.assert_allclose(undone, clipping.undo(told, 0.5).clamp(0, 1).numpy(), atol=least)


@pytest.mark.parametrize("module", DENOISERS)
@pytest.mark.parametrize("task", ["deconvolution", "single_pixel"])
def test_clipping_is_undone_only_where_the_image_itself_is_measured(module, task, gray):
    A = discover.load("tasks", task).Operator(gray.shape)
    with pytest.raises(BadInput, match="^clipped: true is for denoising only, where the image itself is measured$"):
        module.recover(A.forward(gray), A, 0.1, clipped=True)
