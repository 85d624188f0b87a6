import numpy as np
import pandas
import pytest
from click.testing import CliRunner

from steps import tabulate


@pytest.fixture
def scores():
    rows = []
    for image in ("house", "camera_man"):
        for sigma in ("0.1", "0.02"):
            for seed in (0, 1):
                for label, psnr in (("Wiener", 20.0), ("TV & co", 30.0), ("DIP", 30.0)):
                    row = {"image": image, "corruption": f"sigma={sigma},clip=true,seed={seed}", "label": label}
                    row |= {"psnr": psnr + seed + (label == "DIP") * 0.001, "ssim": 0.5, "seconds": 1.25}
                    rows.append(row | {"input_psnr": 10.0, "task": "denoising", "device": "cpu", "convention": "C"})
    return pandas.DataFrame(rows)


def test_rows_are_images_and_corruptions_in_order_and_cells_means_over_seeds(scores):
    frame, keys, labels = tabulate.table(scores, "psnr")
    assert keys == ["image", "sigma"]
    assert labels == ["Wiener", "TV & co", "DIP"]
    assert list(zip(frame["image"], frame["sigma"])) == [
        ("house", 0.1),
        ("house", 0.02),
        ("camera_man", 0.1),
        ("camera_man", 0.02),
    ]
    assert frame["Wiener"].tolist() == [20.5] * 4
    assert frame["Wiener std"][0] == pytest.approx(np.std([20, 21], ddof=1))
    assert frame["n"].tolist() == ["2"] * 4
    assert frame["input"].tolist() == [10.0] * 4


def test_one_recovery_a_cell_has_no_spread(scores):
    frame, keys, labels = tabulate.table(scores[scores["corruption"].str.endswith("seed=0")], "psnr")
    assert not [column for column in frame if "std" in column]
    _, rows = tabulate.cells(frame, keys, labels, "psnr", lambda text: f"*{text}*")
    assert rows[0] == ["house", "0.1", "10.00", "20.00", "*30.00*", "*30.00*"]  # equal at two decimals: both bold


def test_a_column_with_one_seed_beside_one_with_several(scores):
    some = scores[(scores["label"] == "DIP") | scores["corruption"].str.endswith("seed=0")]
    frame, keys, labels = tabulate.table(some, "psnr")
    assert frame["n"][0] == "1 to 2"
    header, rows = tabulate.cells(frame, keys, labels, "psnr", str)
    assert rows[0] == ["house", "0.1", "10.00", "20.00", "30.00", "30.50 ± 0.71"]
    assert header == ["image", "sigma", "input", *labels]


def test_time_is_not_ranked(scores):
    frame, keys, labels = tabulate.table(scores, "seconds")
    _, rows = tabulate.cells(frame, keys, labels, "seconds", lambda text: f"*{text}*")
    assert rows[0][2:] == ["1.25 ± 0.00"] * 3


def test_latex_escapes_and_booktabs():
    text = tabulate.to_latex(["image", "TV & co"], [["a", "1"]], ["image"], "50 % of a_b")
    assert r"\caption{50 \% of a\_b}" in text
    assert r"image & TV \& co \\" in text
    assert r"\begin{tabular}{lr}" in text
    for rule in ("toprule", "midrule", "bottomrule"):
        assert f"\\{rule}" in text


def test_command_writes_three_files(tmp_path, scores):
    scores.to_csv(tmp_path / "scores.csv", index=False)
    arguments = [str(tmp_path / "scores.csv"), str(tmp_path / "table"), "--title", "My title"]
    result = CliRunner().invoke(tabulate.main, arguments)
    assert result.exit_code == 0, result.output
    markdown = (tmp_path / "table.md").read_text()
    assert markdown.startswith("# My title\n\ndenoising; clip=true.")
    assert "| house | 0.1 | 10.00 | 20.50 ± 0.71 | **30.50 ± 0.71** | **30.50 ± 0.71** |" in markdown
    latex = (tmp_path / "table.tex").read_text()
    assert r"camera\_man & 0.02 & 10.00 & 20.50 $\pm$ 0.71 & \textbf{30.50 $\pm$ 0.71}" in latex
    csv = pandas.read_csv(tmp_path / "table.csv")
    assert sorted(csv["metric"].unique()) == ["psnr", "seconds", "ssim"]
    assert len(csv) == 12
