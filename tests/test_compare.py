import json
import math
from itertools import product

import pandas
import pytest
from click.testing import CliRunner

from steps import compare
from steps.plan import experiments, published
from steps.tables.columns import PSNR, Metric
from steps.tables.statistics import interval
from tests.workflows import ROOT

MORE = {"metric": "psnr", "about": False, "who": "", "where": ""}
NAMED = {
    "psnr": PSNR,
    "isnr": Metric("isnr", "ISNR", "dB", 2, "higher"),
    "ssim": Metric("ssim", "SSIM", "", 3, "higher"),
}


def row_of(settings="paper", label="ours", name="theirs", **facts):
    """Return a row as `compare.compare` makes it."""
    row = {"image": "a", "parameter": "sigma", "value": 0.1, "published label": name, "published": 20.0, "label": label}
    row |= {"settings": settings, "n": 1, "ours": 20.0, "interval": math.nan, "difference": 0.0, "tolerance": 1.0}
    return row | {"verdict": "within", "reason": "r"} | MORE | facts


@pytest.mark.parametrize(
    "difference, tolerance, expected",
    [
        (0.5, 0.5, "within"),
        (-0.5, 0.5, "within"),
        (0.501, 0.5, "better"),
        (-0.501, 0.5, "worse"),
        (0.0, 0.0, "within"),
        (1e-9, 0.0, "better"),
        (-1e-9, 0.0, "worse"),
        (0.0, None, "not comparable"),
        (9.0, None, "not comparable"),
        (28.3 - 28.2, 0.1, "within"),
    ],
)
def test_verdicts(difference, tolerance, expected):
    assert compare.verdict(difference, tolerance) == expected


RULES = [
    {"images": ["parrots"], "reason": "stand-in"},
    {"labels": ["A", "B"], "images": ["house"], "db": 0, "reason": "exact"},
    {"labels": ["A"], "db": 0.4, "reason": "first"},
    {"labels": ["A", "C"], "db": 2, "reason": "second"},
]


@pytest.mark.parametrize(
    "label, image, expected",
    [
        ("A", "parrots", (None, "stand-in")),  # though a later one has a tolerance
        ("A", "house", (0, "exact")),
        ("A", "hill", (0.4, "first")),
        ("C", "house", (2, "second")),
        ("B", "hill", (None, "no tolerance is given")),  # label and image must both be named
        ("D", "house", (None, "no tolerance is given")),
    ],
)
def test_the_first_rule_for_a_cell_decides(label, image, expected):
    assert compare.rule({"label": label, "image": image}, RULES) == expected


def test_a_rule_without_labels_and_images_is_for_all():
    assert compare.rule({"label": "D", "image": "x"}, [*RULES, {"db": 3, "reason": "rest"}]) == (3, "rest")


CELLS = [
    {"table": "t", "image": image, "parameter": "sigma", "value": value, "label": name, "number": 20.0} | MORE
    for image, value, name in product(("a", "b"), (0.1, 0.5), ("N", "C"))
]
LABELS = [
    ("ours", {"method": "nlm", "published": "N"}),
    ("alone", {"method": "tv"}),
    ("best", {"method": "nlm", "published": ["N", "C"], "settings": "tuned"}),
]
TOLERANCES = [{"images": ["b"], "reason": "stand-in"}, {"labels": ["N"], "db": 0.5, "reason": "near"}]


def scores(**by_label):
    """Return scores of steps.collect from {label: {(image, sigma): [PSNR of each seed]}}."""
    rows = [
        {
            "task": "denoising",
            "image": image,
            "label": label,
            "corruption": f"sigma={sigma},seed={seed}",
            "psnr": psnr,
            "params": "default",
        }
        for label, cells in by_label.items()
        for (image, sigma), values in cells.items()
        for seed, psnr in enumerate(values)
    ]
    return pandas.DataFrame(rows)


SCORES = scores(
    ours={("a", 0.1): [20.25], ("a", 0.5): [19.0, 19.25, 19.5], ("b", 0.1): [26.0], ("b", 0.5): [20.0]},
    alone={("a", 0.1): [30.0]},
    best={("a", 0.1): [20.5, 19.75, 20.25], ("a", 0.5): [21.0, 21.25, 21.5], ("b", 0.1): [20.0], ("b", 0.5): [20.1]},
)


def compared(found=SCORES, labels=LABELS, cells=CELLS):
    """Return {(our label, published label, image, value): row}."""
    rows = compare.compare(found, labels, cells, TOLERANCES)
    keys = [(row["label"], row["published label"], row["image"], row["value"]) for row in rows]
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, rows))


