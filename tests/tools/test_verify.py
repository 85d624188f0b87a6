from pathlib import Path

import pytest
from click.testing import CliRunner

from steps.base.files import sha256, write_text
from steps.run import manifest
from steps.tools import verify


def entry(*made_of):
    return {"sha256": "0", "made_of": list(made_of)}


def test_ancestors_come_before_what_is_made_of_them_each_once():
    files = {"d": entry("b", "c"), "b": entry("a"), "c": entry("a"), "a": entry("not there"), "other": entry()}
    assert list(verify.ancestors(files, "d")) == ["a", "b", "c", "d"]


def test_a_circle_ends():
    assert set(verify.ancestors({"a": entry("b"), "b": entry("a")}, "a")) == {"a", "b"}


def test_a_chain_of_thousands_is_followed():
    files = {f"f{i}": entry(f"f{i - 1}") for i in range(1, 400)}
    assert len(verify.ancestors(files, "f399")) == 399


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A folder of results with two files, made of a photograph beside it, and their manifest."""
    monkeypatch.chdir(tmp_path)
    files = {}
    for path in ("photo.png", "results/a.csv", "results/b.csv"):
        write_text(path, path)
        facts = {"bytes": len(path), "sha256": sha256(path), "mtime_ns": 0, "made_of": [], "run": "1"}
        files[path] = facts
    run = {"started": "then", "machine": {"host": "here"}, "commit": "c", "dirty": True}
    manifest.write({"runs": {"1": run}, "files": files})
    return tmp_path


def of_results(*options):
    result = CliRunner().invoke(verify.main, ["results", *options])
    return result.exit_code, result.output.splitlines()


def test_what_was_deleted_on_purpose_is_forgotten_and_what_was_changed_is_not(made):
    Path("results/a.csv").unlink()
    Path("results/b.csv").write_text("results/B.csv")
    status, lines = of_results("--forget")
    assert status == 1 and "results/a.csv: missing" in lines and lines[-1] == "Missing and forgotten: 1."
    assert set(manifest.read()["files"]) == {"photo.png", "results/b.csv"}
    Path("results/b.csv").write_text("results/b.csv")
    assert of_results("--forget")[0] == 0
