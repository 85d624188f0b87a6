import fcntl
import json
import os
import socket
import subprocess
import sys
import threading

import pytest

from steps.base.errors import BadInput
from steps.run import lock as runs

HOLD = "from steps.run import lock; lock.begin(local=True); print('held', flush=True); input()"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    while runs._held:
        runs._held.pop().close()


@pytest.fixture
def other(folder):
    """Another process that is the run in the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(runs.__file__).removesuffix("/steps/run/lock.py")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def snakemakes_lock(folder):
    (folder / ".snakemake/locks").mkdir(parents=True, exist_ok=True)
    path = folder / ".snakemake/locks/0.input.lock"
    path.write_text("results/images/camera.npy\n")
    return path


def test_two_runs_at_once_are_refused(folder, other):
    with pytest.raises(BadInput, match=rf"another run is at work in {folder} \(process {other.pid} on .*, since 2"):
        runs.begin(local=True)


def test_what_a_killed_run_left_is_cleared(folder, other):
    lock = snakemakes_lock(folder)
    other.kill()
    other.wait()
    said = runs.begin(local=True)
    assert said.startswith("The run of 2") and f"(process {other.pid}) was killed" in said
    assert not lock.exists()


@pytest.mark.parametrize("before", [{}, {"local": False}, {"host": "another"}])
def test_a_lock_that_may_still_be_needed_stays(folder, before):
    """That of a run we know nothing of, one whose jobs may go on in a cluster, one on another machine."""
    lock = snakemakes_lock(folder)
    if before:
        written = {"process": 1, "host": socket.gethostname(), "local": True, "since": "2026"} | before
        (folder / runs.LOCK).write_text(json.dumps(written))
    for _ in range(3):  # nor does trying again make it less needed
        said = runs.begin(local=True)
        assert (said or "").endswith("(docs/cluster.md).") == (before == {"local": False}), said
        runs._held.pop().close()
        assert lock.exists()
    lock.unlink()  # snakemake --unlock
    runs.begin(local=True)
    runs._held.pop().close()
    assert snakemakes_lock(folder).exists()
    assert "was killed" in runs.begin(local=True)


def test_what_a_run_set_out_to_make_and_has_not_is_known(folder):
    assert runs.interrupted() == set()
    made, not_made, older = (f"results/{name}.npy" for name in "abc")
    runs.making([older])
    runs.making([made, not_made])
    (folder / "results").mkdir()
    (folder / made).touch()
    assert runs.interrupted() == {not_made, older}
    (folder / older).touch()
    runs.making()
    assert json.loads(runs.MAKING.read_text()) == [not_made]
    runs.MAKING.write_text('["cut')
    assert runs.interrupted() == set()


def test_who_plans_beside_a_run_knows(folder, other):
    assert runs.busy()
    other.kill()
    other.wait()
    assert not runs.busy()
    runs.begin(local=True)
    assert not runs.busy()  # it is this one


def test_who_only_looks_whether_a_run_is_at_work_is_waited_for(folder):
    os.mkdir(runs.LOCK.parent)
    with open(runs.LOCK, "a+") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        threading.Timer(0.2, fcntl.flock, (looking, fcntl.LOCK_UN)).start()
        runs.begin(local=True)
    assert runs.held()
