import copy
import json
from pathlib import Path

import pytest

from steps.base.errors import BadInput
from steps.run import sources
from steps.score import CONVENTION
from steps.tables.scores import read_score
from steps.tools import cells, recorded
from tests.recorded import CURVE, files, record


@pytest.fixture
def config():
    experiment = {"task": "denoising", "images": ["camera", "logo"], "corruption": {"sigma": [0.1, 0.2]}}
    experiment["methods"] = [{"method": "tv"}, {"method": "wiener", "label": "W"}]
    images = {"camera": {"source": "https://host.invalid/a.png", "sha256": "0" * 64}}
    images["logo"] = {"source": "synthetic:logo", "size": 32}
    return {"images": images, "files": {}, "metrics": ["psnr", "ssim"], "experiments": {"e": experiment}}


def changes(config, before):
    """Return how many cells are changed in what, by a config, of those recorded by another."""
    _, old = recorded.split(config, cells.distinct(config), before)
    return {what: list(old.values()).count(what) for what in old.values()}


def test_a_record_is_read_as_it_was_written_a_sorted_line_a_cell(config, tmp_path):
    found = record(config)
    recorded.write(tmp_path / "a.jsonl", dict(reversed(found.items())))
    lines = (tmp_path / "a.jsonl").read_text().splitlines()
    assert [json.loads(line)["folder"] for line in lines] == sorted(found)
    assert recorded.read(tmp_path / "a.jsonl") == found
    assert recorded.read(tmp_path / "none.jsonl") == {}


@pytest.mark.parametrize("days, kept", [(("2026-11-02", "2026-11-01"), 0), (("2026-11-01", "2026-11-01"), 1)])
def test_of_a_cell_that_is_there_twice_the_later_day_counts_and_of_one_day_the_later_line(days, kept, config, tmp_path):
    """As git's merge=union may leave the lines of two machines, in either order."""
    found = [record(config, day, psnr=lambda recovery, n=n: 20.0 + n) for n, day in enumerate(days)]
    for number, cells_of in enumerate(found):
        recorded.write(tmp_path / f"{number}.jsonl", cells_of)
    lines = "".join((tmp_path / f"{number}.jsonl").read_text() for number in (0, 1))
    (tmp_path / "a.jsonl").write_text(lines)
    assert {cell["score"]["psnr"] for cell in recorded.read(tmp_path / "a.jsonl").values()} == {20.0 + kept}


def test_a_cell_of_twenty_five_iterates_is_below_two_kilobytes(config, tmp_path):
    recovery = cells.distinct(config)[0]
    made = files(config, recovery)
    made["curve.csv"] = CURVE.split("\n")[0] + "\n" + "1234,0.012345678901234567,0.0,23.4567890123456789\n" * 25
    cell = recorded.cell(recovery, made, recorded.codes(config, recovery), "2026-11-01")
    recorded.write(tmp_path / "a.jsonl", {recovery.folder: cell})
    assert (tmp_path / "a.jsonl").stat().st_size < 2048


