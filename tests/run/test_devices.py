"""GPU slots, with pretend devices: names in CUDA_VISIBLE_DEVICES, and a pretend nvidia-smi."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from steps.run import devices

ROOT = Path(__file__).parents[2]
HOLD = """
import sys
from steps.run import devices
devices.WAIT = 0.05
with devices.slot(int(sys.argv[1])) as gpu:
    print("got", gpu, flush=True)
    sys.stdin.read()
"""
LISTING = """GPU 0: NVIDIA A100 (UUID: GPU-aaa)
GPU 1: NVIDIA A100 (UUID: GPU-bbb)
  MIG 3g.20gb     Device  0: (UUID: MIG-ccc)
  MIG 3g.20gb     Device  1: (UUID: MIG-ddd)
"""


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    """No GPU, no scheduler, no lock of another test."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    for name in ("CUDA_VISIBLE_DEVICES", *devices.SCHEDULERS):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def pretend(machine, listing):
    (machine / "bin/nvidia-smi").write_text(f"#!{sys.executable}\nprint('''{listing}''')")
    (machine / "bin/nvidia-smi").chmod(0o755)


@pytest.mark.parametrize(
    ("visible", "listing", "found"),
    [
        (None, "", {}),
        (None, "No devices found", {}),
        (None, LISTING, {"GPU-aaa": "GPU-aaa", "MIG-ccc": "MIG-ccc", "MIG-ddd": "MIG-ddd"}),
        ("", LISTING, {}),
        ("-1", LISTING, {}),
        ("0", LISTING, {"0": "GPU-aaa"}),
        ("GPU-bbb", LISTING, {"GPU-bbb": "GPU-bbb"}),
        ("1,3", "", {"1": "1", "3": "3"}),
        (" 1 , 0,-1,2", "", {"1": "1", "0": "0"}),
    ],
)
def test_available(machine, monkeypatch, visible, listing, found):
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    pretend(machine, listing)
    assert devices.available() == found
    assert list(devices.available()) == list(found)


def test_without_nvidia_smi_there_is_no_gpu_and_no_slot():
    assert devices.available() == {}
    with devices.slot() as gpu:
        assert gpu is None


class Holder:
    """A process that holds a slot until it is told to end, or killed."""

    def __init__(self, visible="0,1", slots=1, **environment):
        environment = os.environ | {"CUDA_VISIBLE_DEVICES": visible, "PYTHONPATH": str(ROOT)} | environment
        command = [sys.executable, "-c", HOLD, str(slots)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, env=environment, **pipes)

    def says(self):
        return self.process.stdout.readline().strip()

    def end(self):
        self.process.communicate()


@pytest.fixture
def hold():
    holders = []

    def start(*arguments, **options):
        holders.append(Holder(*arguments, **options))
        return holders[-1]

    yield start
    for holder in holders:
        holder.process.kill()
        holder.process.communicate()


def test_two_get_one_gpu_each_and_the_third_waits_for_the_first_that_is_free(hold):
    first, second = hold(), hold()
    assert {first.says(), second.says()} == {"got 0", "got 1"}
    third = hold()
    assert third.says() == "all 2 GPU slots are taken: waiting for one"
    time.sleep(0.3)
    assert third.process.poll() is None
    second.end()
    assert third.says() in ("got 0", "got 1")


def test_a_killed_holder_frees_its_slot(hold):
    first = hold("5")
    assert first.says() == "got 5"
    second = hold("5")
    assert second.says().endswith("waiting for one")
    first.process.kill()
    assert second.says() == "got 5"


def test_two_slots_a_gpu_are_taken_when_every_gpu_has_a_job(hold):
    assert [hold(slots=2).says() for _ in range(4)] == ["got 0", "got 1", "got 0", "got 1"]
    assert hold(slots=2).says() == "all 4 GPU slots are taken: waiting for one"


def test_jobs_of_a_scheduler_do_not_wait_for_each_other(hold):
    assert hold("0", SLURM_JOB_ID="1").says() == "got 0"
    assert hold("0", SLURM_JOB_ID="2").says() == "got 0"
    assert hold("0", SLURM_JOB_ID="1").says().endswith("waiting for one")


def test_one_gpu_under_two_names_is_one(machine, hold):
    pretend(machine, "GPU 0: A (UUID: GPU-aaa)")
    assert hold("0").says() == "got 0"
    assert hold("GPU-aaa").says().endswith("waiting for one")


def test_recover_holds_a_slot_before_it_imports_torch(machine, monkeypatch):
    """A method that can use a GPU takes a slot, with nothing of torch imported, and only if a GPU is wanted."""
    code = """
import contextlib, sys
from steps.run import devices
from steps import recover
@contextlib.contextmanager
def slot(slots):
    print("slots", slots, "torch" in sys.modules)
    yield "7"
devices.slot = slot
recover._recover = lambda *arguments: print("visible", __import__("os").environ.get("CUDA_VISIBLE_DEVICES"))
recover.main()
"""
    (machine / "measurement.npz").touch()

    def said(method, *options, **environment):
        command = [sys.executable, "-c", code, str(machine / "measurement.npz"), method, "default", "out", *options]
        environment = os.environ | {"PYTHONPATH": str(ROOT)} | environment
        result = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return result.stdout.splitlines()

    assert said("dip") == ["slots 1 False", "visible 7"]
    assert said("dip", PRIORBENCH_GPU_SLOTS="3") == ["slots 3 False", "visible 7"]
    assert said("dip", "--device", "cpu") == ["visible None"]
    assert said("tv") == ["visible None"]
