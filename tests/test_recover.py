import functools
import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from steps import recover
from steps.base.errors import BadInput
from steps.inverse import measurement
from steps.inverse.trace import kept
from steps.run import sources

ROOT = Path(__file__).parent.parent


@pytest.fixture
def measured(tmp_path, gray):
    y = gray + 0.1 * torch.randn(gray.shape, generator=torch.Generator().manual_seed(0))
    noise = {"sigma": 0.1, "clip": False, "seed": 0}
    measurement.save(tmp_path / "measurement.npz", y, "denoising", gray.shape, {}, noise)
    return tmp_path


def run(folder, method, params, *options):
    arguments = [str(folder / "measurement.npz"), method, params, str(folder / "out"), *options]
    return CliRunner().invoke(recover.main, arguments)


def test_command_writes_estimate_trace_and_run(measured):
    result = run(measured, "tv", "lam=0.05,iterations=8", "--threads", "1")
    assert result.exit_code == 0, result.output
    assert "iteration 8/8  loss" in result.output
    assert sorted(path.name for path in (measured / "out").iterdir()) == ["recovered.npy", "run.json", "trace.npz"]
    estimate = np.load(measured / "out/recovered.npy")
    assert estimate.shape == (1, 40, 40)
    assert estimate.dtype == np.float32
    with np.load(measured / "out/trace.npz") as trace:
        assert len(trace["losses"]) == 8
        np.testing.assert_allclose(trace["estimates"][-1], estimate, atol=2.5e-4)
    facts = json.loads((measured / "out/run.json").read_text())
    assert facts["settings"] == {"lam": 0.05, "rho": None, "iterations": 8, "kind": "isotropic"}
    assert (facts["iterations"], facts["device"], facts["threads"], facts["seed"]) == (8, "cpu", 1, None)
    assert facts["seconds"] > 0
    assert facts["peak_memory_mb"] > 10
    assert facts["versions"]["torch"].startswith("2.")


def test_the_seed_is_recorded_even_when_it_is_the_default(measured):
    result = run(measured, "dip", "iterations=2,channels=4,scales=2")
    assert result.exit_code == 0, result.output
    assert json.loads((measured / "out/run.json").read_text())["seed"] == 0


def test_the_origin_is_the_measurement_s_checksum_and_the_code_s(measured):
    found = {}
    for method in ("tv", "wiener"):
        assert run(measured, method, "iterations=1" if method == "tv" else "default").exit_code == 0
        found[method] = json.loads((measured / "out/run.json").read_text())["origin"]
        modules = ("steps.recover", f"steps.methods.{method}", "steps.tasks.denoising")
        assert found[method]["code"] == sources.digest(*modules)
    checksum = hashlib.sha256((measured / "measurement.npz").read_bytes()).hexdigest()
    assert found["tv"]["measurement"] == found["wiener"]["measurement"] == checksum
    assert found["tv"]["code"] != found["wiener"]["code"]
    noise = {"sigma": 0.1, "clip": False, "seed": 1}
    measurement.save(measured / "measurement.npz", torch.zeros(1, 40, 40), "denoising", (1, 40, 40), {}, noise)
    assert run(measured, "tv", "iterations=1").exit_code == 0
    other = json.loads((measured / "out/run.json").read_text())["origin"]
    assert other["code"] == found["tv"]["code"]
    assert other["measurement"] != checksum


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("tvv", "default", "unknown method 'tvv' (did you mean 'tv'?)"),
        ("tvv", "default", "no file steps/methods/tvv.py"),
        ("tv", "lamda=1", "tv: unknown parameter 'lamda' (did you mean 'lam'?); allowed: iterations, kind, lam, rho"),
        ("tv", "lam=-1", "tv.lam: -1 is not allowed; must be > 0"),
        ("tv", "lam", "'lam' in 'lam' is not of the form name=value"),
        ("dip", "network=unet", "dip.network: 'unet' is not allowed; must be one of hourglass, deep_decoder"),
    ],
)
def test_bad_requests_are_one_line_and_leave_nothing(measured, method, params, words):
    result = run(measured, method, params)
    assert result.exit_code == 1
    assert words in result.output
    assert result.output.count("\n") == 1
    assert not (measured / "out").exists()


