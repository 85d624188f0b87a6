"""Measure what the workflow itself costs: planning, finding nothing to do, starting a job (docs/runs.md)."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from steps.base.errors import Command
from steps.base.files import write_json
from steps.plan import experiments
from steps.run import engine, manifest
from steps.run.sources import ROOT

JOBS = 40  # of each kind that are timed
RECOVERIES, PHOTOGRAPHS = (100, 1000, 10000), 500  # planned at once
LONGEST = 120  # seconds that jobs are watched for while others wait, planning included
EMPTY = """
rule all:
    input: expand("empty/{{i}}.txt", i=range({jobs}))
rule empty:
    output: "empty/{{i}}.txt"
    log: "empty/{{i}}.log"
    shell: "{command} > {{log}} && touch {{output}}"
"""


def config(count):
    """Return a config of `count` recoveries, a multiple of 100: 2 images × 5 sigma × seeds × 10 Wiener filters."""
    return {
        "device": "cpu",
        "report": False,  # one that is missing would be made
        "images": {
            "camera": {"source": "skimage:camera", "size": 48},
            "logo": {"source": "synthetic:logo", "size": 48},
        },
        "experiments": {
            "study": {
                "task": "denoising",
                "images": ["camera", "logo"],
                "corruption": {"sigma": [0.01, 0.02, 0.05, 0.1, 0.2], "seed": list(range(count // 100))},
                "methods": [{"method": "wiener", "params": {"K": [round(0.01 * k, 2) for k in range(1, 11)]}}],
            }
        },
    }


def pretend(study):
    """In the working directory, write a file for each that a run would make, and let Snakemake note it as made."""
    write_json("study.json", study)
    jobs, now = list(engine.planned("study.json").dag.jobs), time.time()
    for path in (Path(path) for job in jobs for path in job.output):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x\n")
        os.utime(path, (now, now))  # none is newer than what is made of it
    made = engine.planned("study.json")
    files, _ = engine.made_of(made)
    manifest.update(manifest.facts(study, "", 1, {}), files, set(files))
    engine.note_as_made(made)


def timed(folder, *words):
    """Return (seconds, processor seconds, peak MB) of a command in a folder; raises CalledProcessError if it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    memory = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, memory


def snakemake(*words, snakefile=ROOT / "Snakefile"):
    """Return the words of a call of Snakemake by this Python on one core, with the workflow of this repository."""
    start = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile)]
    return [*start, "--quiet", "all", "--scheduler", "greedy", "--cores", "1", *words]


def planning(count, folder):
    """Return {step: `timed`} of a dry run of `count` recoveries, none made, and of a run when all are made."""
    folder.mkdir()
    write_json(folder / "study.json", config(count))
    words = snakemake("--configfile", "study.json")
    none_made = timed(folder, *words, "--dry-run")
    code = f"from steps.tools import overhead; overhead.pretend(overhead.config({count}))"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, env=environment, stdout=subprocess.DEVNULL)
    return {"plan all": none_made, "nothing to do": timed(folder, *words)}


def photographs(folder):
    """Return {step: `timed`} of a dry run of PHOTOGRAPHS at two noise levels by five methods, none made."""
    from PIL import Image

    (folder / "photos").mkdir(parents=True)
    for number in range(PHOTOGRAPHS):
        Image.new("RGB", (48, 32)).save(folder / "photos" / f"{number}.png")
    study = {
        "task": "denoising",
        "images": ["mine"],
        "corruption": {"sigma": [0.05, 0.1]},
        "methods": [{"method": name} for name in ("wiener", "tv", "nlm", "bm3d", "dip")],
    }
    steps = {}
    for name, figures in {"with figures: [psnr]": {"figures": ["psnr"]}, "with the default figures": {}}.items():
        more = {"images": {"mine": {"source": "photos/*.png"}}, "experiments": {"study": study | figures}}
        write_json(folder / "study.json", config(100) | more)
        step = f"plan all of {PHOTOGRAPHS} photographs {name}"
        steps[step] = timed(folder, *snakemake("--configfile", "study.json", "--dry-run"))
    return steps


def empty(folder, count, command="true"):
    """Make a folder with a Snakefile of so many jobs, each of which does no more than a command."""
    folder.mkdir(parents=True)
    (folder / "Snakefile").write_text(EMPTY.format(jobs=count, command=command))


def starting(folder):
    """Return {kind of job: seconds each}: Snakemake's own part, a Python that does nothing, and our cheap jobs."""
    python, calls = sys.executable, {}
    commands = {"empty job": "true", "Python": f"{python} -c pass", "import torch": f"{python} -c 'import torch'"}
    for name, command in commands.items():
        empty(folder / name, JOBS, command)
        calls[name] = folder / name, snakemake(snakefile="Snakefile"), JOBS
    write_json(folder / "study.json", config(100))
    recoveries = experiments.recoveries(config(100)["experiments"]["study"])[:JOBS]
    for name, path in {
        "measurement": "{r.case}/measurement.npz",
        "recovery": "{r.folder}/recovered.npy",
        "score": "{r.folder}/score.json",
    }.items():
        targets = {path.format(r=recovery): None for recovery in recoveries}
        calls[name] = folder, snakemake(*targets, "--configfile", "study.json"), len(targets)
    seconds = {}
    for name, (place, words, count) in calls.items():
        planned = timed(place, *words, "--dry-run")[0]
        seconds[name] = (timed(place, *words)[0] - planned) / count
    return seconds


def waiting(count, folder, *options):
    """Return seconds from one empty job to the next while `count` wait, of the jobs that end within half a minute."""
    empty(folder, count)
    words = snakemake(*options, snakefile="Snakefile")
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(words, cwd=folder, check=True, timeout=LONGEST, capture_output=True)
    ends = sorted(path.stat().st_mtime for path in folder.glob("empty/*.txt"))
    ends = [end for end in ends if end < ends[0] + 30]
    return (ends[-1] - ends[0]) / (len(ends) - 1)


@click.command(cls=Command, help=__doc__)
def main():
    """Prints three tables; takes some ten minutes."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        print("| recoveries | step | processor seconds | peak memory [MB] |\n| ---: | --- | ---: | ---: |")
        for count in [*RECOVERIES, 10 * PHOTOGRAPHS]:
            steps = planning(count, folder / str(count)) if count in RECOVERIES else photographs(folder / "photographs")
            for step, (_, seconds, memory) in steps.items():
                print(f"| {count} | {step} | {seconds:.1f} | {memory:.0f} |", flush=True)
        print("\n| jobs waiting | seconds from an empty job to the next | with scheduler-subsample: 100 |")
        print("| ---: | ---: | ---: |")
        plain = waiting(RECOVERIES[-1], folder / "plain")
        sampled = waiting(RECOVERIES[-1], folder / "sampled", "--scheduler-subsample", "100")
        print(f"| {RECOVERIES[-1]} | {plain:.3f} | {sampled:.3f} |", flush=True)
        print("\n| job | seconds each |\n| --- | ---: |")
        for name, seconds in starting(folder / "jobs").items():
            print(f"| {name} | {seconds:.2f} |", flush=True)


if __name__ == "__main__":
    main()