def test_every_cell_that_a_variant_names_is_there_and_no_other():
    expected = set(product(["ours"], "N", "ab", (0.1, 0.5))) | set(product(["best"], "NC", "ab", (0.1, 0.5)))
    assert set(compared()) == expected


def test_a_cell_is_the_mean_over_seeds_beside_the_published_value():
    row = compared()["ours", "N", "a", 0.5]
    mean, half = interval([19.0, 19.25, 19.5])
    assert (row["n"], row["ours"], row["interval"], row["published"]) == (3, mean, half, 20.0)
    assert row["difference"] == -0.75
    assert (row["tolerance"], row["verdict"], row["reason"], row["settings"]) == (0.5, "worse", "near", "paper")


def test_a_published_value_of_a_parameter_that_is_at_its_default_is_run():
    cell = {"table": "t", "image": "a", "parameter": "compression", "value": 2.0, "label": "N", "number": 20.0}
    cell |= MORE
    facts = {"task": "single_pixel", "image": "a", "label": "ours", "corruption": "patterns=hadamard"}
    (row,) = compare.compare(pandas.DataFrame([facts | {"psnr": 20.25}]), LABELS[:1], [cell], TOLERANCES)
    assert (row["n"], row["ours"], row["verdict"]) == (1, 20.25, "within")


def test_one_seed_has_no_interval_and_is_judged_all_the_same():
    row = compared()["ours", "N", "a", 0.1]
    assert row["n"] == 1 and math.isnan(row["interval"])
    assert row["verdict"] == "within"


def test_what_has_no_tolerance_is_not_judged():
    for key in (("ours", "N", "b", 0.1), ("best", "N", "b", 0.1)):  # tuned settings do not make a stand-in comparable
        row = compared()[key]
        assert row["verdict"] == "not comparable" and math.isnan(row["tolerance"]) and row["reason"] == "stand-in"
    assert compared()["best", "C", "a", 0.1]["reason"] == "no tolerance is given"


def test_tuned_settings_are_judged_by_their_interval():
    found = compared()
    near, far = found["best", "N", "a", 0.1], found["best", "N", "a", 0.5]
    assert near["tolerance"] == near["interval"] > 0.5 and near["verdict"] == "within"
    assert far["tolerance"] == far["interval"] < 1.25 and far["verdict"] == "better"
    one = compared(scores(best={("a", 0.1): [20.25], ("a", 0.5): [19.9], ("b", 0.1): [20.0], ("b", 0.5): [20.0]}))
    assert (one["best", "N", "a", 0.1]["verdict"], one["best", "N", "a", 0.5]["verdict"]) == ("better", "worse")
    assert one["best", "N", "a", 0.1]["tolerance"] == 0


@pytest.mark.parametrize(
    "column, start", [("image", "b"), ("corruption", "sigma=0.5"), ("label", "ours")], ids=["image", "noise", "variant"]
)
def test_what_was_not_run_is_there_and_says_so(column, start):
    missing = SCORES[column].str.startswith(start)
    found = compared(SCORES[~missing])
    assert list(found) == list(compared())
    gone = {(r.label, r.image, float(r.corruption[6:9])) for r in SCORES[missing].itertuples()} - {("alone", "a", 0.1)}
    for (label, _, image, value), row in found.items():
        assert (row["verdict"] == "not run") == (row["n"] == 0) == ((label, image, value) in gone)
        assert math.isnan(row["difference"]) == (row["n"] == 0)


