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
                rows.append(row | {"iterations": 7 if label == "DIP" else None})
    return pandas.DataFrame(rows)


def test_each_method_size_and_device_has_a_row_and_shared_recoveries_count_once(scores):
    frame = timing.table(scores)
    assert list(zip(frame["pixels"], frame["label"])) == [("64×64", "NLM"), ("64×64", "DIP"), ("8×8", "NLM")]
    dip = frame.iloc[1]
    assert (dip["n"], dip["seconds"], dip["least"], dip["most"], dip["memory_mb"]) == (3, 60, 30, 270, 102)


def test_another_device_is_another_row(scores):
    gpu = scores.assign(device="H100", folder=scores["folder"] + "gpu")
    assert len(timing.table(pandas.concat([scores, gpu]))) == 6


def test_the_command_writes_three_files(scores, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scores.to_csv("scores.csv", index=False)
    result = CliRunner().invoke(timing.main, ["scores.csv", "time"])
    assert result.exit_code == 0, result.output
    text = (tmp_path / "time.md").read_text()
    assert "| denoising | 64×64 | 1 | cpu | 2 | DIP | 3 | 60.00 | 30.00 to 270.00 | 7 | 102 |" in text
    assert "| denoising | 8×8 | 1 | cpu | 2 | NLM | 3 | 0.20 | 0.10 to 0.90 |  | 102 |" in text
    assert (tmp_path / "time.tex").read_text().startswith(r"\begin{table}")
    assert len(pandas.read_csv("time.csv")) == 3
