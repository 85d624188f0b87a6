import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from steps import recover
from steps.base.errors import BadInput
from steps.inverse import measurement
from steps.inverse.trace import kept
from steps.run import record

ROOT = Path(__file__).parent.parent


@pytest.fixture
def measured(tmp_path, gray):
    y = gray + 0.1 * torch.randn(gray.shape, generator=torch.Generator().manual_seed(0))
    noise = measurement.Noise("gaussian", {"sigma": 0.1, "clip": False}, 0.1)
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
    said = {"lam": 0.05, "rho": None, "iterations": 8, "kind": "isotropic", "inner": None, "clipped": False}
    assert facts["settings"] == said
    assert (facts["iterations"], facts["device"], facts["threads"], facts["seed"]) == (8, "cpu", 1, None)
    assert facts["seconds"] > 0 and facts["cpu_seconds"] > 0
    assert facts["peak_memory_mb"] > 10
    assert facts["versions"] == record.versions()
    assert facts["origin"] == record.origin(measured / "measurement.npz", "tv")


def test_cpu_seconds_are_of_all_threads_and_of_no_waiting(measured, monkeypatch):
    def recover_slowly(y, A, sigma, *, lam=0.1):
        threads = [threading.Thread(target=compute, args=(0.2,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        time.sleep(1)
        return y

    def compute(seconds):
        while time.thread_time() < seconds:
            pass

    monkeypatch.setattr("steps.methods.tv.recover", recover_slowly)
    assert run(measured, "tv", "lam=0.1").exit_code == 0
    facts = json.loads((measured / "out/run.json").read_text())
    assert facts["seconds"] > 1.2 and 0.4 <= facts["cpu_seconds"] < 0.8


def test_the_seed_is_recorded_even_when_it_is_the_default(measured):
    result = run(measured, "dip", "iterations=2,channels=4,scales=2")
    assert result.exit_code == 0, result.output
    assert json.loads((measured / "out/run.json").read_text())["seed"] == 0


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("tvv", "default", "unknown method 'tvv' (did you mean 'tv'?)"),
        ("tvv", "default", "no file steps/methods/tvv.py"),
        ("tv", "lamda=1", "tv: unknown parameter 'lamda' (did you mean 'lam'?); allowed: clipped, inner"),
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
    result = run(measured, "dip", "lr=1e9,channels=8,scales=2,precision=float32", "--device", "cpu")
    assert result.exit_code == 1
    assert result.output.startswith("a network of 4,") and "parameters in float32 on cpu" in result.output
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
        assert process.wait(timeout=600) != 0
    assert not (measured / "out").exists()


def test_a_bug_in_a_method_stays_a_traceback(measured, monkeypatch):
    from steps.methods import tv

    monkeypatch.setattr(tv, "weight", lambda *_, **__: 1 / 0)
    assert isinstance(run(measured, "tv", "default").exception, ZeroDivisionError)


def test_an_estimate_that_is_no_image_is_refused_in_one_line_and_leaves_nothing(measured, monkeypatch):
    monkeypatch.setattr("steps.methods.tv.recover", lambda y, A, sigma: y[0])
    result = run(measured, "tv", "default")
    assert result.exit_code == 1
    assert result.output == (
        f"Error: {measured / 'out'}: tv: the estimate is float32 of shape (40, 40); "
        "must be a tensor of floats of shape (1, 40, 40), the image's\n"
    )
    assert not (measured / "out").exists()


def test_an_estimate_in_any_precision_is_written_in_float32(measured, monkeypatch):
    monkeypatch.setattr("steps.methods.tv.recover", lambda y, A, sigma: y.double())
    result = run(measured, "tv", "default")
    assert result.exit_code == 0, result.output
    assert np.load(measured / "out/recovered.npy").dtype == np.float32


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


def test_the_residual_of_a_method_that_works_in_place_is_that_of_what_was_measured(measured, monkeypatch):
    monkeypatch.setattr("steps.methods.tv.recover", lambda y, A, sigma: y.mul_(0.5))
    assert run(measured, "tv", "default").exit_code == 0
    y = measurement.load(measured / "measurement.npz")[0]
    found = json.loads((measured / "out/run.json").read_text())["residual"]
    assert found == pytest.approx(float((y / 2).square().mean().sqrt()), rel=1e-5)


def test_the_sigma_noted_is_the_one_told_and_no_parameter_of_the_noise(measured, gray):
    noise = measurement.Noise("poisson_gaussian", {"peak": 30.0, "sigma": 0.02}, 0.15)
    measurement.save(measured / "measurement.npz", gray, "denoising", gray.shape, {}, noise)
    assert run(measured, "wiener", "default").exit_code == 0
    assert json.loads((measured / "out/run.json").read_text())["noise_sigma"] == 0.15


def test_the_iterations_of_all_fits_are_counted_kept_and_foretold(measured):
    small = "iterations=12,channels=4,scales=1,fits=3,discrepancy=0"
    result = run(measured, "dip", small, "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert "iteration 36/36" in result.output and "/12" not in result.output
    with np.load(measured / "out/trace.npz") as trace:
        assert trace["iterations"].tolist() == kept(36)
        assert len(trace["losses"]) == 36
