import json
import math

import pandas
import pytest
from click.testing import CliRunner
from scipy import stats

from steps import tabulate
from steps.plan.metrics import as_json, facts
from steps.tables.columns import PSNR, TIME, read_metrics

METRICS = as_json(facts(["psnr", "ssim"]))
SSIM = read_metrics(METRICS)[1]


@pytest.fixture
def scores():
    rows = []
    for image in ("house", "camera_man"):
        for sigma in ("0.1", "0.02"):
            for seed in (0, 1, 4):
                for label, psnr in (("Wiener", 20.0), ("TV & co", 30.0), ("DIP", 30.0)):
                    row = {"image": image, "corruption": f"sigma={sigma},clip=true,seed={seed}", "label": label}
                    row |= {"psnr": psnr + seed + (label == "DIP") * 0.001, "ssim": 0.5, "seconds": 1.25}
                    rows.append(
                        row
                        | {
                            "input_psnr": 10.0,
                            "input_ssim": 0.2,
                            "task": "denoising",
                            "device": "cpu",
                            "convention": "C",
                        }
                    )
    return pandas.DataFrame(rows)


def only(scores, *seeds):
    return scores[scores["corruption"].str[-1].isin(map(str, seeds))]


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
    assert frame["Wiener"].tolist() == pytest.approx([65 / 3] * 4)
    low, high = stats.t.interval(0.95, 2, loc=65 / 3, scale=stats.sem([20, 21, 24]))
    assert frame["Wiener ±"].tolist() == pytest.approx([(high - low) / 2] * 4)
    assert frame["n"].tolist() == ["3"] * 4
    assert frame["input"].tolist() == [10.0] * 4


def starred(*arguments):
    """Return the header and rows of `tabulate.texts`, a star before and after what is the best."""
    header, rows = tabulate.texts(*arguments)
    return header, [[f"*{text}*" if isinstance(text, tabulate.Best) else text for text in row] for row in rows]


def test_one_recovery_a_cell_has_no_interval_and_no_count(scores):
    frame, keys, labels = tabulate.table(only(scores, 0), "psnr")
    assert not [column for column in frame if "±" in column]
    header, rows = starred(frame, keys, labels, PSNR)
    assert header == ["image", "sigma", "input", *labels]
    assert rows[0] == ["house", "0.1", "10.00", "20.00", "*30.00*", "*30.00*"]  # equal at two decimals: both bold


def test_two_seeds_have_a_mean_but_no_interval(scores):
    frame, keys, labels = tabulate.table(only(scores, 0, 1), "psnr")
    header, rows = tabulate.texts(frame, keys, labels, PSNR)
    assert header == ["image", "sigma", "n", "input", *labels]
    assert rows[0] == ["house", "0.1", "2", "10.00", "20.50", "30.50", "30.50"]


def test_a_column_with_one_seed_beside_one_with_several(scores):
    some = scores[(scores["label"] == "DIP") | scores["corruption"].str.endswith("seed=0")]
    frame, keys, labels = tabulate.table(some, "psnr")
    header, rows = tabulate.texts(frame, keys, labels, PSNR)
    assert rows[0] == ["house", "0.1", "1 to 3", "10.00", "20.00", "30.00", "31.67 ± 5.17"]
    seeds = some["corruption"].str[-1].astype(float)
    assert tabulate.table(some.assign(input_psnr=seeds), "psnr")[0]["input"][0] == pytest.approx(5 / 3)  # a draw once


def test_an_interval_is_there_though_other_cells_were_not_run(scores):
    """Three seeds in one cell; as few recoveries in all as there are cells."""
    lone = (scores["label"] == "DIP") & (scores["image"] == "house") & scores["corruption"].str.startswith("sigma=0.1,")
    rest = (scores["label"] == "Wiener") & (scores["image"] == "house") & scores["corruption"].str.contains("=0.02,")
    frame, keys, labels = tabulate.table(pandas.concat([scores[lone], only(scores[rest], 0)]), "psnr")
    header, rows = tabulate.texts(frame, keys, labels, PSNR)
    assert dict(zip(header, rows[0]))["DIP"] == "31.67 ± 5.17"


def test_n_counts_numbers(scores):
    scores.loc[scores["corruption"].str.endswith("seed=4"), "ssim"] = math.nan
    assert set(tabulate.table(scores, "psnr")[0]["n"]) == {"3"}
    assert set(tabulate.table(scores, "ssim")[0]["n"]) == {"2"}


def test_what_was_not_run_says_so_and_is_not_the_best(scores):
    none = (scores["label"] == "Wiener") & (scores["image"] == "camera_man")
    frame, keys, labels = tabulate.table(only(scores[~none], 0), "psnr")
    _, rows = starred(frame, keys, labels, PSNR)
    assert [row[-3:] for row in rows] == [["20.00", "*30.00*", "*30.00*"]] * 2 + [["not run", "*30.00*", "*30.00*"]] * 2


