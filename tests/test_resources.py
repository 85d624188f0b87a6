"""GPUs of one machine through Snakemake, with pretend devices and a method that says when it had which."""

import json
import os
import subprocess
import sys

import pytest
import yaml

from tests.workflows import copy_repository

METHOD = '''"""Says which GPU it has and when."""

GPU = True


def recover(y, A, sigma, *, number: int = 0, callback=None):
    """Return the back-projection after a second."""
    import json
    import os
    import time

    start = time.time()
    time.sleep(1)
    print(json.dumps([os.environ.get("CUDA_VISIBLE_DEVICES"), start, time.time()]), flush=True)
    return A.adjoint(y)
'''
CONFIG = {
    "images": {"logo": {"source": "synthetic:logo", "size": 32}},
    "experiments": {
        "probes": {
            "task": "denoising",
            "images": ["logo"],
            "methods": [{"method": "probe", "params": {"number": [0, 1, 2, 3]}}],
            "figures": [],
        }
    },
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository")
    copy_repository(folder)
    (folder / "steps/methods/probe.py").write_text(METHOD)
    return folder


def run(folder, visible, *options, **config):
    """Return [(GPU, start, end)] of four recoveries on four cores, by their starts."""
    (folder / "probes.yaml").write_text(yaml.safe_dump(CONFIG | config))
    targets = [f"results/denoising/logo/default/probe/number={number}/recovered.npy" for number in range(4)]
    command = [sys.executable, "-m", "snakemake", *targets, "--cores", "4", "--forcerun", "recover", *options]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": visible, "TMPDIR": str(folder)}
    result = subprocess.run(
        [*command, "--configfile", "probes.yaml"], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
    logs = [(folder / target).with_name("recover.log").read_text() for target in targets]
    assert not [log for log in logs if "waiting" in log], "Snakemake started more than there are slots"
    return sorted((json.loads(log.splitlines()[0]) for log in logs), key=lambda had: had[1])


def most_at_once(runs):
    return max(sum(start <= moment < end for _, start, end in runs) for _, moment, _ in runs)


@pytest.mark.parametrize(
    ("visible", "options", "config", "gpus", "at_once"),
    [
        ("0,1", [], {}, {"0", "1"}, 2),
        ("5", [], {"gpu_slots": 2}, {"5"}, 2),
        ("0,1", ["--resources", "gpu=1"], {}, {"0"}, 1),
    ],
)
def test_as_many_jobs_at_once_as_there_are_slots_each_on_its_own_gpu(
    repository, visible, options, config, gpus, at_once
):
    runs = run(repository, visible, *options, **config)
    assert most_at_once(runs) == at_once
    assert {gpu for gpu, _, _ in runs} == gpus
    for gpu in gpus:
        assert most_at_once([had for had in runs if had[0] == gpu]) <= config.get("gpu_slots", 1)


@pytest.mark.parametrize(("visible", "device"), [("", "auto"), ("0", "cpu")])
def test_without_a_gpu_the_jobs_take_all_cores(repository, visible, device):
    runs = run(repository, visible, device=device)
    assert most_at_once(runs) > 2
    assert {gpu for gpu, _, _ in runs} == {visible}


def test_gpu_slots_must_be_at_least_one(repository):
    with pytest.raises(AssertionError, match="gpu_slots: 0 is not allowed; must be >= 1"):
        run(repository, "0", gpu_slots=0)
