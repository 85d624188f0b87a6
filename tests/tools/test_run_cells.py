import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import weakref
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from click.testing import CliRunner

from steps import corrupt, recover, score
from steps.base.errors import BadInput
from steps.tools import beside, cells, packs, run_cells
from tests.conftest import picture, wait_for

ROOT = Path(__file__).parents[2]
CONFIG = {
    "images": {"small": {"source": "synthetic:logo", "size": 40}, "large": {"source": "synthetic:logo", "size": 144}},
    "experiments": {
        "noisy": {
            "task": "denoising",
            "images": ["small", "large"],
            "corruption": {"sigma": 0.1, "seed": [0, 1]},
            "methods": [{"method": "tv", "params": {"iterations": [4, 40]}}, {"method": "wiener"}],
        },
        "blurred": {
            "task": "deconvolution",
            "images": ["small"],
            "corruption": {"blur": 1, "kernel": 5, "sigma": 0.01},
            "methods": [{"method": "wiener"}],
        },
    },
}


class Here(Executor):
    """An executor that does all at once, in this process."""

    def submit(self, function, *arguments):
        """Return the Future, which is done."""
        future = Future()
        try:
            future.set_result(function(*arguments))
        except BaseException as error:
            future.set_exception(error)
        return future


@pytest.fixture(scope="module")
def bundled(tmp_path_factory):
    """A folder with config.yaml, the images and measurements of CONFIG, and box/, its bundle."""
    root, before = tmp_path_factory.mktemp("bundled"), os.getcwd()
    os.chdir(root)
    try:
        Path("config.yaml").write_text(yaml.safe_dump(CONFIG, sort_keys=False))
        Path("results/images").mkdir(parents=True)
        for image, entry in CONFIG["images"].items():
            x = np.rint(picture(1, entry["size"], entry["size"]).numpy() * 255) / 255
            np.save(f"results/images/{image}.npy", x.astype(np.float32))
        listed = CliRunner().invoke(cells.main, ["config.yaml", "--measurements"]).output.splitlines()
        for path in map(Path, listed):
            _, task, image, corruption, _ = path.parts
            call = [f"results/images/{image}.npy", task, corruption, str(path.parent)]
            assert CliRunner().invoke(corrupt.main, call).exit_code == 0
        assert CliRunner().invoke(cells.main, ["config.yaml", "cells.tar.gz"]).exit_code == 0
        with tarfile.open("cells.tar.gz") as tar:
            tar.extractall("box", filter="data")
    finally:
        os.chdir(before)
    return root


@pytest.fixture
def box(bundled, tmp_path, monkeypatch):
    """A copy of the bundle, as the folder box of the working directory; its processes are this one."""
    shutil.copytree(bundled / "box", tmp_path / "box")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(beside, "pool", lambda workers: Here())
    monkeypatch.setattr(run_cells.signal, "signal", lambda *_: None)
    return Path("box")


def listed(box, *keep):
    """Leave in cells.txt the lines that have all the words; return them."""
    lines = [line for line in (box / "cells.txt").read_text().splitlines() if not line.startswith("#")]
    lines = [line for line in lines if all(word in line for word in keep)]
    (box / "cells.txt").write_text("\n".join(lines))
    return lines