def test_a_fit_that_fails_says_why_and_leaves_nothing(measured):
    result = run(measured, "dip", "lr=1e9,channels=8,scales=2,precision=float32")
    assert result.exit_code == 1
    assert result.output.startswith("a network of 5,") and "parameters in float32 on cpu" in result.output
    last = result.output.splitlines()[-1]
    assert (
        "Error: " in last and "the loss is not finite in iteration" in last and "lower lr, which is 1000000000" in last
    )
    assert not (measured / "out").exists()


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_fit_leaves_nothing(measured, kind):
    command = [sys.executable, "-m", "steps.recover", str(measured / "measurement.npz"), "dip"]
    command += ["iterations=1000000,channels=8,scales=2", str(measured / "out"), "--threads", "1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert "parameters" in process.stdout.readline()
        assert "iteration" in process.stdout.readline()
        process.send_signal(kind)
        assert process.wait(timeout=60) != 0
    assert not (measured / "out").exists()


def test_a_bug_in_a_method_stays_a_traceback(measured, monkeypatch):
    from steps.methods import tv

    monkeypatch.setattr(tv, "column_norm", lambda A, y: 1 / 0)
    assert isinstance(run(measured, "tv", "default").exception, ZeroDivisionError)


FLAWED = {
    "a dimension short": (lambda x: x[0], "float32 of shape (40, 40)"),
    "a dimension more": (lambda x: x[None], "float32 of shape (1, 1, 40, 40)"),
    "one that would be broadcast": (lambda x: x[:, :1], "float32 of shape (1, 1, 40)"),
    "complex": (lambda x: x + 0j, "complex64 of shape (1, 40, 40)"),
    "integers": (lambda x: x.to(torch.uint8), "uint8 of shape (1, 40, 40)"),
    "an array": (lambda x: x.numpy(), "of type ndarray"),
    "a list": (lambda x: x.tolist(), "of type list"),
    "nothing": (lambda x: None, "of type NoneType"),
}


def returning(monkeypatch, made):
    """Let TV return made(y) instead."""
    from steps.methods import tv

    monkeypatch.setattr(tv, "recover", functools.wraps(tv.recover)(lambda y, A, sigma, **_: made(y)))


@pytest.mark.parametrize("case", FLAWED)
def test_an_estimate_of_another_kind_or_shape_is_refused(measured, monkeypatch, case):
    made, received = FLAWED[case]
    returning(monkeypatch, made)
    result = run(measured, "tv", "default")
    assert result.exit_code == 1
    assert result.output == (
        f"Error: {measured / 'out'}: tv: the estimate is {received}; must be a tensor of floats of shape "
        "(1, 40, 40), the image's\n"
    )
    assert not (measured / "out").exists()


def test_an_estimate_that_is_not_finite_is_refused(measured, monkeypatch):
    for value in (float("nan"), float("inf"), 1e300):  # the last in float64
        returning(monkeypatch, lambda y, value=value: torch.full_like(y, value, dtype=torch.float64))
        result = run(measured, "tv", "default")
        assert result.exit_code == 1
        assert result.output == f"Error: {measured / 'out'}: tv: the estimate has values that are not finite\n"
        assert not (measured / "out").exists()


def test_an_estimate_in_any_precision_is_written_in_float32(measured, monkeypatch):
    """One that still has its gradient, too."""
    for dtype in (torch.float64, torch.bfloat16):
        returning(monkeypatch, lambda y, dtype=dtype: y.to(dtype).requires_grad_())
        result = run(measured, "tv", "default")
        assert result.exit_code == 0, result.output
        estimate = np.load(measured / "out/recovered.npy")
        assert estimate.dtype == np.float32 and estimate.shape == (1, 40, 40)


def test_a_method_that_says_otherwise_how_often_it_iterates_has_a_trace(measured, monkeypatch):
    """Its keyword is `epochs`; a line is printed each time, as after two seconds."""

    def recover_slowly(y, A, sigma, *, epochs=12, callback=None):
        for epoch in range(1, epochs + 1):
            callback(epoch, y, 0.5)
        return y

    monkeypatch.setattr("steps.methods.tv.recover", recover_slowly)
    monkeypatch.setattr("steps.inverse.trace.SECONDS_BETWEEN_LINES", 0)
    result = run(measured, "tv", "default")
    assert result.exit_code == 0, result.output
    assert "iteration 12  loss 0.5\n" in result.output
    assert json.loads((measured / "out/run.json").read_text())["iterations"] == 12
    with np.load(measured / "out/trace.npz") as trace:
        assert trace["iterations"].tolist() == kept(12)


def test_a_callback_with_an_estimate_of_another_shape_is_refused(measured, monkeypatch):
    def recover_flat(y, A, sigma, *, callback=None):
        callback(1, y[0], 0.5)
        return y

    monkeypatch.setattr("steps.methods.tv.recover", recover_flat)
    result = run(measured, "tv", "default")
    assert result.exit_code == 1 and result.output.count("\n") == 1
    assert "callback: the estimate has shape (40, 40); must be (1, 40, 40), the image's" in result.output
    assert not (measured / "out").exists()


def test_device():
    assert recover.choose_device("cuda", uses_gpu=False) == "cpu"
    assert recover.choose_device("cpu", uses_gpu=True) == "cpu"
    if torch.cuda.is_available():
        assert recover.choose_device("auto", uses_gpu=True) == "cuda"
    else:
        assert recover.choose_device("auto", uses_gpu=True) == "cpu"
        with pytest.raises(BadInput, match="'cuda' is not available on this machine; allowed here: auto, cpu"):
            recover.choose_device("cuda", uses_gpu=True)
