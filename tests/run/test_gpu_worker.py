"""Recoveries by processes that stay (steps/run/gpu_worker.py), with a pretend GPU: the fits are made on the CPU."""

import os
import signal
import socket as sockets
import subprocess
import sys
import time

import numpy as np
import pytest

from steps.run import gpu_worker
from tests.conftest import wait_for
from tests.run.test_warm import ASK, ROOT, ask, measurement, socket  # noqa: F401

DIP = ["steps.recover", "measurement.npz", "dip", "iterations=3,channels=8,scales=2,fits=1"]


@pytest.fixture
def pretend(tmp_path, monkeypatch):
    """One GPU, as nvidia-smi says."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/nvidia-smi"
    program.write_text(f"#!{sys.executable}\nprint('GPU 0: Pretend (UUID: GPU-{os.getpid()}-{tmp_path.name})')")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def workers(socket):  # noqa: F811
    found = subprocess.run(
        ["pgrep", "-f", f"steps.run.gpu_worker {socket.parent}/gpu-"], capture_output=True, text=True
    )
    return found.stdout.split()


@pytest.fixture(autouse=True)
def none_left(socket):  # noqa: F811
    yield
    for process in workers(socket):
        os.kill(int(process), signal.SIGKILL)
    wait_for(lambda: not workers(socket))


def test_one_process_does_all_and_each_job_has_its_outputs(socket, measurement, pretend):  # noqa: F811
    by_itself = ask("/no/such/socket", measurement, *DIP, "itself", PRIORBENCH_DEVICE="cpu")
    first = ask(socket, measurement, *DIP, "first")
    process = workers(socket)
    second = ask(socket, measurement, *DIP, "second")
    assert len(process) == 1 and workers(socket) == process
    for result in (by_itself, first, second):
        assert result.returncode == 0 and result.stdout.count("done in ") == 1, result.stderr
    found = [np.load(measurement / folder / "recovered.npy") for folder in ("itself", "first", "second")]
    assert np.array_equal(found[0], found[1]) and np.array_equal(found[0], found[2])


def test_what_needs_no_gpu_is_no_job_for_it(socket, measurement, pretend):  # noqa: F811
    assert ask(socket, measurement, "steps.recover", "measurement.npz", "tv", "iterations=2", "f").returncode == 0
    assert ask(socket, measurement, *DIP, "g", PRIORBENCH_DEVICE="cpu").returncode == 0
    assert ask(socket, measurement, *DIP[:3], f"{DIP[3]},deterministic=true", "h").returncode == 0
    assert not workers(socket)


def test_errors_come_back_and_the_process_stays(socket, measurement, pretend):  # noqa: F811
    result = ask(socket, measurement, *DIP[:3], "lambda=1", "f")
    assert result.returncode == 1 and result.stderr.startswith("Error: f: dip: unknown parameter 'lambda'")
    process = workers(socket)
    assert ask(socket, measurement, *DIP, "g").returncode == 0 and workers(socket) == process


def test_a_process_does_no_job_after_one_that_ended_as_nobody_foresaw(socket):  # noqa: F811
    """Its GPU may do nothing more for it."""
    path = socket.parent / "gpu-0"
    assert gpu_worker._ask(["python", "-m", "steps.no_such_module", "f"], path, "0", os.getpid()) == 1
    assert not path.exists()
    wait_for(lambda: not workers(socket))


def start(socket, folder, name):  # noqa: F811
    words = [*ASK, sys.executable, "-m", *DIP[:3], "iterations=100000,channels=8,scales=2,discrepancy=0", name]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PRIORBENCH_WARM": str(socket)}
    asker = subprocess.Popen(words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: asker.stdout.readline().startswith(b"iteration"))
    return asker


def test_a_job_that_dies_takes_its_process_and_the_next_starts_another(socket, measurement, pretend):  # noqa: F811
    asker = start(socket, measurement, "long")
    (process,) = workers(socket)
    os.kill(int(process), signal.SIGKILL)
    _, said = asker.communicate()
    assert asker.returncode == 1 and b"ended without saying how" in said
    assert not (measurement / "long/recovered.npy").exists()
    assert ask(socket, measurement, *DIP, "next").returncode == 0 and workers(socket) != [process]


def test_a_job_ends_with_who_asked(socket, measurement, pretend):  # noqa: F811
    asker = start(socket, measurement, "long")
    asker.kill()
    asker.wait()
    wait_for(lambda: not workers(socket))


def test_an_edit_is_seen(tmp_path, monkeypatch):
    now = time.time_ns()
    assert not gpu_worker.edited(now + 10**9)
    file = tmp_path / "module.py"
    file.write_text("")
    monkeypatch.setitem(sys.modules, "steps.pretended", type(sys)("steps.pretended"))
    sys.modules["steps.pretended"].__file__ = str(file)
    os.utime(file, ns=(now, now + 2 * 10**9))
    assert gpu_worker.edited(now + 10**9)
    file.unlink()
    assert gpu_worker.edited(now + 10**9)


def test_an_edit_starts_another_process(socket, measurement, pretend):  # noqa: F811
    assert ask(socket, measurement, *DIP, "first").returncode == 0
    process, file = workers(socket), ROOT / "steps/methods/dip.py"
    before = file.stat()
    try:
        os.utime(file)
        assert ask(socket, measurement, *DIP, "second").returncode == 0
    finally:
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert len(workers(socket)) == 1 and workers(socket) != process


def test_one_that_goes_before_it_has_taken_a_job_is_asked_no_more(tmp_path, monkeypatch):
    pairs = [sockets.socketpair(), sockets.socketpair()]
    pairs[0][1].sendall(bytes([gpu_worker.YOURSELF]))
    pairs[0][1].close()
    pairs[1][1].sendall(b"\0")
    monkeypatch.setattr(gpu_worker, "_connected", lambda path: pairs.pop(0)[0] if len(pairs) == 2 else None)
    monkeypatch.setattr(gpu_worker, "_started", lambda path, gpu, run: pairs[0][0])
    assert gpu_worker._ask(["python", "-m", *DIP, "f"], tmp_path / "s", "0", os.getpid()) == 0


def test_if_every_process_goes_who_asked_does_the_job_itself(tmp_path, monkeypatch):
    def gone(*_):
        mine, other = sockets.socketpair()
        other.sendall(bytes([gpu_worker.YOURSELF]))
        other.close()
        return mine

    monkeypatch.setattr(gpu_worker, "_connected", gone)
    monkeypatch.setattr(gpu_worker, "_started", gone)
    assert gpu_worker._ask(["python", "-m", *DIP, "f"], tmp_path / "s", "0", os.getpid()) is None


def test_it_ends_with_its_run(socket, measurement, pretend):  # noqa: F811
    run = subprocess.Popen(["sleep", "600"])
    words = ["python", "-m", *DIP, "f"]
    script = "from pathlib import Path; from steps.run import gpu_worker\n"
    script += f"gpu_worker.hand_over({words!r}, Path({str(socket.parent)!r}), {run.pid})"
    subprocess.run(
        [sys.executable, "-c", script], cwd=measurement, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True
    )
    assert len(workers(socket)) == 1
    run.kill()
    run.wait()
    wait_for(lambda: not workers(socket))
