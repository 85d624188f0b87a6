"""results/index.html: what it links to, how it looks, and every link of results/ followed in a browser."""

import json
import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse

import pytest
import yaml
from click.testing import CliRunner

from steps import index
from steps.look import web
from steps.run import report
from tests.browser import browser  # noqa: F401 a fixture
from tests.workflows import copy_repository, snakemake

TITLE = "Denoising <b>of</b> `a_b` & {{title}} 100 %"
TABLE = "| image | input | Wiener |\n| --- | ---: | ---: |\n| camera | 20.58 | **24.09** |\n"
CONFIG = {
    "device": "cpu",
    "published": "tests/published.csv",
    "images": {"camera": {"source": "skimage:camera", "size": 32}},
    "experiments": {
        "first": {
            "title": TITLE,
            "task": "denoising",
            "images": ["camera"],
            "corruption": {"sigma": [0.05, 0.1], "clip": True, "seed": 0},
            "methods": [{"method": "wiener", "published": "W"}, {"method": "nlm"}],
            "published": {"table": "smoke", "tolerances": [{"db": 1, "reason": "it is a test"}]},
            "figures": ["psnr", "comparison", "vs_paper"],
        },
        "second_one": {
            "task": "single_pixel",
            "images": ["camera"],
            "corruption": {"compression": 4},
            "methods": [{"method": "wiener"}],
            "figures": [],
        },
    },
}


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A folder with some results of an experiment, now the working directory; its page is not made yet."""
    monkeypatch.chdir(tmp_path)
    drawings = ["a/psnr", "a/comparison/camera/sigma=0.1,clip=true", "a/never"]
    contents = {"config": "my <config>.yaml", "recoveries": 7}
    contents["experiments"] = {"a": {"title": TITLE, "drawings": drawings}, "b": {"title": "b", "drawings": []}}
    for name in ("tables", "pages", *(f"figures/{drawing}" for drawing in drawings[:2])):
        Path("results", name).parent.mkdir(parents=True, exist_ok=True)
    for drawing in drawings[:2]:
        Path(f"results/figures/{drawing}.png").write_bytes(b"png")
    Path("results/figures/a/psnr.pdf").write_bytes(b"pdf")
    Path("results/tables").mkdir()
    Path("results/tables/a.md").write_text(f"# a\n\nNote.\n\n## PSNR [dB]\n\nWhat it is.\n\n{TABLE}")
    Path("results/tables/a.html").write_text("a")
    Path("results/scores.csv").write_text("a")
    Path("contents.json").write_text(json.dumps(contents))
    return Path("results")


def made():
    """Return the page and the paths that it links to."""
    result = CliRunner().invoke(index.main, ["contents.json", "results/index.html"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    page = Path("results/index.html").read_text()
    return page, [unquote(address) for address in re.findall(r'(?:href|src)="([^"]*)"', page)[1:]]  # first the icon


def test_it_links_to_what_is_there_and_to_nothing_else(results):
    _, linked = made()
    assert set(linked) == {
        *("scores.csv", "tables/a.html", "tables/a.md", "figures/a/psnr.png", "figures/a/psnr.pdf"),
        "figures/a/comparison/camera/sigma=0.1,clip=true.png",
    }
    assert Counter(linked)["figures/a/psnr.png"] == 3  # the picture, the link around it, and in the list


def test_what_follows_when_all_jobs_are_done_is_linked_as_there_will_be_it(results, monkeypatch):
    assert not {"report.html", "manifest.json"} & set(made()[1])
    monkeypatch.setenv(report.PROMISED, "manifest.json report.html")
    assert {"report.html", "manifest.json"} < set(made()[1])
    monkeypatch.setattr(report, "LARGEST", 3)
    linked = set(made()[1])
    assert "report.zip" in linked and "report.html" not in linked


def test_it_shows_the_first_table_a_picture_and_titles_as_they_are(results):
    page, _ = made()
    assert page.count("<table>") == 1 and "<strong>24.09</strong>" in page and "PSNR [dB]" in page
    assert "What it is." not in page and "<p>Note.</p>" not in page
    assert page.count("Denoising &lt;b&gt;of&lt;/b&gt; `a_b` &amp; {{title}} 100 %") == 2
    assert "<title>Results of my &lt;config&gt;.yaml</title>" in page and "2 experiments, 7 recoveries" in page
    assert "<script" not in page and not re.search(r"https?:|@import|url\(", page)


def test_the_headline_of_a_long_table_is_its_means_else_its_first_rows():
    head, row = "# t\n\n## PSNR [dB]\n\n| image | TV |\n| --- | ---: |\n", "| camera | 1.00 |\n"
    text = web.headline(f"{head}{row * 14}| mean of 14 images | 2.00 |\n\n## SSIM\n\n{TABLE}")
    assert "mean of 14 images" in text and "camera" not in text and "1 of 15 rows." in text and "SSIM" not in text
    text = web.headline(head + row * 13)
    assert text.count("camera") == web.MOST == 12 and "12 of 13 rows." in text
    assert "rows" not in web.headline(head + row * 12)
    assert web.headline("# t\n\n## VIF\n\nNo recovery has one.\n\n## SSIM\n\n" + TABLE).startswith("<p>SSIM</p>")
    assert web.headline("# t\n\nNothing.") == ""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A copy of the repository in which CONFIG has been run."""
    folder = tmp_path_factory.mktemp("repository")
    copy_repository(folder)
    (folder / "study.yaml").write_text(yaml.safe_dump(CONFIG, sort_keys=False))
    result = snakemake(folder, config="study.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def followed(browser, results):  # noqa: F811
    """Follow every link from the index to every page below results; return {page: the paths that it links to}."""
    found, waiting = {}, [results / "index.html"]
    while waiting:
        page = waiting.pop()
        complaints, requests = browser.open(page)
        assert [text for text in complaints if "tailwindcss.com should not be used" not in text] == [], page
        assert all(address.startswith(results.as_uri()) for address in requests), page
        script = "return [...document.querySelectorAll('a[href], img[src]')].map(x => x.getAttribute(arguments[0]))"
        addresses = {*browser.run(script, "href"), *browser.run(script, "src")} - {None, "#"}
        addresses = {address for address in addresses if not address.startswith(("data:", "javascript:"))}
        for address in addresses:
            assert not urlparse(address).scheme and not address.startswith("/"), f"{page}: {address} is not relative"
        script = "return arguments[0].map(address => new URL(address, document.baseURI).href)"
        paths = browser.run(script, sorted(addresses))
        found[page] = {Path(unquote(urlparse(urldefrag(path)[0]).path)) for path in paths}
        for path in found[page]:
            assert path.is_file(), f"{page} links to {path}, which is not there"
            if path.suffix == ".html" and path not in found and path not in waiting:
                waiting.append(path)
    return found


@pytest.mark.parametrize("reported", [True, False])
def test_every_link_leads_to_a_file_every_page_back_and_no_file_is_left_out(run, browser, reported):  # noqa: F811
    results = run / "results"
    if not reported:
        for name in ("report.html", "index.html", "manifest.json"):
            (results / name).unlink()
        result = snakemake(run, "--config", "report=False", config="study.yaml")
        assert result.returncode == 0 and "1 of 2 steps" in result.stdout + result.stderr, result.stderr
    found = followed(browser, results)
    files = {path for pattern in ("*.html", "tables/*", "pages/*", "figures/**/*") for path in results.glob(pattern)}
    files = {path for path in files if path.is_file() and path.suffix != ".log"}
    assert files | {results / "scores.csv", results / "manifest.json"} == set().union(*found.values())
    assert (results / "report.html" in found) == reported
    for page, paths in found.items():
        assert results / "index.html" in paths or page == results / "index.html"
    for name in ("first", "second_one"):
        table, page = results / f"tables/{name}.html", results / f"pages/{name}.html"
        assert page in found[table] and table in found[page]
    assert results / "tables/first.html" in found[results / "tables/first_vs_paper.html"]


@pytest.mark.parametrize("width", [390, 1400, 2560])
def test_it_fits_the_screen_and_is_dark_where_all_is(run, browser, width):  # noqa: F811
    brightness = []
    for dark in (False, True):
        browser.open(run / "results/index.html", width=width, dark=dark, touch=width < 500)
        assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
        assert browser.run("return document.querySelector('section img').naturalWidth") > 300
        low = "return Math.min(...[...document.querySelectorAll('nav a, section p a')].map(x => x.offsetHeight))"
        assert browser.run(low) >= 24  # for a thumb
        brightness.append(browser.screenshot()[:200].mean())
    assert brightness[0] > 220 and brightness[1] < 60