def test_the_summary_has_the_nearest_first_within_each_kind_of_settings():
    rows = [
        row_of(label="far", difference=3.0, verdict="better"),
        row_of(label="far", difference=-4.0, verdict="worse"),
        row_of(label="far", difference=math.nan, n=0, verdict="not run"),
        row_of(label="none", difference=math.nan, n=0, verdict="not run"),
        row_of(label="best", settings="tuned", difference=0.1, verdict="not comparable"),
        row_of(label="near", difference=-0.5),
        row_of(label="near", difference=-0.5, name="another", verdict="worse"),
    ]
    found = compare.summary(rows)
    order = [(row["settings"], row["variant"], row["published as"]) for row in found]
    assert order[2:] == [("paper", "far", "theirs"), ("paper", "none", "theirs"), ("tuned", "best", "theirs")]
    assert {name for _, label, name in order[:2] if label == "near"} == {"theirs", "another"}
    far, none = found[2], found[3]
    assert far["cells run"] == "2 of 3" and none["cells run"] == "0 of 1"
    assert [far[v] for v in ("within", "better", "worse", "not comparable")] == [0, 1, 1, 0]
    assert (far["mean difference"], far["RMS"], far["largest"]) == (-0.5, pytest.approx(12.5**0.5), -4)
    assert math.isnan(none["mean difference"]) and math.isnan(none["RMS"]) and math.isnan(none["largest"])
    assert found[4]["not comparable"] == 1
    (mixed,) = compare.summary([row_of(difference=0.5), row_of(difference=9.0, verdict="not comparable")])
    assert (mixed["mean difference"], mixed["RMS"], mixed["largest"]) == (0.5, 0.5, 0.5)
    texts = compare.summary_texts(found, NAMED)
    assert dict(zip(found[0], texts[2])) == {
        "settings": "paper",
        "variant": "far",
        "published as": "theirs",
        "cells run": "2 of 3",
        **{"within": "0", "better": "1", "worse": "1", "not comparable": "0"},
        **{"mean difference": "-0.50", "RMS": "3.54", "largest": "-4.00"},
    }
    assert texts[3][-3:] == ["", "", ""]


def test_cells_in_words():
    rows = [
        row_of(n=3, ours=20.456, interval=0.123, difference=0.456, value=0.005, published=20.0),
        row_of(image="b", difference=-0.5, ours=19.5),
        row_of(n=0, ours=math.nan, difference=math.nan, verdict="not run"),
    ]
    header, texts = compare.cell_texts(rows, {"b": "for another"}, NAMED)
    assert header[:3] == ["image", "sigma", "published as"]
    several, one, none = (dict(zip(header, line)) for line in texts)
    assert (several["sigma"], several["published"], several["ours"]) == ("0.005", "20.00", "20.46 ± 0.12")
    assert (several["difference"], several["n"], several["image"]) == ("+0.46", "3", "a")
    assert (one["image"], one["ours"], one["difference"]) == ("b (stand-in)", "19.50", "-0.50")
    assert (none["ours"], none["difference"], none["n"], none["verdict"]) == ("", "", "0", "not run")


def test_cells_of_several_metrics_and_parameters_say_which():
    rows = [
        row_of(ours=8.4, published=8.19, about=True, metric="isnr", who="Dabov et al. 2008", where="table 1"),
        row_of(parameter="bsnr", value=40.0, ours=0.91234, published=0.9, metric="ssim", name="mine"),
    ]
    header, texts = compare.cell_texts(rows, {}, NAMED)
    first, second = (dict(zip(header, line)) for line in texts)
    assert (first["parameter"], second["parameter"]) == ("sigma=0.1", "bsnr=40")
    assert (first["metric"], first["published"], second["metric"]) == ("ISNR", "~8.19", "SSIM")
    assert (second["published"], second["ours"]) == ("0.900", "0.912")
    assert compare.sources(rows).splitlines() == [
        "- theirs: Dabov et al. 2008, table 1",
        "- ~ is from memory or second hand: not checked.",
    ]
    assert compare.sources([row_of()]) == ""


def test_a_summary_of_several_metrics_calls_them_by_their_labels():
    found = compare.summary([row_of(), row_of(metric="psnr_y")])
    named = NAMED | {"psnr_y": Metric("psnr_y", "PSNR-Y", "dB", 2, "higher")}
    texts = [dict(zip(found[0], line)) for line in compare.summary_texts(found, named)]
    assert [line["metric"] for line in texts] == ["PSNR", "PSNR-Y"]


def test_a_set_s_number_is_the_mean_of_its_images_if_all_are_there():
    cell = CELLS[0] | {"image": "set-*"}
    found = scores(ours={("set-a", 0.1): [20.0, 22.0], ("set-b", 0.1): [30.0], ("other", 0.1): [50.0]})
    images = ["set-a", "set-b", "other"]
    (row,) = compare.compare(found, LABELS[:1], [cell], TOLERANCES, images)
    assert (row["ours"], row["n"], row["difference"]) == (25.5, 3, 5.5) and math.isnan(row["interval"])
    draws = scores(ours={("set-a", 0.1): [20.0, 22.0, 24.0], ("set-b", 0.1): [30.0, 32.0, 34.0]})
    (row,) = compare.compare(draws, LABELS[:1], [cell], TOLERANCES, images[:2])
    assert row["ours"] == 27 and row["interval"] == pytest.approx(4.303 * 2 / 3**0.5, rel=1e-3)  # of 25, 27 and 29
    (row,) = compare.compare(draws.iloc[1:], LABELS[:1], [cell], TOLERANCES, images[:2])
    assert math.isnan(row["interval"])  # two draws that both images have
    (row,) = compare.compare(found, LABELS[:1], [cell], TOLERANCES, [*images, "set-c"])
    assert (row["n"], row["verdict"]) == (0, "not run")
    found.loc[found["image"] == "set-b", "psnr"] = math.nan  # too small an image for the metric
    (row,) = compare.compare(found, LABELS[:1], [cell], TOLERANCES, images)
    assert (row["n"], row["verdict"]) == (0, "not run")