def run(*options):
    result = CliRunner().invoke(run_cells.main, ["box", "--device", "cpu", *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output.splitlines()


@pytest.fixture
def clock(monkeypatch):
    """The time, a list of one number; a fake recovery takes a second for 10 iterations, none is scored."""
    now = [100.0]
    monkeypatch.setattr(run_cells, "clock", lambda: now[0])

    def recovered(path, method, params, device, after):
        count = int(re.search(r"iterations=(\d+)", params)[1]) if "iterations" in params else 1
        for _ in range(count):
            now[0] += 0.1
            after()
        run = {"seconds": count / 10, "iterations": count, "origin": {"measurement": "", "code": ""}}
        return np.zeros((1, 4, 4)), {}, run

    def finish(folder, cell, estimate, trace, run):
        path = Path(folder, cell.folder, "score.json")
        path.write_text(json.dumps(run))
        return {"psnr": 20.0} | run

    monkeypatch.setattr(recover, "recovered", recovered)
    monkeypatch.setattr(beside, "finish", finish)
    return now


def test_a_line_a_cell_with_its_seconds_its_psnr_and_the_time_left(box, clock):
    lines = listed(box, "small", "denoising")
    code, output = run("--budget", "100", "--reserve", "10")
    assert code == 0
    assert output[0] == f"{len(lines)} cells to make on cpu, 0 are there already"
    said = re.fullmatch(re.escape(f"[1/{len(lines)}] {lines[0]}  0.4 s  20.00 dB  ") + r"(\d+) s left", output[1])
    assert 80 < int(said[1]) <= 90  # the next cell may have been at work meanwhile
    assert [line.split()[1] for line in output[1 : 1 + len(lines)]] == lines
    assert output[-1] == f"made: {len(lines)}, failed: 0, left: 0"


def test_a_cell_that_ends_while_it_is_interrupted_counts_as_made(box, clock, monkeypatch):
    first, *others = listed(box, "small", "denoising")

    def interrupted(self):
        (box / first).mkdir(parents=True, exist_ok=True)
        (box / first / "score.json").write_text("{}")
        raise KeyboardInterrupt

    monkeypatch.setattr(run_cells.Run, "_loop", interrupted)
    code, output = run()
    assert code == 130 and output[-1] == f"made: 1, failed: 0, left: {len(others)}"


def test_what_does_not_fit_is_skipped_for_what_does(box, clock):
    """Forty iterations take 4 s, four 0.4 s; what has not been done yet is tried."""
    first, *_ = long = [line for line in listed(box, "large") if "iterations=40" in line]
    short = [line.replace("iterations=40", "iterations=4") for line in long]
    (box / "cells.txt").write_text("\n".join([first, long[1], *short]))
    code, output = run("--budget", "14.4", "--reserve", "7.2")
    assert code == 0
    assert [re.sub("  [0-9] s left$", "", line) for line in sorted(output[1:5])] == [
        f"[1/4] {first}  4.0 s  20.00 dB",
        f"[2/4] {long[1]}  left: it takes 4 s",
        f"[3/4] {short[0]}  0.4 s  20.00 dB",
        f"[4/4] {short[1]}  0.4 s  20.00 dB",
    ]
    assert output[5:] == ["box/packs: 1 packs, 0.0 MB", "made: 3, failed: 0, left: 1"]


def test_what_is_at_work_at_the_end_of_the_time_stops_and_is_not_there(box, clock):
    line, *others = [line for line in listed(box, "large") if "iterations=40" in line]
    (box / "cells.txt").write_text("\n".join([line, *others]))
    code, output = run("--budget", "3", "--reserve", "1")
    assert code == 0 and output[1].startswith(f"[1/2] {line}  left: stopped at the end of the time  0 s left")
    assert output[2] == "the time is over: 1 more cells are left"
    assert output[-1] == "made: 0, failed: 0, left: 2"
    assert not (box / line / "score.json").exists()


def test_what_turns_out_to_take_far_longer_than_there_is_time_stops_soon(box, clock):
    long, *others = [line.replace("iterations=40", "iterations=1000") for line in listed(box, "large", "iterations=40")]
    short = long.replace("iterations=1000", "iterations=4")
    (box / "cells.txt").write_text("\n".join([long, *others, short]))
    code, output = run("--budget", "50", "--reserve", "10")
    assert code == 0 and output[1] == f"[1/3] {long}  left: stopped, it takes 100 s  30 s left"
    assert f"[2/3] {others[0]}  left: it takes 100 s  30 s left" in output
    assert f"[3/3] {short}  0.4 s  20.00 dB  30 s left" in output


def test_what_does_not_stop_is_given_up(box, clock, monkeypatch):
    line, *_ = listed(box, "large", "wiener")
    go_on, ended = threading.Event(), []

    def recovered(*_):
        clock[0] += 100
        go_on.wait(60)

    monkeypatch.setattr(recover, "recovered", recovered)
    monkeypatch.setattr(run_cells.os, "_exit", lambda code: ended.append(code) or sys.exit(code))
    code, output = run("--budget", "50", "--reserve", "1")
    go_on.set()
    assert ended == [0]
    assert output[1].startswith(f"[1/2] {line}  given up, it does not stop")


def test_what_is_there_is_not_made_again_and_is_packed(box, clock):
    lines = listed(box, "small", "wiener")
    (box / lines[0]).mkdir(parents=True)
    (box / lines[0] / "score.json").write_text("{}")
    code, output = run()
    assert output[0] == f"{len(lines) - 1} cells to make on cpu, 1 are there already"
    assert output[1].startswith(f"[2/{len(lines)}] {lines[1]}  0.1 s  20.00 dB")
    assert f"{lines[0]}/score.json" in packs.zipfile.ZipFile("box/packs/pack-1.zip").namelist()


def test_what_a_failed_cell_had_is_free_before_the_next(box, clock, monkeypatch):
    """As a network and its graph, which would stay on the GPU."""
    lines, found = listed(box, "small", "denoising"), []

    class Network:
        pass

    def failing(*_):
        assert [network() for network in found] == [None] * len(found)
        network = Network()
        found.append(weakref.ref(network))
        try:
            raise ValueError("of it")
        except ValueError as error:
            raise RuntimeError("no good") from error

    monkeypatch.setattr(recover, "recovered", failing)
    code, output = run()
    assert code == 1 and len(found) == len(lines) > 1
    assert output[-1] == f"made: 0, failed: {len(lines)}, left: 0"


def test_a_gpu_that_does_nothing_more_ends_the_run(box, clock, monkeypatch):
    lines = listed(box, "small", "denoising")
    monkeypatch.setattr(recover, "choose_device", lambda *_: "cuda")
    monkeypatch.setattr(run_cells, "forget_peak", lambda _: None)
    made = recover.recovered

    def recovered(*arguments):
        if lines[1] in str(Path(arguments[0]).parent / arguments[1] / arguments[2]):
            raise RuntimeError("an illegal memory access was encountered")
        return made(*arguments)

    def broken():
        raise RuntimeError("an illegal memory access was encountered")

    monkeypatch.setattr(recover, "recovered", recovered)
    monkeypatch.setattr(torch.cuda, "synchronize", broken)
    code, output = run()
    failed = next(number for number, line in enumerate(output) if "illegal memory access" in line)
    assert code == 1 and output[failed + 1].startswith("the GPU does nothing more for this process")
    assert output[-1] == f"made: 1, failed: 1, left: {len(lines) - 2}"


def test_packs_are_written_on_the_way(box, clock, monkeypatch):
    lines, times = listed(box, "small", "denoising"), []
    monkeypatch.setattr(run_cells, "PACK_EVERY", 3)
    real = packs.write
    monkeypatch.setattr(packs, "write", lambda *arguments: times.append(clock[0]) or real(*arguments))
    run()
    assert len(times) == 3 and len(lines) == 6  # after each of forty iterations, and at the end


def test_a_cell_that_fails_is_one_line_and_its_log_and_the_others_go_on(box, monkeypatch):
    lines = listed(box, "small", "denoising", "seed=0")
    real = recover.recovered

    def recovered(path, method, params, *rest):
        print("at work")
        if params == "iterations=4":
            raise BadInput("out of memory")
        if params == "iterations=40":
            raise ZeroDivisionError("two\nlines")
        return real(path, method, params, *rest)

    monkeypatch.setattr(recover, "recovered", recovered)
    code, output = run()
    assert code == 1
    assert output[1] == f"[1/3] {lines[0]}  failed: out of memory"
    assert output[2] == f"[2/3] {lines[1]}  failed: ZeroDivisionError: two lines"
    assert re.match(rf"\[3/3\] {re.escape(lines[2])}  \d+\.\d s  ", output[3])
    assert output[-1] == "made: 1, failed: 2, left: 0"
    assert (box / lines[0] / "recover.log").read_text() == "at work\nError: out of memory\n"
    assert "Traceback" in (box / lines[1] / "recover.log").read_text()
    assert (box / lines[2] / "recover.log").read_text() == "at work\n"
    assert f"{lines[1]}/recover.log" in packs.zipfile.ZipFile("box/packs/pack-1.zip").namelist()


def test_cells_are_what_the_steps_of_the_workflow_make_of_the_same(box, bundled, monkeypatch):
    lines = listed(box)
    code, output = run()
    assert code == 0 and len(output) == len(lines) + 3
    for line in lines:
        case = Path(line).parent.parent
        assert (box / case / "measurement.npz").read_bytes() == (bundled / case / "measurement.npz").read_bytes()
        folder = Path("again", line)
        call = [str(bundled / case / "measurement.npz"), *folder.parts[-2:], str(folder), "--threads", "1"]
        assert CliRunner().invoke(recover.main, call).exit_code == 0
        truth = bundled / f"results/images/{line.split('/')[2]}.npy"
        call = [str(bundled / case / "picture.npy"), str(folder), f"--truth={truth}", "--metric=ssim"]
        assert CliRunner().invoke(score.main, call).exit_code == 0
        for name in ("recovered.npy", "trace.npz", "curve.csv"):
            assert (folder / name).read_bytes() == (box / line / name).read_bytes()
        for name in ("run.json", "score.json"):
            found = [json.loads((place / name).read_text()) for place in (folder, box / line)]
            for content in found:
                del content["seconds"], content["cpu_seconds"], content["peak_memory_mb"]
            assert found[0] == found[1]


@pytest.mark.parametrize("kind", ["made", "carried"])
def test_of_a_measurement_that_comes_out_otherwise_nothing_is_made(box, kind, monkeypatch):
    case = "results/deconvolution/small/blur=1,kernel=5,sigma=0.01"
    lines = listed(box, case if kind == "carried" else "denoising/small/sigma=0.1,seed=0")
    if kind == "carried":
        with np.load(box / case / "measurement.npz") as file:
            content = dict(file)
        content["y"][0, 3, 3] += 1e-6
        np.savez(box / case / "measurement.npz", **content)
    else:
        from steps.noises import gaussian

        @functools.wraps(gaussian.add)
        def add(clean, _add=gaussian.add, **words):
            return _add(clean, **words) * np.float32(1 + 1e-6)

        monkeypatch.setattr(gaussian, "add", add)
    code, output = run()
    assert code == 1 and output[-1] == f"made: 0, failed: {len(lines)}, left: 0"
    for line, said in zip(lines, output[1:]):
        assert line in said and "measurement.npz comes out otherwise here than where the bundle was made" in said
        assert [path.name for path in (box / line).iterdir()] == ["recover.log"]
        assert "comes out otherwise here" in (box / line / "recover.log").read_text()


def test_a_measurement_packed_otherwise_is_the_same_and_keeps_the_name_that_it_had(box):
    case = "results/deconvolution/small/blur=1,kernel=5,sigma=0.01"
    (line,) = listed(box, case)
    known = json.loads((box / "bundle.json").read_text())["measurements"][case]["sha256"]
    with np.load(box / case / "measurement.npz") as file:
        content = dict(file)
    np.savez_compressed(box / case / "measurement.npz", **content)
    assert run()[0] == 0
    assert json.loads((box / line / "run.json").read_text())["origin"]["measurement"] == known


def counted(monkeypatch, pair=None):
    """Return a list to which each recovery adds how many are at work; with a barrier `pair` two wait for each other."""
    at_work, counts, real = [], [], recover.recovered

    def recovered(path, method, params, *rest):
        print(params, threading.get_ident())
        at_work.append(path)
        if pair:
            pair.wait(60)
        counts.append(len(at_work))
        if pair:
            pair.wait(60)
        at_work.remove(path)
        return real(path, method, params, *rest)

    monkeypatch.setattr(recover, "recovered", recovered)
    return counts


def test_fits_run_side_by_side_and_each_has_its_log(box, monkeypatch):
    lines = listed(box, "iterations=4", "seed=0")
    counts = counted(monkeypatch, threading.Barrier(2))
    code, output = run("--at-once", "2")
    assert code == 0 and counts == [2, 2, 2, 2]
    logs = [(box / line / "recover.log").read_text().splitlines() for line in lines]
    assert [log[0].split()[0] for log in logs] == [line.split("/")[-1] for line in lines]
    assert len({log[0].split()[1] for log in logs}) > 1
    assert all(log[1].startswith("iteration ") for log in logs)
    runs = [json.loads((box / line / "run.json").read_text()) for line in lines]
    assert {run["device"] for run in runs} == {"cpu, up to 2 fits at once"}  # seconds are not those of one alone
    assert {run["cpu_seconds"] for run in runs} == {None}


def test_when_a_process_beside_dies_what_is_made_is_packed(box, monkeypatch):
    lines = listed(box, "iterations=4", "seed=0")
    real, calls = Here.submit, []

    def submit(self, function, *arguments):
        calls.append(function is beside.finish)
        if sum(calls) > 2:
            raise BrokenProcessPool("a process was terminated abruptly")
        return real(self, function, *arguments)

    monkeypatch.setattr(Here, "submit", submit)
    result = CliRunner().invoke(run_cells.main, ["box", "--device", "cpu"])
    assert isinstance(result.exception, BrokenProcessPool)
    assert [cell for cell, _ in packs.numbers("box/packs")] == lines[:2]


def test_a_fit_that_is_to_give_the_same_bits_again_runs_alone(box, monkeypatch):
    listed(box, "iterations=4", "seed=0")
    real = run_cells.settings
    monkeypatch.setattr(run_cells, "settings", lambda cell: real(cell) | {"deterministic": True})
    counts = counted(monkeypatch)
    assert run("--at-once", "2")[0] == 0 and counts == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda box: (box / "bundle.json").unlink(), "box: no bundle.json; must be a folder in which a bundle was unp"),
        (lambda box: (box / "bundle.json").write_text("["), "box/bundle.json cannot be read ("),
        (lambda box: (box / "bundle.json").write_text("{}"), "box/bundle.json must have the keys measurements, metric"),
        (lambda box: (box / "cells.txt").write_text("a/b"), "box/cells.txt: 'a/b' is no cell; must be results/TASK/"),
        (
            lambda box: (box / "cells.txt").write_text("results/denoising/none/default/tv/default"),
            "box/cells.txt: results/denoising/none/default is no measurement of this bundle",
        ),
        (
            lambda box: (box / "cells.txt").write_text("results/denoising/small/sigma=0.1,seed=0/tv/lamda=1"),
            "box/cells.txt: tv: unknown parameter 'lamda' (did you mean 'lam'?)",
        ),
        (
            lambda box: (box / "cells.txt").write_text("results/denoising/small/sigma=0.1,seed=0/tvv/default"),
            "box/cells.txt: unknown method 'tvv' (did you mean 'tv'?)",
        ),
    ],
)
def test_a_bundle_that_is_none_is_one_line(box, change, words):
    change(box)
    code, output = run()
    assert code == 1 and len(output) == 1 and output[0].startswith(f"Error: run-cells: {words}")


