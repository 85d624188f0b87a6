"""Jobs done by the process that has the libraries loaded (steps/run/warm.py, asked by steps/run/ask.py)."""

import os
import socket as connections
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from steps import corrupt
from steps.run import warm
from tests.conftest import wait_for

ROOT = Path(__file__).parents[2]
ASK = [sys.executable, "-I", "-S", str(ROOT / "steps/run/ask.py")]


@pytest.fixture(scope="module")
def socket(tmp_path_factory):
    path = tmp_path_factory.mktemp("warm") / "s"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-m", "steps.run.warm", str(path), str(os.getpid())], env=environment)
    wait_for(path.exists)
    yield path
    process.kill()
    process.wait()


def ask(socket, folder, *words, **environment):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PRIORBENCH_WARM": str(socket)} | environment
    words = [*ASK, sys.executable, "-m", *words]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, env=environment)


@pytest.fixture
def measurement(tmp_path, gray):
    np.save(tmp_path / "image.npy", gray.numpy())
    arguments = [str(tmp_path / "image.npy"), "denoising", "sigma=0.1", str(tmp_path)]
    result = CliRunner().invoke(corrupt.main, arguments)
    assert result.exit_code == 0, result.output
    return tmp_path


@pytest.mark.parametrize("method", ["wiener", "tv", "nlm", "bm3d", "dip"])
def test_a_job_is_the_same_as_one_by_itself(socket, measurement, method):
    params = {"tv": "iterations=5", "dip": "iterations=3,channels=8,scales=2"}.get(method, "default")
    words = ["steps.recover", "measurement.npz", method, params]
    by_itself = ask("/no/such/socket", measurement, *words, "itself", "--threads", "2", PRIORBENCH_DEVICE="cpu")
    done = ask(socket, measurement, *words, "warm", "--threads", "2", PRIORBENCH_DEVICE="cpu")
    assert (by_itself.returncode, done.returncode) == (0, 0), by_itself.stderr + done.stderr
    assert "done in " in done.stdout
    warm, itself = (np.load(measurement / folder / "recovered.npy") for folder in ("warm", "itself"))
    np.testing.assert_array_equal(warm, itself)


def test_libraries_are_loaded_ahead_and_no_code_of_ours():
    assert "torch" in warm.LIBRARIES
    assert not [name for name in warm.LIBRARIES if name.startswith("steps")]


def test_errors_and_exit_status_come_back(socket, measurement):
    result = ask(socket, measurement, "steps.recover", "measurement.npz", "tv", "lambda=1", "f")
    assert result.returncode == 1
    assert result.stderr.startswith("Error: f: tv: unknown parameter 'lambda'")
    assert ask(socket, measurement, "steps.recover").returncode == 2
    assert ask(socket, measurement, "steps.no_such").returncode == 1
    (measurement / "broken.py").write_text("1 / 0")
    result = ask(socket, measurement, "cProfile", "broken.py")
    assert result.returncode == 1 and result.stderr.splitlines()[-1] == "ZeroDivisionError: division by zero"


def test_folder_outputs_and_environment_are_those_of_who_asks(socket, measurement):
    result = ask(
        socket, measurement, "steps.recover", "measurement.npz", "dip", "iterations=1", "f", PRIORBENCH_DEVICE="cdua"
    )
    assert result.returncode == 2
    assert "'cdua' is not one of 'auto', 'cpu', 'cuda'" in result.stderr


def test_who_is_gone_before_it_has_asked_leaves_no_job(socket):
    server = subprocess.run(["pgrep", "-f", f"steps.run.warm {socket}"], capture_output=True, text=True).stdout.split()
    with connections.socket(connections.AF_UNIX) as connection:
        connection.connect(str(socket))
        connections.send_fds(connection, [(1000).to_bytes(8, "big")], [1, 2])
        connection.sendall(b"half a request")
    wait_for(lambda: not subprocess.run(["pgrep", "-P", server[0]], capture_output=True, text=True).stdout.split())


def test_a_job_ends_with_who_asked(socket, measurement):
    words = [*ASK, sys.executable, "-m", "steps.recover", "measurement.npz", "dip", "iterations=100000", "long"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PRIORBENCH_WARM": str(socket)}
    server = subprocess.run(["pgrep", "-f", f"steps.run.warm {socket}"], capture_output=True, text=True).stdout.split()
    asker = subprocess.Popen(words, cwd=measurement, env=environment)

    def jobs():
        found = subprocess.run(["pgrep", "-P", ",".join(server)], capture_output=True, text=True).stdout.split()
        return [process for process in found if process not in server]

    wait_for(jobs)
    asker.kill()
    asker.wait()
    wait_for(lambda: not jobs())
    assert not (measurement / "long/recovered.npy").exists()


def test_it_ends_with_the_run_that_started_it(tmp_path):
    path = tmp_path / "jobs" / "s"
    path.parent.mkdir()
    words = f"[sys.executable, '-m', 'steps.run.warm', {str(path)!r}, str(os.getpid())]"
    script = f"import os, subprocess, sys, time; subprocess.Popen({words})"
    script += f"\nwhile not os.path.exists({str(path)!r}): time.sleep(0.05)"
    subprocess.run([sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=600, check=True)
    wait_for(lambda: not path.parent.exists())
