import numpy as np
import pytest
import torch

from steps.base.discover import load
from steps.base.errors import BadInput
from steps.benchmarks import iteration
from steps.images import load as image
from steps.inverse import clipping
from steps.inverse.trace import kept
from steps.methods.dip import recover
from steps.metrics import psnr
from steps.noises.gaussian import add
from steps.prior import networks
from steps.prior.fit import Fit
from tests.full_size import IMAGES


def denoising(x):
    return load("tasks", "denoising").Operator(x.shape)


def test_fits_what_it_is_given(gray):
    losses = []
    settings = {"iterations": 120, "channels": 16, "scales": 3, "input_noise": 0.0, "fits": 1}
    estimate = recover(gray, denoising(gray), 0.0, **settings, callback=lambda i, x, loss: losses.append(float(loss)))
    assert losses[-1] < 1e-3 < losses[0]
    assert (estimate - gray).square().mean() < 2e-3


def test_fits_an_image_sooner_than_noise(gray):
    """The observation that the prior rests on (Ulyanov et al. 2018, figure 2)."""
    settings = {"iterations": 50, "channels": 16, "scales": 3, "input_noise": 0.0, "fits": 1}
    noise = torch.from_numpy(np.random.default_rng(0).permuted(gray.numpy().reshape(1, -1), axis=1).reshape(gray.shape))
    error = [(recover(x, denoising(x), 0.0, **settings) - x).square().mean() for x in (gray, noise)]
    assert error[0] < 0.5 * error[1]


def test_the_code_does_not_repeat_the_weights(gray):
    """Drawn from one seed by one generator, z would be the first layer's weights, shifted and scaled."""
    network, code = networks.create(gray.shape, channels=32, scales=2)
    weights, code = next(network.parameters()).detach().flatten(), code.flatten()
    assert code.min() >= 0 and code.max() <= 0.1 and code.std() == pytest.approx(0.1 / 12**0.5, rel=0.02)
    length = min(len(code), len(weights))
    assert abs(float(torch.corrcoef(torch.stack((code[:length], weights[:length])))[0, 1])) < 0.05


def test_the_last_estimate_is_the_result(gray):
    seen = []
    settings = {"iterations": 3, "channels": 8, "scales": 2, "output": "last", "fits": 1}
    result = recover(gray, denoising(gray), 0.0, **settings, callback=lambda i, x, loss: seen.append((x, loss)))
    assert torch.equal(result, seen[-1][0])
    assert float(seen[-1][1]) == pytest.approx(float((result - gray).square().mean()))


def test_an_image_too_small_for_the_network_gets_a_smaller_one(gray, capsys):
    x = gray[:, :20, :20]
    assert recover(x, denoising(x), 0.0, iterations=1, channels=4, scales=5).shape == x.shape
    assert "scales=5 needs 33 pixels a side; the 20x20 image gets scales=4" in capsys.readouterr().out


@pytest.mark.parametrize(("side", "channels"), [(362, 32), (363, 64)])
def test_by_default_a_larger_image_gets_a_larger_network(side, channels):
    x = torch.full((1, side, side), 0.5)
    settings = {"iterations": 2, "scales": 2, "fits": 1}
    assert torch.equal(
        recover(x, denoising(x), 0.0, **settings), recover(x, denoising(x), 0.0, channels=channels, **settings)
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"lr": 0.1},
        {"l1": 1e-3},
        {"l2": 1e-3},
        {"p_keep": 0.5},
        {"skip": 2},
        {"upsampling": "bilinear"},
        {"optimiser": "adam"},
        {"padding": "zeros"},
        {"network": "deep_decoder", "skip": 0},
        {"inputs": 3},
        {"input_noise": 0.05},
        {"fits": 1},
        {"output": "last"},
        {"output": "average"},
        {"output": "unperturbed", "input_noise": 0.05},
        {"precision": "float32"},
        {"precision": "bfloat16"},
    ],
    ids=str,
)
def test_every_setting_reaches_the_fit(settings, gray):
    """None is passed and ignored: each changes the estimate, and gives it again."""
    small = {
        "iterations": 3,
        "channels": 8,
        "scales": 2,
        "precision": "float32" if "bfloat16" in settings.values() else "bfloat16",
    }
    first, again, other = (recover(gray, denoising(gray), 0.0, **small | s) for s in (settings, settings, {}))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_the_rules_of_stopping_and_backtracking_reach_the_fit(gray, monkeypatch):
    from steps.prior import fit

    seen = {}
    monkeypatch.setattr(fit.Fit, "__init__", lambda self, *_, **settings: seen.update(settings))
    monkeypatch.setattr(fit.Fit, "run", lambda *_: gray)
    settings = {"window": 7, "patience": 8, "min_start": 9, "backtrack": True, "deterministic": True}
    recover(gray, denoising(gray), 0.0, **settings)
    assert {name: seen[name] for name in settings} == settings


