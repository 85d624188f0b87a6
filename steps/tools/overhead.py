"""Measure what the workflow itself costs: planning it, finding nothing to do, starting a job (docs/runs.md)."""

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
PHOTOGRAPHS = 500
EMPTY = """
rule all:
    input: expand("empty/{{i}}.txt", i=range({jobs}))
rule empty:
    output: "empty/{{i}}.txt"
    log: "empty/{{i}}.log"
    shell: "{command} > {{log}} && touch {{output}}"
"""


def config(count):
    """Return a config of `count` recoveries, a multiple of 100: 2 images × 5 sigma × seeds × 10 Wiener filters.

    It has the default figures, as all that is planned here but where it says so.
    """
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
    for job in sorted(engine.planned("study.json").dag.jobs, key=lambda job: ORDER.index(job.rule.name)):
        for path in job.output:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text("x\n")
    made = engine.planned("study.json")
    files, _ = engine.made_of(made)
    manifest.update(manifest.facts(study, "", 1, {}), files, set(files))
    engine.note_as_made(made)


ORDER = ("image", "corrupt", "recover", "score", "collect", "combine", "tabulate", "timing", "draw", "show")
ORDER += ("render", "all")


def timed(folder, *words):
    """Return (seconds, processor seconds, peak memory in MB) of a command in a folder.

    Raises CalledProcessError if it fails.
    """
    start = time.perf_counter()
    process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    memory = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, memory


def snakemake(*words):
    """Return the words of a call of Snakemake by this Python on one core, with the workflow of this repository."""
    return [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "1", *words]


def planning(count, folder):
    """Return {step: `timed`} of a dry run of `count` recoveries, none made, and of a run when all are made."""
    folder.mkdir()
    write_json(folder / "study.json", config(count))
    words = ["--configfile", "study.json"]
    found = {"plan all": timed(folder, *snakemake("--dry-run", *words, "--quiet"))}
    code = f"from steps.tools import overhead; overhead.pretend(overhead.config({count}))"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, env=environment, stdout=subprocess.DEVNULL)
    found["nothing to do"] = timed(folder, *snakemake(*words))
    return found


def photographs(folder):
    """Return {figures: `timed`} of a dry run of PHOTOGRAPHS at two noise levels by five methods, none made."""
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
    found = {}
    for name, more in {"figures: [psnr]": {"figures": ["psnr"]}, "default figures": {}}.items():
        images = {"mine": {"source": "photos/*.png"}}
        write_json(folder / "study.json", {"device": "cpu", "images": images, "experiments": {"study": study | more}})
        found[name] = timed(folder, *snakemake("--dry-run", "--configfile", "study.json", "--quiet"))
    return found


def starting(folder):
    """Return {kind of job: seconds each}: Snakemake's own part, a Python that does nothing, and our cheap jobs."""
    folder.mkdir()
    found = {}
    for name, command in {
        "empty job": "true",
        "Python": f"{sys.executable} -c pass",
        "import torch": f"{sys.executable} -c 'import torch'",
    }.items():
        (folder / "Snakefile").write_text(EMPTY.format(jobs=JOBS, command=command))
        words = [sys.executable, "-m", "snakemake", "--cores", "1", "--scheduler", "greedy", "--quiet", "all"]
        base = timed(folder, *words, "--dry-run")[0]
        found[name] = (timed(folder, *words)[0] - base) / JOBS
        subprocess.run(["rm", "-r", "empty"], cwd=folder, check=True)
    write_json(folder / "study.json", config(100))
    recoveries = experiments.recoveries(config(100)["experiments"]["study"])[:JOBS]
    for name, ends in {
        "measurement": ["../../measurement.npz"],
        "recovery": ["recovered.npy"],
        "score": ["score.json"],
    }.items():
        targets = list(dict.fromkeys(os.path.normpath(f"{r.folder}/{end}") for r in recoveries for end in ends))
        words = snakemake(*targets, "--quiet", "all", "--configfile", "study.json")
        base = timed(folder, *words, "--dry-run")[0]
        found[name] = (timed(folder, *words)[0] - base) / len(targets)
    return found


def waiting(count, folder, *options):
    """Return seconds from one empty job to the next while `count` wait, of the jobs that end within half a minute."""
    folder.mkdir()
    (folder / "Snakefile").write_text(EMPTY.format(jobs=count, command="true"))
    words = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all", *options]
    process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (made := list(folder.glob("empty/*.txt"))):
            time.sleep(0.1)
            if process.poll() is not None:
                raise subprocess.CalledProcessError(process.returncode, words)
        start = time.perf_counter()
        while process.poll() is None and time.perf_counter() - start < 30:
            time.sleep(0.1)
        more = len(list(folder.glob("empty/*.txt"))) - len(made)
        return (time.perf_counter() - start) / more
    finally:
        process.kill()
        process.wait()


@click.command(cls=Command, help=__doc__)
@click.option(
    "--recoveries",
    multiple=True,
    type=click.IntRange(100),
    default=[100, 1000, 10000],
    show_default=True,
    help="planned at once, multiples of 100; may be given repeatedly",
)
def main(recoveries):
    """Prints three tables; takes some ten minutes."""
    with tempfile.TemporaryDirectory() as folder:
        print("| recoveries | step | processor seconds | peak memory [MB] |\n| ---: | --- | ---: | ---: |")
        for count in recoveries:
            for step, (_, seconds, memory) in planning(count, Path(folder, str(count))).items():
                print(f"| {count} | {step} | {seconds:.1f} | {memory:.0f} |", flush=True)
        for figures, (_, seconds, memory) in photographs(Path(folder, "photographs")).items():
            step = f"plan all of {PHOTOGRAPHS} photographs, {figures}"
            print(f"| {10 * PHOTOGRAPHS} | {step} | {seconds:.1f} | {memory:.0f} |", flush=True)
        print("\n| jobs waiting | seconds from an empty job to the next | with scheduler-subsample: 100 |")
        print("| ---: | ---: | ---: |")
        count, greedy = max(recoveries), ["--scheduler", "greedy"]
        plain = waiting(count, Path(folder, "plain"), *greedy)
        sampled = waiting(count, Path(folder, "sampled"), *greedy, "--scheduler-subsample", "100")
        print(f"| {count} | {plain:.3f} | {sampled:.3f} |", flush=True)
        print("\n| job | seconds each |\n| --- | ---: |")
        for name, seconds in starting(Path(folder, "jobs")).items():
            print(f"| {name} | {seconds:.2f} |", flush=True)


if __name__ == "__main__":
    main()
