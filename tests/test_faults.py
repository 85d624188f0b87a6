"""What goes wrong around a run: it is killed, files are damaged, the disk is full, two start at once, jobs fail."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pandas
import pytest
import yaml

from tests.conftest import wait_for
from tests.workflows import command, copy_repository, loaded, python, snakemake

CONFIG = {
    "device": "cpu",
    "report": False,
    "images": {"camera": {"source": "skimage:camera", "size": 32}, "logo": {"source": "synthetic:logo", "size": 32}},
    "experiments": {
        "denoising": {
            "task": "denoising",
            "images": ["camera", "logo"],
            "corruption": {"sigma": 0.1, "seed": 0},
            "methods": [{"method": "wiener"}, {"method": "tv", "params": {"iterations": 5}}],
            "figures": ["psnr"],
        },
        "nlm": {
            "task": "denoising",
            "images": ["logo"],
            "corruption": {"sigma": 0.1, "seed": 0},
            "methods": [{"method": "nlm"}, {"method": "wiener"}],
            "figures": [],
        },
    },
}


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    """A copy of the repository in which CONFIG has been run undisturbed; nobody changes it."""
    folder = tmp_path_factory.mktemp("whole")
    copy_repository(folder)
    (folder / "faults.yaml").write_text(yaml.safe_dump(CONFIG))
    result = snakemake(folder, config="faults.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


@pytest.fixture
def run(whole_run, tmp_path):
    """A copy of the undisturbed run, Snakemake's notes included."""
    shutil.copytree(whole_run, tmp_path / "run", symlinks=True)
    return tmp_path / "run"


