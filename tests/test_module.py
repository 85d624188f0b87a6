"""docs/module.md, as it is written."""

import re
import shlex

import pandas
import pytest

from tests.workflows import ROOT, copy_repository, python

PAGE = (ROOT / "docs/module.md").read_text()
(COMMAND,) = re.findall(r"^    priorbench/\.venv/bin/snakemake (.*)$", PAGE, re.MULTILINE)


def snakemake(folder, *words):
    return python(folder, "snakemake", *shlex.split(COMMAND), *words)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Another workflow, which has been run, with a copy of the repository beside it."""
    folder = tmp_path_factory.mktemp("other")
    copy_repository(folder / "priorbench")
    for name, language in {"config.yaml": "yaml", "Snakefile": "python"}.items():
        (text,) = re.findall(rf"^`{name}`.*?^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
        (folder / name).write_text(text)
    result = snakemake(folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def test_its_rule_and_priorbench_s_are_run(run):
    assert len(pandas.read_csv(run / "results/scores.csv")) == 4
    assert (run / "results/figures/mine/psnr.png").is_file()
    lines = (run / "best.txt").read_text().splitlines()
    assert len(lines) == 4 and lines[-1] == "done", "a command of two parts was cut short"


def test_nothing_is_done_twice(run):
    result = snakemake(run)
    assert "Nothing to be done" in result.stderr, result.stderr


def test_editing_priorbench_s_code_reruns_what_depends_on_it(run):
    path = run / "priorbench/steps/methods/wiener.py"
    text = path.read_text()
    path.write_text(text + "\nEDITED = 1\n")
    result = snakemake(run, "--dry-run")
    path.write_text(text)
    planned = re.findall(r"^Job \d+: (recover .*)$", result.stdout + result.stderr, re.MULTILINE)
    assert len(planned) == 2 and all("by wiener" in line for line in planned)


def test_a_bad_config_is_one_line(run):
    path = run / "config.yaml"
    text = path.read_text()
    path.write_text(text.replace("denoising", "denoise"))
    result = snakemake(run)
    path.write_text(text)
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert "Error: config of the module priorbench: experiments.mine.task: unknown task 'denoise'" in result.stderr


def test_its_report_has_priorbench_s_results(run):
    result = snakemake(run, "--report", "report.html")
    assert result.returncode == 0, result.stderr
    assert '"results/figures/mine/psnr.png": {' in (run / "report.html").read_text()