def test_a_device_that_is_not_there_is_one_line(box):
    if recover.choose_device("auto", True) == "cpu":
        code, output = run("--device", "cuda")
        assert code == 1 and output == [
            "Error: run-cells: device: 'cuda' is not available on this machine; allowed here: auto, cpu"
        ]


def start(box, *options):
    command = [sys.executable, "-m", "steps", "run-cells", str(box), "--device", "cpu", "--workers", "1", *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def children(process):
    return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="lists children by /proc")
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_in_the_middle_it_leaves_what_was_made_and_goes_on(bundled, tmp_path, kind):
    box = tmp_path / "box"
    shutil.copytree(bundled / "box", box)
    first, *_ = listed(box, "small", "wiener", "denoising")
    endless = first.replace("wiener/default", "tv/iterations=1000000")
    (box / "cells.txt").write_text(f"{first}\n{endless}\n")
    with start(box) as process:
        assert process.stdout.readline() == "2 cells to make on cpu, 0 are there already\n"
        assert re.match(rf"\[1/2\] {re.escape(first)}  \d+\.\d s  ", process.stdout.readline())
        log = box / endless / "recover.log"
        wait_for(lambda: log.exists() and "iteration" in log.read_text())
        others = children(process)
        assert others
        process.send_signal(kind)
        output, _ = process.communicate(timeout=600)
    wait_for(lambda: not any(os.path.exists(f"/proc/{other}/exe") for other in others))
    if kind != signal.SIGKILL:
        assert process.returncode == 130
        assert output.splitlines()[0] == "interrupted" and output.splitlines()[-1] == "made: 1, failed: 0, left: 1"
        assert [cell for cell, _ in packs.numbers(box / "packs")] == [first]
    assert sorted(path.name for path in (box / endless).iterdir()) == ["recover.log"]
    (box / "cells.txt").write_text(f"{first}\n{endless.replace('1000000', '4')}\n")
    with start(box) as process:
        output, _ = process.communicate(timeout=600)
    assert process.returncode == 0 and output.startswith("1 cells to make on cpu, 1 are there already\n[2/2] ")
    assert [cell for cell, _ in packs.numbers(box / "packs")] == [first, endless.replace("1000000", "4")]