def go_on(folder):
    result = snakemake(folder, config="faults.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    return result.stdout + result.stderr


def assert_same_results(folder, other):
    """The same files, tables and images, bit for bit, but for times."""
    ours, theirs = (
        sorted(p.relative_to(f) for p in (f / "results").rglob("*") if p.is_file()) for f in (folder, other)
    )
    assert ours == theirs
    for path in ours:
        if path.name in ("recovered.npy", "measurement.npz", "picture.npy"):
            assert (folder / path).read_bytes() == (other / path).read_bytes(), path
    for name in CONFIG["experiments"]:
        files = [f / f"results/tables/{name}.csv" for f in (folder, other)]
        pandas.testing.assert_frame_equal(
            *(pandas.read_csv(f).query("metric != 'seconds'") for f in files), check_exact=True
        )


def jobs_of(folder):
    """Return the process numbers of jobs at work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if (
                b"-m" in words
                and words[words.index(b"-m") + 1].startswith(b"steps.")
                and process.joinpath("cwd").samefile(folder)
            ):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def kill_at_random(folder, number, after):
    """Start a run, send it a signal after some seconds, and wait for its end; return whether it was still at work."""
    process = start(folder)
    try:
        output = process.communicate(timeout=after)[0]
    except subprocess.TimeoutExpired:
        process.send_signal(number)
        process.communicate(timeout=600)
        return True
    assert process.returncode == 0, output
    return False


def check_killed(folder, rng):
    """No job outlives a killed run, and every file that has its name is whole."""
    wait_for(lambda: not jobs_of(folder))
    for path in (folder / "results").rglob("*.np[yz]"):
        if not path.name.startswith("."):
            loaded = np.load(path, allow_pickle=False)
            if path.suffix == ".npz":
                assert {name: loaded[name].shape for name in loaded}


def stress(folder, whole_run, kills, rng):
    """Kill a run again and again until `kills` times it was at work, each time deleting some of what it had made."""
    hit, count = {}, 0
    while count < kills:
        number = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)[count % 3]
        if kill_at_random(folder, number, rng.uniform(1.5, 7)):
            hit[number.name] = hit.get(number.name, 0) + 1
            count += 1
            check_killed(folder, rng)
        else:  # it was done: some of it once more
            for path in rng.sample(sorted((folder / "results/denoising").iterdir()), 1):
                shutil.rmtree(path)
            for name in ("scores.csv", "scores/denoising.csv"):  # the first is asked for, so that the rest is needed
                (folder / "results" / name).unlink()
    go_on(folder)
    assert_same_results(folder, whole_run)
    return hit


def fresh(whole_run, folder):
    shutil.copytree(whole_run, folder, ignore=shutil.ignore_patterns(".snakemake"))
    for path in (folder / "results").iterdir():
        if path.name != "README.md":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return folder


@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv, of util-linux")
def test_killed_runs_go_on_and_end_with_the_tables_of_an_undisturbed_run(whole_run, tmp_path):
    assert len(stress(fresh(whole_run, tmp_path / "run"), whole_run, 3, random.Random(0))) == 3


@pytest.mark.slow
def test_killed_again_and_again(whole_run, tmp_path):
    hit = stress(fresh(whole_run, tmp_path / "run"), whole_run, 24, random.Random(1))
    assert hit == {"SIGKILL": 8, "SIGTERM": 8, "SIGINT": 8}


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x55
    path.write_bytes(content)


TV = "results/denoising/camera/sigma=0.1,seed=0/tv/iterations=5"
DAMAGES = {
    "image": (flip, "results/images/camera.npy"),
    "measurement": (truncate, "results/denoising/logo/sigma=0.1,seed=0/measurement.npz"),
    "recovery": (flip, f"{TV}/recovered.npy"),
    "score": (truncate, f"{TV}/score.json"),
    "scores": (flip, "results/scores/denoising.csv"),
    "table": (truncate, "results/tables/denoising.md"),
}


def test_damaged_files_are_named_and_made_again(run, whole_run):
    for damage, path in DAMAGES.values():
        damage(run / path)
    planned = snakemake(run, "--dry-run", config="faults.yaml")
    output = go_on(run)
    for _, path in DAMAGES.values():
        assert f"Damaged, to be made again: {path} (" in planned.stderr
        assert f"Damaged, to be made again: {path} (" in output
    assert_same_results(run, whole_run)
    assert "Nothing to be done" in go_on(run)


def steps(folder, *words):
    """Run `python -m steps WORDS` in a folder; return its exit status and its lines, without double spaces."""
    result = python(folder, "steps", *words)
    return result.returncode, [" ".join(line.split()) for line in result.stdout.splitlines()]


def test_run_status_and_verify_agree_on_what_was_deleted(run, whole_run):
    """None of it is what the tables, which are there, are still to be made of."""
    assert steps(run, "verify")[0] == 0
    (run / TV / "recovered.npy").unlink()
    (run / "results/denoising/camera/sigma=0.1,seed=0/wiener/default/score.json").unlink()
    (run / "results/scores/nlm.csv").unlink()
    shutil.rmtree(run / "results/denoising/logo/sigma=0.1,seed=0/nlm")
    code, lines = steps(run, "verify")
    assert code == 1 and f"{TV}/recovered.npy: missing" in lines and sum("missing" in line for line in lines) == 8
    said = steps(run, "status", "faults.yaml")[1]
    causes = ["1 × recovery by nlm", "1 × recovery by tv", "2 × score", "1 × scores of an experiment"]
    assert [line for line in said if "deleted" in line] == [f"{cause} deleted" for cause in causes]
    assert "Deleted, to be made again: results/denoising/camera/sigma=0.1,seed=0/" in go_on(run)
    assert steps(run, "verify")[0] == 0
    assert steps(run, "status", "faults.yaml")[1][-1].startswith("Nothing to do")
    assert_same_results(run, whole_run)


def test_verify_knows_what_was_deleted_until_it_is_to_forget_it(run):
    """Also if a run of something else has been here in between."""
    (run / TV / "trace.npz").unlink()
    snakemake(run, "results/denoising/logo/sigma=0.1,seed=0/tv/iterations=6/score.json", config="faults.yaml")
    code, lines = steps(run, "verify")
    assert code == 1 and lines[0] == f"{TV}/trace.npz: missing"
    code, lines = steps(run, "verify", "--forget")
    assert code == 0 and lines[-1] == "Missing and forgotten: 1."
    assert steps(run, "verify")[0] == 0
    assert steps(run, "status", "faults.yaml")[1][-1].startswith("Nothing to do"), "it was deleted on purpose"


def test_check_and_cells_agree_with_status_on_an_image_that_is_forgotten(run):
    """Its score is there, and a run makes neither; until it is forgotten, all of them make it again."""
    (run / TV / "recovered.npy").unlink()
    before = ["1 × recovery by tv deleted", "To make the other 1,", f"{TV}/score.json"]
    after = ["Nothing to do", "To make the other 0,", ""]
    for words in (before, after):
        said = [steps(run, command, "faults.yaml")[1] for command in ("status", "check", "cells")]
        assert all(word in "\n".join(lines) for word, lines in zip(words, said)), said
        assert bool(said[2]) == (words is before)
        assert steps(run, "verify", "--forget")[0] == 0
    (run / TV / "score.json").unlink()  # now both are to be made again
    assert steps(run, "cells", "faults.yaml")[1] == [f"{TV}/score.json"]
    assert "1 × recovery by tv not made yet" in steps(run, "status", "faults.yaml")[1]


def test_a_damaged_file_that_no_manifest_knows_is_named_by_the_job_that_reads_it(run, whole_run):
    (run / "results/manifest.json").unlink()
    truncate(run / TV / "recovered.npy")
    (run / TV / "score.json").unlink()
    result = snakemake(run, config="faults.yaml")
    assert result.returncode == 1
    assert f"{TV}/recovered.npy was damaged" in result.stdout + result.stderr
    go_on(run)
    assert_same_results(run, whole_run)


def test_touched_files_are_not_damaged(run):
    for path in (run / "results").rglob("*.npy"):
        path.touch()
    output = go_on(run)
    assert "Damaged" not in output
    assert "recover " not in output


def test_a_second_run_in_the_same_folder_refuses(whole_run, tmp_path):
    folder = fresh(whole_run, tmp_path / "run")
    first = start(folder, PRIORBENCH_WARM=loaded())
    try:
        wait_for(lambda: list(folder.glob("results/denoising/*/*/measurement.npz")))
        second = snakemake(folder, config="faults.yaml")
        planning = snakemake(folder, "--dry-run", config="faults.yaml")
    finally:
        first.communicate(timeout=600)
    assert second.returncode == 1
    message = second.stderr.strip().splitlines()[-1]
    assert message.startswith("Error: another run is at work in ")
    assert f"process {first.pid} on " in message
    assert planning.returncode == 0, planning.stderr
    assert first.returncode == 0
    assert_same_results(folder, whole_run)


@pytest.fixture
def small_disk(whole_run, tmp_path):
    """A copy of the repository whose results are on a file system of their own, of 200 kB."""
    folder = fresh(whole_run, tmp_path / "run")
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder / "results")]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("may not mount a file system here")
    yield folder
    subprocess.run(["umount", "-l", str(folder / "results")], check=True)


def test_a_full_disk_leaves_no_half_written_file(small_disk, whole_run):
    result = snakemake(small_disk, config="faults.yaml")
    assert result.returncode == 1
    assert "No space left on device" in result.stdout + result.stderr
    check_killed(small_disk, None)
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk / "results")], check=True)
    go_on(small_disk)
    (small_disk / "results/README.md").write_text("")  # the mount has hidden it
    assert_same_results(small_disk, whole_run)


def test_read_only_results_are_one_line_before_any_job(small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk / "results")], check=True)
    result = snakemake(small_disk, config="faults.yaml")
    assert result.returncode == 1
    message = result.stderr.strip().splitlines()[-1]
    assert message == f"Error: {small_disk}/results cannot be written to: Read-only file system"
    wiener = small_disk / "steps/methods/wiener.py"
    wiener.write_text(wiener.read_text() + "\nEDITED = 1\n")  # so that a note would have to be written
    result = snakemake(small_disk, "--dry-run", config="faults.yaml")
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert "Read-only file system" in result.stderr.strip().splitlines()[-1]


def test_failed_jobs_are_listed_at_the_end_and_the_tables_say_what_is_missing(whole_run, tmp_path):
    folder = fresh(whole_run, tmp_path / "run")
    config = CONFIG | {
        "experiments": {
            "blur": {
                "task": "deconvolution",
                "images": ["logo"],
                "corruption": {"kernel": [5, 41]},
                "methods": [{"method": "wiener"}],
                "figures": ["psnr"],
            },
            "none": {
                "task": "deconvolution",
                "images": ["logo"],
                "corruption": {"kernel": 43},
                "methods": [{"method": "wiener"}],
            },
        }
    }
    (folder / "faults.yaml").write_text(yaml.safe_dump(config))
    result = snakemake(folder, "--config", "image_dirs=['a b']", config="faults.yaml")
    assert result.returncode == 1
    listed = result.stderr[result.stderr.index("Failed jobs: 2") :].splitlines()
    assert listed[1].strip() == (
        "corrupt logo for deconvolution: kernel=41: see results/deconvolution/logo/kernel=41/corrupt.log"
    )
    assert listed[3].strip() == "no table of none: none of its recoveries is there"
    table = (folder / "results/tables/blur.md").read_text()
    assert "Not made, 1 of 2: Wiener on logo (kernel=41)." in table
    assert (folder / "results/figures/blur/psnr.png").is_file()
    assert not (folder / "results/tables/none.md").exists()
    log = (folder / "results/deconvolution/logo/kernel=41/corrupt.log").read_text()
    assert "the 41x41 kernel is larger than the 32x32 image" in log


def broken(folder, method):
    """Let a method of a run fail; return how to mend it."""
    path = folder / f"steps/methods/{method}.py"
    text = path.read_text()
    path.write_text(text + "\n\ndef recover(*a, iterations: int = 1, **k):\n    raise ValueError('broken')\n")
    return lambda: path.write_text(text)


@pytest.mark.parametrize("everything", [False, True])
def test_tables_and_figures_of_which_no_recovery_is_left_are_deleted(everything, whole_run, tmp_path):
    folder = fresh(whole_run, tmp_path / "run")
    one = {"task": "denoising", "images": ["logo"], "corruption": {"sigma": 0.1}, "figures": ["psnr", "comparison"]}
    two = one | {"images": ["camera", "logo"], "methods": [{"method": "tv"}], "corruption": {"sigma": 0.2}}
    two["figures"] = ["psnr"]
    two["methods"] += [] if everything else [{"method": "wiener"}]
    config = CONFIG | {"experiments": {"one": one | {"methods": [{"method": "tv"}]}, "two": two}, "report": True}
    config.pop("claims", None)
    (folder / "mine.yaml").write_text(yaml.safe_dump(config))
    assert snakemake(folder, config="mine.yaml").returncode == 0
    made = sorted(path for path in (folder / "results").rglob("*") if path.is_file())
    ours = [path for path in made if "one" in path.name.split(".")[0] or "one" in path.parts]
    ours = [path for path in ours if path.parent.name != "code"]
    assert len(ours) > 8
    mend = broken(folder, "tv")
    for _ in range(2):  # and once more, when nothing is left that could be made
        result = snakemake(folder, config="mine.yaml")
        assert result.returncode == 1
        assert "no table of one: none of its recoveries is there" in result.stderr
        assert [path for path in ours if path.exists() and path.suffix != ".log"] == []
        summary = [folder / "results" / name for name in ("scores.csv", "time.md", "time.html", "report.html")]
        assert [path.exists() for path in summary] == [not everything] * 4
        assert (folder / "results/tables/two.md").exists() == (not everything)
        if not everything:
            assert "TV" not in (folder / "results/tables/two.csv").read_text().splitlines()[0]
    mend()
    assert snakemake(folder, config="mine.yaml").returncode == 0
    assert sorted(path for path in (folder / "results").rglob("*") if path.is_file()) == made


def start(folder, **environment):
    """Start a run in the background; SIGINT works on it, as at a terminal."""
    return subprocess.Popen(
        command(config="faults.yaml"),
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


SCALED = """

first = recover


def recover(y, A, sigma, *, iterations: int = 1, clipped: bool = False, callback=None):
    return first(y, A, sigma, iterations=iterations, callback=callback) * {factor}
"""


def edit(folder, factor):
    """Let the method tv give so many times what it gave; return what takes that back."""
    path = folder / "steps/methods/tv.py"
    text = path.read_text()
    path.write_text(text + SCALED.format(factor=factor))
    return lambda: path.write_text(text)


def test_what_was_damaged_and_not_made_again_before_ctrl_c_is_still_known_as_damaged(run, whole_run):
    """Of a chain of three jobs, of which the last cannot have begun."""
    flip(run / TV.replace("camera", "logo") / "recovered.npy")
    truncate(run / "results/images/logo.npy")
    process = start(run, PRIORBENCH_WARM=loaded())
    wait_for(lambda: jobs_of(run))
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=600)[0]
    assert "now the tables and figures" not in output, "nothing is started after Ctrl-C"
    assert "Failed jobs" not in output
    assert "Damaged, to be made again" in go_on(run)
    assert_same_results(run, whole_run)


def test_an_edit_taken_back_after_a_kill_leaves_nothing_made_by_it(run, whole_run):
    """Nor if somebody looked at the plan in between."""
    take_back = edit(run, 0.5)
    made = (run / TV / "recovered.npy").read_bytes()

    def made_anew():
        with contextlib.suppress(FileNotFoundError):
            return (run / TV / "score.json").is_file() and (run / TV / "recovered.npy").read_bytes() != made

    process = start(run, PRIORBENCH_WARM=loaded())
    wait_for(made_anew)
    process.kill()
    process.communicate(timeout=600)
    wait_for(lambda: not jobs_of(run))
    take_back()
    snakemake(run, "--dry-run", config="faults.yaml")
    go_on(run)
    assert_same_results(run, whole_run)


WAITING = """

import os
import sys
import time

if sys.argv[0].endswith("recover.py"):
    open(f"begun {os.getpid()}", "w").close()
    while not os.path.exists("go on"):
        time.sleep(0.05)
"""


def test_planning_beside_a_run_does_not_hide_what_it_is_made_by(run):
    (run / "steps/methods/tv.py").write_text((run / "steps/methods/tv.py").read_text() + WAITING)
    process = start(run, PRIORBENCH_WARM=loaded())
    wait_for(lambda: len(list(run.glob("begun *"))) == 2)  # of two pictures: each has read the file that is edited next
    edit(run, 0.5)
    planned = snakemake(run, "--dry-run", config="faults.yaml")
    assert "A run is at work here; what was edited since it began is not looked at." in planned.stderr
    planned = snakemake(run, "--dry-run", "results/images/coffee.npy", config="config/config.yaml")
    assert planned.returncode == 0, "of what no run has noted yet, too"
    (run / "go on").touch()
    output = process.communicate(timeout=600)[0]
    assert process.returncode == 0, output
    planned = snakemake(run, "--dry-run", config="faults.yaml")
    assert "by tv: iterations=5" in planned.stdout + planned.stderr, "all of it is made anew, by the code there is"


def test_failed_again_is_not_there(run, whole_run):
    """Old results of a recovery that a changed method now fails to make are no part of the tables."""
    mend = broken(run, "tv")
    result = snakemake(run, config="faults.yaml")
    assert result.returncode == 1
    assert (
        "Not made, 2 of 4: TV on camera (sigma=0.1,seed=0); TV on logo"
        in (run / "results/tables/denoising.md").read_text()
    )
    failed = json.loads((run / "results/manifest.json").read_text())["runs"]
    assert len(failed[max(failed, key=int)]["failed"]) == 2
    mend()
    go_on(run)
    assert_same_results(run, whole_run)
