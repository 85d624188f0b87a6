"""The documentation site: what docs/hooks.py and docs/docstrings.py make of the code, and every link of it."""

import os
import subprocess
import sys
from urllib.parse import unquote, urldefrag

import pytest

from steps.base import discover
from tests.workflows import ROOT

PACKAGES = ROOT / ".mkdocs"
COLUMNS = ["deconvolution", "demosaicking", "denoising", "inpainting", "single pixel", "super resolution"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built of the documents and the code that are here, and of the run that `make docs` did."""
    if not (PACKAGES / "mkdocs").is_dir() or not (ROOT / ".site/results/pages").is_dir():
        pytest.skip("needs what make docs installs and runs")
    folder = tmp_path_factory.mktemp("site")
    environment = os.environ | {"PYTHONPATH": str(PACKAGES), "NO_MKDOCS_2_WARNING": "1"}
    words = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder)]
    result = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def test_a_browser_follows_every_link_and_nothing_is_missing_or_asked_of_another_host(site, browser):
    """Follows links from the first page on, as a reader would, without a network."""
    start = (site / "index.html").as_uri()
    found, pages = {start: None}, {}
    while waiting := [url for url in found if urldefrag(url).url not in pages]:
        url = urldefrag(waiting[0]).url
        path = unquote(url.removeprefix("file://"))
        assert os.path.isfile(path), f"{found[waiting[0]]} links to {url}"
        pages[url] = None
        if not path.endswith(".html"):
            continue
        complaints, asked = browser.open(path)
        assert not complaints, (path, complaints)
        assert all(other.startswith(site.as_uri()) for other in asked), path
        pages[url] = set(browser.run("return [...document.querySelectorAll('[id], a[name]')].map(e => e.id || e.name)"))
        links = browser.run("return [...document.links].map(link => link.href)")
        broken = browser.run("return [...document.images].filter(i => !i.naturalWidth).map(i => i.currentSrc || i.src)")
        lazy = [other for other in broken if not os.path.isfile(unquote(other.removeprefix("file://")))]
        assert not lazy, f"{path} shows {lazy}"
        found |= {link: path for link in links if link.startswith("file:") and link not in found}
    for link, path in found.items():
        url, anchor = urldefrag(link)
        assert not anchor or not pages[url] or unquote(anchor) in pages[url] or anchor == "__skip", f"{path}: {link}"
    places = {unquote(url.removeprefix(f"{site.as_uri()}/")) for url in pages}
    written = {path.relative_to(ROOT).with_suffix(".html").as_posix() for path in ROOT.glob("docs/*.md")}
    assert written | {"look/comparison.html", "code/methods.html", "reference/commands.html"} <= places


def test_the_search_finds_a_word_in_pages_that_are_opened_as_files(site, browser):
    browser.open(site / "docs/runs.html")
    browser.run("document.querySelector('.md-search__input').focus()")
    browser.keys(*"anscombe")
    shown = "return [...document.querySelectorAll('.md-search-result__link')].map(link => link.href)"
    for _ in range(100):
        if urls := browser.run(shown):
            break
        browser.settle()
    assert any(url.endswith("code/inverse.html#steps.inverse.anscombe") for url in urls)


def test_a_row_of_methods_and_tasks_is_what_the_file_says(site):
    text = (site / "reference/methods_and_tasks.html").read_text(encoding="utf-8")
    rows = [row.split("<td")[1:] for row in text.split("<tr>")[2:]]
    assert len(rows) == len(discover.available("methods"))
    ticks = {row[1].split("<code>")[1].split("<")[0]: ["✓" in cell for cell in row[2:]] for row in rows}
    assert ticks["bicubic"] == [name == "super resolution" for name in COLUMNS] and all(ticks["tv"])


def test_the_gallery_has_a_drawing_of_every_figure(site):
    for name in discover.available("figures"):
        assert (site / f"look/{name}.png").read_bytes().startswith(b"\x89PNG")


def test_a_docstring_is_shown_as_it_is_meant(monkeypatch):
    monkeypatch.syspath_prepend(str(PACKAGES))
    pytest.importorskip("griffe", reason="needs what make docs installs")
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import docstrings

    text = """Return x * y of a [list].

    An equation:

        y = A x

    a, b_c  what they are,
        on two lines: `a*b`.
    d
        another.
    """
    wanted = "Return x \\* y of a \\[list\\].\n\nAn equation:\n\n    y = A x\n\n"
    wanted += "**a, b\\_c**\n:   what they are, on two lines: `a*b`.\n\n**d**\n:   another."
    assert docstrings.markdown(text) == wanted
