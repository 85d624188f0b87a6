import subprocess

import pytest
from click.testing import CliRunner

from steps.base import discover
from steps.tools import lists

OLD = "the lists of {} are old: python -m steps lists"


def shipped(kind):
    """Return the names of a kind that git tracks; all that there are, outside of its repository."""
    words = ["git", "ls-files", f"steps/{kind}/*.py"]
    found = subprocess.run(words, cwd=lists.ROOT, capture_output=True, text=True)
    names = {line.split("/")[-1].removesuffix(".py") for line in found.stdout.splitlines()}
    return names & set(discover.available(kind))


@pytest.mark.parametrize("name", lists.FILES)
def test_the_documents_list_what_the_repository_ships(name):
    """What somebody has added and not committed may be in a list or not; outside of git so may everything."""
    text = (lists.ROOT / name).read_text(encoding="utf-8")
    assert set(lists.renewed(text).splitlines()) >= set(text.splitlines()), OLD.format(name)
    for _, what, kind in lists.PART.findall(text):
        for one in shipped(kind):
            assert lists.LINES[what](kind, one) in text.splitlines(), OLD.format(name)


def test_lists_are_made_anew_and_the_rest_is_left(tmp_path, monkeypatch):
    page = "a\n<!-- list: {} of noises, by `python -m steps lists` -->\nold\n<!-- end -->\nb\n"
    monkeypatch.setattr(lists, "ROOT", tmp_path)
    monkeypatch.setattr(lists, "FILES", ["x.md"])
    monkeypatch.setattr(discover, "available", lambda kind: ["gaussian"])
    (tmp_path / "x.md").write_text(page.format("purpose") + page.format("parameters"))
    for _ in range(2):
        assert CliRunner().invoke(lists.main).exit_code == 0
    first, second = (tmp_path / "x.md").read_text().split("b\n")[:2]
    assert first.splitlines()[::2] == ["a", "- `gaussian`: Gaussian noise: y = A x + sigma · N(0, 1)"]
    assert "\n- `gaussian`: `sigma=0`, `" in second and "old" not in first + second


def test_a_document_without_a_list_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(lists, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/what_there_is.md").write_text("nothing")
    result = CliRunner().invoke(lists.main)
    assert result.exit_code == 1 and "docs/what_there_is.md: has no list" in result.output
