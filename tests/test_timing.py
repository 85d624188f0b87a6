import pandas
import pytest
from click.testing import CliRunner

from steps import timing


@pytest.fixture
def scores():
    rows = []
    for pixels, label, seconds in (("64×64", "DIP", 30), ("64×64", "NLM", 0.5), ("8×8", "NLM", 0.1)):
        for seed in range(3):
            for experiment in ("a", "b"):  # both share the recoveries
                row = {"experiment": experiment, "task": "denoising", "pixels": pixels, "channels": 1, "label": label}
                row |= {"device": "cpu", "threads": 2, "method": label.lower(), "folder": f"{pixels}/{label}/{seed}"}
                row |= {"seconds": seconds * (1, 2, 9)[seed], "peak_memory_mb": 100 + seed}
                rows.append(row | {"iterations": 7 if label == "DIP" else None, "params": "default"})
    return pandas.DataFrame(rows)


def test_each_method_size_and_device_has_a_row_and_shared_recoveries_count_once(scores):
    frame = timing.table(scores)
    assert list(zip(frame["pixels"], frame["label"])) == [("64×64", "NLM"), ("64×64", "DIP"), ("8×8", "NLM")]
    dip = frame.iloc[1]
    assert (dip["n"], dip["seconds"], dip["least"], dip["most"], dip["memory_mb"]) == (3, 60, 30, 270, 102)


def test_another_device_is_another_row(scores):
    gpu = scores.assign(device="H100", folder=scores["folder"] + "gpu")
    assert len(timing.table(pandas.concat([scores, gpu]))) == 6


def of(*recoveries):
    """Return scores of (experiment, method, params, label), each of them a recovery of its own."""
    rows = []
    for i, (experiment, method, params, label) in enumerate(recoveries):
        row = {"experiment": experiment, "task": "denoising", "pixels": "8×8", "channels": 1, "label": label}
        row |= {"device": "cpu", "threads": 2, "method": method, "params": params, "folder": str(i)}
        rows.append(row | {"seconds": 1.0 + i, "peak_memory_mb": 100, "iterations": None})
    return pandas.DataFrame(rows)


@pytest.mark.parametrize(
    "recoveries, rows",
    [
        (
            [("alpha", "tv", "iterations=5", "TV"), ("beta", "tv", "iterations=50", "TV")],
            ["TV (iterations=5)", "TV (iterations=50)"],
        ),
        (
            [("a", "tv", "lam=0.1,iterations=5", "TV"), ("b", "tv", "iterations=5", "TV"), ("b", "nlm", "h=1", "NLM")],
            ["TV (lam=0.1)", "TV (lam=default)", "NLM"],
        ),
        (
            [("a", "tv", "iterations=5", "x"), ("b", "tv", "iterations=9", "x"), ("c", "nlm", "h=1", "x")],
            ["x (tv, iterations=5)", "x (tv, iterations=9)", "x (nlm)"],
        ),
        ([("a", "tv", "default", "TV"), ("b", "tv", "iterations=100", "TV")], ["TV"]),  # 100 is the default
        ([("a", "dip", "seed=0", "DIP"), ("b", "dip", "seed=1", "DIP"), ("c", "dip", "default", "DIP")], ["DIP"]),
    ],
    ids=["parameter", "one at its default", "another method", "the default spelled", "seeds"],
)
def test_a_label_that_experiments_give_to_different_settings_is_a_row_for_each(recoveries, rows):
    frame = timing.table(of(*recoveries))
    assert frame["label"].tolist() == rows
    assert frame["n"].sum() == len(recoveries)
    if len(rows) == len(recoveries):
        assert frame["seconds"].tolist() == [1.0 + i for i in range(len(rows))]


def test_settings_of_another_size_are_told_apart_too_and_those_of_another_task_need_not_be():
    scores = of(("a", "tv", "iterations=5", "TV"), ("b", "tv", "iterations=50", "TV"))
    assert len(set(timing.table(scores.assign(pixels=["8×8", "9×9"]))["label"])) == 2
    assert set(timing.table(scores.assign(task=["denoising", "deconvolution"]))["label"]) == {"TV"}


def test_cpu_seconds_stand_beside_those_of_the_clock_and_a_row_of_which_one_waited_is_marked(
    scores, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    scores["cpu_seconds"] = scores["seconds"].where(scores["folder"] != "64×64/DIP/2", 42.0)
    scores.loc[scores["pixels"] == "8×8", "cpu_seconds"] = None
    frame = timing.table(scores)
    assert frame["waited"].tolist() == [0, 1, 0] and frame["cpu_seconds"].tolist()[:2] == [1.0, 42.0]
    scores.to_csv("scores.csv", index=False)
    CliRunner().invoke(timing.main, ["scores.csv", "time"], catch_exceptions=False)
    text = (tmp_path / "time.md").read_text()
    assert "| DIP | 3 | 60 † | 30 to 270 | 42 | 7 | 102 |" in text
    assert "| NLM | 3 | 1.0 | 0.50 to 4.5 | 1.0 |  | 102 |" in text
    assert text.count("†") == 2 and text.endswith("its CPU seconds are what it costs.\n")
    assert (tmp_path / "time.tex").read_text().count(r"$\dagger$") == 2


def test_the_command_writes_three_files(scores, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scores.to_csv("scores.csv", index=False)
    result = CliRunner().invoke(timing.main, ["scores.csv", "time"])
    assert result.exit_code == 0, result.output
    text = (tmp_path / "time.md").read_text()
    assert "| denoising | 64×64 | 1 | cpu | 2 | DIP | 3 | 60 | 30 to 270 |  | 7 | 102 |" in text
    assert "| denoising | 8×8 | 1 | cpu | 2 | NLM | 3 | 0.20 | 0.10 to 0.90 |  |  | 102 |" in text
    assert (tmp_path / "time.tex").read_text().startswith(r"\begin{table}") and "†" not in text
    assert len(pandas.read_csv("time.csv")) == 3
