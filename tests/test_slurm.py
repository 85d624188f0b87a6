"""The workflow through a real Slurm of one node: interrupted, with jobs that fail, and to its end."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests import one_node_slurm
from tests.conftest import wait_for
from tests.workflows import copy_repository

ROOT = Path(__file__).parent.parent
PLUGINS = ROOT / ".plugins"
WHY_NOT = one_node_slurm.missing() or (
    None if (PLUGINS / "snakemake_executor_plugin_slurm").is_dir() else "no Slurm plugin: make cluster"
)
pytestmark = [
    pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT)),
]
GENERIC = "results/denoising/logo/sigma=0.3,seed=7/tv/iterations=5,kind=anisotropic/score.json"
UNSCORED = "results/denoising/camera/sigma=0.1,clip=true,seed=0/wiener/default"
PARTITIONS = [  # as docs/cluster.md has it, on the command line
    "--default-resources",
    "in_turn=1",
    "slurm_partition='debug'",
    "--set-resources",
    "recover:slurm_partition='gpu' if wildcards.method in ('dip', 'probe') else 'debug'",
    "recover:gpu_model='pretend' if wildcards.method in ('dip', 'probe') else None",
]
# A method that needs a GPU and says which it got, and one for the CPU that fails.
METHODS = {
    "probe": '''"""Says where it runs; number 1 fails."""

GPU = True


def needs(image_mb, **_):
    """Return (MB, minutes)."""
    return 300, 10


def recover(y, A, sigma, *, number: int = 0, callback=None):
    """Return the back-projection."""
    import json
    import os

    from steps.base.errors import BadInput

    if number == 1:
        raise BadInput("number: 1 always fails")
    print(json.dumps({name: os.environ.get(name) for name in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID")}), flush=True)
    return A.adjoint(y)
''',
    "broken": '''"""Fails."""


def recover(y, A, sigma, *, callback=None):
    """Raise BadInput."""
    from steps.base.errors import BadInput

    raise BadInput("this method always fails")
''',
}


def smoke():
    """Return config/smoke.yaml with fewer variants of the same."""
    config = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
    del config["claims"]
    denoising, single_pixel = config["experiments"].values()
    denoising |= {"images": ["camera"], "figures": ["psnr", "vs_paper"]}
    denoising["methods"][1]["params"]["lam"] = 0.05
    single_pixel["figures"] = ["matrix"]
    single_pixel["methods"][1]["params"]["seed"] = 0
    return config


def with_failures():
    """Return one experiment: of methods of the smoke config, of one that fails beside them, of one that takes a GPU."""
    config = smoke() | {"device": "auto", "needs": {"probe": {"minutes": 40}}}
    denoising = config["experiments"]["denoising"]
    methods = [{"method": "broken"}, {"method": "probe", "params": {"number": [0, 1]}}]
    config["experiments"] = {
        "failures": {
            "task": "denoising",
            "images": ["camera"],
            "corruption": denoising["corruption"] | {"sigma": 0.1, "seed": 1},  # none of them is there yet
            "methods": [{k: v for k, v in m.items() if k in ("method", "params")} for m in denoising["methods"]]
            + methods,
            "figures": [],
        }
    }
    return config


def start(folder, name, config, *options):
    """Start a run as a user would, but for the tests' haste."""
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    command = [sys.executable, "-m", "snakemake", "--profile", "profiles/slurm"]
    command += ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2"]
    command += ["--seconds-between-status-checks", "2", "--latency-wait", "5", "--group-components", "corrupt=20"]
    command += ["recover=20", *options, "--configfile", f"{name}.yaml"]
    environment = os.environ | {"PYTHONPATH": str(PLUGINS), "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    with open(folder / f"{name}.log", "w") as log:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)


def silent_at_first(folder):
    """Let runs find a squeue that does not answer the first ten times."""
    (folder / "bin").mkdir()
    squeue = folder / "bin/squeue"
    calls = folder / "calls"
    squeue.write_text(f"""#!/bin/sh
echo >> {calls}
if [ $(wc -l < {calls}) -gt 10 ]; then exec {shutil.which("squeue")} "$@"; fi
echo "slurm_load_jobs error: Unable to contact slurm controller (connect failure)" >&2
exit 1
""")
    squeue.chmod(0o755)


def refused():
    """Return a config with one measurement and one recovery of it, neither of which is there."""
    config = with_failures()
    config["experiments"] = {"refused": config["experiments"]["failures"] | {"methods": [{"method": "wiener"}]}}
    config["experiments"]["refused"]["corruption"] = {"sigma": 0.2, "seed": 3}
    return config


def recovered_and_not_scored(folder, recovery):
    """Leave what an interruption at the wrong time leaves: its score is alone in a group with others' recoveries."""
    command = [sys.executable, "-m", "snakemake", f"{recovery}/recovered.npy", "--cores", "1"]
    subprocess.run([*command, "--configfile", "interrupted.yaml"], cwd=folder, check=True, capture_output=True)
    (folder / recovery / "score.json").unlink(missing_ok=True)


def generic(folder):
    """Return the exit status and the output of a run for one score by the plugin for schedulers of any kind."""
    command = [sys.executable, "-m", "snakemake", GENERIC, "--profile", "profiles/generic", "--latency-wait", "5"]
    command += ["--seconds-between-status-checks", "2", "--configfile", "resumed.yaml"]
    environment = os.environ | {"PYTHONPATH": str(PLUGINS)}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1200)
    return result.returncode, result.stdout + result.stderr


