import re

import pytest
from click.testing import CliRunner

from steps import render
from steps.look import web
from steps.tables.markup import escape_markdown
from tests.browser import browser  # noqa: F401 a fixture

MARKDOWN = """# A <b>title</b>

A note with \\*stars\\*, <script>alert(1)</script> and [a link](javascript:alert(1)).

## PSNR [dB]

| image | sigma | input | TV | BM3D |
| --- | --- | ---: | ---: | ---: |
| camera | 0.1 | 20.58 | 27.55 ± 0.10 | **29.16** |
| logo | 0.05 | 26.24 | not run | **103.10** |
| \\<i\\> \\| \\*x\\* | 0.3 | 9.34 | 19.95 | **21.18** |
"""


def column(browser, index):  # noqa: F811
    script = "return [...document.querySelectorAll('tbody tr')].map(row => row.cells[arguments[0]].textContent)"
    return browser.run(script, index)


def sort_by(browser, index):  # noqa: F811
    browser.run("document.querySelectorAll('th button')[arguments[0]].click()", index)
    return column(browser, index)


def test_text_is_shown_as_it_is():
    page = render.page(MARKDOWN)
    assert "<title>A &lt;b&gt;title&lt;/b&gt;</title>" in page
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page
    assert 'href="javascript' not in page
    assert "<td>&lt;i&gt; | *x*</td>" in page
    assert '<td style="text-align:right"><strong>29.16</strong></td>' in page
    assert not re.search(r"(src|href)=|@import|url\(", page), "it needs another file"


def test_what_is_escaped_for_markdown_is_shown_as_it_was():
    nasty = "a *b* _c_ `d` <e> [f](g) | $h$ ~i~ \\j &amp; 'k' \"l\" # + - 1."
    page = render.page(f"# t\n\n| {escape_markdown(nasty)} |\n| --- |\n| {escape_markdown(nasty)} |\n")
    shown = "a *b* _c_ `d` &lt;e&gt; [f](g) | $h$ ~i~ \\j &amp;amp; 'k' &quot;l&quot; # + - 1."
    assert f"<td>{shown}</td>" in page


def test_a_heading_sorts_by_its_column_and_what_was_not_run_comes_last(browser, tmp_path):  # noqa: F811
    (tmp_path / "page.html").write_text(render.page(MARKDOWN))
    complaints, requests = browser.open(tmp_path / "page.html")
    assert complaints == [] and requests == []
    assert sort_by(browser, 4) == ["21.18", "29.16", "103.10"]
    assert sort_by(browser, 4) == ["103.10", "29.16", "21.18"]
    assert sort_by(browser, 3) == ["19.95", "27.55 ± 0.10", "not run"]
    assert sort_by(browser, 3) == ["27.55 ± 0.10", "19.95", "not run"]
    assert sort_by(browser, 0) == ["<i> | *x*", "camera", "logo"]
    assert browser.run("return document.querySelector('th').ariaSort") == "ascending"


def test_the_title_of_a_page_has_its_backslashes():
    assert "<title>$\\alpha$ of *x*</title>" in render.page("# $\\\\alpha$ of \\*x\\*\n")


def test_numbers_are_sorted_by_their_value_however_they_are_written(browser, tmp_path):  # noqa: F811
    rows = ["a | ∞", "b | 3.5", "c | not run", "d | **∞**", "e | -2", "f |", "g | -∞", "h | 25/255", "i | ~3.1 ± 9"]
    table = "| image | PSNR |\n| --- | ---: |\n" + "".join(f"| {row} |\n" for row in rows)
    (tmp_path / "page.html").write_text(render.page(f"# t\n\n{table}"))
    browser.open(tmp_path / "page.html")
    numbers = ["-∞", "-2", "25/255", "~3.1 ± 9", "3.5", "∞", "∞"]
    assert sort_by(browser, 1) == [*numbers, "not run", ""]
    assert sort_by(browser, 1) == [*numbers[::-1], "not run", ""]
    table = "| image | pixels |\n| --- | ---: |\n" + "".join(f"| x | {n}×{n} |\n" for n in (64, 128, 9))
    (tmp_path / "page.html").write_text(render.page(f"# t\n\n{table}"))
    browser.open(tmp_path / "page.html")
    assert sort_by(browser, 1) == ["9×9", "64×64", "128×128"]


def test_dark_mode_is_dark(browser, tmp_path):  # noqa: F811
    (tmp_path / "page.html").write_text(render.page(MARKDOWN))
    brightness = {}
    for dark in (False, True):
        browser.open(tmp_path / "page.html", dark=dark)
        brightness[dark] = browser.screenshot().mean()
    assert brightness[False] > 230 and brightness[True] < 60


def test_the_command_writes_a_page(tmp_path):
    (tmp_path / "t.md").write_text(MARKDOWN)
    result = CliRunner().invoke(render.main, [str(tmp_path / "t.md"), str(tmp_path / "t.html")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "t.html").read_text() == render.page(MARKDOWN)


@pytest.mark.parametrize(
    ("output", "paths"),
    [
        ("results/time.html", ["index.html"]),
        ("results/tables/a.html", ["../index.html", "../pages/a.html"]),
        ("results/tables/a_vs_paper.html", ["../index.html", "../tables/a.html", "../pages/a.html"]),
        ("results/pages/a.html", ["../index.html", "../tables/a.html"]),
        ("tried/camera/a.html", []),
    ],
)
def test_a_page_links_to_all_results_and_to_the_others_of_its_experiment(output, paths):
    page = render.page(MARKDOWN, web.nav(output))
    assert re.findall('href="([^"]*)"', page) == paths