def test_the_process_in_which_methods_run_opens_no_truth(bundled, tmp_path):
    box = tmp_path / "box"
    shutil.copytree(bundled / "box", box)
    lines = listed(box, "seed=0")
    (tmp_path / "sitecustomize.py").write_text(AUDIT)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "OPENED": str(tmp_path / "opened")}
    command = [sys.executable, "-m", "steps", "run-cells", str(box), "--device", "cpu", "--workers", "1"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 0 and f"made: {len(lines)}, " in result.stdout, result.stdout + result.stderr
    opened = (tmp_path / "opened").read_text().splitlines()
    assert {line for line in opened if line.startswith("main")} == set()
    assert {Path(line).name for line in opened} == {"small.npz", "large.npz"}


AUDIT = """
import multiprocessing, os, sys


def hook(event, arguments):
    if event == "open" and "/truths/" in str(arguments[0]):
        with open(os.environ["OPENED"], "a") as file:
            file.write(f"{'beside' if multiprocessing.parent_process() else 'main'} {arguments[0]}\\n")


sys.addaudithook(hook)
"""


@pytest.mark.parametrize(("method", "most"), [("nlm", 1), ("bm3d", 1), ("tv", 100), ("dip", 3600)])
def test_a_method_need_not_say_how_often_it_iterates(method, most):
    from steps.base.recoveries import Recovery

    cell = Recovery("denoising", "logo", "sigma=0.1", method, "default", method)
    assert run_cells._iterations(cell) == most