PLAIN = {
    "optimiser": "adam",
    "skip": 0,
    "inputs": 32,
    "upsampling": "bilinear",
    "input_noise": 0.0,
    "output": "last",
    "fits": 1,
}
TINY = PLAIN | {"channels": 8, "scales": 2, "lr": 0.01, "precision": "float32", "iterations": 300}


def noisy(x, sigma, clip):
    return torch.from_numpy(add(x.numpy(), sigma=sigma, clip=clip, seed=1))


@pytest.mark.parametrize("clipped", [False, True])
@pytest.mark.parametrize("discrepancy", [1.0, 1.5])
def test_the_discrepancy_principle_stops_at_the_noise_s_variance(discrepancy, clipped, gray):
    """Morozov: at the first iteration whose residual is what the noise explains."""
    x, sigma, seen = 0.5 * gray, 0.15, []
    y = noisy(x, sigma, clipped)
    settings = TINY | {"discrepancy": discrepancy, "clipped": clipped}
    result = recover(y, denoising(y), sigma, **settings, callback=lambda i, x, loss: seen.append((x, float(loss))))
    variance = clipping.spread(y, sigma) ** 2 if clipped else sigma**2
    estimates, losses = zip(*seen)
    assert 5 < len(losses) < 300
    assert losses[-1] <= discrepancy * variance < min(losses[:-1])
    assert torch.equal(result, estimates[-1])
    noise = (y - (clipping.mean(x, sigma) if clipped else x)).square().mean()  # what only the truth knows
    assert losses[-1] == pytest.approx(discrepancy * float(noise), rel=0.1)


def test_without_noise_there_is_no_discrepancy_to_stop_at(gray):
    seen = []
    settings = TINY | {"iterations": 20}
    recover(gray, denoising(gray), 0.0, **settings, discrepancy=1e6, callback=lambda *arguments: seen.append(arguments))
    assert len(seen) == 20


def test_the_mean_of_fits_is_that_of_other_draws(gray):
    """The first is that of one fit alone; the count goes on, and each fit stops by itself."""
    y, seen = noisy(gray, 0.15, False), []
    one, three = (TINY | {"fits": fits, "iterations": 60, "discrepancy": 1.0} for fits in (1, 3))
    first = recover(y, denoising(y), 0.15, **one, callback=lambda i, x, loss: seen.append(x))
    again, losses, lengths = [], [], []
    result = recover(
        y,
        denoising(y),
        0.15,
        **three,
        callback=lambda i, x, loss: (again.append(x), losses.append(loss), lengths.append(i)),
    )
    assert lengths == list(range(1, len(lengths) + 1)) and torch.equal(again[len(seen) - 1], first)
    assert len(lengths) > len(seen) + 5 and torch.equal(again[-1], result)
    assert not torch.allclose(result, first, atol=1e-3)
    truth = [float((estimate - gray).square().mean()) for estimate in (first, result)]
    assert truth[1] < truth[0]


@pytest.mark.parametrize("task", ["denoising", "deconvolution"])
def test_clipped_fits_the_mean_of_clipped_noise(task, gray):
    A = load("tasks", task).Operator(gray.shape)
    y, sigma, seen = noisy(A.forward(0.1 * gray), 0.5, True), 0.5, []
    settings = TINY | {"iterations": 30}
    result = recover(y, A, sigma, **settings, clipped=True, callback=lambda i, x, loss: seen.append((x, float(loss))))
    draws = torch.randn(4000, *gray.shape, generator=torch.Generator().manual_seed(0))
    expected = (A.forward(result) + sigma * draws).clamp(0, 1).mean(0)
    assert seen[-1][1] == pytest.approx(float((expected - y).square().mean()), rel=5e-3)
    for x, loss in seen:
        assert loss == pytest.approx(float((clipping.mean(A.forward(x), sigma) - y).square().mean()), rel=1e-5)
    plain = recover(y, A, sigma, **settings, clipped=False)
    mean = float((0.1 * gray).mean())
    assert abs(float(result.mean()) - mean) < abs(float(plain.mean()) - mean) - 0.02  # less drawn towards 1/2


