"""What a recovery has removed is y − A x̂, in the image's shape, whatever the shape of y."""

import numpy as np
import pytest
import torch

from steps.base import discover
from steps.inverse.measurement import Noise, save
from steps.inverse.removed import removed
from tests.conftest import picture

SIGMA = 0.1
PICTURES = [task for task in discover.available("tasks") if discover.load("tasks", task).Operator.pictures]
CASES = [(task, said) for task in PICTURES for said in ({}, *getattr(discover.load("tasks", task), "TRIED", []))]


@pytest.mark.parametrize(("task", "said"), CASES)
def test_of_the_truth_it_is_the_noise_and_of_what_explains_y_nothing(task, said, tmp_path):
    x = picture(3, 40, 48)
    A = discover.load("tasks", task).Operator(x.shape, **said)
    clean = A.forward(x)
    noise = SIGMA * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    for name, y in (("noisy", clean + noise), ("clean", clean)):
        save(tmp_path / f"{name}.npz", y, task, x.shape, said, Noise("gaussian", {"sigma": SIGMA}, SIGMA))
    found, sigma = removed(tmp_path / "noisy.npz", {"truth": x.numpy(), "gray": np.full(x.shape, 0.5, np.float32)})
    assert sigma == SIGMA and set(found) == {"truth", "gray"}
    for array in found.values():
        assert array.shape[-2:] == x.shape[-2:] and array.dtype == np.float32
    seen = noise if noise.shape[-2:] == x.shape[-2:] else A.backproject(noise)
    np.testing.assert_allclose(found["truth"], seen, atol=1e-5)
    nothing, _ = removed(tmp_path / "clean.npz", {"truth": x.numpy()})
    np.testing.assert_allclose(nothing["truth"], 0, atol=1e-5)
    assert np.abs(found["gray"]).max() > 0.3


def test_pixels_that_a_mask_does_not_see_have_nothing_removed(tmp_path):
    x = picture(1, 16, 16)
    A = discover.load("tasks", "inpainting").Operator(x.shape, seen=0.25)
    save(tmp_path / "m.npz", A.forward(x), "inpainting", x.shape, {"seen": 0.25}, Noise("gaussian", {}, 0.0))
    found, _ = removed(tmp_path / "m.npz", {"black": np.zeros(x.shape, np.float32)})
    np.testing.assert_array_equal(found["black"], x * A.mask.float())
