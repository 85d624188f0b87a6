"""The kernels for CUDA against torch's own layers in float64.

They need a GPU. Without one, TRITON_INTERPRET=1 runs them as Python, slowly, where Triton and NumPy before 2.4 are.
"""

import importlib.util
import os

import pytest
import torch
from torch.nn import functional

from steps.prior import layers, networks

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1" and importlib.util.find_spec("triton") is not None
pytestmark = pytest.mark.skipif(not (torch.cuda.is_available() or INTERPRETED), reason="no CUDA device")
DEVICE = "cpu" if INTERPRETED else "cuda"


def normalise(x, weight, bias, slope, up, border):
    """The same in torch's layers."""
    if up:
        x = functional.interpolate(x, scale_factor=2, mode=up, **{"align_corners": False} if up == "bilinear" else {})
    y = functional.leaky_relu(functional.batch_norm(x, None, None, weight, bias, True, 0, 1e-5), slope)
    return functional.pad(y, (1, 1, 1, 1), mode="reflect") if border else y


def gradients(function, inputs, dtype, seed=0):
    """Return the result of a function and the gradients of its inputs, for one gradient of the result."""
    inputs = [x.detach().to(dtype).requires_grad_() for x in inputs]
    y = function(*inputs)
    y.backward(torch.randn(y.shape, generator=torch.Generator().manual_seed(seed)).to(y))
    return y.detach(), *(x.grad for x in inputs)


def assert_near(found, wanted, tolerance):
    for one, other in zip(found, wanted, strict=True):
        assert float((one.double() - other.double()).norm()) <= tolerance * float(other.double().norm())


@pytest.mark.parametrize("border", [False, True])
@pytest.mark.parametrize("up, slope", [(None, 0.2), (None, 1.0), ("nearest", 1.0), ("bilinear", 1.0)])
@pytest.mark.parametrize("shape", [(128, 9, 110), (300, 5, 6), (5, 7, 9), (4, 2, 2)])  # first: tiles inside
def test_normalise_is_what_torch_s_layers_make(shape, up, slope, border):
    from steps.prior import fused

    draw = torch.Generator().manual_seed(1)
    x = 2 * torch.randn(1, *shape, generator=draw) + 3  # a mean that squares must not drown in
    inputs = [x.to(DEVICE), *(torch.randn(shape[0], generator=draw).to(DEVICE) for _ in range(2))]
    found = gradients(lambda *tensors: fused.normalise(*tensors, 1e-5, slope, up, border), inputs, torch.float32)
    wanted = gradients(lambda *tensors: normalise(*tensors, slope, up, border), inputs, torch.float64)
    assert_near(found, wanted, 1e-5)


@pytest.mark.skipif(INTERPRETED, reason="no bfloat16 without a GPU")
@pytest.mark.parametrize("up, slope", [(None, 0.2), ("nearest", 1.0), ("bilinear", 1.0)])
def test_normalise_in_bfloat16_is_off_by_its_roundings(up, slope):
    from steps.prior import fused

    draw = torch.Generator().manual_seed(1)
    x = (2 * torch.randn(1, 64, 40, 30, generator=draw) + 3).bfloat16().cuda()
    weight, bias = (torch.randn(64, generator=draw).cuda() for _ in range(2))
    found = gradients(lambda x: fused.normalise(x, weight, bias, 1e-5, slope, up, True).float(), [x], torch.bfloat16)
    wanted = gradients(lambda x: normalise(x, weight.double(), bias.double(), slope, up, True), [x], torch.float64)
    assert_near(found, wanted, 0.005)


@pytest.mark.parametrize("outputs", [1, 3])
def test_project_is_a_convolution(outputs):
    from steps.prior import fused

    draw = torch.Generator().manual_seed(1)
    shapes = (1, 20, 9, 14), (outputs, 20, 1, 1), (outputs,)
    inputs = [torch.randn(shape, generator=draw).to(DEVICE) for shape in shapes]
    wanted = gradients(functional.conv2d, inputs, torch.float64)
    assert_near(gradients(fused.project, inputs, torch.float32), wanted, 1e-5)


@pytest.mark.parametrize("settings", [{}, {"skip": 4, "upsampling": "nearest", "inputs": 8}, {"padding": "zeros"}])
def test_the_network_is_that_of_torch_s_layers(settings, monkeypatch):
    """Also without the biases of convolutions, which norms take out again."""
    results = []
    for with_kernels in (False, True):
        for module in (networks, layers):
            monkeypatch.setattr(module, "has_triton", lambda device, with_kernels=with_kernels: with_kernels)
        network, code = networks.create((3, 24, 20), channels=16, scales=2, **settings)
        network.to(DEVICE, memory_format=torch.channels_last)
        image = network(code.to(DEVICE))
        image.square().mean().backward()
        kernels = torch.cat([p.grad.flatten() for p in network.parameters() if p.ndim == 4])
        norms = torch.cat([p.grad for m in network.modules() if isinstance(m, networks.Norm) for p in m.parameters()])
        results.append((image.detach(), kernels, norms))
    assert_near(results[1], results[0], 0.01)  # rounding takes single values over the bend of LeakyReLU
