"""results/report.html through Snakemake, and in a browser."""

import json
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
import yaml

from steps.run import report
from tests.browser import browser  # noqa: F401 a fixture
from tests.workflows import command, copy_repository, python, snakemake

TITLE = "Denoising *of* `camera`, a_b_ |x| \\ </script><script>alert(1)</script> {{ 7 * 6 }}"
CONFIG = {
    "device": "cpu",
    "images": {"camera": {"source": "skimage:camera", "size": 32, "stand_in": "another </script><b> camera"}},
    "experiments": {
        "first": {
            "title": TITLE,
            "task": "denoising",
            "images": ["camera"],
            "corruption": {"sigma": [0.1, 0.2], "clip": True},
            "methods": [{"method": "wiener"}],
        },
        "second_one": {
            "task": "deconvolution",
            "images": ["camera"],
            "corruption": {"blur": 1, "kernel": 9},
            "methods": [{"method": "wiener"}],
            "figures": ["comparison"],
        },
    },
}
FIGURES = {
    "first": ["psnr", "comparison/camera/sigma=0.1,clip=true", "comparison/camera/sigma=0.2,clip=true"],
    "second_one": ["comparison/camera/blur=1,kernel=9"],
}
SHOWN = {"results/scores.csv", "results/time.html"}
SHOWN |= {f"results/tables/{name}.html" for name in FIGURES}
SHOWN |= {f"results/figures/{name}/{drawing}.png" for name, drawings in FIGURES.items() for drawing in drawings}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A copy of the repository in which a config has been run; the tests leave it as they found it."""
    folder = tmp_path_factory.mktemp("repository")
    copy_repository(folder)
    (folder / "study.yaml").write_text(yaml.safe_dump(CONFIG))
    result = snakemake(folder, config="study.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"^Report: results/report.html \([34]\.\d MB\)$", result.stderr, re.MULTILINE)
    assert "Adding" not in result.stderr and "system_message" not in result.stderr
    return folder


def variable(path, name):
    """Return one of the JSON variables in a report."""
    page = path.read_text(encoding="utf-8").replace("workflow-desc", "workflow_desc")
    (text,) = re.findall(rf'^ *<script id="{name}">\n *var {name} = (.*);$', page, re.MULTILINE)
    return json.loads(text)


def test_every_table_and_figure_is_in_it_with_a_caption_and_labels(run):
    results = variable(run / "results/report.html", "results")
    assert set(results) == SHOWN
    for name, result in results.items():
        assert len(result["caption"]) > 100 and "system-message" not in result["caption"], name
        assert result["labels"]["result"]
    comparison = results["results/figures/first/comparison/camera/sigma=0.2,clip=true.png"]
    expected = {"result": "figure: comparison", "image": "camera", "corruption": "sigma=0.2,clip=true"}
    assert comparison["labels"] == expected
    assert "stand for others" in comparison["caption"]


def test_it_says_by_what_it_was_made(run):
    text = variable(run / "results/report.html", "workflow_desc")
    for part in ("study.yaml", "torch", "skimage:camera", "Commit", "snakemake --cores 2", "second_one"):
        assert part in text
    assert "Denoising *of* `camera`, a_b_ |x| \\ &lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt; {{" in text
    assert "system-message" not in text


def test_its_first_page_shows_a_result(run, browser):  # noqa: F811
    """Its top is not cut off, and the link leads to the index of results, beside it."""
    browser.open(run / "results/report.html")
    place = "const box = document.querySelector(arguments[0]).getBoundingClientRect(); return [box.top, box.right]"
    top, right = browser.run(place, "div.table")
    assert 0 < top < 400 and right < 1200
    assert "Wiener" in browser.run("return document.querySelector('div.table').innerText")
    shown = "const image = document.querySelector('.prose img'); return image.decode().then(() => image.naturalWidth)"
    assert browser.run(shown) > 300
    assert browser.run(place, ".prose p")[0] >= 0
    address = browser.run("return [...document.querySelectorAll('.prose a')].map(a => a.href)")
    assert address == [(run / "results/index.html").as_uri()]


def test_in_a_browser(run, browser):  # noqa: F811
    """Offline, without errors; categories are experiments; a click shows a figure, a table, the caption, run times."""
    complaints, requests = browser.open(run / "results/report.html")
    assert [text for text in complaints if "tailwindcss.com should not be used in production" not in text] == []
    assert requests == []

    def click(selector, text=""):
        script = "const found = [...document.querySelectorAll(arguments[0])];"
        script += "found.filter(x => x.innerText.trim().startsWith(arguments[1])).at(-1).click()"
        browser.run(script, selector, text)
        browser.settle()

    names = browser.run("return [...document.querySelectorAll('nav li a')].map(x => x.innerText.trim())")
    assert [name for name in names if name] == [
        "Workflow",
        "Statistics",
        "About",
        "All experiments",
        "first",
        "second_one",
    ]
    click("nav li a", "first")
    rows = browser.run(
        "return [...document.querySelectorAll('nav tbody tr')].map(x => x.innerText.split(/\\s*\\t\\s*/))"
    )
    assert [row[0] for row in rows] == ["all images and methods (table)", *["figure: comparison"] * 2, "figure: psnr"]
    for index in (2, 3, 4):
        click(f"nav tbody tr:nth-child({index}) td:last-child a:first-child")
        shown = "const shown = document.querySelector('img[src^=\"data:image/png\"]');"
        assert browser.run(f"{shown} return shown.decode().then(() => shown.naturalWidth)") > 300
    click("nav tbody tr:nth-child(1) td:last-child a:first-child")
    browser.driver.switch_to.frame(browser.driver.find_element("css selector", "iframe"))
    assert "PSNR [dB]" in browser.run("return document.body.innerText")
    assert browser.run("return document.querySelector('a')") is None  # in the report links would lead nowhere
    browser.driver.switch_to.default_content()
    click("nav tbody tr:nth-child(1) td:last-child a:last-child")
    assert "Look for" in browser.run("return document.querySelector('nav').innerText")
    browser.run("app.setView({navbarMode: 'menu'})")
    click("nav li a", "Statistics")
    browser.settle()
    assert browser.run("return document.querySelectorAll('#runtimes canvas, #runtimes svg').length") > 0
    assert not [text for text in browser.complaints() if "Vega-Lite v3" not in text]


def test_nothing_to_do_leaves_it_and_a_deleted_one_is_made_again_by_one_job(run):
    path = run / "results/report.html"
    before = path.stat().st_mtime_ns
    assert "Nothing to be done" in snakemake(run, config="study.yaml").stderr
    assert path.stat().st_mtime_ns == before
    path.unlink()
    part = snakemake(run, "results/tables/first.csv", config="study.yaml")
    assert "Nothing to be done" in part.stderr and not path.exists()
    said = python(run, "steps", "status", "study.yaml").stdout
    assert "1 × index of all results" in said and "the report is missing" in said
    assert "Nothing to be done" in snakemake(run, "--config", "report=False", config="study.yaml").stderr
    result = snakemake(run, config="study.yaml")
    assert result.returncode == 0 and "1 of 2 steps" in result.stdout + result.stderr
    assert set(variable(path, "results")) == SHOWN
    assert "Nothing to be done" in snakemake(run, config="study.yaml").stderr


def test_the_manifest_has_it_and_a_change_of_it_is_found(run):
    manifest = json.loads((run / "results/manifest.json").read_text())
    assert set(manifest["files"]["results/report.html"]["made_of"]) == SHOWN
    assert python(run, "steps", "verify").returncode == 0
    path = run / "results/report.html"
    text = path.read_bytes()
    path.write_bytes(text + b"x")
    assert "results/report.html: " in python(run, "steps", "verify").stdout
    result = snakemake(run, config="study.yaml")
    assert "Damaged" not in result.stderr and "Nothing to be done" in result.stderr
    path.write_bytes(text)


def test_a_large_one_is_a_zip(run, tmp_path):
    script = "import sys; from steps.run import report; report.LARGEST = 1e4; "
    script += "from snakemake.cli import main; main(sys.argv[1:])"
    target = tmp_path / "results"
    for name in ("results", ".snakemake"):
        shutil.copytree(run / name, tmp_path / name)
    (target / "index.html").unlink()  # so that there is something to do
    assert (target / "report.html").exists()
    words = [sys.executable, "-c", script, *command("--directory", str(tmp_path), config="study.yaml")[3:]]
    result = subprocess.run(words, cwd=run, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "Report: results/report.zip" in result.stderr and not (target / "report.html").exists()
    with zipfile.ZipFile(target / "report.zip") as archive:
        names = archive.namelist()
        assert '\\"../index.html\\"' in archive.read("report/report.html").decode()
    assert "report/report.html" in names and len(names) == len(SHOWN) + 1
    assert not [path for path in target.iterdir() if path.name.startswith(".")]


def test_after_a_failure_it_has_what_there_is_and_names_what_failed(run, tmp_path):
    config = json.loads(json.dumps(CONFIG))
    config["experiments"]["second_one"]["corruption"]["kernel"] = 41
    (run / "broken.yaml").write_text(yaml.safe_dump(config))
    result = snakemake(run, "--directory", str(tmp_path), config="broken.yaml")
    assert result.returncode == 1, result.stderr
    for once in ("Report: ", "Failed jobs: 1", "Some jobs failed; now the tables", "the 41x41 kernel is larger than"):
        assert result.stderr.count(once) == 1, result.stderr
    assert "Traceback" not in result.stderr
    found = variable(tmp_path / "results/report.html", "results")
    assert set(found) == {name for name in SHOWN if "second_one" not in name}
    assert "corrupt camera for deconvolution" in variable(tmp_path / "results/report.html", "workflow_desc")


def test_a_report_that_cannot_be_made_is_one_line(run):
    path = run / "workflow/report/combine.rst"
    text = path.read_text()
    before = (run / "results/report.html").read_bytes()
    (run / "results/index.html").unlink()
    path.write_text(text + "{{ nothing.at.all }}")
    try:
        result = snakemake(run, config="study.yaml")
    finally:
        path.write_text(text)
    assert result.returncode == 0 and "Traceback" not in result.stderr
    assert "The report could not be made: " in result.stderr
    assert (run / "results/report.html").read_bytes() == before
    assert not list((run / "results").glob(".report*"))


def test_one_that_is_made_by_hand_shows_figures_with_commas_in_their_names(run):
    result = snakemake(run, "--report", "by_hand.html", config="study.yaml")
    assert result.returncode == 0, result.stderr
    addresses = [found["data_uri"] for found in variable(run / "by_hand.html", "results").values()]
    assert all(address.split(",")[0].endswith(";base64") for address in addresses)


def test_missing_needs_a_whole_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not report.missing()
    report.RESULTS.mkdir()
    (report.RESULTS / "index.html").touch()
    assert report.missing()
    report.ARCHIVE.touch()
    assert not report.missing()
