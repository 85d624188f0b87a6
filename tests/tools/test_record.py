import json
import zipfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from steps.base.files import sha256
from steps.tools import bundles, cells, record, recorded
from tests.recorded import files
from tests.recorded import record as recorded_by

TEXT = {
    "record": "record.jsonl",
    "images": {"logo": {"source": "synthetic:logo", "size": 32}},
    "experiments": {
        "e": {
            "task": "denoising",
            "images": ["logo"],
            "corruption": {"sigma": [0.1, 0.2]},
            "methods": [{"method": "tv"}, {"method": "wiener", "label": "W"}],
        }
    },
}


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my.yaml").write_text(yaml.safe_dump(TEXT))
    return cells.read_config("my.yaml")


def found(config, **facts):
    return [(r.folder, files(config, r, **facts)) for r in cells.distinct(config)]


def test_what_is_found_takes_the_place_of_what_was_recorded_and_the_rest_stays(config):
    before = recorded_by(config)
    one, *others = before
    after, lines = record.merge(config, before, found(config, psnr=30.0)[:1], "2026-11-02")
    assert not lines and set(after) == set(before)
    assert (after[one]["score"]["psnr"], after[one]["day"]) == (30.0, "2026-11-02")
    assert all(after[folder] == before[folder] for folder in others)


def test_a_cell_that_is_as_it_was_keeps_its_day_and_machine(config):
    before = recorded_by(config)
    assert record.merge(config, before, found(config), "2026-11-02") == (before, [])


def test_what_the_config_no_longer_asks_for_is_dropped_and_said(config):
    before = recorded_by(config)
    config["experiments"]["e"]["methods"].pop(0)
    after, lines = record.merge(config, before, found(config) + [("results/a/b/c/d/e", {})], "2026-11-02")
    assert set(after) == {folder for folder in before if "/wiener/" in folder}
    dropped = [f"{folder}: dropped, the config no longer asks for it" for folder in before if "/tv/" in folder]
    assert lines == [*dropped, "results/a/b/c/d/e: not taken, the config does not ask for it"]


def test_what_other_code_made_is_not_taken_and_what_was_recorded_stays(config):
    before, others = recorded_by(config), found(config, psnr=30.0, origin={"measurement": "0" * 64, "code": "1" * 64})
    after, lines = record.merge(config, before, others, "2026-11-02")
    assert after == before
    assert lines == [f"not taken: {folder}: made with other code than is here" for folder in before]


def test_a_measurement_that_comes_out_the_same_makes_its_cells_current_again(config):
    path = Path("results/denoising/logo/sigma=0.1/measurement.npz")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"y")
    before = recorded_by(config)
    for cell in before.values():
        cell["code"]["measurement"] = "of other code"
        cell["score"]["origin"]["measurement"] = sha256(path)
    asked = cells.distinct(config)
    assert len(recorded.split(config, asked, before)[1]) == 4
    after, _ = record.merge(config, before, [], "2026-11-02")
    assert set(recorded.split(config, asked, after)[0]) == {f for f in before if "/sigma=0.1/" in f}
    after, _ = record.merge(config, before, [], "2026-11-02", {str(path)})  # it is to be made anew itself
    assert after == before


def packed(folder, made, metrics=("psnr", "ssim")):
    """Write a pack of (folder, files) pairs, as `run-cells` does."""
    Path(folder).mkdir()
    facts = {"metrics": list(metrics), "scores": bundles.score_code(metrics)}
    with zipfile.ZipFile(f"{folder}/pack-1.zip", "w") as pack:
        pack.writestr("pack.json", json.dumps(facts))
        for cell, files in made:
            for name, content in files.items():
                pack.writestr(f"{cell}/{name}", content if isinstance(content, str) else json.dumps(content))


def test_cells_are_taken_from_packs_whose_scores_are_by_the_code_here(config, monkeypatch):
    monkeypatch.setattr(record, "undone", lambda name: set())
    made = found(config, device="Some GPU")
    for folder, some in made:
        path = Path(folder).parents[1] / "measurement.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(path))
        for name in ("run.json", "score.json"):
            some[name]["origin"] = some[name]["origin"] | {"measurement": sha256(path)}
    packed("one", made[:1])
    packed("two", made[1:3])
    result = CliRunner().invoke(record.main, ["my.yaml", "--from", "one", "--from", "two"])
    assert result.output == "record.jsonl: 3 of 4 cells are recorded and current, 0 are old; new or changed: 3\n"
    cells_of = recorded.read("record.jsonl").values()
    assert [(cell["score"]["device"], cell["machine"]) for cell in cells_of] == [("Some GPU", None)] * 3
    Path(made[3][0]).parents[1].joinpath("measurement.npz").write_text("another")
    packed("three", made[3:])
    result = CliRunner().invoke(record.main, ["my.yaml", "--from", "three"])
    assert "not taken: made of another measurement than" in result.output and "3 of 4 cells are" in result.output
    Path(made[3][0]).parents[1].joinpath("measurement.npz").unlink()
    result = CliRunner().invoke(record.main, ["my.yaml", "--from", "three"])
    assert "measurement.npz is not here, to compare it" in result.output and "3 of 4 cells are" in result.output
    packed("other", made, metrics=("psnr",))
    Path("none").mkdir()
    for folder, words in {"other": "its scores are by other metrics, or other code,", "none": "has no pack-1"}.items():
        result = CliRunner().invoke(record.main, ["my.yaml", "--from", folder])
        assert result.exit_code == 1 and f"{folder}: {words}" in result.output and result.output.count("\n") == 1


def test_cells_that_are_recorded_and_current_are_not_to_be_made(config):
    Path("record.jsonl").touch()
    before = recorded_by(config, made=lambda r: r.method == "tv")
    old = next(iter(before))
    before[old]["code"]["score"] = "of other code"
    recorded.write("record.jsonl", before)
    listed = CliRunner().invoke(cells.main, ["my.yaml"]).output.splitlines()
    left = {r.folder for r in cells.distinct(config) if r.method == "wiener"} | {old}
    assert set(listed) == {f"{folder}/score.json" for folder in left}
    assert len(CliRunner().invoke(cells.main, ["my.yaml", "--all"]).output.splitlines()) == 4


def test_a_config_without_the_key_and_a_record_of_another_config_are_one_line(config):
    recorded.write("record.jsonl", recorded_by(config))
    other = json.loads(json.dumps(TEXT))
    other["experiments"]["e"]["corruption"] = {"sigma": 0.3}
    Path("my.yaml").write_text(yaml.safe_dump(other))
    before = Path("record.jsonl").read_text()
    result = CliRunner().invoke(record.main, ["my.yaml"])
    assert result.exit_code == 1 and "record.jsonl is of another config than my.yaml; name another" in result.output
    assert Path("record.jsonl").read_text() == before
    del other["record"]
    Path("my.yaml").write_text(yaml.safe_dump(other))
    result = CliRunner().invoke(record.main, ["my.yaml"])
    assert result.output == "Error: my.yaml: missing key 'record', the file (.jsonl) of its finished recoveries\n"


@pytest.mark.parametrize(
    ("value", "words"),
    [("record.csv", "record: 'record.csv' is not allowed; "), ("-a.jsonl", "record: '-a.jsonl' is not allowed; must")],
)
def test_a_name_that_cannot_be_a_record_s_is_one_line(config, value, words):
    Path("my.yaml").write_text(yaml.safe_dump(TEXT | {"record": value}))
    result = CliRunner().invoke(record.main, ["my.yaml"])
    assert result.exit_code == 1 and words in result.output and result.output.count("\n") == 1