def test_a_row_without_any_number_has_no_best(scores):
    """As SSIM of an image below 11 pixels a side."""
    scores.loc[scores["image"] == "house", ["ssim", "input_ssim"]] = math.nan
    frame, keys, labels = tabulate.table(only(scores, 0), "ssim")
    _, rows = starred(frame, keys, labels, SSIM)
    assert rows[2] == ["camera_man", "0.1", "0.200", "*0.500*", "*0.500*", "*0.500*"]
    assert not any("*" in text for row in rows[:2] for text in row)
    assert not any("not run" in text for row in rows[:2] for text in row)  # they were run


def test_what_was_run_and_has_no_number_is_not_said_to_be_not_run(scores):
    """As with a metric of one's own that has none for some estimates; in the rows of means, too."""
    more = pandas.concat([scores, scores[scores["image"] == "house"].assign(image="logo")])
    more.loc[more["label"] == "DIP", "ssim"] = math.nan
    none = (more["label"] == "Wiener") & (more["corruption"].str.startswith("sigma=0.02"))
    less = (more["label"] == "DIP") & (more["image"] == "logo")  # in the mean it was run
    frame, keys, labels = tabulate.table(only(more[~none & ~less], 0), "ssim")
    _, rows = starred(tabulate.with_means(frame, keys, labels), keys, labels, SSIM)
    dip = ["", "", "not run", ""]
    assert [row[-3:] for row in rows if row[1] == "0.1"] == [["*0.500*", "*0.500*", text] for text in dip]
    assert [row[-3:] for row in rows if row[1] == "0.02"] == [["not run", "*0.500*", text] for text in dip]
    assert sum(row[0] == "mean of 3 images" for row in rows) == 2


@pytest.mark.parametrize(("metric", "cell"), [(PSNR, "∞"), (SSIM, "1.000")])
def test_the_truth_has_a_column_beside_the_input_and_is_not_ranked(scores, metric, cell):
    frame, keys, labels = tabulate.table(only(scores, 0), metric.name)
    header, rows = starred(frame, keys, labels, metric, tabulate.perfect(metric.name))
    assert header == ["image", "sigma", "truth", "input", *labels]
    assert [row[2] for row in rows] == [cell] * 4 and all(row[-1].startswith("*") for row in rows)


def test_a_row_without_any_number_has_no_perfect_one_either(scores):
    scores.loc[scores["image"] == "house", ["ssim", "input_ssim"]] = math.nan
    frame, keys, labels = tabulate.table(only(scores, 0), "ssim")
    _, rows = tabulate.texts(frame, keys, labels, SSIM, 1.0)
    assert [row[2] for row in rows] == ["", "", "1.000", "1.000"]


def test_an_exact_recovery_is_infinite_and_the_best_like_any_other(scores):
    exact = scores.assign(psnr=scores["psnr"].where(scores["label"] != "DIP", math.inf))
    frame, keys, labels = tabulate.table(only(exact, 0), "psnr")
    _, rows = starred(frame, keys, labels, PSNR, math.inf)
    assert rows[0][2:] == ["∞", "10.00", "20.00", "30.00", "*∞*"]


def test_time_is_not_ranked(scores):
    frame, keys, labels = tabulate.table(scores, "seconds")
    _, rows = starred(frame, keys, labels, TIME)
    assert rows[0][2:] == ["3", *["1.2 ± 0"] * 3]


def test_a_time_of_a_recovery_that_waited_is_marked_and_explained_once(tmp_path, scores):
    """The mark says nothing of the number: it is the same."""
    scores = of_three_images(scores).assign(cpu_seconds=1.2)
    assert not any("†" in text for text in written(tmp_path, scores).values())
    held_up = (scores["image"] == "hill") & (scores["label"] == "DIP") & scores["corruption"].str.contains("=0.1,")
    files = written(tmp_path, scores.assign(cpu_seconds=scores["cpu_seconds"].where(~held_up, 0.6)))
    assert "| hill | 0.1 | 3 | 1.2 ± 0 | 1.2 ± 0 | 1.2 ± 0 † |" in files["md"]
    assert "| mean of 4 images | 0.1 | 12 | 1.2 | 1.2 | 1.2 † |" in files["md"]
    assert files["md"].count(" † |") == 2 and files["md"].count("\n†: a recovery took more than twice as long") == 1
    assert files["tex"].count(r"$\dagger$ \\") == 2 and files["tex"].count(r"$\dagger$: a recovery took") == 1
    assert "†" not in files["csv"] and "waited" not in files["csv"]


