"""The engine of the deep image prior; the slow tests compare bfloat16 with float32 at full size of the network.

They are run by `make test-slow IMAGES=folder` and need cameraman, house and f16 as PNG files there.
"""

import itertools

import numpy as np
import pytest
import torch

from steps.base.errors import BadInput
from steps.inverse.trace import kept
from steps.metrics import psnr
from steps.noises.gaussian import add
from steps.prior import networks
from steps.prior.fit import LOOK, Fit, has_bfloat16
from steps.prior.muon import Muon
from steps.prior.stopping import average_centred_at
from tests.full_size import IMAGES, load_image

CPU = torch.device("cpu")
SMALL = {"channels": 8, "scales": 2, "inputs": 4}


def fit_of(x, size=SMALL, seed=0, **settings):
    return Fit(lambda: networks.create(x.shape, seed=seed, **size), x.shape, CPU, seed=seed, **{"lr": 0.01} | settings)


def squares(y):
    return lambda x: (x - y).square().mean()


def recorded(fit, y, iterations):
    """Return (result, [(iteration, estimate, loss, penalty or None)])."""
    seen = []
    result = fit.run(squares(y), iterations, lambda i, x, *losses: seen.append((i, x.clone(), *losses)))
    return result, seen


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_seed_gives_the_same_bits_again(gray, precision):
    first, again, other = (fit_of(gray, seed=s, precision=precision).run(squares(gray), 5) for s in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_one_step_is_adam_s(gray):
    """Against torch's own Adam on the same network, written out."""
    network, code = networks.create(gray.shape, **SMALL)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(3):
        optimiser.zero_grad()
        estimate = network(code)[0]
        (estimate - gray).square().mean().backward()
        optimiser.step()
    found = fit_of(gray, precision="float32").run(squares(gray), 3)
    np.testing.assert_allclose(found.numpy(), estimate.detach().numpy(), atol=1e-5)


def test_muon_is_for_kernels_and_adam_for_the_rest(gray):
    """Written out, with the network of torch's own layers: biases and norms by torch's own Adam."""
    network, code = networks.create(gray.shape, **SMALL)
    kernels = [p for p in network.parameters() if p.ndim == 4]
    rest = [p for p in network.parameters() if p.ndim < 4]
    optimisers = Muon(kernels, lr=0.02), torch.optim.Adam(rest, lr=0.02)
    for _ in range(3):
        network.zero_grad()
        estimate = network(code)[0]
        (estimate - gray).square().mean().backward()
        for optimiser in optimisers:
            optimiser.step()
    found = fit_of(gray, precision="float32", optimiser="muon", lr=0.02).run(squares(gray), 3)
    np.testing.assert_allclose(found.numpy(), estimate.detach().numpy(), atol=1e-4)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_muon_and_the_polynomial_average_give_the_same_bits_again(gray, precision):
    settings = {"optimiser": "muon", "output": "polynomial", "input_noise": 0.03, "precision": precision}
    first, again = (fit_of(gray, **settings).run(squares(gray), 5) for _ in range(2))
    assert torch.equal(first, again)


def test_a_polynomial_average_goes_on_until_its_centre_is_where_the_target_was_reached(gray):
    _, seen = recorded(fit_of(gray, precision="float32"), gray, 60)
    losses = [float(loss) for _, _, loss in seen]
    target = sorted(losses)[len(losses) // 2]
    first = 1 + next(i for i, loss in enumerate(losses) if loss <= target)
    last, average = average_centred_at(first), 0
    for k, (_, x, _) in enumerate(seen[:last], start=1):
        average = average + 5 / (k + 4) * (x - average)
    again = []
    fit = fit_of(gray, precision="float32", output="polynomial")
    result = fit.run(squares(gray), 60, lambda i, x, loss: again.append(x), target)
    assert first < last < 60 and len(again) == last
    np.testing.assert_allclose(result.numpy(), average.numpy(), atol=1e-5)


def test_an_image_of_any_size_is_fitted_at_its_size(colour):
    x = colour[:, :33, :21]
    seen = recorded(fit_of(x), x, 2)[1]
    assert seen[0][1].shape == x.shape


def test_bfloat16_is_near_float32(gray):
    found = [fit_of(gray, precision=p).run(squares(gray), 1) for p in ("float32", "bfloat16")]
    assert 1e-6 < float((found[0] - found[1]).abs().mean()) < 0.01


@pytest.mark.parametrize("name, power", [("l1", 1), ("l2", 2)])
def test_penalties_are_the_paper_s(gray, name, power):
    """R = Σ ‖W‖₁ and Σ ½ ‖W‖₂² over the weights of the convolutions (Anderson, section 4.1)."""
    network, _ = networks.create(gray.shape, **SMALL)
    weights = [p.detach() for key, p in network.named_parameters() if p.ndim == 4]
    expected = 0.3 * sum(float(w.abs().pow(power).sum()) / power for w in weights)
    _, seen = recorded(fit_of(gray, precision="float32", **{name: 0.3}), gray, 2)
    iteration, estimate, loss, penalty = seen[0]
    assert float(penalty) == pytest.approx(expected, rel=1e-5)
    assert float(loss) == pytest.approx(float((estimate - gray).square().mean()))  # the data term alone
    assert float(seen[1][3]) < float(penalty)  # and it is minimised


def test_without_penalty_none_is_reported(gray):
    assert len(recorded(fit_of(gray), gray, 1)[1][0]) == 3


def test_the_average_has_weight_99_percent(gray):
    iterates = [x for _, x, _ in recorded(fit_of(gray), gray, 4)[1]]
    average = iterates[0]
    for x in iterates[1:]:
        average = 0.99 * average + 0.01 * x
    result, seen = recorded(fit_of(gray, output="average"), gray, 4)
    np.testing.assert_allclose(result.numpy(), average.numpy(), atol=1e-6)
    assert torch.equal(seen[-1][1], result)


def test_input_noise_is_drawn_anew_with_the_deviation_asked_for(gray):
    fit = fit_of(gray, input_noise=0.5, size=SMALL | {"inputs": 64}, precision="float32")
    first, second = fit._draw(), fit._draw()
    assert first.shape == fit.code.shape and first.is_contiguous(memory_format=torch.channels_last)
    assert float(first.std()) == pytest.approx(0.5, rel=0.02) and abs(float(first.mean())) < 0.01
    assert abs(float((first * second).mean())) < 0.01
    again, other = (fit_of(gray, size=SMALL | {"inputs": 64}, seed=seed, input_noise=0.5)._draw() for seed in (0, 1))
    assert torch.equal(again, fit_of(gray, size=SMALL | {"inputs": 64}, input_noise=0.5)._draw())
    assert not torch.equal(again, other)


def test_the_unperturbed_output_has_neither_noise_nor_dropout(gray):
    size = SMALL | {"p_keep": 0.5}
    fit = fit_of(gray, size=size, output="unperturbed", input_noise=0.1)
    result = fit.run(squares(gray), 3)
    assert torch.equal(result, fit.unperturbed()) and fit.network.training
    noisy = fit_of(gray, size=size, input_noise=0.1)
    assert not torch.equal(noisy.run(squares(gray), 3), noisy.unperturbed())


PERTURBED = {"size": SMALL | {"p_keep": 0.8}, "input_noise": 0.1, "precision": "float32"}


def test_a_fit_that_reaches_its_target_returns_the_unperturbed_output(gray):
    """At an iteration that no trace keeps, too; it is also what the callback is shown there."""
    losses = [float(loss) for _, _, loss in recorded(fit_of(gray, **PERTURBED), gray, 60)[1]]
    lowest = [i for i in range(1, 61) if losses[i - 1] < min(losses[: i - 1], default=1)]
    end = next(i for i in lowest if i > 20 and i not in kept(60))
    fit, seen = fit_of(gray, **PERTURBED, output="unperturbed"), []
    result = fit.run(squares(gray), 60, lambda i, x, loss: seen.append(x), losses[end - 1])
    assert len(seen) == end
    assert torch.equal(result, fit.unperturbed()) and torch.equal(result, seen[-1])


def test_a_fit_that_is_backtracked_at_its_end_returns_the_unperturbed_output(gray, monkeypatch, capsys):
    """Of the last check, in iteration 8, that no trace keeps."""
    monkeypatch.setattr("steps.prior.fit.CHECK", 4)
    result, fit, _ = dropped(gray, {12}, output="unperturbed")
    assert "backtracked" in capsys.readouterr().out and 8 not in kept(12)
    assert torch.equal(result, fit.unperturbed())
    assert torch.equal(result, dropped(gray, {}, 8, output="unperturbed")[0])


def dropped(x, calls, iterations=12, **settings):
    """Return (result, fit, losses) of a fit with backtracking whose data term grows tenfold in these calls."""
    fit, losses = fit_of(x, **PERTURBED | settings, backtrack=True), []

    def data_term(estimate):
        loss = (estimate - x).square().mean() * (10.0 if len(losses) + 1 in calls else 1.0)
        losses.append(loss.item())
        return loss

    return fit.run(data_term, iterations), fit, losses


def test_the_unperturbed_output_leaves_the_fit_as_it_is(gray, monkeypatch):
    """Bit for bit, and where nothing ends early it is made only where a trace keeps it."""
    monkeypatch.setattr("steps.prior.fit.CHECK", 4)
    for calls in ({}, {8}, {8, 12}):
        (_, plain, losses), (_, fit, again) = (dropped(gray, calls, 16, output=o) for o in ("last", "unperturbed"))
        assert losses == again
        assert all(torch.equal(*pair) for pair in zip(plain.network.parameters(), fit.network.parameters()))
    made = []
    monkeypatch.setattr(Fit, "unperturbed", lambda fit: made.append(1) or gray)
    dropped(gray, {}, 16, output="unperturbed")
    assert len(made) == len(kept(16))


MOMENTUM = {"adam": "exp_avg", "muon": "momentum"}


@pytest.mark.parametrize("optimiser", MOMENTUM)
def test_a_drop_is_backtracked(optimiser, gray, capsys):
    """A data term that grows tenfold once: weights, optimiser and average are those of the last check again."""
    settings = {"backtrack": True, "output": "average", "optimiser": optimiser}
    fit = fit_of(gray, **settings)
    calls = []

    def data_term(x):
        calls.append(1)
        return (x - gray).square().mean() * (10.0 if len(calls) == 200 else 1.0)

    fit.run(data_term, 100)
    before = {name: value.clone() for name, value in fit.network.state_dict().items()}
    average, step = fit.average.clone(), fit.optimisers[-1].state_dict()["state"][0]["step"].clone()
    momentum = fit.optimisers[0].state_dict()["state"][0][MOMENTUM[optimiser]].clone()
    fit = fit_of(gray, **settings)
    calls.clear()
    result = fit.run(data_term, 200)
    assert "backtracked: data term" in capsys.readouterr().out
    assert all(torch.equal(value, before[name]) for name, value in fit.network.state_dict().items())
    assert torch.equal(fit.average, average) and torch.equal(result, average)
    assert fit.optimisers[-1].state_dict()["state"][0]["step"] == step == 100
    assert torch.equal(fit.optimisers[0].state_dict()["state"][0][MOMENTUM[optimiser]], momentum)


def test_a_second_drop_at_once_halves_the_step(gray):
    fit = fit_of(gray, backtrack=True)
    growing = iter(range(1, 401))
    factor = {200: 10.0, 300: 10.0}
    fit.run(lambda x: (x - gray).square().mean() * factor.get(next(growing), 1.0), 300)
    assert fit.optimisers[0].param_groups[0]["lr"] == 0.005


def test_without_a_drop_nothing_is_backtracked(gray, capsys):
    fit_of(gray, backtrack=True).run(squares(gray), 200)
    assert "backtracked" not in capsys.readouterr().out
    fit = fit_of(gray, backtrack=True)
    before = fit._check(1.0, gray, None)
    assert fit._check(3.16, gray, before)["loss"] == 3.16  # by less than 5 dB
    assert fit._check(3.17, gray, before)["again"] and "backtracked" in capsys.readouterr().out


def test_a_window_that_cannot_stop_is_refused(gray):
    with pytest.raises(BadInput, match="window=5, patience=10, min_start=20: cannot stop within iterations=29"):
        fit_of(gray, window=5, patience=10, min_start=20).run(squares(gray), 29)
    with pytest.raises(BadInput, match="window=20, patience=10, min_start=5: cannot stop within iterations=29"):
        fit_of(gray, window=20, patience=10, min_start=5).run(squares(gray), 29)


def test_a_fit_that_stops_early_returns_its_best(gray, capsys):
    fit = fit_of(gray, window=5, patience=10, min_start=20, lr=0.05)
    result, seen = recorded(fit, gray, 2000)
    assert len(seen) < 2000
    best = int(capsys.readouterr().out.split("the estimate is that of ")[1])
    assert len(seen) == best + 10
    assert torch.equal(result, seen[best - 1][1])


@pytest.mark.parametrize("settings", [{}, {"output": "average"}, {"l1": 1e-4}, {"window": 9, "patience": 30}], ids=str)
def test_a_fit_stops_at_the_first_data_term_that_is_at_most_its_target(gray, settings, capsys):
    """The data term of the iterate, without the penalty; the output is the one of that iteration."""
    settings |= {"precision": "float32"}
    _, seen = recorded(fit_of(gray, **settings), gray, 60)
    losses = [float(loss) for _, _, loss, *_ in seen]
    target = sorted(losses)[len(losses) // 2]
    first = next(i for i, loss in enumerate(losses) if loss <= target)
    assert 0 < first < 50
    again = []
    result = fit_of(gray, **settings).run(
        squares(gray), 60, lambda i, x, *losses: again.append((i, x.clone(), *losses)), target
    )
    assert [float(loss) for _, _, loss, *_ in again] == losses[: first + 1]
    assert "the data term has come down to" in capsys.readouterr().out
    if "window" not in settings:  # whose output is that of the least variance
        assert torch.equal(result, seen[first][1])


WINDOW = {"window": 5, "patience": 10, "min_start": 20, "lr": 0.05}


@pytest.mark.parametrize("settings", [{}, {"output": "polynomial"}, {"output": "unperturbed"}, WINDOW], ids=str)
def test_looking_rarely_changes_nothing(gray, settings, monkeypatch):
    """As on CUDA, where the steps made meanwhile are thrown away."""
    iterations = 400 if settings is WINDOW else 60
    _, seen = recorded(fit_of(gray, **settings), gray, 60)
    target = 0 if settings is WINDOW else sorted(float(loss) for _, _, loss in seen)[30]
    (seen, result), (again, other) = (
        looked(gray, n, settings, squares(gray), iterations, target, monkeypatch) for n in (1, 7)
    )
    assert seen == again and torch.equal(result, other) and len(seen) < iterations


def test_looking_rarely_changes_nothing_when_a_fit_backtracks(gray, monkeypatch, capsys):
    monkeypatch.setattr("steps.prior.fit.CHECK", 8)
    results = []
    for look in (1, 7):
        steps = itertools.count()

        def data_term(x, steps=steps):  # ten times as large from the twentieth step to the thirtieth
            return (x - gray).square().mean() * (10 if 20 < next(steps) < 30 else 1)

        results.append(looked(gray, look, {"backtrack": True}, data_term, 60, 1e-9, monkeypatch))
    (seen, result), (again, other) = results
    assert capsys.readouterr().out.count("backtracked") >= 2
    assert seen == again and torch.equal(result, other)


def looked(y, look, settings, data_term, iterations, target, monkeypatch):
    """Return (what the callback saw, result) of a fit that looks whether to stop every so many iterations."""
    monkeypatch.setitem(LOOK, "cpu", look)
    seen = []
    result = fit_of(y, **settings).run(
        data_term, iterations, lambda i, x, loss: seen.append((i, float(loss), float(x.sum()))), target
    )
    return seen, result


def test_without_a_target_even_a_perfect_fit_goes_on(gray):
    seen = []
    fit_of(gray).run(lambda x: 0 * x.sum(), 5, lambda i, x, loss: seen.append(float(loss)))
    assert seen == [0] * 5


def test_the_target_is_kept_when_a_fit_starts_again_in_float32(gray):
    fit, seen = fit_of(gray, precision="bfloat16"), []

    def data_term(x):
        return (x - gray).square().mean() * (float("nan") if fit.dtype == torch.bfloat16 else 1.0)

    fit.run(data_term, 60, lambda i, x, loss: seen.append(float(loss)), 1.0)
    assert len(seen) == 1


def test_a_loss_that_is_not_finite_is_tried_again_in_float32(gray, capsys):
    """Once: in bfloat16 the third step gives nan, in float32 nothing does."""
    fit = fit_of(gray, precision="bfloat16")
    seen = []

    def data_term(x):
        broken = fit.dtype == torch.bfloat16 and len(seen) == 2
        return (x - gray).square().mean() * (float("nan") if broken else 1.0)

    result = fit.run(data_term, 4, lambda i, x, loss: seen.append(i))
    assert "not finite in iteration 3 in bfloat16: the network starts again in float32" in capsys.readouterr().out
    assert seen == [1, 2, 1, 2, 3, 4]
    assert torch.equal(result, fit_of(gray, precision="float32").run(squares(gray), 4))


def test_a_loss_that_is_not_finite_in_float32_is_an_error(gray):
    with pytest.raises(BadInput, match="not finite in iteration 1; lower lr, which is 0.01"):
        fit_of(gray, precision="float32").run(lambda x: x.sum() * float("inf"), 4)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory."), MemoryError("no")])
def test_out_of_memory_names_the_size_and_what_to_lower(gray, error):
    def data_term(x):
        raise error

    with pytest.raises(BadInput, match="out of memory on cpu for a 1x40x40 image; lower channels, inputs or skip"):
        fit_of(gray).run(data_term, 1)


def test_a_network_too_large_for_the_memory_is_told(gray):
    with pytest.raises(BadInput, match="out of memory on cpu for a 1x40x40 image"):
        fit_of(gray, size={"channels": 10**6})


def test_a_real_lack_of_memory_is_told_and_a_bug_is_not():
    x = torch.zeros(1, 40, 40)
    with pytest.raises(BadInput, match="out of memory on cpu"):
        fit_of(x).run(lambda image: torch.empty(2**50), 1)
    with pytest.raises(RuntimeError, match="size of tensor"):
        fit_of(x).run(lambda image: image + torch.zeros(3, 7), 1)


def test_the_global_random_state_is_left_alone(gray):
    state = torch.random.get_rng_state()
    fit_of(gray, size=SMALL | {"p_keep": 0.5}, input_noise=0.1).run(squares(gray), 2)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.slow
@pytest.mark.skipif(not IMAGES, reason="no folder of test images in PRIORBENCH_IMAGES")
@pytest.mark.skipif(not has_bfloat16(CPU), reason="this processor has no bfloat16 units")
@pytest.mark.parametrize(
    "size, settings, iterations",
    [({"upsampling": "nearest"}, {"lr": 1e-4}, 300), ({"skip": 4}, {"lr": 1e-3, "output": "average"}, 500)],
    ids=["nearest", "skips"],
)
def test_bfloat16_recovers_as_well_as_float32(size, settings, iterations):
    """5 × 128 channels, sigma 0.05: mean PSNR over 5 seeds and two 128 × 128 images within 0.1 dB."""
    gains = []
    for name, top, left in (("cameraman", 30, 70), ("house", 80, 60)):
        x = load_image(name)[:, top : top + 128, left : left + 128]
        y = torch.from_numpy(add(x.numpy(), sigma=0.05, clip=True))
        for seed in range(5):
            found = {}
            for precision in ("float32", "bfloat16"):
                estimate = fit_of(x, size, seed, precision=precision, **settings).run(squares(y), iterations)
                found[precision] = psnr.measure(x.double().numpy(), estimate.numpy())
            gains.append(found["bfloat16"] - found["float32"])
            print(name, seed, {key: round(value, 2) for key, value in found.items()}, flush=True)
    print(f"bfloat16 - float32: {np.mean(gains):+.3f} dB, standard error {np.std(gains, ddof=1) / 10**0.5:.3f}")
    assert np.mean(gains) == pytest.approx(0, abs=0.1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_on_cuda_a_fit_is_near_the_cpu_s_and_deterministic_if_asked(gray, precision):
    device, y = torch.device("cuda"), gray.cuda()
    state = torch.cuda.get_rng_state()
    found = []
    for _ in range(2):
        fit = Fit(
            lambda: networks.create(y.shape, **SMALL), y.shape, device, lr=1e-3, precision=precision, deterministic=True
        )
        found.append(fit.run(squares(y), 20).cpu())
    assert torch.equal(found[0], found[1])
    on_cpu = fit_of(gray, lr=1e-3, precision=precision).run(squares(gray), 20)
    assert float((found[0] - on_cpu).abs().mean()) < 0.02
    assert torch.equal(torch.cuda.get_rng_state(), state)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_cuda_a_short_fit_is_checked_at_its_end(gray):
    y = gray.cuda()
    fit = Fit(lambda: networks.create(y.shape, **SMALL), y.shape, y.device, lr=1e-3, precision="float32")
    with pytest.raises(BadInput, match="not finite in iteration 7"):
        fit.run(lambda x: x.sum() * float("nan"), 7)
