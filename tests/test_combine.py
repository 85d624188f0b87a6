import pandas
import pytest
from click.testing import CliRunner

from steps import combine
from steps.tables.scores import read_scores


def row(experiment, task, corruption, **numbers):
    return {
        "experiment": experiment,
        "task": task,
        "image": "camera",
        "corruption": corruption,
        "method": "tv",
        "psnr": 28.812186911015644,
        "loss": None,
        "iterations": 12345678,
        "seed": 3,
    } | numbers


ROWS = [
    [row("a", "denoising", "sigma=0.1,clip=true,seed=7", iterations=None, seed=None), row("a", "denoising", "sigma=0")],
    [
        row("b", "deconvolution", "blur=2.5,kernel=25,bsnr=40"),
        row("b", "deconvolution", "psf=motion,length=9,sigma=0.09803921568627451,seed=12345678901", psnr=float("inf")),
        row("b", "denoising", "noise=poisson,peak=2.5", loss=1.25e-7),
        row("b", "denoising", "sigma=estimate", image="photo", measured=True),
    ],
]


@pytest.fixture
def text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, rows in zip("ab", ROWS):
        pandas.DataFrame(rows).to_csv(f"{name}.csv", index=False)
    result = CliRunner().invoke(combine.main, ["a.csv", "b.csv", "all.csv"])
    assert result.exit_code == 0, result.output
    return (tmp_path / "all.csv").read_text()


def test_each_parameter_of_a_corruption_has_a_column_that_is_empty_where_it_does_not_apply(text):
    found = pandas.read_csv("all.csv", dtype=str, keep_default_na=False)
    names = list(found)
    assert names[: names.index("method")][:7] == [
        *("experiment", "task", "image", "corruption", "noise", "sigma", "clip")
    ]
    assert names[names.index("method") :] == ["method", "psnr", "loss", "iterations", "seed", "measured"]
    assert found["measured"].tolist() == ["", "", "", "", "", "true"]
    assert found["sigma"].tolist() == ["0.1", "0", "", "0.0980392", "", "estimate"]
    assert found["clip"].tolist() == ["true", "false", "false", "false", "", ""]
    assert found["noise"].tolist() == [*["gaussian"] * 4, "poisson", ""]  # of what was measured only what is said
    assert found["blur"].tolist() == ["", "", "2.5", "", "", ""]
    assert found["length"].tolist() == ["", "", "", "9", "", ""]
    assert found["angle"].tolist() == ["", "", "", "0", "", ""]  # its default
    assert found["bsnr"].tolist() == ["", "", "40", "", "", ""]
    assert found["peak"].tolist() == ["", "", "", "", "2.5", ""]


def test_the_path_and_whole_numbers_keep_all_their_digits_and_other_numbers_have_six(text):
    found = pandas.read_csv("all.csv", dtype=str, keep_default_na=False)
    assert found["corruption"].tolist() == [row["corruption"] for rows in ROWS for row in rows]
    assert found["corruption_seed"].tolist() == ["7", "0", "0", "12345678901", "0", ""]
    assert found["seed"].tolist() == ["", *["3"] * 5]  # the method's
    assert found["iterations"].tolist() == ["", *["12345678"] * 5]
    assert found["psnr"].tolist() == [*["28.8122"] * 3, "inf", *["28.8122"] * 2]
    assert found["loss"].tolist() == ["", "", "", "", "1.25e-07", ""]


def test_it_is_read_as_the_scores_of_an_experiment_are(text):
    found = read_scores("all.csv")
    assert found["loss"].isna().tolist() == [*[True] * 4, False, True]
    assert found["psnr"][3] == float("inf") and found["iterations"][1] == 12345678