def test_a_noisy_image_in_0_to_1_is_taken_to_be_clipped_and_no_other(gray):
    def same(y, A, clipped):
        settings = TINY | {"iterations": 3, "discrepancy": 0}
        return torch.equal(recover(y, A, 0.3, **settings), recover(y, A, 0.3, **settings, clipped=clipped))

    y = noisy(gray, 0.3, True)
    assert same(y, denoising(y), True) and not same(y, denoising(y), False)
    beyond = noisy(gray, 0.3, False)
    assert same(beyond, denoising(y), False) and not same(beyond, denoising(y), True)
    assert same(y, load("tasks", "deconvolution").Operator(gray.shape), False)


def test_the_deep_decoder_takes_no_skips(gray):
    with pytest.raises(BadInput, match="skip=4, padding=reflect: not allowed with network=deep_decoder"):
        recover(gray, denoising(gray), 0.0, network="deep_decoder", skip=4)
    with pytest.raises(BadInput, match="skip=0, padding=zeros: not allowed with network=deep_decoder"):
        recover(gray, denoising(gray), 0.0, network="deep_decoder", skip=0, padding="zeros", iterations=1)


def test_a_penalty_is_reported_apart_from_the_data_term(gray):
    seen = []
    settings = {"iterations": 2, "channels": 8, "scales": 2, "output": "last", "fits": 1, "l1": 1e-3, "l2": 1e-3}
    recover(
        gray, denoising(gray), 0.0, **settings, callback=lambda i, x, loss, penalty: seen.append((x, loss, penalty))
    )
    x, loss, penalty = seen[-1]
    assert float(loss) == pytest.approx(float((x - gray).square().mean())) and penalty > 0


@pytest.mark.slow
@pytest.mark.skipif(not IMAGES, reason="no folder of test images in PRIORBENCH_IMAGES")
def test_denoises_as_well_as_the_reference():
    """F-16 at 256 × 256, sigma 25/255 not clipped, the reference's setting; it as the benchmark's plain network."""
    x = torch.from_numpy(image.prepare(image.read(f"{IMAGES}/f16.png"), size=[256]))
    y = torch.from_numpy(add(x.numpy(), sigma=25 / 255))
    truth, noise = x.double().numpy(), 1 / 30
    settings = {
        "lr": 0.01,
        "skip": 4,
        "input_noise": noise,
        "output": "average",
        "iterations": 1400,
        "discrepancy": 0.0,
        "fits": 1,
    }
    settings |= {"optimiser": "adam", "channels": 128, "scales": 5, "inputs": 32, "upsampling": "bilinear"}
    ours = psnr.measure(truth, recover(y, denoising(x), 25 / 255, **settings).numpy())
    torch.manual_seed(0)
    network, code = iteration.reference(3, 4, "bilinear"), 0.1 * torch.rand(1, 32, 256, 256)
    optimiser, average = torch.optim.Adam(network.parameters(), lr=0.01), None
    for _ in range(1400):  # where its average is best; both fall from there on
        optimiser.zero_grad()
        estimate = network(code + noise * torch.randn(code.shape))[0]
        (estimate - y).square().mean().backward()
        optimiser.step()
        estimate = estimate.detach()
        average = estimate if average is None else 0.99 * average + 0.01 * estimate
    theirs = psnr.measure(truth, average.numpy())
    print(f"ours {ours:.2f} dB, the reference {theirs:.2f} dB")
    assert ours > theirs - 0.3


def test_what_a_trace_keeps_of_later_fits_is_unperturbed_too(gray):
    A, keep = load("tasks", "denoising").Operator(gray.shape), set(kept(3 * 40))
    settings = {"fits": 3, "iterations": 40, "channels": 4, "scales": 1, "output": "unperturbed", "discrepancy": 0}
    seen, drawn = {}, []
    original = Fit.unperturbed

    def noted(self):
        drawn.append(True)
        return original(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fit, "unperturbed", noted)
        recover(gray, A, 0.1, **settings, callback=lambda i, x, loss: seen.setdefault(i, len(drawn)))
    made = {i for i in seen if seen[i] > seen.get(i - 1, 0)}
    assert made == keep | {40, 80, 120}
