import json
import math

import pandas
import pytest
from click.testing import CliRunner

from steps import combine, tabulate
from steps.base.errors import BadInput
from steps.tables.scores import read_score, read_scores


@pytest.mark.parametrize("label", ["0.01", "None", "nan", "TV, 1e-3"])
def test_names_and_labels_stay_text(tmp_path, label):
    """What pandas alone would read as numbers or as missing."""
    row = {"experiment": "01", "label": label, "folder": "f", "task": "denoising", "image": "01"}
    row |= {"corruption": "sigma=0.1", "method": "tv", "params": "default", "device": "cpu", "convention": "C"}
    row |= {"psnr": 30.0, "ssim": None, "seconds": 1.0, "input_psnr": 20.0}
    pandas.DataFrame([row]).to_csv(tmp_path / "one.csv", index=False)
    one, both, table = (str(tmp_path / name) for name in ("one.csv", "all.csv", "table"))
    for command, arguments in ((combine.main, [one, both]), (tabulate.main, [both, table, "--title=T"])):
        result = CliRunner().invoke(command, arguments)
        assert result.exit_code == 0, result.output
    read = read_scores(tmp_path / "all.csv").iloc[0]
    assert read["label"] == label
    assert read["image"] == read["experiment"] == "01"
    assert read["psnr"] == 30
    assert pandas.isna(read["ssim"])
    header = next(line for line in (tmp_path / "table.md").read_text().splitlines() if line.startswith("| image"))
    assert header.split(" | ")[-1] == f"{label} |"
    assert "| 01 |" in (tmp_path / "table.md").read_text()


def test_infinite_numbers_are_numbers_again_and_a_label_stays_text(tmp_path):
    (tmp_path / "score.json").write_text(json.dumps({"psnr": "inf", "isnr": "-inf", "label": "inf", "ssim": 0.5}))
    assert read_score(tmp_path) == {"psnr": math.inf, "isnr": -math.inf, "label": "inf", "ssim": 0.5}


def test_a_damaged_table_is_refused(tmp_path):
    (tmp_path / "all.csv").write_text("")
    with pytest.raises(BadInput, match="all.csv"):
        read_scores(tmp_path / "all.csv")