def test_score_and_curve_come_back(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recovery = cells.distinct(config)[0]
    made = files(config, recovery, psnr="inf")
    recorded.put(recovery, recorded.cell(recovery, made, recorded.codes(config, recovery), "2026-11-01"))
    score = read_score(recovery.folder)
    assert score["psnr"] == float("inf") and score["convention"] == CONVENTION
    assert {"lam", "rho", "iterations"} <= set(score["settings"])  # all of the method's, at its defaults
    same = set(score) - {"psnr", "convention", "settings"}
    assert {key: score[key] for key in same} == {key: made["score.json"][key] for key in same}
    assert set(score) == set(made["score.json"])
    rows = Path(recovery.folder, "curve.csv").read_text().splitlines()
    assert rows[:2] == ["iteration,loss,penalty,psnr", "1,0.5,0,10.1235"] and len(rows) == 4


def test_what_the_record_has_is_not_left_to_make(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    every = cells.distinct(config)
    recorded.write("a.jsonl", record(config, made=lambda recovery: recovery.method == "tv"))
    assert cells.left(config, every) == every
    assert [r.method for r in cells.left(config | {"record": "a.jsonl"}, every)] == ["wiener"] * 4


def test_of_an_edited_file_only_what_it_is_part_of_is_old(config, monkeypatch):
    before = record(config)
    assert changes(config, before) == {}
    digest = sources.digest
    for edited, expected in {
        "methods/tv.py": {"recovery": 4},
        "tasks/denoising.py": {"measurement": 8},
        "images/synthetic.py": {"measurement": 8},
        "metrics/ssim.py": {"score": 8},
        "metrics/gmsd.py": {},
        "tables/scores.py": {},
        "run/record.py": {},
    }.items():
        recorded._digest.cache_clear()
        monkeypatch.setattr(sources, "digest", lambda path, e=edited: digest(path) + "!" * str(path).endswith(e))
        assert changes(config, before) == expected, edited
    recorded._digest.cache_clear()


def test_settings_of_an_image_make_its_cells_old_and_where_it_is_found_does_not(config):
    before = record(config)
    other = copy.deepcopy(config)
    other["images"]["camera"] |= {"source": "https://elsewhere.invalid/b.png", "stand_in": "for another"}
    assert changes(other, before) == {}
    other["images"]["camera"]["gray"] = True
    assert changes(other, before) == {"measurement": 4}
    other["images"]["logo"]["size"] = 64
    assert changes(other, before) == {"measurement": 8}


def test_an_image_without_a_checksum_is_known_by_its_content(config, tmp_path):
    file = tmp_path / "mine.png"
    config["images"]["camera"] = {"source": str(file)}
    file.write_bytes(b"one")
    before = record(config)
    file.write_bytes(b"two")
    assert changes(config, before) == {"measurement": 4}


def test_the_truth_of_a_measured_image_is_known_by_its_content_too(config, tmp_path):
    picture, truth = tmp_path / "mine.png", tmp_path / "truth.png"
    config["images"]["camera"] = {"source": str(picture), "measured": True, "truth": str(truth)}
    picture.write_bytes(b"one")
    truth.write_bytes(b"one")
    before = record(config)
    truth.write_bytes(b"two")
    assert changes(config, before) == {"measurement": 4}


def test_another_metric_makes_scores_old(config):
    before = record(config)
    assert changes(config | {"metrics": ["gmsd", "psnr", "ssim"]}, before) == {"score": 8}
    assert changes(config | {"metrics": ["ssim", "psnr"]}, before) == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda made: made["run.json"].update(seconds=4), "score.json is not of run.json"),
        (lambda made: made["score.json"].update(image="logo"), "score.json is of another recovery"),
        (lambda made: made["score.json"].pop("pixels"), "score.json has no pixels"),
        (lambda made: made["score.json"].update(device="a\nb"), "score.json: 'a\\nb' is not allowed"),
        (lambda made: made["score.json"].update(noise_sigma="much"), "score.json: noise_sigma cannot be 'much'"),
        (lambda made: made["score.json"].update(psnr="high"), "score.json: psnr cannot be 'high'"),
        (lambda made: made["score.json"].update(versions=[]), "score.json: versions cannot be []"),
        (lambda made: made.update({"score.json": []}), "score.json has no keys"),
        (lambda made: made["score.json"]["origin"].update(code="1" * 64), "made with other code than is here"),
        (lambda made: made.update({"curve.csv": "a,b\n1,2\n"}), "curve.csv begins with 'a,b'; must be iteration,loss"),
        (lambda made: made.update({"curve.csv": ""}), "curve.csv begins with ''; must be iteration,loss"),
        (lambda made: made.update({"curve.csv": f"{recorded.HEAD}\n1,abc,,\n"}), "curve.csv: could not convert string"),
        (lambda made: made.update({"run.json": []}), "run.json is no mapping"),
    ],
)
def test_what_is_no_finished_recovery_of_this_code_is_refused(config, change, words):
    recovery = cells.distinct(config)[0]
    made = files(config, recovery)
    change(made)
    with pytest.raises(BadInput, match="^[^\n]*$") as error:
        recorded.cell(recovery, made, recorded.codes(config, recovery), "2026-11-01")
    assert words in str(error.value)


@pytest.mark.parametrize("line", ["{", "[]", "{}", "1", '{"folder": "a", "code": {}}', '"a"', "\xff"])
def test_a_line_that_is_no_cell_is_named(config, line, tmp_path):
    path = tmp_path / "a.jsonl"
    recorded.write(path, dict(list(record(config).items())[:1]))
    path.write_bytes(path.read_bytes() + line.encode("latin-1") + b"\n")
    with pytest.raises(BadInput) as error:
        recorded.read(path)
    assert str(error.value).startswith(f"{path}") and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [("curve", None), ("curve", "hello"), ("curve", "1,2,3\n"), ("folder", 5), ("day", 1), ("psnr", float("nan"))],
)
def test_a_line_with_what_tables_could_not_be_made_of_is_named(config, key, value, tmp_path):
    path = tmp_path / "a.jsonl"
    (folder, one), *_ = record(config).items()
    (one["score"] if key == "psnr" else one)[key] = value
    recorded.write(path, {folder: one})
    with pytest.raises(BadInput, match="line 1: no cell of a record"):
        recorded.read(path)
