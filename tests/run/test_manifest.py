import json
import os
import shutil
import subprocess

import pytest
from click.testing import CliRunner

from steps.base.errors import BadInput
from steps.run import manifest
from steps.tools import verify

FACTS = {"commit": "c0ffee", "dirty": True, "started": "now", "machine": {"host": "here"}}


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A folder with results of three files, a chain, and a photograph outside; the manifest is of all."""
    monkeypatch.chdir(tmp_path)
    os.mkdir("results")
    for name, text in {
        "results/a.npy": "aaaa",
        "results/b.npy": "bb",
        "results/t.md": "| t |",
        "photo.png": "p",
    }.items():
        (tmp_path / name).write_text(text)
    made_of = {
        "results/a.npy": ["photo.png"],
        "results/b.npy": ["results/a.npy"],
        "results/t.md": ["results/b.npy"],
    }
    manifest.update(FACTS, made_of, set(made_of))
    return tmp_path


def test_the_manifest_has_size_checksum_and_what_each_file_is_made_of(results):
    found = json.loads((results / "results/manifest.json").read_text())
    assert found["runs"] == {"1": FACTS}
    entry = found["files"]["results/b.npy"]
    assert entry["bytes"] == 2
    assert entry["run"] == "1"
    assert (
        entry["sha256"] == "3b64db95cb55c763391c707108489ae18b4112d783300de38e033b4c98c3deaf"
    )  # printf bb | sha256sum
    assert entry["made_of"] == ["results/a.npy"]
    assert found["files"]["photo.png"]["made_of"] == []


def test_a_file_of_another_size_or_content_is_damaged_and_a_touched_one_is_not(results):
    (results / "results/a.npy").write_text("aaa")
    (results / "results/b.npy").write_text("cc")
    (results / "results/t.md").touch()
    os.utime(results / "results/t.md", (1, 1))
    assert manifest.damaged() == {
        "results/a.npy": "3 bytes; it was made with 4",
        "results/b.npy": "its content is not what was made",
    }
    assert (results / "results/t.md").stat().st_mtime_ns == manifest.read()["files"]["results/t.md"]["mtime_ns"]


def test_files_that_nobody_made_are_nobodys_to_make_again(results):
    (results / "photo.png").write_text("another")
    found = manifest.read()
    found["files"]["results/../photo.png"] = found["files"]["results/b.npy"]  # a manifest from somebody else
    found["files"][str(results / "photo.png")] = found["files"]["results/b.npy"]
    manifest.write(found)
    assert manifest.damaged() == {}


def test_a_deleted_file_is_damaged_and_a_forgotten_one_is_not(results):
    (results / "results/a.npy").unlink()
    (results / "results/b.npy").write_text("new")
    manifest.forget(["results/b.npy"])
    assert manifest.damaged() == {"results/a.npy": manifest.DELETED}
    manifest.forget(["results/a.npy"])
    assert manifest.damaged() == {}


def test_an_update_keeps_what_other_runs_made_and_drops_a_photograph_that_is_gone(results):
    (results / "results/b.npy").unlink()
    (results / "photo.png").unlink()
    (results / "results/new.npy").write_text("n")
    manifest.update({"commit": "beef"}, {"results/new.npy": []}, {"results/new.npy"})
    found = manifest.read()
    assert {path: entry["run"] for path, entry in found["files"].items()} == {
        "results/a.npy": "1",
        "results/b.npy": "1",
        "results/t.md": "1",
        "results/new.npy": "2",
    }
    assert [facts["commit"] for facts in found["runs"].values()] == ["c0ffee", "beef"]
    assert manifest.last(found) == {"commit": "beef"}


def test_every_run_has_a_number_of_its_own_and_the_tenth_is_after_the_ninth(results):
    for number in range(2, 11):
        path = f"results/{number % 2}.npy"
        (results / path).write_text("n" * number)
        manifest.update({"commit": number}, {path: []}, {path})
    found = manifest.read()
    assert list(found["runs"]) == ["1", "9", "10"] and manifest.last(found) == {"commit": 10}


def test_what_a_run_was_to_make_and_has_not_is_still_of_the_run_that_made_it(results):
    """Stopped before its jobs; what it has made is its own, what it has begun is nobody's."""
    paths = {"results/a.npy", "results/b.npy", "results/t.md"}
    before = manifest.read()
    manifest.forget(paths, planned=True)
    assert manifest.read() == before
    assert set(json.loads((results / "results/manifest.json").read_text())["planned"]) == paths
    (results / "results/a.npy").write_text("half")
    assert set(manifest.read()["files"]) == {"photo.png", "results/b.npy", "results/t.md"}
    (results / "results/a.npy").write_text("made anew")
    manifest.update({"commit": "2"}, {path: [] for path in paths}, {"results/a.npy"})
    assert {path: entry["run"] for path, entry in manifest.read()["files"].items()} == {
        "photo.png": "1",
        "results/a.npy": "2",
        "results/b.npy": "1",
        "results/t.md": "1",
    }
    manifest.forget({"results/b.npy"})
    assert "results/b.npy" not in manifest.read()["files"]


