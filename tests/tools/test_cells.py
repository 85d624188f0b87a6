import os
import shlex
import signal
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from steps.run.sources import sources
from steps.tools import cells

ROOT = Path(__file__).parents[2]
CONFIG = {
    "images": {
        "camera": {"source": "skimage:camera"},
        "coffee": {"source": "skimage:coffee"},
        "logo": {"source": "synthetic:logo"},
    },
    "experiments": {
        "first": {
            "task": "denoising",
            "images": ["camera", "logo"],
            "corruption": {"sigma": 0.1, "seed": [0, 1]},
            "methods": [{"method": "wiener"}, {"method": "tv", "label": "TV, {lam}", "params": {"lam": [0.1, 0.2]}}],
        },
        "second": {
            "task": "denoising",
            "images": ["logo"],
            "corruption": {"sigma": [0.1, 0.2], "seed": 1},
            "methods": [{"method": "wiener", "label": "W"}, {"method": "dip", "params": {"seed": "corruption"}}],
        },
        "third": {"task": "deconvolution", "images": ["logo"], "methods": [{"method": "wiener"}]},
    },
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, now the working directory, with config.yaml."""
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(yaml.safe_dump(CONFIG, sort_keys=False))
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(cells.main, ["config.yaml", *arguments])


def listed(*arguments):
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def refused(*arguments):
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.output.startswith("Error: cells: ") and result.output.count("\n") == 1
    return result.output


def make(*paths):
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(path.encode())


def test_lists_the_scores_of_the_recoveries_one_a_folder(here):
    found = listed()
    assert found[:2] == [
        "results/denoising/camera/sigma=0.1,seed=0/wiener/default/score.json",
        "results/denoising/camera/sigma=0.1,seed=0/tv/lam=0.1/score.json",
    ]
    assert len(found) == len(set(found)) == 2 * 2 * 3 + 2 * 2 - 1 + 1  # Wiener on logo, seed 1, is in two experiments


def test_lists_the_measurements(here):
    assert listed("--measurements", "--experiment", "second") == [
        "results/denoising/logo/sigma=0.1,seed=1/measurement.npz",
        "results/denoising/logo/sigma=0.2,seed=1/measurement.npz",
    ]


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (["--experiment=third"], 1),
        (["--image=camera"], 6),
        (["--image=camera", "--image=logo"], 16),
        (["--method=wiener"], 6),
        (["--label=TV, 0.1"], 4),
        (["--label=W"], 2),
        (["--label=Wiener", "--experiment=first"], 4),
        (["--seed=0"], 7),  # that of third, left unsaid, is 0, too
        (["--seed=1", "--method=tv", "--image=logo"], 2),
    ],
)
def test_filters_choose_by_all_that_are_given(here, filters, count):
    assert len(listed(*filters)) == count


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--experiment=frist", "--experiment: unknown experiment 'frist' (did you mean 'first'?); allowed: first, sec"),
        ("--image=camra", "--image: unknown image 'camra' (did you mean 'camera'?); allowed: camera, logo"),
        ("--method=weiner", "unknown method 'weiner' (did you mean 'wiener'?); allowed: dip, tv, wiener"),
        ("--label=TV, 0.3", "unknown label 'TV, 0.3' (did you mean 'TV, 0.2'?)"),
        ("--seed=7", "unknown seed 7; allowed: 0, 1"),
    ],
)
def test_a_filter_that_nothing_has_is_one_line(here, option, words):
    assert words in refused(option)


def test_those_that_are_there_are_left_out(here):
    make("results/deconvolution/logo/default/wiener/default/recovered.npy")
    everything = listed("--all")
    assert set(everything) - set(listed()) == {"results/deconvolution/logo/default/wiener/default/score.json"}


@pytest.mark.parametrize("options", [[], ["--measurements"]])
def test_a_list_of_nothing_is_empty_and_a_note_says_why(here, options):
    make("results/deconvolution/logo/default/wiener/default/recovered.npy")
    for filters in (["--experiment=third"], ["--experiment=third", "--image=camera"]):
        result = run(*filters, *options)
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr.startswith("cells: no recovery is left to make; --all takes")


def test_a_bundle_of_nothing_is_an_error(here):
    make("results/deconvolution/logo/default/wiener/default/recovered.npy")
    assert "no recovery is left to make; --all takes" in refused("cells.tar.gz", "--experiment=third")
    assert not Path("cells.tar.gz").exists()


@pytest.mark.parametrize("text", ["a: [", "a: \xff", "[]", ""])
def test_a_bad_config_is_one_line(here, text):
    Path("config.yaml").write_bytes(text.encode("latin-1"))
    assert refused().startswith("Error: cells: config.yaml: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cells.zip"], "output: 'cells.zip' is not allowed; must be a file .tar.gz, or - to print paths"),
        (["cells.tar.gz", "--measurements"], "output: 'cells.tar.gz' is not allowed; must be none with --measurements"),
    ],
)
def test_a_bad_output_is_one_line(here, arguments, words):
    assert words in refused(*arguments)


def test_missing_measurements_are_one_line_with_the_command_that_makes_them(here):
    make("results/denoising/logo/sigma=0.1,seed=1/measurement.npz")
    message = refused("cells.tar.gz", "--label=TV, 0.1", "--all")
    assert "3 of 4 measurements are missing, such as results/denoising/camera/sigma=0.1,seed=0/meas" in message
    command = "python -m steps cells config.yaml '--label=TV, 0.1' --all --measurements"
    assert f"snakemake --cores 2 $({command}) --configfile config.yaml" in message
    assert len(listed(*shlex.split(command)[5:])) == 4
    assert not Path("cells.tar.gz").exists()


def bundle(*filters):
    make(*listed("--measurements", *filters))
    assert run("cells.tar.gz", *filters).output.startswith("cells.tar.gz: ")
    with tarfile.open("cells.tar.gz") as tar:
        return tar.getnames()


def test_a_bundle_holds_the_code_that_is_hashed_and_the_measurements(here, monkeypatch):
    found = set(bundle("--method=tv", "--image=logo"))
    monkeypatch.chdir(ROOT)
    code = {*sources("steps.recover", "steps.methods.tv", "steps.tasks.denoising", "steps.noises.gaussian")}
    packages = {f"steps/{folder}__init__.py" for folder in ("", "methods/", "tasks/", "noises/")}
    measurements = {f"results/denoising/logo/sigma=0.1,seed={seed}/measurement.npz" for seed in (0, 1)}
    assert found == code | packages | measurements | {"cells.sh"}


def test_a_bundle_has_the_files_byte_for_byte(here):
    names = bundle("--experiment=second")
    with tarfile.open("cells.tar.gz") as tar:
        for name in names:
            original = here / name if name.startswith("results/") else ROOT / name
            assert name == "cells.sh" or tar.extractfile(name).read() == original.read_bytes()


def test_the_same_cells_are_the_same_bytes_whenever_they_are_bundled(here, monkeypatch):
    names = bundle("--experiment=first")
    assert names == ["cells.sh", *sorted(names[1:])]
    before = Path("cells.tar.gz").read_bytes()
    monkeypatch.setattr(time, "time", lambda: 2e9)
    os.utime("results/denoising/logo/sigma=0.1,seed=0/measurement.npz", (1, 1))
    bundle("--experiment=first")
    assert Path("cells.tar.gz").read_bytes() == before


def test_says_how_many_cells_the_bundle_holds(here):
    bundle("--experiment=second")
    assert run("cells.tar.gz", "--experiment=second").output == "cells.tar.gz: 4 recoveries from 2 measurements\n"


def test_a_bundle_that_fails_leaves_nothing(here, monkeypatch):
    bundle("--experiment=second")
    before = Path("cells.tar.gz").read_bytes()
    monkeypatch.setattr(cells.tarfile.TarFile, "addfile", lambda *_: 1 / 0)
    assert isinstance(run("cells.tar.gz", "--experiment=second").exception, ZeroDivisionError)
    assert Path("cells.tar.gz").read_bytes() == before
    assert not [path for path in here.iterdir() if path.name.startswith(".cells")]


FAKE = """#!/bin/sh
# A Python that makes run.json, fails for the method "wiener" and is slow for "dip".
echo "$*" >> "$CALLS"
case "$4" in wiener) echo where; echo why >&2; exit 1;; dip) trap 'exit 1' INT; sleep 60 & wait;; esac
touch "$6/run.json"
"""


@pytest.fixture
def script(here):
    """A folder with cells.sh for three methods on logo, and a fake Python that notes its arguments in calls."""
    config = {"images": CONFIG["images"], "experiments": {"all": {"task": "denoising", "images": ["logo"]}}}
    config["experiments"]["all"]["methods"] = [{"method": "wiener"}, {"method": "tv"}, {"method": "dip"}]
    Path("config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    bundle()
    Path("python").write_text(FAKE)
    Path("python").chmod(0o755)
    box = here / "a box"
    box.mkdir()
    with tarfile.open("cells.tar.gz") as tar:
        tar.extractall(box, filter="data")
    return box


CELLS = [f"results/denoising/logo/default/{method}/default" for method in ("wiener", "tv", "dip")]


def start(box, folder=None):
    environment = os.environ | {"PYTHON": str(box.parent / "python"), "CALLS": str(box.parent / "calls")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(
        ["sh", str(box / "cells.sh")], cwd=folder or box, env=environment, start_new_session=True, **pipes
    )


def test_the_script_goes_on_after_a_failure_and_says_at_the_end_which_failed(script):
    Path(script, CELLS[2]).mkdir(parents=True)
    Path(script, CELLS[2], "run.json").touch()
    process = start(script)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 1
    assert output.splitlines() == [
        f"[1/3] {CELLS[0]}",
        f"[2/3] {CELLS[1]}",
        f"[3/3] {CELLS[2]}: is there already",
        "",
        f"failed: {CELLS[0]}/recover.log",
    ]
    assert Path(script, CELLS[0], "recover.log").read_text() == "where\nwhy\n"
    expected = "-m steps.recover results/denoising/logo/default/measurement.npz tv default"
    assert Path("calls").read_text().splitlines()[1] == f"{expected} {CELLS[1]} --threads 1"


def test_the_script_goes_on_where_it_was_interrupted(script):
    Path(script, CELLS[0]).mkdir(parents=True)
    Path(script, CELLS[0], "run.json").touch()
    process = start(script)
    while process.stdout.readline() != f"[3/3] {CELLS[2]}\n":
        pass
    while len(Path("calls").read_text().splitlines()) < 2:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=600)
    assert (process.returncode, output) == (130, "")
    assert not Path(script, CELLS[2], "run.json").exists()
    Path("python").write_text("#!/bin/sh\ntouch $6/run.json\n")
    process = start(script, folder=script.parent)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    assert output.splitlines() == [
        *(f"[{i}/3] {cell}: is there already" for i, cell in enumerate(CELLS[:2], start=1)),
        f"[3/3] {CELLS[2]}",
    ]
