import numpy as np
import pytest
import torch
from skimage.restoration import denoise_nl_means

from steps.base.discover import load
from steps.base.errors import BadInput
from steps.base.parameters import check_parameters, keywords
from steps.inverse import solvers
from steps.methods.nlm import recover


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


def test_plugged_in_it_removes_more_where_there_is_more_noise_or_less_is_measured(gray, monkeypatch):
    told = []
    monkeypatch.setattr(solvers, "denoise_or_plug_in", lambda *given, admm, **more: told.append(admm))
    for compression, sigma in ((1.0, 0.0), (4.0, 0.0), (4.0, 0.1)):
        A = load("tasks", "single_pixel").Operator(gray.shape, compression=compression)
        recover(A.forward(gray), A, sigma)
    assert told == [(0.5, 0.1, 100), (0.5, 0.14, 100), (0.5, 0.2, 100)]


def test_a_patch_has_a_middle():
    with pytest.raises(BadInput, match="patch: 4 is not allowed; must be >= 1 and odd"):
        check_parameters({"patch": 4}, keywords(recover), "nlm")
    assert check_parameters({"patch": 7}, keywords(recover), "nlm") == {"patch": 7}
