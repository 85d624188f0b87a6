import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas
import pytest
import torch
import yaml
from click.testing import CliRunner

from steps import recover, score
from steps.base.errors import BadInput
from steps.base.files import write_json
from steps.inverse import measurement
from steps.tools import adopt, packs
from tests.conftest import picture
from tests.workflows import commands, copy_repository, loaded, snakemake

CONFIG = {
    "images": {"logo": {"source": "synthetic:logo", "size": 24}},
    "experiments": {
        "first": {
            "task": "denoising",
            "images": ["logo"],
            "corruption": {"sigma": 0.1, "seed": [0, 1]},
            "methods": [{"method": "tv", "params": {"iterations": 4}}],
        }
    },
}
CELLS = [f"results/denoising/logo/sigma=0.1,seed={seed}/tv/iterations=4" for seed in (0, 1)]
FILES = ["recover.log", "recovered.npy", "run.json", "trace.npz"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with measurements of two seeds, and below box/ the recoveries of CONFIG from them."""
    root = tmp_path_factory.mktemp("made")
    for seed, cell in enumerate(CELLS):
        y = torch.rand((1, 24, 24), generator=torch.Generator().manual_seed(seed))
        path = root / Path(cell).parent.parent / "measurement.npz"
        measurement.save(path, y, "denoising", y.shape, {}, measurement.Noise("gaussian", {"sigma": 0.1}, 0.1))
        arguments = [str(path), "tv", "iterations=4", str(root / "box" / cell), "--threads", "1"]
        result = CliRunner().invoke(recover.main, arguments)
        assert result.exit_code == 0, result.output
        (root / "box" / cell / "recover.log").write_text(result.output)
    (root / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    return root


@pytest.fixture
def here(made, tmp_path, monkeypatch):
    """A copy of `made`, now the working directory; what Snakemake is told to note is in the list that it returns."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    noted = []
    monkeypatch.setattr(adopt, "record", lambda *arguments: noted.append(arguments))
    return noted


def run(*options):
    result = CliRunner().invoke(adopt.main, ["config.yaml", "box", *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir()) if Path(folder).exists() else []


def test_takes_the_files_byte_for_byte_and_lets_snakemake_take_note(here):
    result = run()
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        *(f"{cell}: adopted" for cell in CELLS),
        "adopted: 2, there already: 0, numbers only: 0, refused: 0",
    ]
    for cell in CELLS:
        assert names(cell) == FILES
        for name in FILES:
            assert Path(cell, name).read_bytes() == Path("box", cell, name).read_bytes()
    assert here == [("config.yaml", CELLS, [])]


def test_a_log_is_not_needed(here):
    Path("box", CELLS[0], "recover.log").unlink()
    assert run().exit_code == 0
    assert names(CELLS[0]) == FILES[1:]


def test_what_is_taken_is_newer_than_its_measurement(here):
    for path in Path("box").rglob("*"):
        os.utime(path, (1, 1))
    run()
    for cell in CELLS:
        before = Path(cell).parent.parent.joinpath("measurement.npz").stat().st_mtime_ns
        assert all(Path(cell, name).stat().st_mtime_ns > before for name in FILES)


def test_what_is_there_is_left_alone(here):
    assert run().exit_code == 0
    Path(CELLS[0], "run.json").write_text("mine")
    times = [path.stat().st_mtime_ns for path in sorted(Path("results").rglob("*"))]
    result = run()
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        *(f"{cell}: there already" for cell in CELLS),
        "adopted: 0, there already: 2, numbers only: 0, refused: 0",
    ]
    assert [path.stat().st_mtime_ns for path in sorted(Path("results").rglob("*"))] == times
    assert len(here) == 1


def test_what_is_there_is_replaced_on_demand(here):
    run()
    Path(CELLS[0], "run.json").write_text("mine")
    result = run("--replace")
    assert "adopted: 2, there already: 0, numbers only: 0, refused: 0" in result.output
    assert Path(CELLS[0], "run.json").read_bytes() == Path("box", CELLS[0], "run.json").read_bytes()


