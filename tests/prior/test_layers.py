"""The fast layers against torch's own, values and gradients in float64."""

import pytest
import torch
from torch.nn import functional

from steps.prior import layers
from steps.prior.layers import Dropout, convolve, project

MODES = {"reflect": "reflect", "zeros": "constant"}


def drawn(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype).requires_grad_()


def agree(found, wanted, inputs, tolerance=1e-12):
    """Assert that two results of the same inputs and all their gradients are equal."""
    assert found.shape == wanted.shape
    direction = drawn(*wanted.shape, seed=9, dtype=wanted.dtype).detach()
    pairs = zip(torch.autograd.grad(found, inputs, direction), torch.autograd.grad(wanted, inputs, direction))
    for one, other in [(found, wanted), *pairs]:
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


@pytest.fixture(autouse=True, params=[True, False], ids=["with AVX-512", "without"])
def processor(request, monkeypatch):
    """Each test in this file is run on both paths of a product; copy windows of few pixels at a time."""
    monkeypatch.setattr(layers, "has_avx512", lambda: request.param)
    monkeypatch.setattr(layers, "PIXELS", 20)


@pytest.mark.parametrize("padding", MODES)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("channels", [(3,), (2, 3)])
@pytest.mark.parametrize("width", [1, 3])
def test_convolve_is_torch_s_convolution_of_the_padded_parts(padding, stride, channels, width):
    parts = [drawn(2, c, 6, 8, seed=i) for i, c in enumerate(channels)]
    weight, bias = drawn(4, sum(channels), width, width, seed=5), drawn(4, seed=6)
    padded = functional.pad(torch.cat(parts, 1), (width // 2,) * 4, mode=MODES[padding])
    wanted = functional.conv2d(padded, weight, bias, stride)
    agree(convolve(parts, weight, bias, stride, padding), wanted, [*parts, weight, bias])


@pytest.mark.parametrize("padding", MODES)
def test_a_product_takes_nchw_too_and_no_gradient_of_what_wants_none(padding):
    x, weight = drawn(2, 1, 5, 1 if padding == "zeros" else 7).detach(), drawn(3, 1, 3, 3)
    padded = functional.pad(x, (1, 1, 1, 1), mode=MODES[padding])
    agree(convolve([x], weight, padding=padding), functional.conv2d(padded, weight), [weight])


def test_convolve_without_a_bias():
    x, weight = drawn(1, 2, 4, 4), drawn(3, 2, 3, 3)
    agree(convolve([x], weight, padding="zeros"), functional.conv2d(x, weight, padding=1), [x, weight])


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("size", [(3, 5), (100, 100)])  # the second in two chunks
def test_project_is_a_convolution_in_float32(biased, size):
    x, weight = drawn(2, 6, *size, dtype=torch.float32), drawn(3, 6, 1, 1, seed=1, dtype=torch.float32)
    bias = drawn(3, seed=2, dtype=torch.float32) if biased else None
    inputs = [x, weight, *([bias] if biased else [])]
    agree(project(x, weight, bias), functional.conv2d(x, weight, bias), inputs, tolerance=1e-3)


def test_project_of_bfloat16_is_exact_but_for_its_input():
    x, weight = drawn(1, 64, 20, 20, dtype=torch.float32).bfloat16().detach(), drawn(2, 64, 1, 1, dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):  # as the network runs, which would turn a plain product to bfloat16
        found = project(x.requires_grad_(), weight, None)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, functional.conv2d(x.float(), weight), rtol=1e-5, atol=1e-5)
    found.sum().backward()
    assert x.grad.dtype == torch.bfloat16 and weight.grad.dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradients_are_the_same_bits_again(dtype):
    """A border pixel is added to by up to four others; in another order the sum would differ."""
    x, weight = drawn(1, 8, 9, 9, dtype=torch.float32).to(dtype), drawn(8, 8, 3, 3, dtype=torch.float32).to(dtype)
    found = [torch.autograd.grad(convolve([x], weight).square().sum(), x)[0] for _ in range(3)]
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])


@pytest.mark.parametrize("padding", MODES)
def test_gradients_of_channels_side_by_side_are_dense(padding):
    """A norm's backward pass is up to ten times slower on others."""
    parts, seen = [drawn(1, c, 6, 8, seed=c) for c in (2, 3)], []
    for part in parts:
        part.register_hook(lambda gradient: seen.append(gradient.is_contiguous(memory_format=torch.channels_last)))
    convolve(parts, drawn(4, 5, 3, 3), padding=padding).sum().backward()
    assert seen == [True, True]


def test_dropout_keeps_the_share_asked_for_and_the_mean():
    layer, x = Dropout(0.8, seed=0), torch.ones(1, 10, 100, 100)
    dropped = layer(x)
    assert float((dropped == 0).float().mean()) == pytest.approx(0.2, abs=0.005)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.01)
    assert not torch.equal(dropped, layer(x)), "every call draws anew"
    assert torch.equal(dropped, Dropout(0.8, seed=0)(x)) and not torch.equal(dropped, Dropout(0.8, seed=1)(x))
    assert torch.equal(layer.eval()(x), x)