def times(folder):
    """Of the arrays that are there; a recovery is when its run.json is, the last that it writes."""
    paths = folder.glob("results/**/*.npy")
    return {
        path: path.stat().st_mtime_ns
        for path in paths
        if path.name != "recovered.npy" or path.with_name("run.json").is_file()
    }


def in_queue(*options):
    return subprocess.run(["squeue", "--noheader", *options], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A copy of the repository in which three runs went through Slurm: {name: log, "kept": what was not made again}."""
    folder = tmp_path_factory.mktemp("repository")
    copy_repository(folder)
    for name, text in METHODS.items():
        (folder / f"steps/methods/{name}.py").write_text(text)
    found = {"folder": folder}
    try:
        slurm = one_node_slurm.running()
        slurm.__enter__()
    except BlockingIOError:
        pytest.skip("another test's Slurm is running")
    try:
        first = start(folder, "interrupted", smoke())
        end = time.monotonic() + 600
        while first.poll() is None and time.monotonic() < end and not [*folder.glob("results/**/score.json")]:
            time.sleep(0.2)
        found["running"] = in_queue()
        first.send_signal(signal.SIGINT)
        found["interrupted"] = first.wait(timeout=600), (folder / "interrupted.log").read_text()
        found["left"] = in_queue("--states=PENDING,RUNNING")  # not what is on its way out
        wait_for(lambda: not in_queue())
        made = times(folder)
        recovered_and_not_scored(folder, UNSCORED)
        silent_at_first(folder)
        nowhere = ["--retries", "0", "--default-resources", "in_turn=1", "slurm_partition='nowhere'"]
        runs = ("failures", with_failures(), PARTITIONS), ("refused", refused(), nowhere), ("resumed", smoke(), [])
        for name, config, options in runs:
            status = start(folder, name, config, *options).wait(timeout=1200)
            found[name] = status, (folder / f"{name}.log").read_text()
        found["generic"] = generic(folder)
        after = times(folder)
        found["made again"] = [path for path, made_at in made.items() if after[path] != made_at]
        touching = start(folder, "touched", smoke(), "--touch", "--forceall")
        found["touched"] = touching.wait(timeout=1200), (folder / "touched.log").read_text()
        found["made"] = len(made)
        jobs = subprocess.run(["scontrol", "--oneliner", "show", "job"], capture_output=True, text=True).stdout
        found["jobs"] = {int(re.search(r"JobId=(\d+)", line)[1]): line for line in jobs.splitlines()}
        yield found
    finally:
        slurm.__exit__(None, None, None)


def submitted(log, part):
    """Return Slurm's ids of the jobs whose Slurm log has `part` in its name, in their order."""
    return [int(found) for found in re.findall(rf"SLURM jobid (\d+) \(log: \S*{re.escape(part)}\S*\)", log)]


def test_an_interrupted_run_cancels_its_jobs(run):
    status, log = run["interrupted"]
    assert status != 0
    assert run["running"], log
    assert run["left"] == ""


def test_it_goes_on_where_it_was_and_ends(run):
    status, log = run["resumed"]
    assert status == 0, log
    assert "(100%) done" in log
    assert run["made"] > 5
    assert run["made again"] == []
    for name in ("scores.csv", "time.md", "tables/denoising_vs_paper.md", "figures/single_pixel/matrix/logo.png"):
        assert (run["folder"] / "results" / name).is_file(), name


def test_touching_submits_nothing(run):
    status, log = run["touched"]
    assert status == 0, log
    assert not submitted(log, "")


def test_small_jobs_are_one_job_of_slurm_and_use_one_cpu_in_turn(run):
    _, log = run["interrupted"]
    (corrupt,) = submitted(log, "group_corrupt")
    job = run["jobs"][corrupt]
    assert log.count(": corrupt ") == 4
    assert "NumCPUs=1 " in job and "TimeLimit=00:20:00" in job  # 4 times 5 minutes
    pixels = 32 * 32 + 32  # as the size of the file says, its header of 128 bytes among them
    patterns = 6 * 4 * pixels**2 / 1e6  # dense ones for as many patterns as pixels: the most that one of the jobs needs
    assert f"MinMemoryNode={1000 + round(patterns)}M" in job


def test_a_failing_job_s_log_is_shown_alone_and_in_a_group(run):
    status, log = run["failures"]
    assert status == 1
    assert "number=1: number: 1 always fails" in log
    assert "broken/default: this method always fails" in log


def test_the_others_of_a_failing_group_are_made(run):
    _, log = run["failures"]
    groups = re.split(r"^(?=\[.*\] Group job)", log, flags=re.MULTILINE)
    (group,) = [part.split("submitted with")[0] for part in groups if "by broken" in part][:1]
    others = re.findall(r"(?m)^    Job \d+: recover (\w+) \((\w+), (\S+)\) by (\w+): (\S+)", group)
    assert len(others) > 1
    for image, task, corruption, method, params in others:
        made = run["folder"] / f"results/{task}/{image}/{corruption}/{method}/{params}/score.json"
        assert made.is_file() == (method != "broken"), made
    count, *named = re.search(r"Failed jobs: (\d+)\n((?:  .*\n)+)", log).groups()
    named = named[0].splitlines()
    assert len(named) == int(count) == 3, named  # by broken, and its score; by probe
    assert all("broken" in line or "probe" in line for line in named)
    table = (run["folder"] / "results/tables/failures.md").read_text()
    assert f"Not made, 2 of {len(others) + 2}" in table, table


def test_a_scheduler_that_does_not_answer_is_asked_again(run):
    status, log = run["failures"]  # the first run with that squeue, which ends
    assert status == 1 and "Failed jobs: " in log
    assert len((run["folder"] / "calls").read_text()) > 10


def test_why_slurm_refused_a_group_is_said(run):
    status, log = run["refused"]
    assert status == 1 and "invalid partition specified: nowhere" in log


def test_a_retry_asks_for_more_memory_and_time(run):
    _, log = run["failures"]
    first, second = (run["jobs"][job] for job in submitted(log, "probe_number=1"))
    assert "MinMemoryNode=300M" in first and "TimeLimit=00:40:00" in first
    assert "MinMemoryNode=600M" in second and "TimeLimit=01:20:00" in second


def test_a_gpu_job_gets_its_gpu_and_no_other_job_asks_for_one(run):
    _, log = run["failures"]
    (job,) = submitted(log, "rule_recover/denoising_camera_sigma=0.1,clip=true,seed=1_probe_number=0")
    assert "gres:gpu:pretend:1" in run["jobs"][job] and "Partition=gpu " in run["jobs"][job]
    folder = run["folder"] / "results/denoising/camera/sigma=0.1,clip=true,seed=1/probe/number=0"
    said = json.loads((folder / "recover.log").read_text().splitlines()[0])
    assert said == {"CUDA_VISIBLE_DEVICES": "0", "SLURM_JOB_ID": str(job)}
    for job in submitted(log, "group_recover"):
        assert "gres:" not in run["jobs"][job] and "Partition=debug " in run["jobs"][job]


def test_the_plugin_for_any_scheduler(run):
    status, log = run["generic"]
    assert status == 0, log
    assert (run["folder"] / GENERIC).is_file()
    assert log.count("with external jobid") == 2  # the corruption; the recovery and its score