def test_a_recovery_that_is_there_in_part_is_taken(here):
    run()
    Path(CELLS[0], "run.json").unlink()
    assert run().output.splitlines()[0] == f"{CELLS[0]}: adopted"
    assert names(CELLS[0]) == FILES


@pytest.mark.parametrize("options", [[], ["--replace"]])
def test_a_recovery_whose_taking_is_interrupted_is_not_there(here, monkeypatch, options):
    if options:
        run()
    replace = adopt.whole.__globals__["os"].replace

    def interrupt(source, target):
        if Path(target).name == "run.json":
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("steps.base.files.os.replace", interrupt)
        assert run(*options).exit_code == 1
    assert not Path(CELLS[0], "recovered.npy").exists()
    assert "adopted: 1" in run().output if options else "adopted: 2" in run().output


def test_of_no_other_recovery_is_anything_looked_at(here):
    other = Path("box/results/denoising/logo/sigma=0.1,seed=0/tv/iterations=5")
    shutil.copytree(Path("box", CELLS[0]), other)
    shutil.copytree(Path("box", CELLS[0]), "box/results/elsewhere")
    run()
    assert not Path(*other.parts[1:]).exists() and not Path("results/elsewhere").exists()


def test_nothing_found_is_an_error(here):
    shutil.rmtree("box/results")
    result = run()
    assert result.exit_code == 1
    assert (
        result.output
        == "Error: adopt: box has no recovery of config.yaml; must be a folder of packs, or one that holds results\n"
    )


def edit(change):
    """Return a function that changes the dict of a folder's run.json."""

    def edited(folder):
        content = json.loads((folder / "run.json").read_text())
        change(content)
        (folder / "run.json").write_text(json.dumps(content))

    return edited


def cut(name, keep):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:keep])


def estimate(change):
    """Return a function that changes the array of a folder's recovered.npy."""
    return lambda folder: np.save(folder / "recovered.npy", change(np.load(folder / "recovered.npy")))


def trace(**changes):
    """Return a function that changes arrays of a folder's trace.npz; None leaves an array out."""

    def edited(folder):
        with np.load(folder / "trace.npz") as file:
            arrays = dict(file) | {name: change and change(file[name]) for name, change in changes.items()}
        np.savez(folder / "trace.npz", **{name: array for name, array in arrays.items() if array is not None})

    return edited


def trace_with_more(folder):
    np.savez(folder / "trace.npz", **np.load(folder / "trace.npz"), more=np.zeros(3))


def with_nan(array):
    array[0, 3, 3] = np.nan
    return array


def another_measurement(folder):
    path = Path(CELLS[0]).parent.parent / "measurement.npz"
    shutil.copy(str(path).replace("seed=0", "seed=1"), path)


def measurement_of_nonsense(folder):
    Path(CELLS[0]).parent.parent.joinpath("measurement.npz").write_bytes(b"nonsense")


def link_file(folder):
    shutil.move(folder / "recover.log", "secret")
    (folder / "recover.log").symlink_to(Path("secret").absolute())


def link_folder(folder):
    shutil.move(folder, "elsewhere")
    folder.symlink_to(Path("elsewhere").absolute())


