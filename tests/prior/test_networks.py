import pytest
import torch
from torch import nn
from torch.nn import functional

from steps.base.errors import BadInput
from steps.benchmarks import iteration
from steps.prior import layers, networks
from steps.prior.networks import DeepDecoder, Hourglass, count_parameters, create, fitting_scales, smallest_side

SMALL = {"channels": 8, "scales": 3, "inputs": 4}
KINDS = [
    {"network": name, "upsampling": upsampling, **more}
    for upsampling in ("bilinear", "nearest")
    for name, more in (
        ("hourglass", {}),
        ("hourglass", {"skip": 2}),
        ("hourglass", {"skip": 2, "padding": "zeros"}),
        ("deep_decoder", {}),
    )
]


def test_have_the_reference_s_number_of_parameters():
    """5 × 128 with 4 skip channels, 32 in, 3 out; and without skips, 2 in: as in the deep-image-prior notebooks."""
    assert count_parameters(Hourglass(32, 3, 128, 5, skip=4)) == 2_217_831
    assert count_parameters(Hourglass(2, 3, 128, 5)) == 2_157_955
    assert count_parameters(iteration.reference(3, 4, "bilinear")) == 2_217_831


def test_deep_decoder_has_fewer_parameters_than_pixels():
    assert count_parameters(DeepDecoder(64, 3, 64, 5)) == 6 * 64 * 64 + 6 * 2 * 64 + 3 * 64 < 3 * 256**2


def copy_weights(network, plain, skip):
    """Give the benchmark's plain network the weights of ours, which keeps the norm of merged channels in two."""
    down, beside, up = network.down, network.beside, network.up
    ordered = []
    for scale in range(len(down)):
        if skip:
            ordered += [m for m in beside[scale] if isinstance(m, (nn.Conv2d, nn.BatchNorm2d))][:2]
        ordered += [m for m in down[scale] if isinstance(m, (nn.Conv2d, nn.BatchNorm2d))]
    for scale in reversed(range(len(up))):
        ordered.append((beside[scale][-1], up[scale].norm) if skip else up[scale].norm)
        ordered.append(up[scale].convolution)
        ordered += [m for m in up[scale].after if isinstance(m, (nn.Conv2d, nn.BatchNorm2d))]
    ordered.append(network.last)
    theirs = [m for m in plain.modules() if isinstance(m, (nn.Conv2d, nn.BatchNorm2d))]
    assert len(ordered) == len(theirs)
    for ours, module in zip(ordered, theirs):
        for name in ("weight", "bias"):
            parts = [getattr(part, name) for part in (ours if isinstance(ours, tuple) else (ours,))]
            getattr(module, name).data = torch.cat(parts).detach().clone()


@pytest.mark.parametrize("skip", [0, 4])
@pytest.mark.parametrize("upsampling", ["bilinear", "nearest"])
@pytest.mark.parametrize("pays", [True, False])
@pytest.mark.parametrize("avx512", [True, False])
def test_is_the_reference_s_network(avx512, pays, upsampling, skip, monkeypatch):
    """With the same weights, the image and the gradients of the weights are those of plain torch layers in sequence."""
    monkeypatch.setattr(layers, "has_avx512", lambda: avx512)
    monkeypatch.setattr(networks, "pays", lambda x: pays)
    torch.manual_seed(0)
    network = Hourglass(32, 3, 8, 3, skip=skip, upsampling=upsampling).double()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # else all ones and zeros
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    network.last.float()  # as ours always computes it
    plain = iteration.reference(3, skip, upsampling, 8, 3).double()
    copy_weights(network, plain, skip)
    plain = plain.double()
    code = torch.rand(1, 32, 24, 16, dtype=torch.float64)
    image, expected = network(code), plain(code)
    torch.testing.assert_close(image.double(), expected, rtol=1e-5, atol=1e-5)
    image.square().mean().backward()
    expected.square().mean().backward()
    found = network.down[0][0].weight.grad
    (first,) = [m for m in plain.modules() if isinstance(m, nn.Conv2d) and m.weight.shape == (8, 32, 3, 3)]
    torch.testing.assert_close(found, first.weight.grad, rtol=1e-3, atol=1e-3 * float(first.weight.grad.abs().max()))


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("size", [(16, 16), (33, 50), (9, 9), (9, 64)])
def test_any_size_is_covered(kind, size):
    network, code = create((3, *size), **SMALL, **kind)
    image = network(code)
    assert image.shape[:2] == (1, 3) and image.dtype == torch.float32
    assert all(side <= got < side + 8 for side, got in zip(size, image.shape[2:]))
    assert image.min() > 0 and image.max() < 1
    image.mean().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


def test_the_code_is_padded_by_reflection():
    _, code = create((1, 13, 16), **SMALL)
    assert code.shape == (1, 4, 16, 16)
    inner = code[..., :13, :]
    assert inner.min() >= 0 and inner.max() <= 0.1
    torch.testing.assert_close(code, functional.pad(inner, (0, 0, 0, 3), mode="reflect"))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_seed_gives_the_same_network_and_code_and_leaves_the_global_state(kind):
    state = torch.random.get_rng_state()
    drawn = [create((1, 16, 16), **SMALL, **kind, seed=seed) for seed in (0, 0, 1)]
    weights = [next(network.parameters()) for network, _ in drawn]
    codes = [code for _, code in drawn]
    for first, same, other in (weights, codes):
        assert torch.equal(first, same) and not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_dropout_is_after_every_activation_and_drawn_for_each(kind):
    network, code = create((1, 16, 16), **SMALL, **kind, p_keep=0.5)
    layers = [module for module in network.modules() if type(module).__name__ == "Dropout"]
    slopes = [getattr(module, "slope", 0 if isinstance(module, nn.ReLU) else 1) for module in network.modules()]
    activations = [slope for slope in slopes if slope < 1]
    assert len(layers) == len(activations) > 3
    assert len({layer.seed for layer in layers}) == len(layers)
    assert not torch.equal(network(code), network(code))
    network.eval()
    assert torch.equal(network(code), network(code))


def test_smallest_side_is_the_smallest():
    for scales in (1, 2, 3, 4, 5):
        side = smallest_side(scales)
        for height, width in ((side, side), (side, 2 * side)):
            assert fitting_scales(scales, height, width) == scales
            network, code = create((1, height, width), channels=4, scales=scales, inputs=2)
            assert torch.isfinite(network(code)).all()
        assert scales == 1 or fitting_scales(scales, side - 1, side) == scales - 1


def test_scales_are_reduced_with_a_message(capsys):
    assert fitting_scales(5, 20, 30) == 4
    assert capsys.readouterr().out == "scales=5 needs 33 pixels a side; the 20x30 image gets scales=4\n"
    assert fitting_scales(5, 33, 40) == 5
    assert capsys.readouterr().out == ""
    assert networks.create((1, 20, 30), channels=4, inputs=2)[0].down.__len__() == 4


def test_an_image_too_small_for_any_network_is_refused():
    with pytest.raises(BadInput, match="the 2x40 image is too small for a network, which needs 3 pixels a side"):
        fitting_scales(5, 2, 40)
