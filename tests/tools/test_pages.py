import re

import pytest

from steps.plan.experiments import recoveries
from steps.tools import pages
from tests.recorded import record

ENTRY = {
    "task": "denoising",
    "images": ["camera", "logo"],
    "corruption": {"sigma": [0.1, 0.2]},
    "methods": [{"method": "tv"}, {"method": "wiener", "label": "W"}],
}
CONFIG = {
    "images": {"camera": {"source": "skimage:camera"}, "logo": {"source": "synthetic:logo"}},
    "files": {},
    "metrics": ["psnr"],
    "experiments": {"e": ENTRY},
}
MADE = ("camera/sigma=0.1/tv", "camera/sigma=0.2/tv", "logo/sigma=0.1/tv", "camera/sigma=0.1/wiener")


def test_what_was_not_run_is_named_with_its_count():
    asked = recoveries(ENTRY)
    some = [r for r in asked if f"{r.image}/{r.corruption}/{r.method}" in MADE]
    said = pages.not_run({"e": (asked, some), "f": (asked, asked)})
    assert (
        said == "- e: 4 of 8 recoveries. Not run: W on camera (1), logo (2); TV on logo (1).\n- f: 8 of 8 recoveries."
    )


def test_headings_of_included_files_are_lower(tmp_path):
    (tmp_path / "a.md").write_text("# A\n\ntext # 1\n\n## B\n")
    assert pages.included(tmp_path / "a.md") == "# A\n\ntext # 1\n\n## B"
    assert pages.included(tmp_path / "a.md", 1) == "## A\n\ntext # 1\n\n### B"


@pytest.fixture
def cells():
    """Eight cells of an hour each: three on a GPU, one on a processor that nobody knows, four on one that is known."""
    found = list(record(CONFIG).values())
    for number, cell in enumerate(found):
        cell["score"]["seconds"] = 3600
        cell["day"] = f"2026-11-0{1 + number}"
        if number < 3:
            cell["score"] |= {"device": "Some GPU", "versions": cell["score"]["versions"] | {"torch": f"2.{number}"}}
        if number == 3:
            cell["machine"] = None
    return found


def test_hours_are_by_machine(cells):
    said = pages.spent(cells, 10, {})
    assert said.startswith("8 of 10 cells were recorded 2026-11-01 to 2026-11-08; a cell is one recovery. ")
    hours = ["4 took 4.0 hours on Some processor, 2 CPUs.", "3 took 3.0 hours on Some GPU.", "1 took 1.0 hours on cpu."]
    assert sorted(re.findall(r"\d took .*?\.(?= |$)", said)) == sorted(hours)
    assert pages.spent(cells[:1], 10, {"a": "score"}).endswith(
        "were recorded 2026-11-01; a cell is one recovery. 1 took 1.0 hours on Some GPU. 1 more are left out: code or "
        "settings of theirs have changed since."
    )


def test_the_page_of_cells_names_versions_and_what_is_old(cells):
    said = pages.of_cells(cells, {"results/a/b": "measurement"}, {"e": (recoveries(ENTRY), [])}, "## Time and memory")
    assert "torch 2.0 and 2.1 and 2.2" in said and "| Some processor, 2 CPUs | python 3.11.7, torch 2.13.0" in said
    assert "- results/a/b: its measurement is made otherwise here" in said
    assert "- e: 0 of 8 recoveries. Not run: TV on camera (2)" in said
    assert said.endswith("## Time and memory\n")
    assert "old" not in pages.of_cells(cells, {}, {"e": (recoveries(ENTRY), [])}, "")
