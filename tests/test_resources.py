"""GPUs of one machine through Snakemake, with pretend devices and a method that says when it had which."""

import json
import math
import os

import numpy as np
import pytest
import yaml

from tests.workflows import command, copy_repository, python, snakemake

METHOD = '''"""Says which GPU it has and when; none ends before as many as $TOGETHER were at work at once."""

GPU = True


def recover(y, A, sigma, *, number: int = 0):
    """Return the back-projection."""
    import json
    import os
    import time
    from pathlib import Path

    start = time.time()
    here = Path("at work", str(number))
    here.touch()
    while len(os.listdir("at work")) < int(os.environ["TOGETHER"]) and not Path("were together").exists():
        assert time.time() < start + 600, "fewer were at work at once"
        time.sleep(0.02)
    Path("were together").touch()
    print(json.dumps([os.environ.get("CUDA_VISIBLE_DEVICES"), start, time.time()]), flush=True)
    here.unlink()
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


def run(folder, visible, *options, together=1, **config):
    """Return [(GPU, start, end)] of four recoveries on four cores, by their starts; so many must be at work at once."""
    (folder / "probes.yaml").write_text(yaml.safe_dump(CONFIG | config))
    (folder / "at work").mkdir(exist_ok=True)
    (folder / "were together").unlink(missing_ok=True)
    targets = [f"results/denoising/logo/default/probe/number={number}/recovered.npy" for number in range(4)]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": visible, "TMPDIR": str(folder), "TOGETHER": str(together)}
    words = command(*targets, "--forcerun", "recover", *options, config="probes.yaml", cores=4)
    result = python(folder, *words[2:], environment=environment)
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
    runs = run(repository, visible, *options, together=at_once, **config)
    assert most_at_once(runs) == at_once
    assert {gpu for gpu, _, _ in runs} == gpus
    for gpu in gpus:
        assert most_at_once([had for had in runs if had[0] == gpu]) <= config.get("gpu_slots", 1)


@pytest.mark.parametrize(("visible", "device"), [("", "auto"), ("0", "cpu")])
def test_without_a_gpu_the_jobs_take_all_cores(repository, visible, device):
    runs = run(repository, visible, together=4, device=device)
    assert most_at_once(runs) == 4
    assert {gpu for gpu, _, _ in runs} == {visible}


def test_gpu_slots_must_be_at_least_one(repository):
    with pytest.raises(AssertionError, match="gpu_slots: 0 is not allowed; must be >= 1"):
        run(repository, "0", gpu_slots=0)


TENTH = '''"""Every tenth pixel, in a row."""

from steps.inverse.operators import LinearOperator


class Operator(LinearOperator):
    """A measurement of a tenth of the image's size."""

    def forward(self, x):
        """Return every tenth pixel."""
        return x.flatten(-3)[..., ::10]

    def adjoint(self, y):
        """Return the pixels in their places."""
        found = y.new_zeros(*y.shape[:-1], self.shape[0] * self.shape[1] * self.shape[2])
        found[..., ::10] = y
        return found.unflatten(-1, self.shape)
'''


def test_a_job_asks_for_what_its_image_needs_however_small_the_measurement(repository):
    """Of 512 × 512 pixels, 2000 iterations of one fit by 128 channels are given 15 minutes and 2000 / 8 for each MB."""
    (repository / "steps/tasks/tenth.py").write_text(TENTH)
    config = {"images": {"logo": {"source": "synthetic:logo", "size": 512}}, "device": "cpu"}
    entry = {"task": "tenth", "images": ["logo"], "methods": [{"method": "dip"}], "figures": []}
    (repository / "tenth.yaml").write_text(yaml.safe_dump(config | {"experiments": {"tenth": entry}}))
    rules = repository / "workflow/rules/recover.smk"
    rules.write_text(rules.read_text().replace('"recover {', '"asks {resources.mem_mb} {resources.runtime} {'))
    folder = "results/tenth/logo/default"

    def run(*words):
        result = snakemake(repository, *words, config="tenth.yaml", cores=1)
        assert result.returncode == 0, result.stderr
        return result.stdout

    assert "asks <TBD> <TBD>" in run("--dry-run", f"{folder}/dip/iterations=2000,channels=128,fits=1/recovered.npy")
    run(f"{folder}/measurement.npz")
    memory, minutes = round(4000 + 2500 * 512 * 512 * 4e-6), math.ceil(15 + 2000 / 8 * 512 * 512 * 4e-6)
    assert f"asks {memory} {minutes} " in run(
        "--dry-run", f"{folder}/dip/iterations=2000,channels=128,fits=1/recovered.npy"
    )


def test_the_measuring_of_numbers_asks_for_what_their_image_needs(repository):
    """1024 numbers at compression 4 are of 64 × 64 pixels, whose 1024 patterns in float32 take 16.8 MB."""
    np.save(repository / "numbers.npy", np.arange(1, 1025))
    config = {"images": {"bucket": {"source": "numbers.npy", "measured": True}}, "device": "cpu"}
    corruption = {"patterns": "gaussian", "compression": 4, "sigma": 1}
    entry = {"task": "single_pixel", "images": ["bucket"], "corruption": corruption, "methods": [{"method": "wiener"}]}
    (repository / "numbers.yaml").write_text(yaml.safe_dump(config | {"experiments": {"numbers": entry}}))
    rules = repository / "workflow/rules/corrupt.smk"
    rules.write_text(rules.read_text().replace('"corrupt {', '"asks {resources.mem_mb} {'))
    measurement = "results/single_pixel/bucket/compression=4,patterns=gaussian,sigma=1/measurement.npz"
    for words in (("results/images/bucket.npy",), ("--dry-run", measurement)):
        result = snakemake(repository, *words, config="numbers.yaml", cores=1)
        assert result.returncode == 0, result.stderr
    assert f"asks {round(1000 + 3.75 * 4 * 1024 * 4096 / 1e6)} bucket" in result.stdout
