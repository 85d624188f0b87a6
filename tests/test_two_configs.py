"""Two configs in one folder that mean different things by the name of an experiment, or of an image."""

import copy
import json

import numpy as np
import pytest
import yaml

from tests.workflows import copy_repository, jobs, snakemake

CONFIG = {
    "device": "cpu",
    "images": {"logo": {"source": "synthetic:logo", "size": 32}},
    "experiments": {
        "study": {
            "task": "denoising",
            "images": ["logo"],
            "corruption": {"sigma": 0.1},
            "methods": [{"method": "wiener"}],
            "figures": [],
        }
    },
}
TARGET = "results/tables/study.csv"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A copy of the repository in which a table has been made of the experiment of mine.yaml; no test changes it."""
    folder = tmp_path_factory.mktemp("repository")
    copy_repository(folder)
    write(folder, "mine.yaml")
    result = snakemake(folder, TARGET, config="mine.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def write(folder, name, sigma=0.1, size=32, experiment="study"):
    config = copy.deepcopy(CONFIG)
    config["images"]["logo"]["size"] = size
    config["experiments"] = {experiment: config["experiments"]["study"] | {"corruption": {"sigma": sigma}}}
    (folder / name).write_text(yaml.safe_dump(config))


def test_another_experiment_of_the_same_name_stops_before_any_job(run):
    write(run, "other.yaml", sigma=0.2)
    table = (run / TARGET).read_text()
    notes = {path: path.read_bytes() for path in (run / "results/code").iterdir()}
    for options in ([], ["--dry-run"], ["all"]):
        result = snakemake(run, TARGET, *options, config="other.yaml")
        (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
        assert result.returncode == 1 and "Traceback" not in result.stderr
        assert line.startswith("Error: other.yaml") and "experiments.study: mine.yaml means something else" in line
        assert line.endswith("; rename one of them, or run in a folder of its own (--directory)")
    assert (run / TARGET).read_text() == table
    assert {path: path.read_bytes() for path in (run / "results/code").iterdir()} == notes
    assert jobs(run, TARGET, config="mine.yaml") == {}


@pytest.mark.parametrize(
    "change", ["renamed", "deleted", "edited", "both edited", "experiment renamed", "said on the command line"]
)
def test_what_may_take_the_place_of_an_experiment(run, change):
    """The same config edited or renamed, or one that is gone, says the same by now, or has no such experiment."""
    options, config = [], "mine.yaml"
    write(run, "other.yaml", sigma=0.2)
    try:
        if change in ("renamed", "deleted"):
            (run / "mine.yaml").unlink()
        if change == "experiment renamed":
            write(run, "mine.yaml", experiment="mine")
        if "edited" in change:
            write(run, "mine.yaml", sigma=0.2)
        if change == "edited":
            pass
        elif change == "said on the command line":
            study = CONFIG["experiments"]["study"] | {"corruption": {"sigma": 0.2}}
            options = ["--config", f"experiments={json.dumps({'study': study})}"]
        else:
            config = "other.yaml"
        planned = jobs(run, TARGET, *options, config=config)
    finally:
        write(run, "mine.yaml")
    assert planned["recover wiener"] == planned["tabulate"] == 1


def test_another_image_of_the_same_name_is_said_and_made(run):
    write(run, "other.yaml", size=40)
    result = snakemake(run, TARGET, "--dry-run", config="other.yaml")
    line = "other.yaml: images.logo: mine.yaml means something else by this name: what was made of that is made anew"
    assert result.returncode == 0 and line in result.stderr.splitlines(), result.stderr
    assert "images.logo" not in snakemake(run, TARGET, "--dry-run", config="mine.yaml").stderr


def test_a_file_that_the_other_config_names_no_more(run):
    np.save(run / "psf.npy", np.ones((3, 3)))
    (run / "results/code/files-shake.txt").write_text("of another file  mine.yaml\n")
    config = copy.deepcopy(CONFIG) | {"files": {"shake": {"source": "psf.npy"}}}
    (run / "other.yaml").write_text(yaml.safe_dump(config))
    assert jobs(run, "results/files/shake.npy", config="other.yaml")["file"] == 1


def test_code_that_cannot_be_followed_is_no_reason_to_take_old_results(run):
    """Snakemake would: of an input function that fails it takes a file that is there to be nobody's."""
    path = run / "steps/methods/wiener.py"
    text = path.read_text()
    path.write_text(text + "\n\ndef other():\n    from .tv import recover\n")
    result = snakemake(run, TARGET, "--dry-run", config="mine.yaml")
    path.write_text(text)
    assert result.returncode == 1 and result.stderr.splitlines()[-1].startswith("Error: ")
    assert "a relative import; must be absolute" in result.stderr