def test_latex_escapes_and_booktabs():
    text = tabulate.to_latex(["image", "TV & co"], [["a", tabulate.Best("1")]], 1, "50 % of a_b")
    assert r"\caption{50 \% of a\_b}" in text
    assert r"image & TV \& co \\" in text
    assert r"\begin{tabular}{lr}" in text
    assert r"a & \textbf{1} \\" in text
    for rule in ("toprule", "midrule", "bottomrule"):
        assert f"\\{rule}" in text


def of_three_images(scores):
    """Return scores of a third image, better by 3 dB, and of one without a truth."""
    house = scores[scores["image"] == "house"]
    better, unknown = house.assign(image="hill", psnr=house["psnr"] + 3, ssim=0.8), house.assign(image="unknown")
    every = [scores, better, unknown.assign(psnr=math.nan, ssim=math.nan, input_psnr=math.nan, input_ssim=math.nan)]
    return pandas.concat(every).assign(residual=0.1)


def test_three_images_and_more_have_a_mean_that_counts_each_alike(scores):
    scores = of_three_images(scores)
    frame, keys, labels = tabulate.table(scores, "psnr")
    found = tabulate.means(frame, keys, labels)
    assert found["image"].tolist() == ["mean of 3 images"] * 2 and found["sigma"].tolist() == [0.1, 0.02]
    assert found["TV & co"].tolist() == pytest.approx([(2 * 95 + 104) / 9] * 2)
    assert found["n"].tolist() == ["9"] * 2 and found["input"].tolist() == [10.0] * 2


def test_a_mean_is_over_the_images_that_all_methods_have(scores):
    house = scores[scores["image"] == "house"]
    scores = pandas.concat([of_three_images(scores), house.assign(image="lake", psnr=house["psnr"] + 100)])
    some = scores[~((scores["label"] == "Wiener") & (scores["image"] == "lake"))]
    frame, keys, labels = tabulate.table(some, "psnr")
    found = tabulate.means(frame, keys, labels)
    assert found["image"].tolist() == ["mean of 3 of 4 images"] * 2
    assert found["DIP"].tolist() == pytest.approx([(2 * 95 + 104) / 9 + 0.001] * 2)
    frame, keys, labels = tabulate.table(scores.assign(psnr=scores["psnr"].where(scores["label"] != "Wiener")), "psnr")
    found = tabulate.means(frame, keys, labels)  # run for none: it says nothing about the others' images
    assert found["image"].tolist() == ["mean of 4 images"] * 2 and found["Wiener"].isna().all()


def test_two_images_have_no_mean(scores):
    frame, keys, labels = tabulate.table(scores, "psnr")
    assert not len(tabulate.means(frame, keys, labels))


def test_means_over_images_are_in_what_one_reads_and_not_in_the_csv(tmp_path, scores):
    files = written(tmp_path, of_three_images(scores))
    assert "| mean of 3 images | 0.02 | 9 | ∞ | 10.00 | 22.67 | **32.67** | **32.67** |" in files["md"]
    assert "| mean of 3 images | 0.02 | 9 | 1.000 | 0.200 | 0.600 |" in files["md"].replace("**", "")  # SSIM
    assert "| mean of 4 images | 0.1 | 12 | 1.2 |" in files["md"]  # seconds are known of all four
    assert r"mean of 3 images & 0.02 & 9 & $\infty$ & 10.00 & 22.67 & \textbf{32.67}" in files["tex"]
    assert "mean of" not in files["csv"]


STAND_INS = {"camera_man": "for him, 9 × 9.", "moon": "for the moon"}


def written(folder, scores, metrics=METRICS):
    """Return the text of the files that the command writes of the scores, by suffix."""
    scores.to_csv(folder / "scores.csv", index=False)
    arguments = [str(folder / "scores.csv"), str(folder / "table"), "--title", "My title", "--metrics", metrics]
    result = CliRunner().invoke(tabulate.main, [*arguments, "--stand-ins", json.dumps(STAND_INS)])
    assert result.exit_code == 0, result.output
    return {suffix: (folder / f"table.{suffix}").read_text() for suffix in ("md", "tex", "csv")}


def test_command_writes_three_files(tmp_path, scores):
    files = written(tmp_path, scores)
    assert files["md"].startswith("# My title\n\ndenoising; clip=true.")
    assert files["md"].count("n: number of recoveries") == 1
    assert "| house | 0.1 | 3 | ∞ | 10.00 | 21.67 ± 5.17 | **31.67 ± 5.17** | **31.67 ± 5.17** |" in files["md"]
    assert r"(stand-in) & 0.02 & 3 & $\infty$ & 10.00 & 21.67 $\pm$ 5.17 & \textbf{31.67 $\pm$ 5.17}" in files["tex"]
    csv = pandas.read_csv(tmp_path / "table.csv")
    assert sorted(csv["metric"].unique()) == ["psnr", "seconds", "ssim"]
    assert len(csv) == 12
    assert csv["DIP ±"][0] == pytest.approx(5.1711, abs=1e-3)