def test_of_a_metric_that_is_to_be_low_less_is_better():
    assert compare.verdict(-1, 0.5, lower=True) == "better" and compare.verdict(1, 0.5, lower=True) == "worse"


def test_reasons_are_told_once_with_the_cells_that_they_are_for():
    rows = [
        row_of(image="a"),
        row_of(image="b"),
        row_of(image="a", value=0.5),
        row_of(image="c", tolerance=0.25),
        row_of(image="d", tolerance=math.nan, reason="a stand-in"),
        row_of(image="e", settings="tuned", reason="at least as good"),
    ]
    assert compare.reasons(rows).splitlines() == [
        "- 1 dB for theirs on a, theirs on b: r",
        "- 0.25 dB for theirs on c: r",
        "- not comparable for theirs on d: a stand-in",
    ]


def there(*corruptions, image="a", label="NLM", task="single_pixel"):
    facts = {"task": task, "image": image, "label": label}
    return pandas.DataFrame([facts | {"corruption": c, "psnr": float(i)} for i, c in enumerate(corruptions)])


PUBLISHED = {"table": "t", "image": "a", "parameter": "sigma", "value": 0.001, "label": "N", "number": 20.0}


@pytest.mark.parametrize(
    "found, expected",
    [
        (there("sigma=0.001,seed=0", "sigma=1e-3,seed=1", "sigma=0.01,seed=0", "sigma=1.0e-03,seed=2"), [0, 1, 3]),
        (there("compression=2,seed=0", "default", "sigma=0.001"), [2]),  # where it is missing it is not that value
        (there("sigma=0.0010001", "sigma=0"), []),
        (there("sigma=0.001", image="b"), []),
        (there("sigma=0.001", label="N"), []),
    ],
    ids=["spellings and seeds", "missing parameter", "near is not equal", "another image", "another label"],
)
def test_our_rows_for_a_cell_are_those_of_its_image_label_and_value(found, expected):
    assert compare.ours(found, PUBLISHED, "NLM")["psnr"].tolist() == expected


def test_a_whole_number_and_none():
    cell = PUBLISHED | {"parameter": "compression", "value": 4.0}
    assert compare.ours(there("compression=4", "compression=4.5"), cell, "NLM")["psnr"].tolist() == [0]
    cell = PUBLISHED | {"value": 0.0}
    assert compare.ours(there("sigma=0", "sigma=1e-3"), cell, "NLM")["psnr"].tolist() == [0]


def test_a_parameter_that_is_not_spelled_has_its_default():
    cell = PUBLISHED | {"parameter": "compression", "value": 2.0}
    found = there("patterns=hadamard,seed=1", "compression=4,patterns=hadamard", "compression=2")
    assert compare.ours(found, cell, "NLM")["psnr"].tolist() == [0, 2]
    assert compare.ours(there("default", "sigma=0.1"), PUBLISHED | {"value": 0.0}, "NLM")["psnr"].tolist() == [0]


@pytest.mark.parametrize("name, value", [("patterns", 1.0), ("nothing", 2.0), ("sigma", 0.5)])
def test_a_parameter_that_is_a_word_or_that_the_task_has_not_is_no_value(name, value):
    assert compare.ours(there("default"), PUBLISHED | {"parameter": name, "value": value}, "NLM").empty


EXPERIMENT = {
    "task": "denoising",
    "images": ["hill", "f16"],
    "corruption": {"sigma": [0.1, 0.5], "seed": [0, 1]},
    "methods": [
        {"method": "nlm", "published": "NLM", "params": {"h": [0.05, 0.06]}},
        {"method": "bm3d", "label": "BM | 3D_x", "published": ["BM3D", "CBM3D"], "settings": "tuned"},
        {"method": "tv"},
    ],
    "published": {
        "table": "table2",
        "tolerances": [{"images": ["f16"], "reason": "another file"}, {"labels": ["NLM"], "db": 1, "reason": "near"}],
    },
}
FILE = ROOT / "config/published.csv"
STAND_INS = {"hill": "for another hill.", "moon": "for the moon"}


