import json
import subprocess

import pytest
from click.testing import CliRunner

from steps.tools import paper as page
from tests.workflows import ROOT

CONFIG = {
    "images": {"camera": {"source": "skimage:camera"}, "logo": {"source": "synthetic:logo"}},
    "experiments": {
        "e": {
            "task": "denoising",
            "images": ["camera", "logo"],
            "corruption": {"sigma": [0.1, 0.2]},
            "methods": [{"method": "tv"}, {"method": "wiener", "label": "W"}],
        }
    },
}


def test_what_was_not_run_is_named_with_its_count(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for place in ("camera/sigma=0.1/tv", "camera/sigma=0.2/tv", "logo/sigma=0.1/tv", "camera/sigma=0.1/wiener"):
        folder = tmp_path / f"results/denoising/{place}/default"
        folder.mkdir(parents=True)
        (folder / "recovered.npy").touch()
    assert page.not_run(CONFIG) == "- e: 4 of 8 recoveries. Not run: W on camera (1), logo (2); TV on logo (1)."


def test_pictures_of_photographs_are_not_given_away():
    assert page.publishable("e/psnr", CONFIG)
    assert page.publishable("e/matrix/logo", CONFIG)
    assert not page.publishable("e/matrix/camera", CONFIG)
    assert not page.publishable("e/comparison/camera/sigma=0.1", CONFIG)


def test_headings_of_included_files_are_one_level_lower(tmp_path):
    (tmp_path / "a.md").write_text("# A\n\ntext # 1\n\n## B\n")
    assert page.included(tmp_path / "a.md") == "## A\n\ntext # 1\n\n### B"


def test_the_commit_says_if_the_code_has_changed(tmp_path, monkeypatch):
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps/a.py").write_text("1")
    monkeypatch.setattr(page, "__file__", str(tmp_path / "steps/tools/paper.py"))
    assert page.commit() == "unknown"

    def git(*arguments):
        settings = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        return subprocess.run(["git", *settings, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "a")
    head = git("rev-parse", "HEAD").stdout.strip()
    assert page.commit() == head
    (tmp_path / "README.md").write_text("2")
    assert page.commit() == head
    (tmp_path / "steps/a.py").write_text("2")
    assert page.commit() == f"{head} with changes"


def test_without_results_it_says_what_to_do(tmp_path, monkeypatch):
    smoke = str(ROOT / "config/smoke.yaml")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(page.main, [smoke, "p.md", "--command", "make"])
    assert result.exit_code == 1
    assert "results/scores.csv: no such file; run the workflow first" in result.output


def test_a_table_that_was_not_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()
    (tmp_path / "results/scores.csv").write_text("label,version_python\nW,3\n")
    (tmp_path / "my.yaml").write_text(json.dumps(CONFIG))
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(page.main, ["my.yaml", "p.md", "--command", "make"])
    assert result.output == "Error: my.yaml: results/time.md: no such file; run the workflow first\n"
    assert result.exit_code == 1 and not (tmp_path / "p.md").exists()


@pytest.mark.parametrize("word", ["cores", "GiB", "GPU"])
def test_a_machine_in_words(word):
    assert word in page.machine()