def test_a_run_that_only_touches_makes_nothing(results):
    before = manifest.read()
    for name in ("results/a.npy", "results/b.npy", "results/t.md"):
        os.utime(results / name, (1, 1))
    (results / "results/b.npy").write_text("cc")
    manifest.retime({"results/a.npy", "results/b.npy"})
    found = manifest.read()
    assert found["runs"] == before["runs"] and found["files"]["results/a.npy"]["mtime_ns"] == 10**9
    for name in ("results/b.npy", "results/t.md"):  # which is another, which was not touched by the run
        assert found["files"][name] == before["files"][name]


def test_the_commit_is_of_this_repository_and_of_no_other_around_it(tmp_path, monkeypatch):
    for command in (["init"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", "-C", tmp_path, *command], check=True, capture_output=True)
    (tmp_path / "vendor").mkdir()
    for root, there in ((tmp_path, True), (tmp_path / "vendor", False)):
        monkeypatch.setattr(manifest, "ROOT", root)
        assert (manifest._git("rev-parse", "HEAD") is not None) == there
        assert (manifest._dirty() is None) != there
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    assert manifest._git("rev-parse", "HEAD") is None


def test_an_update_does_not_take_a_damaged_file_for_good(results):
    (results / "results/a.npy").write_text("bbbb")
    made_of = {"results/a.npy": ["photo.png"], "results/b.npy": ["results/a.npy"]}
    manifest.update({"commit": "beef"}, made_of, {"results/b.npy"})  # b has been made, a has not
    assert manifest.damaged() == {"results/a.npy": "its content is not what was made"}
    manifest.update({"commit": "beef"}, made_of, {"results/a.npy"})
    assert manifest.damaged() == {}


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"runs": 1, "files": {}}', '{"runs": {}, "files": {"a": {"bytes": 1}}}']
)
def test_a_damaged_manifest_is_one_line(results, text):
    (results / "results/manifest.json").write_text(text)
    with pytest.raises(BadInput, match="results/manifest.json is damaged; delete it"):
        manifest.read()


def verified(*arguments):
    result = CliRunner().invoke(verify.main, list(arguments))
    return result.exit_code, result.output


def test_a_copy_on_another_machine_is_verified(results, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(results / "results", elsewhere / "results")
    code, output = verified(str(elsewhere / "results"))
    assert code == 0, output
    assert output == (
        "4 of 4 files are as they were made.\n4 by the run of now on here, commit c0ffee with uncommitted changes\n"
    )
    (elsewhere / "results/a.npy").write_text("aaab")
    (elsewhere / "results/b.npy").unlink()
    code, output = verified(str(elsewhere / "results"))
    assert code == 1
    assert "results/a.npy: its content is not what was made\nresults/b.npy: missing\n2 of 4 files" in output


def test_what_a_table_was_made_of_is_listed_with_checksums(results):
    code, output = verified("--of", "results/t.md")
    assert code == 0
    assert [line.split("  ")[1] for line in output.splitlines()] == [
        "photo.png",
        "results/a.npy",
        "results/b.npy",
        "results/t.md",
    ]
    assert verified("--of", "results/t.mdx")[1] == (
        "Error: 'results/t.mdx' is no file that a run made; must be one of those in results/manifest.json\n"
    )


def test_without_a_manifest_nothing_can_be_verified(tmp_path):
    assert verified(str(tmp_path)) == (1, f"Error: {tmp_path} has no manifest.json; a finished run writes it\n")
