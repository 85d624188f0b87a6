import numpy as np
import pytest
import torch
from PIL import Image

from steps.methods.bicubic import recover
from steps.tasks.super_resolution import Operator


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_it_is_pillow_s_but_for_borders(factor):
    y = torch.rand(1, 16, 20, generator=torch.Generator().manual_seed(0))
    A = Operator(Operator.image_shape(y.shape, factor=factor), factor=factor)
    expected = np.asarray(Image.fromarray(y[0].numpy()).resize((20 * factor, 16 * factor), Image.Resampling.BICUBIC))
    inner = slice(2 * factor, -2 * factor)
    np.testing.assert_allclose(recover(y, A, 0.0)[0, inner, inner].numpy(), expected[inner, inner], atol=1e-6)


def test_a_plane_comes_back_but_for_borders():
    """Keys' kernel interpolates what is quadratic, a = −1/2, and reduction keeps a plane."""
    x = (torch.arange(64.0)[:, None] / 100 + torch.arange(61.0) / 200)[None]
    A = Operator(x.shape)
    np.testing.assert_allclose(recover(A.forward(x), A, 0.0)[0, 16:-16, 16:-16], x[0, 16:-16, 16:-16], atol=1e-5)
