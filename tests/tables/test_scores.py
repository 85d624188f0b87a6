import pandas
import pytest
from click.testing import CliRunner

from steps import combine, tabulate
from steps.tables.scores import read_scores


@pytest.mark.parametrize("label", ["0.01", "None", "nan", "TV, 1e-3"])
def test_names_and_labels_stay_text(tmp_path, label):
    """What pandas alone would read as numbers or as missing."""
    row = {"experiment": "1", "label": label, "folder": "f", "task": "denoising", "image": "01"}
    row |= {"corruption": "sigma=0.1", "method": "tv", "params": "default", "device": "cpu", "convention": "C"}
    row |= {"psnr": 30.0, "ssim": None, "seconds": 1.0, "input_psnr": 20.0}
    pandas.DataFrame([row]).to_csv(tmp_path / "one.csv", index=False)
    one, both, table = (str(tmp_path / name) for name in ("one.csv", "all.csv", "table"))
    for command, arguments in ((combine.main, [one, both]), (tabulate.main, [both, table, "--title=T"])):
        result = CliRunner().invoke(command, arguments)
        assert result.exit_code == 0, result.output
    read = read_scores(tmp_path / "all.csv").iloc[0]
    assert read["label"] == label
    assert read["image"] == "01"
    assert read["psnr"] == 30
    assert pandas.isna(read["ssim"])
    header = next(line for line in (tmp_path / "table.md").read_text().splitlines() if line.startswith("| image"))
    assert header.split(" | ")[-1] == f"{label} |"
    assert "| 01 |" in (tmp_path / "table.md").read_text()
