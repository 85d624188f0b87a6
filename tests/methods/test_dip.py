import numpy as np
import pytest
import torch

from steps import networks
from steps.discover import load
from steps.errors import BadInput
from steps.methods.dip import recover


def denoising(x):
    return load("tasks", "denoising").Operator(x.shape)


def test_fits_what_it_is_given(gray):
    losses = []
    settings = {"iterations": 400, "channels": 32, "scales": 3, "lr": 0.01}
    estimate = recover(gray, denoising(gray), 0.0, **settings, callback=lambda i, x, loss: losses.append(float(loss)))
    assert losses[-1] < 1e-3 < losses[0]
    assert (estimate - gray).square().mean() < 2e-3


def test_fits_an_image_sooner_than_noise(gray):
    """The observation that the prior rests on (Ulyanov et al. 2018, figure 2)."""
    settings = {"iterations": 150, "channels": 32, "scales": 3, "lr": 0.01}
    noise = torch.from_numpy(np.random.default_rng(0).permuted(gray.numpy().reshape(1, -1), axis=1).reshape(gray.shape))
    error = [(recover(x, denoising(x), 0.0, **settings) - x).square().mean() for x in (gray, noise)]
    assert error[0] < 0.5 * error[1]


def test_the_code_does_not_repeat_the_weights(gray, monkeypatch):
    """Drawn from one seed by one generator, z would be the first layer's weights, shifted and scaled."""
    codes, networks_built = [], []
    build = networks.build

    def kept(network, seed):
        built = build(network, seed)
        networks_built.append(next(built.parameters()).detach().clone().flatten())
        built.register_forward_pre_hook(lambda _, inputs: codes.append(inputs[0].flatten()))
        return built

    monkeypatch.setattr(networks, "build", kept)
    recover(gray, denoising(gray), 0.0, iterations=1, channels=32, scales=2)
    (code,), (weights,) = codes, networks_built
    assert code.min() >= 0 and code.max() <= 0.1 and code.std() == pytest.approx(0.1 / 12**0.5, rel=0.02)
    length = min(len(code), len(weights))
    assert abs(float(torch.corrcoef(torch.stack((code[:length], weights[:length])))[0, 1])) < 0.05


def test_the_last_estimate_is_the_result(gray):
    seen = []
    settings = {"iterations": 3, "channels": 8, "scales": 2}
    result = recover(gray, denoising(gray), 0.0, **settings, callback=lambda i, x, loss: seen.append((x, loss)))
    assert torch.equal(result, seen[-1][0])
    assert float(seen[-1][1]) == pytest.approx(float((result - gray).square().mean()))


def test_an_image_too_small_for_the_network_is_refused(gray):
    with pytest.raises(BadInput, match="20x20.*scales=5.*33 pixels.*scales=4"):
        x = gray[:, :20, :20]
        recover(x, denoising(x), 0.0, iterations=1)