def test_every_table_that_is_ranked_has_the_truth_once_and_never_in_bold(tmp_path, scores):
    files = written(tmp_path, only(of_three_images(scores), 0))  # one of four images has no truth
    tables = {part.split("\n")[0]: part for part in files["md"].split("\n## ")[1:]}
    assert [name for name in tables if "truth" in tables[name]] == ["PSNR [dB]", "SSIM"]
    assert list(tables) == ["PSNR [dB]", "SSIM", "Residual", "Time [s]"]
    for name, cell in (("PSNR [dB]", "∞"), ("SSIM", "1.000")):
        head, _, *rows = [line.split(" | ") for line in tables[name].splitlines() if line.startswith("|")]
        assert head[2:4] == ["truth", "input"] and head.count("truth") == 1
        known = [row for row in rows if row[0] != "| unknown"]
        assert len(rows) - len(known) == 2 and not any("∞" in text or "1.000" in text for text in rows[-3] + rows[-4])
        assert all(row[2] == cell and "**" not in row[2] for row in known)
    latex = files["tex"].split(r"\begin{table}")[1:]
    assert [text.count("truth") for text in latex] == [1, 1, 0, 0]
    assert [text.count(" & truth & input & ") for text in latex] == [1, 1, 0, 0]
    assert latex[0].count(r" & $\infty$ & 10.00 & ") == 8
    assert "truth" not in files["csv"] and "inf" not in files["csv"]


def test_every_table_names_the_stand_ins_in_it(tmp_path, scores):
    files = written(tmp_path, scores)
    assert files["md"].count("camera_man is a stand-in for him, 9 × 9.") == 1 and "moon" not in files["md"]
    assert files["md"].count("| camera_man (stand-in) |") == files["md"].count("| camera_man") == 6
    assert files["tex"].count(r"camera\_man (stand-in) &") == files["tex"].count(r"camera\_man") == 6
    assert "house (stand-in)" not in files["md"] + files["tex"]


def test_one_recovery_a_cell_is_not_explained_as_several(tmp_path, scores):
    files = written(tmp_path, only(scores, 0))
    assert "n: number of recoveries" not in files["md"] and "±" not in files["md"]


def test_what_is_said_of_n_says_whether_columns_have_other_draws(tmp_path, scores):
    """Not if one method was run with several seeds of its own on the one draw that all have."""
    alike, dip = only(scores, 0), scores[scores["label"] == "DIP"]
    for more, differ in ((only(dip, 0), False), (only(dip, 1), True)):
        files = written(tmp_path, pandas.concat([alike, more], ignore_index=True))
        assert "| 1 to" in files["md"] and files["md"].count("n: number of recoveries") == 1
        assert files["tex"].count("n: number of recoveries") == 3
        assert {tabulate.APART in files["md"], tabulate.APART in files["tex"]} == {differ}


LOWER = [
    {"name": "mae", "label": "MAE_1", "unit": "", "decimals": 3, "better": "lower", "about": "Mean *absolute* error."}
]


def test_a_metric_that_is_better_when_lower_has_its_lowest_in_bold_and_its_input(tmp_path, scores, monkeypatch):
    monkeypatch.setattr(tabulate, "perfect", {"mae": 0.0}.get)  # it has no file
    worse = {"Wiener": 0.3, "TV & co": 0.1, "DIP": 0.1004}
    scores = only(scores, 0).assign(mae=only(scores, 0)["label"].map(worse), input_mae=0.5)
    files = written(tmp_path, scores, json.dumps(LOWER))
    assert "## MAE_1\n\nMean \\*absolute\\* error; lower is better.\n\n| image | sigma | truth | input |" in files["md"]
    assert "| house | 0.1 | 0.000 | 0.500 | 0.300 | **0.100** | **0.100** |" in files["md"]
    assert r"\caption{My title. MAE\_1, lower is better; denoising; clip=true.}" in files["tex"]
    assert "PSNR" not in files["md"] and set(pandas.read_csv(tmp_path / "table.csv")["metric"]) == {"mae", "seconds"}


def test_a_metric_that_no_recovery_has_says_so(tmp_path, scores):
    files = written(tmp_path, scores.assign(mae=math.nan, input_mae=math.nan), json.dumps(LOWER))
    assert "lower is better.\n\nNo recovery in this table has one; the metric's file says" in files["md"]
    assert "MAE" not in files["tex"]
