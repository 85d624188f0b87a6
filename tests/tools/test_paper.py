import json

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


def test_without_results_it_says_what_to_do(tmp_path, monkeypatch):
    smoke = str(ROOT / "config/smoke.yaml")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(page.main, [smoke, "p.md", "--command", "make"])
    assert result.exit_code == 1
    assert "results/scores.csv: no such file; run the workflow first" in result.output


def test_a_table_that_was_not_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()
    (tmp_path / "results/scores.csv").write_text("label,version_python\nW,3\n")
    (tmp_path / "results/manifest.json").write_text(json.dumps({"runs": {"1": {}}, "files": {}}))
    (tmp_path / "my.yaml").write_text(json.dumps(CONFIG))
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(page.main, ["my.yaml", "p.md", "--command", "make"])
    assert result.output == "Error: my.yaml: results/time.md: no such file; run the workflow first\n"
    assert result.exit_code == 1 and not (tmp_path / "p.md").exists()
