import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from steps.plan.config import read_config
from steps.tools import paper as page
from steps.tools import recorded
from tests.recorded import record
from tests.workflows import ROOT

PNG = b"\x89PNG, drawn where its pictures were"
FIGURES = {  # of the smoke config, and fewer
    "[psnr, comparison, time, vs_paper]": "[comparison, vs_paper]",
    "[psnr, matrix, curves, architecture, film_strip]": "[matrix, curves, film_strip]",
}
CONFIG = {
    "images": {"camera": {"source": "skimage:camera"}, "logo": {"source": "synthetic:logo"}},
    "experiments": {"e": {"task": "denoising", "images": ["camera"], "methods": [{"method": "tv"}]}},
}


def write(*arguments):
    result = CliRunner().invoke(page.main, ["my.yaml", "docs/smoke.md", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def pages():
    return {path.name: path.read_bytes() for path in Path("docs").rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the smoke config and a record of it, but for one cell; it has pictures, and no results."""
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "config/smoke.yaml").read_text()
    for figures, fewer in FIGURES.items():
        assert figures in text
        text = text.replace(figures, fewer)
    Path("my.yaml").write_text(text)
    Path("docs/smoke").mkdir(parents=True)
    for name in ("single_pixel-matrix-logo", "denoising-comparison-camera", "gone"):
        Path(f"docs/smoke/{name}.png").write_bytes(PNG)
    config = read_config("my.yaml")
    missing = "results/single_pixel/logo/compression=4/dip/iterations=5,channels=8,scales=2,seed=1"
    cells = record(config, made=lambda r: r.folder != missing)
    recorded.write("docs/smoke/record.jsonl", cells)
    return cells


def test_the_pages_are_made_of_the_record_alone_and_making_them_again_changes_nothing(folder):
    assert write().exit_code == 0
    made = pages()
    assert {name for name in made if name.endswith(".md")} == {
        *("smoke.md", "claims.md", "cells.md", "denoising.md", "single_pixel.md")
    }
    figures = {"overview", "denoising-vs_paper", "single_pixel-matrix-logo", "single_pixel-curves"}
    assert {name for name in made if name.endswith(".png")} == {f"{name}.png" for name in figures}
    assert made["single_pixel-matrix-logo.png"] == PNG  # of pictures that are not here
    assert not Path("results").exists()
    first = made["smoke.md"].decode()
    assert "| 5 published numbers | within | better | worse | not comparable |" in first
    assert "| 1 claims | stand | fail | undecided | no numbers |" in first
    assert (
        "17 of 18 cells were recorded 2026-11-01; a cell is one recovery. 17 took 0.0 hours on Some processor, 2 CPUs."
        in first
    )
    assert "](smoke/claims.md#wiener-flat)" in first
    for name in made:
        linked = any(f"{name}{end}".encode() in text for text in made.values() for end in ")#")
        assert linked or name in ("smoke.md", "record.jsonl"), name
    assert b"- single_pixel: 5 of 6 recoveries. Not run: " in made["cells.md"]
    assert write().exit_code == 0
    assert pages() == made


def test_cells_of_other_code_are_named_and_left_out(folder):
    old = [name for name in folder if "/denoising/" in name]
    for name in old[1:]:
        folder[name]["code"]["measurement"] = "of other code"
    recorded.write("docs/smoke/record.jsonl", folder)
    assert write().exit_code == 0
    made = pages()
    named = [f"- {name}: its measurement is made otherwise here" for name in old]
    assert [line in made["cells.md"].decode() for line in named] == [False] + [True] * 11
    assert "11 more are left out: code or settings of theirs have changed since." in made["smoke.md"].decode()
    assert "not run" in made["smoke.md"].decode()


def test_a_picture_that_code_draws_is_taken_from_results_if_all_of_it_is_there(folder):
    picture = Path("results/figures/single_pixel/matrix/logo.png")
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"new")
    cells = [r for r in page.planned.distinct(read_config("my.yaml")) if r.image == "logo"]
    folder = record(read_config("my.yaml"))
    recorded.write("docs/smoke/record.jsonl", folder)
    for cell in cells:
        assert write().exit_code == 0 and pages()["single_pixel-matrix-logo.png"] == PNG
        Path(cell.folder).mkdir(parents=True)
        Path(cell.folder, "recovered.npy").touch()
        origin = folder[cell.folder]["score"]["origin"] | ({"code": "of other code"} if cell is cells[0] else {})
        Path(cell.folder, "run.json").write_text(json.dumps({"origin": origin}))
    assert write().exit_code == 0 and pages()["single_pixel-matrix-logo.png"] == PNG
    Path(cells[0].folder, "run.json").write_text(json.dumps({"origin": folder[cells[0].folder]["score"]["origin"]}))
    assert write().exit_code == 0 and pages()["single_pixel-matrix-logo.png"] == b"new"
    picture.unlink()
    assert write().exit_code == 0 and pages()["single_pixel-matrix-logo.png"] == b"new"


def test_what_cannot_be_a_page_is_one_line_and_changes_nothing(folder):
    before = pages()
    Path("docs/smoke/mine.md").write_text("mine")
    result = write()
    assert "docs/smoke.md: must be a file .md, without a folder docs/smoke that holds more" in result.output
    Path("docs/smoke/mine.md").unlink()
    result = CliRunner().invoke(page.main, ["my.yaml", "docs/smoke.txt"])
    assert "docs/smoke.txt: must be a file .md" in result.output
    Path("docs/smoke/record.jsonl").unlink()
    result = write()
    assert result.exit_code == 1 and result.output.count("\n") == 1
    assert "docs/smoke/record.jsonl: has no cell of my.yaml that is current; run the workflow, then" in result.output
    assert pages() == {name: content for name, content in before.items() if name != "record.jsonl"}


def test_an_experiment_without_a_cell_has_no_part(folder):
    recorded.write("docs/smoke/record.jsonl", {name: c for name, c in folder.items() if "single_pixel" in name})
    assert write().exit_code == 0
    made = pages()
    assert "denoising.md" not in made and "overview.png" not in made
    assert "published numbers" not in made["smoke.md"].decode()
    assert b"- denoising: 0 of 12 recoveries." in made["cells.md"]


def test_a_config_without_the_key_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my.yaml").write_text(json.dumps(CONFIG))
    result = CliRunner().invoke(page.main, ["my.yaml", "p.md"])
    assert result.output == "Error: my.yaml: missing key 'record', the file (.jsonl) of its finished recoveries\n"


def test_pictures_of_photographs_are_not_given_away():
    assert page.publishable("e/psnr", CONFIG)
    assert page.publishable("e/matrix/logo", CONFIG)
    assert not page.publishable("e/matrix/camera", CONFIG)
    assert not page.publishable("e/comparison/camera/sigma=0.1", CONFIG)