OBJECTS = np.array([{"a": 1}], dtype=object)
SETTINGS = {"lam": None, "rho": None, "iterations": 5, "kind": "isotropic"}
REFUSALS = {
    "no estimate": (lambda f: (f / "recovered.npy").unlink(), "recovered.npy is missing"),
    "no trace": (lambda f: (f / "trace.npz").unlink(), "trace.npz is missing"),
    "a folder for an estimate": (
        lambda f: [(f / "recovered.npy").unlink(), (f / "recovered.npy").mkdir()],
        "recovered.npy is missing",
    ),
    "cut estimate": (cut("recovered.npy", 500), "recovered.npy cannot be read (EOF"),
    "empty estimate": (cut("recovered.npy", 0), "recovered.npy cannot be read ("),
    "cut trace": (cut("trace.npz", 500), "trace.npz cannot be read (File is not a zip file)"),
    "cut run": (cut("run.json", 100), "run.json cannot be read ("),
    "run of bytes": (lambda f: (f / "run.json").write_bytes(b"\xff\xfe\xfd"), "run.json cannot be read ("),
    "run of brackets": (lambda f: (f / "run.json").write_text("[" * 100000), "run.json cannot be read ("),
    "pickled estimate": (
        lambda f: np.save(f / "recovered.npy", OBJECTS),
        "recovered.npy cannot be read (Object arrays",
    ),
    "pickled trace": (trace(losses=lambda _: OBJECTS), "trace.npz cannot be read (Object arrays"),
    "archive for an estimate": (
        lambda f: shutil.copy(f / "trace.npz", f / "recovered.npy"),
        "recovered.npy cannot be read (the magic string",
    ),
    "array for a trace": (lambda f: shutil.copy(f / "recovered.npy", f / "trace.npz"), "trace.npz cannot be read ("),
    "estimate in float64": (
        estimate(lambda x: x.astype(np.float64)),
        "recovered.npy: estimate is ('float64', (1, 24, 24)); must be ('float32', (1, 24, 24))",
    ),
    "estimate of another shape": (
        estimate(lambda x: x[:, 1:]),
        "recovered.npy: estimate is ('float32', (1, 23, 24)); m",
    ),
    "estimate with NaN": (estimate(with_nan), "recovered.npy has values that are not finite"),
    "trace without losses": (trace(losses=None), "trace.npz: losses is None; must be ('float64', (4,))"),
    "trace without iterations": (trace(iterations=None), "trace.npz: iterations is None; must be"),
    "trace with more": (trace_with_more, "trace.npz: more is ('float64', (3,)); must be None"),
    "trace that is too short": (trace(losses=lambda x: x[1:]), "trace.npz: losses is ('float64', (3,)); must be"),
    "trace of another image": (
        trace(estimates=lambda x: x[..., 1:]),
        "trace.npz: estimates is ('float16', (4, 1, 24, 2",
    ),
    "iteration zero": (trace(iterations=lambda x: x - 1), "trace.npz: iterations must be in 1 to 4"),
    "iterations past the end": (trace(iterations=lambda x: x + 1), "trace.npz: iterations must be in 1 to 4"),
    "run a list": (
        lambda f: (f / "run.json").write_text("[]"),
        "run.json must have the keys cpu_seconds, device, ",
    ),
    "run a list of keys": (
        lambda f: (f / "run.json").write_text(json.dumps(list(json.loads((f / "run.json").read_text())))),
        "run.json must have the keys cpu_seconds, device, ",
    ),
    "run without seconds": (edit(lambda run: run.pop("seconds")), "run.json must have the keys"),
    "run with a score": (edit(lambda run: run.update(psnr=99)), "run.json must have the keys"),
    "negative seconds": (edit(lambda run: run.update(seconds=-1)), "run.json: seconds cannot be -1"),
    "another sigma": (edit(lambda run: run.update(noise_sigma="0.1")), "run.json: noise_sigma cannot be '0.1'"),
    "CPU seconds in words": (edit(lambda run: run.update(cpu_seconds="1")), "run.json: cpu_seconds cannot be '1'"),
    "endless seconds": (edit(lambda run: run.update(seconds=float("inf"))), "run.json: seconds cannot be inf"),
    "seconds in words": (edit(lambda run: run.update(seconds="1")), "run.json: seconds cannot be '1'"),
    "memory true": (edit(lambda run: run.update(peak_memory_mb=True)), "run.json: peak_memory_mb cannot be True"),
    "no threads": (edit(lambda run: run.update(threads=None)), "run.json: threads cannot be None"),
    "device a number": (edit(lambda run: run.update(device=1)), "run.json: device cannot be 1"),
    "iterations in words": (edit(lambda run: run.update(iterations="4")), "run.json: iterations cannot be '4'"),
    "other iterations": (edit(lambda run: run.update(iterations=5)), "trace.npz: losses is ('float64', (4,)); must be"),
    "other settings": (
        edit(lambda run: run.update(settings=SETTINGS)),
        "run.json: settings cannot be {'iterations': 5",
    ),
    "other seed": (edit(lambda run: run.update(seed=3)), "run.json: seed cannot be 3"),
    "versions a list": (edit(lambda run: run.update(versions=[])), "run.json: versions cannot be []"),
    "versions a list of names": (
        edit(lambda run: run.update(versions=list(run["versions"]))),
        "run.json: versions cannot be ['python', ",
    ),
    "a version of two lines": (
        edit(lambda run: run["versions"].update(torch="1\n| x |")),
        "run.json: torch: '1\\n| x |' is not allowed; must be one line",
    ),
    "a version a list": (edit(lambda run: run["versions"].update(torch=[1])), "run.json: versions cannot be {'"),
    "a device of two lines": (
        edit(lambda run: run.update(device="a\nb")),
        "run.json: device: 'a\\nb' is not allowed; must be one line",
    ),
    "no versions": (edit(lambda run: run.update(versions={})), "run.json: versions cannot be {}"),
    "origin a word": (edit(lambda run: run.update(origin="here")), "run.json: origin cannot be 'here'"),
    "origin a list of names": (
        edit(lambda run: run.update(origin=list(run["origin"]))),
        "run.json: origin cannot be ['measurement', 'code']",
    ),
    "no origin": (edit(lambda run: run.update(origin={})), "run.json: origin cannot be {}"),
    "other code": (edit(lambda run: run["origin"].update(code="0" * 64)), "its code is not the code here"),
    "other measurement": (
        edit(lambda run: run["origin"].update(measurement="0" * 64)),
        "its measurement is not the measurement here",
    ),
    "another measurement here": (another_measurement, "its measurement is not the measurement here"),
    "no measurement here": (
        lambda f: Path(CELLS[0]).parent.parent.joinpath("measurement.npz").unlink(),
        "results/denoising/logo/sigma=0.1,seed=0/measurement.npz is missing here",
    ),
    "a damaged measurement here": (measurement_of_nonsense, "seed=0/measurement.npz cannot be read ("),
    "a file instead of the folder here": (
        lambda f: Path(CELLS[0]).parent.write_text(""),
        "Not a directory: 'results/denoising/logo",
    ),
    "link to a file": (link_file, "recover.log is a link to outside of box"),
    "link to a folder": (link_folder, "trace.npz is a link to outside of box"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refuses_leaves_nothing_and_goes_on(here, case):
    change, reason = REFUSALS[case]
    change(Path("box", CELLS[0]))
    result = run()
    assert result.exit_code == 1
    first, second, last = result.output.splitlines()
    assert first.startswith(f"{CELLS[0]}: refused: ") and reason in first
    assert names(CELLS[0]) == []
    assert second == f"{CELLS[1]}: adopted" and names(CELLS[1]) == FILES
    assert last == "adopted: 1, there already: 0, numbers only: 0, refused: 1"
    assert here == [("config.yaml", CELLS[1:], [])]


def test_what_is_refused_replaces_nothing(here):
    run()
    before = Path(CELLS[0], "recovered.npy").read_bytes()
    cut("trace.npz", 100)(Path("box", CELLS[0]))
    assert run("--replace").exit_code == 1
    assert names(CELLS[0]) == FILES and Path(CELLS[0], "recovered.npy").read_bytes() == before


def test_what_snakemake_says_against_it_is_one_line(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_text("images: {}")
    with pytest.raises(
        adopt.BadInput, match="Snakemake did not take note; run again with --replace .*missing key 'exp"
    ):
        adopt.record("bad.yaml", CELLS)


METRICS = ["psnr", "ssim"]


@pytest.fixture
def packed(here):
    """What `here` returns; below packs/ are the cells as packs: of the first with iterates, of the second without."""
    truth = picture(1, 24, 24).numpy()
    Path("results/images").mkdir()
    np.save("results/images/logo.npy", truth)
    for cell in CELLS:
        folder = Path("box", cell)
        estimate, trace = np.load(folder / "recovered.npy"), dict(np.load(folder / "trace.npz"))
        for name, content in packs.pieces(estimate, trace, cell == CELLS[0]).items():
            (folder / name).write_bytes(content)
        run = json.loads((folder / "run.json").read_text())
        found, curve = score.score(folder.parts[-5:], estimate, trace, run, truth, truth, METRICS)
        write_json(folder / "score.json", found)
        (folder / "curve.csv").write_text(curve)
    Path("box/cells.txt").write_text("\n".join(CELLS))
    facts = {"metrics": METRICS, "traces": [], "truths": [], "measurements": {}}
    facts["measurements"] = {Path(cell).parent.parent.as_posix(): {} for cell in CELLS}
    write_json("box/bundle.json", facts)
    packs.write("box", "packs")
    return here


def adopt_packs(*options):
    result = CliRunner().invoke(adopt.main, ["config.yaml", "packs", *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_takes_packs_with_the_scores_that_were_made_there(packed):
    result = adopt_packs()
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == "adopted: 2, there already: 0, numbers only: 0, refused: 0"
    for cell in CELLS:
        assert names(cell) == sorted([*FILES, "curve.csv", "score.json"])
        for name in ("run.json", "score.json", "curve.csv", "recover.log"):
            assert Path(cell, name).read_bytes() == Path("box", cell, name).read_bytes()
        estimate, there = np.load(f"{cell}/recovered.npy"), np.load(f"box/{cell}/recovered.npy")
        assert estimate.dtype == np.float32 and np.abs(estimate - there).max() < 5e-4
        trace, there = (dict(np.load(f"{root}{cell}/trace.npz")) for root in ("", "box/"))
        for name in there if cell == CELLS[0] else ("losses", "penalties"):
            np.testing.assert_array_equal(trace[name], there[name], strict=True)
        assert len(trace["iterations"]) == (4 if cell == CELLS[0] else 0)
    assert packed == [("config.yaml", CELLS, CELLS)]
    assert "there already: 2" in adopt_packs().output


def test_a_cell_without_its_picture_is_left_for_its_numbers(packed):
    (Path("box") / CELLS[0] / "picture.npz").unlink()
    packs.write("box", "packs")
    result = adopt_packs()
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        f"{CELLS[0]}: numbers only",
        f"{CELLS[1]}: adopted",
        "adopted: 1, there already: 0, numbers only: 1, refused: 0",
    ]
    assert names(CELLS[0]) == [] and packed == [("config.yaml", CELLS[1:], CELLS[1:])]
    assert [cell for cell, _ in packs.numbers("packs")] == CELLS


def edit_score(change):
    def changed(folder):
        found = json.loads((folder / "score.json").read_text())
        change(found)
        (folder / "score.json").write_text(json.dumps(found))

    return changed


PACK_REFUSALS = {
    "curve lost": (lambda f: (f / "curve.csv").unlink(), "curve.csv is missing"),
    "no losses": (lambda f: (f / "losses.npz").unlink(), "losses.npz is missing"),
    "damaged picture": (
        lambda f: (f / "picture.npz").write_bytes(b"PK"),
        "picture.npz, losses.npz or iterates.npz: not as they were packed (",
    ),
    "damaged score": (lambda f: (f / "score.json").write_text("["), "score.json cannot be read ("),
    "score a list": (lambda f: (f / "score.json").write_text("[]"), "score.json must have the keys channels, convent"),
    "another metric": (edit_score(lambda s: s.update(gmsd=1)), "score.json must have the keys channels, convention, "),
    "metric in words": (edit_score(lambda s: s.update(ssim="good")), "score.json: ssim cannot be 'good'; must be a nu"),
    "metric not finite": (edit_score(lambda s: s.update(ssim=float("nan"))), "score.json: ssim cannot be nan"),
    "score of another": (edit_score(lambda s: s.update(image="house")), "score.json: image cannot be 'house'; must be"),
    "other seconds": (edit_score(lambda s: s.update(seconds=1e6)), "score.json: seconds cannot be 1000000.0; must be"),
    "other pixels": (edit_score(lambda s: s.update(pixels="1×1")), "score.json: pixels cannot be '1×1'; must be '24×2"),
    "a better PSNR": (edit_score(lambda s: s.update(psnr=s["psnr"] + 1)), "that of its picture "),
    "no curve": (lambda f: (f / "curve.csv").write_text("psnr\n"), "curve.csv must begin with iteration,loss,penalty"),
    "other code": (edit(lambda run: run["origin"].update(code="0" * 64)), "its code is not the code here"),
    "no truth here": (lambda f: Path("results/images/logo.npy").unlink(), "results/images/logo.npy is missing here"),
}


@pytest.mark.parametrize("case", PACK_REFUSALS)
def test_refuses_what_is_packed_and_leaves_nothing(packed, case):
    change, reason = PACK_REFUSALS[case]
    change(Path("box", CELLS[0]))
    packs.write("box", "packs")
    result = adopt_packs()
    assert result.exit_code == 1
    assert result.output.startswith(f"{CELLS[0]}: refused: ") and reason in result.output.splitlines()[0]
    assert names(CELLS[0]) == []


def test_scores_by_other_metrics_or_code_are_refused(packed, monkeypatch):
    monkeypatch.setattr(adopt.bundles, "score_code", lambda metrics: "other")
    result = adopt_packs()
    assert result.exit_code == 1
    assert "refused: its score is by other metrics, or other code, than are here" in result.output


def test_a_damaged_pack_is_one_line(packed):
    Path("packs/pack-1.zip").write_bytes(b"nonsense")
    result = adopt_packs()
    assert result.exit_code == 1 and result.output.count("\n") == 1
    assert result.output.startswith("Error: adopt: packs/pack-1.zip: not a pack of cells (")


WITHOUT = """
import sys
from importlib.machinery import PathFinder

MODULES = set("snakemake pandas yaml matplotlib bm3d jsonschema pooch png pytest torchmetrics".split())
PACKAGES = MODULES | {"pyyaml", "pypng"}


class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in MODULES else super().find_spec(name, path, target)

    @classmethod
    def find_distributions(cls, *context):
        return [found for found in super().find_distributions(*context) if found.name.lower() not in PACKAGES]


sys.meta_path[:] = [Finder if finder is PathFinder else finder for finder in sys.meta_path]
"""
FIT = {"channels": 4, "scales": 2}
ELSEWHERE = {
    "device": "cpu",
    "images": {"logo": {"source": "synthetic:logo", "size": 32}, "mine": {"source": "https://host.invalid/mine.npy"}},
    "experiments": {
        "all": {
            "task": "denoising",
            "images": ["logo"],
            "corruption": {"sigma": 0.1},
            "methods": [
                {"method": "tv", "params": {"iterations": 5}},
                {"method": "dip", "params": {"iterations": 3, **FIT}},
                {"method": "wiener"},
                {"method": "wiener_dip", "params": {"iterations": 3, **FIT}},
                {"method": "admm_dip", "params": {"iterations": 2, "inner": 2, **FIT}},
            ],
            "figures": ["psnr"],
        },
        "own": {"task": "denoising", "images": ["mine"], "methods": [{"method": "tv", "params": {"iterations": 5}}]},
    },
}


def executable(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def test_cells_made_with_few_packages_are_as_those_made_here(tmp_path):
    repository, box = tmp_path / "repository", tmp_path / "box"
    copy_repository(repository)
    shutil.copytree(commands(), repository / ".venv/bin")
    (repository / ".venv/requirements.lock").touch()
    (repository / "photos").mkdir()
    np.save(repository / "photos/mine.npy", np.linspace(0, 1, 24 * 24, dtype=np.float32).reshape(24, 24))
    digest = hashlib.sha256((repository / "photos/mine.npy").read_bytes()).hexdigest()
    config = json.loads(json.dumps(ELSEWHERE)) | {"report": False}
    config["images"]["mine"]["sha256"] = digest
    (repository / "tiny.yaml").write_text(yaml.safe_dump(config))

    def call(*command, folder=repository, **variables):
        environment = os.environ | {"PRIORBENCH_WARM": loaded()} | variables
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)

    def jobs(*targets):
        """Return the sorted rules of a dry run's jobs."""
        result = snakemake(repository, *targets, "--dry-run", config="tiny.yaml")
        assert result.returncode == 0, result.stdout + result.stderr
        return sorted(re.findall(r"^Job \d+: (\w+)", result.stdout + result.stderr, re.MULTILINE))

    def make(*arguments):
        result = call("make", *arguments, "CONFIG=tiny.yaml", "CORES=2")
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    output = make("cells", "CELLS=some.tar.gz", "ONLY=--label 'TV'", "IMAGES=photos")
    assert "some.tar.gz: 2 recoveries from 2 measurements" in output
    assert "6 recoveries from 2 measurements" in make("cells", "CELLS=cells.tar.gz")

    box.mkdir()
    assert call("tar", "-xzf", str(repository / "cells.tar.gz"), folder=box).returncode == 0
    (tmp_path / "without").mkdir()
    (tmp_path / "without/sitecustomize.py").write_text(WITHOUT)
    there = {"PYTHONPATH": str(tmp_path / "without")}
    for package in ("yaml", "pandas"):
        assert "No module named" in call(sys.executable, "-c", f"import {package}", **there).stderr
    words = ["-m", "steps", "run-cells", ".", "--device", "cpu", "--workers", "1", "--at-once", "2"]
    result = call(sys.executable, *words, folder=box, **there)
    logs = "".join(path.read_text() for path in box.rglob("recover.log"))
    assert result.returncode == 0, result.stdout + result.stderr + logs
    assert result.stdout.splitlines()[-1] == "made: 6, failed: 0, left: 0"

    assert "adopted: 6, there already: 0, numbers only: 0, refused: 0" in make("adopt", f"FROM={box}/packs")
    planned = jobs()
    assert planned.count("collect") == 2
    assert not {"image", "corrupt", "recover", "score"} & set(planned)
    for path in repository.glob("steps/**/*.py"):
        path.touch()
    assert jobs() == planned
    path = repository / "steps/methods/tv.py"
    path.write_text(path.read_text() + "EDITED = 1\n")
    assert jobs().count("recover") == jobs().count("score") == 2
    path.write_text(path.read_text().removesuffix("EDITED = 1\n"))

    nothing = call("make", "cells", "CONFIG=tiny.yaml", "CORES=2")
    assert nothing.returncode == 2 and "no recovery is left to make" in nothing.stderr
    assert not (repository / "results/scores.csv").exists()  # Snakemake without targets would have made everything

    result = snakemake(repository, config="tiny.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    assert jobs() == []
    before = pandas.read_csv(repository / "results/scores.csv")
    assert len(before) == 6 and before["psnr"].between(5, 120).all()  # TV of an image without noise has 94
    assert before["version_numpy"].notna().all()
    for cell in repository.glob("results/denoising/*/*/tv/*"):
        shutil.rmtree(cell)
    result = snakemake(repository, config="tiny.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    after = pandas.read_csv(repository / "results/scores.csv")
    numbers = [
        "image",
        "method",
        "psnr",
        "ssim",
        "input_psnr",
        "oracle_psnr",
        "oracle_iteration",
        "iterations",
        "threads",
    ]
    pandas.testing.assert_frame_equal(before[numbers], after[numbers], check_exact=True)


def test_what_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(adopt, "BYTES", 10**6)
    packed = io.BytesIO()
    np.savez_compressed(packed, a=np.zeros(10**6))
    assert len(packed.getvalue()) < 10**5
    with pytest.raises(BadInput, match=r"trace.npz cannot be read \(it holds more than 1000000 bytes\)"):
        adopt._read("trace.npz", packed.getvalue(), adopt._npz)