@pytest.fixture
def written(tmp_path):
    """The folder in which the command has compared EXPERIMENT, with TV and the other images not published or run."""
    found = [
        {"experiment": "e", "folder": r.folder, "task": r.task, "image": r.image, "corruption": r.corruption}
        | {"label": r.label, "method": r.method, "params": r.params, "device": "cpu", "convention": "C"}
        | {"psnr": 25.0 + i / 10, "seconds": 1.0}
        for i, r in enumerate(experiments.recoveries(EXPERIMENT))
    ]
    pandas.DataFrame(found).to_csv(tmp_path / "scores.csv", index=False)
    arguments = [str(tmp_path / "scores.csv"), str(FILE), json.dumps(EXPERIMENT), json.dumps(STAND_INS)]
    arguments += [str(tmp_path / "e_vs_paper"), "--title", "50 % of a_b"]
    result = CliRunner().invoke(compare.main, arguments)
    assert result.exit_code == 0, result.output or result.exception
    return tmp_path


def test_the_command_leaves_no_cell_out(written):
    """As many rows as published cells × variants that name them, whether they were run or not."""
    csv = pandas.read_csv(written / "e_vs_paper.csv")
    cells = [row for row in published.read(FILE) if row["table"] == "table2"]
    variants = {"NLM (h=0.05)": ["NLM"], "NLM (h=0.06)": ["NLM"], "BM | 3D_x": ["BM3D", "CBM3D"]}
    expected = {(label, c["label"], c["image"], c["value"]) for label, n in variants.items() for c in cells}
    expected = {key for key in expected if key[1] in variants[key[0]]}
    found = list(zip(csv["label"], csv["published label"], csv["image"], csv["value"]))
    assert len(found) == len(set(found)) == 60 and set(found) == expected
    run = csv[csv["verdict"] != "not run"]
    assert set(run["image"]) == {"hill", "f16"} and set(run["value"]) == {0.1, 0.5} and set(run["n"]) == {2}
    assert set(csv.loc[csv["image"] == "f16", "verdict"]) == {"not comparable", "not run"}
    theirs = {(c["label"], c["image"], c["value"]): c["number"] for c in cells}
    assert all(theirs[r._4, r.image, r.value] == r.published for r in csv.itertuples())
    scores = pandas.read_csv(written / "scores.csv")
    for row in run.itertuples():
        mine = scores[(scores["label"] == row.label) & (scores["image"] == row.image)]
        mine = mine[mine["corruption"].str.contains(f"sigma={row.value},")]
        assert row.ours == pytest.approx(mine["psnr"].mean())
        assert row.difference == pytest.approx(row.ours - row.published)


def test_the_command_writes_the_same_in_markdown_and_in_latex(written):
    markdown = (written / "e_vs_paper.md").read_text()
    latex = (written / "e_vs_paper.tex").read_text()
    assert markdown.startswith("# 50 % of a_b, beside the published values\n\nPSNR in dB.")
    assert "hill is a stand-in for another hill." in markdown and "moon" not in markdown
    assert "- 1 dB for NLM on cameraman" in markdown and "another file" in markdown
    cells = markdown.split("## Each cell\n\n")[1].split("\n\n")[0].splitlines()
    assert len(cells) == 2 + 60
    assert sum("| hill (stand-in) |" in line for line in cells) == sum("| hill " in line for line in cells) == 15
    assert sum(line.endswith("| not run |") for line in cells) == 60 - 12
    assert latex.count(r"\begin{table}") == 2 and latex.count(r"\\") == 2 + 60 + 4  # two heads, 4 variants × labels
    assert r"\caption{50 \% of a\_b, beside the published values. hill is a stand-in for another hill.}" in latex
    assert r"3D\_x" in latex and "hill (stand-in)" in latex


def test_a_label_with_a_bar_does_not_break_the_table(written):
    rows = [line for line in (written / "e_vs_paper.md").read_text().splitlines() if line.startswith("|")]
    widths = [line.replace(r"\|", "").count("|") for line in rows]
    assert widths == [12] * 68


def test_a_tolerance_in_db_is_of_no_other_metric():
    cell = {"label": "A", "image": "hill", "metric": "ssim"}
    assert compare.rule(cell, [{"db": 1, "reason": "near"}]) == (None, "tolerances are in dB")
    assert compare.rule(cell | {"metric": "isnr"}, [{"db": 1, "reason": "near"}]) == (1, "near")
