"""The norm and the convolution of what is doubled, against torch's own after doubling, in float64."""

import pytest
import torch
from torch.nn import functional

from steps.prior import layers
from steps.prior.doubled import convolve_doubled, normalise_doubled, pays
from tests.prior.test_layers import MODES, agree, drawn


def doubled(x, upsampling):
    return functional.interpolate(x, scale_factor=2, mode=upsampling)


@pytest.mark.parametrize("avx512", [True, False])
@pytest.mark.parametrize("upsampling", ["nearest", "bilinear"])
@pytest.mark.parametrize("padding", MODES)
@pytest.mark.parametrize("size", [(5, 6), (2, 2), (3, 1), (1, 1)])
def test_convolve_doubled_is_the_convolution_of_the_doubled(size, padding, upsampling, avx512, monkeypatch):
    """Borders and corners too."""
    monkeypatch.setattr(layers, "has_avx512", lambda: avx512)
    x, weight, bias = drawn(2, 3, *size), drawn(4, 3, 3, 3, seed=1), drawn(4, seed=2)
    padded = functional.pad(doubled(x, upsampling), (1, 1, 1, 1), mode=MODES[padding])
    found = convolve_doubled(x, weight, bias, padding, upsampling)
    agree(found, functional.conv2d(padded, weight, bias), [x, weight, bias])


@pytest.mark.parametrize("size", [(5, 6), (2, 2), (3, 1)])
def test_normalise_doubled_is_the_norm_of_the_doubled(size):
    x, weight, bias = drawn(2, 3, *size), drawn(3, seed=1), drawn(3, seed=2)
    wanted = functional.batch_norm(doubled(x, "bilinear"), None, None, weight, bias, training=True, eps=1e-2)
    agree(doubled(normalise_doubled(x, weight, bias, 1e-2), "bilinear"), wanted, [x, weight, bias])


def test_it_pays_where_products_are_dear_and_many():
    large, small = torch.empty(1, 128, 64, 64), torch.empty(1, 32, 16, 16)
    assert pays(large) and not pays(small) and not pays(large.bfloat16())
