"""A metric of three lines, dropped into a copy of the repository, is shown everywhere and costs no recovery."""

import json
import re

import pandas
import pytest
import yaml

from steps.plan.metrics import TAKEN
from tests.workflows import copy_repository, jobs, python, snakemake

METRIC = """BETTER = "lower"
def measure(truth, estimate):
    return abs(truth - estimate).mean()
"""
CONFIG = {
    "device": "cpu",
    "report": False,
    "images": {"logo": {"source": "synthetic:logo", "size": 24}},
    "experiments": {
        "mine": {
            "task": "denoising",
            "images": ["logo"],
            "corruption": {"sigma": 0.1},
            "methods": [{"method": "wiener"}, {"method": "tv", "params": {"iterations": 20}}],
            "figures": ["metrics", "comparison"],
        }
    },
}
SHOWN = {"tabulate": 1, "render": 1, "show": 1, "draw metrics": 1, "draw comparison": 1, "index": 1}
SCORED = SHOWN | {"score wiener": 1, "score tv": 1, "collect": 1, "combine": 1, "timing": 1, "render": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A copy of the repository in which CONFIG has been run with the default metrics; then a metric is dropped in."""
    folder = tmp_path_factory.mktemp("repository")
    copy_repository(folder)
    run(folder)
    (folder / "steps/metrics/mae.py").write_text(METRIC)
    return folder


def write(folder, **keys):
    (folder / "mine.yaml").write_text(yaml.safe_dump(CONFIG | keys))
    return "mine.yaml"


def run(folder, **keys):
    result = snakemake(folder, config=write(folder, **keys))
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_metric_that_is_named_is_shown_everywhere_and_no_recovery_is_made(folder):
    assert not jobs(folder, config=write(folder))  # that it is there does nothing
    assert jobs(folder, config=write(folder, metrics=["psnr", "mae"])) == SCORED
    run(folder, metrics=["psnr", "mae"])
    scores = pandas.read_csv(folder / "results/scores/mine.csv")
    assert scores["mae"].between(0, 1).all() and (scores["input_mae"] > scores["mae"]).all()
    better = scores.sort_values("mae")["label"].iloc[0]
    table = (folder / "results/tables/mine.md").read_text()
    assert "## mae\n\nLower is better.\n" in table and "## SSIM" not in table
    row = re.search(r"^\| logo \|.*", table.split("## mae")[1], re.MULTILINE)[0]
    assert "| image | truth | input | Wiener | TV |" in table and row.startswith("| logo | 0.000 | ")
    assert re.findall(r"\*\*(.*?)\*\*", row) == [f"{scores['mae'].min():.3f}"]
    page = (folder / "results/pages/mine.html").read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert data["better"] == {"PSNR": "higher", "mae": "lower"}
    panels = {panel["label"]: panel for panel in data["cases"][0]["panels"]}
    assert "mae" in panels[better]["best"] and "mae" in panels["Input"]["numbers"]
    columns = {name for name in scores.columns if not name.startswith(("input_", "version_"))}
    assert columns - {"psnr", "mae"} <= TAKEN  # no metric may take the name of any of them


def test_a_changed_formula_scores_anew_and_what_is_only_shown_does_not(folder):
    config, file = write(folder, metrics=["psnr", "mae"]), folder / "steps/metrics/mae.py"
    run(folder, metrics=["psnr", "mae"])
    try:
        for text, expected in (
            ("# why\n" + METRIC, {}),
            ("LABEL = 'MAE'\nDECIMALS = 5\n" + METRIC, SHOWN),
            (METRIC.replace("mean", "max"), SCORED),
        ):
            file.write_text(text)
            assert jobs(folder, config=config) == expected, text
    finally:
        file.write_text(METRIC)
    assert jobs(folder, config=write(folder, metrics=["mae"])) == SHOWN  # PSNR was there, and still is scored
    assert jobs(folder, config=write(folder, metrics=["mae", "psnr"])) == SHOWN  # the order is not what is measured


def test_try_prints_it_and_says_which_is_the_better(folder):
    words = ["steps", "try", "synthetic:logo", "--size", "24", "--method", "wiener"]
    result = python(folder, *words, "--method", "tv:iterations=20", "--metric", "mae", "-o", "tried")
    assert result.returncode == 0, result.stdout + result.stderr
    lines = [line.split() for line in result.stdout.splitlines() if line]
    assert ["mae", "Time", "[s]"] in lines
    numbers = {line[0]: float(line[1]) for line in lines if line[0] in ("truth", "input", "Wiener", "TV")}
    assert numbers.pop("truth") == 0
    assert set(numbers) == {"input", "Wiener", "TV"} and max(numbers, key=numbers.get) == "input"
    assert f"Best: {min(numbers, key=numbers.get)} by mae (lower is better)." in result.stdout


def test_a_metric_that_is_not_there_is_refused_before_any_job(folder):
    result = snakemake(folder, "--dry-run", config=write(folder, metrics=["mea"]))
    assert result.returncode == 1
    assert "mine.yaml: metrics: unknown metric 'mea' (did you mean 'mae'?); allowed: gmsd, isnr, mae" in result.stderr
