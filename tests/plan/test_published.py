import copy
from collections import Counter

import pytest

from steps.base.errors import BadInput
from steps.plan import experiments, published, variants
from tests.workflows import ROOT

FILE = ROOT / "config/published.csv"
HEAD = "table,image,parameter,value,label,number"


def test_the_paper_s_numbers_are_all_there():
    """Its tables: 2 images × 3 sigmas × 4 methods; 4 × 5 × 3; 2 × 4 × 4."""
    found = published.read(FILE)
    assert Counter(row["table"] for row in found) == {"table1": 24, "table2": 60, "table3": 32}
    for table, images, values, labels in (("table1", 2, 3, 4), ("table2", 4, 5, 3), ("table3", 2, 4, 4)):
        rows = [row for row in found if row["table"] == table]
        assert len({row["image"] for row in rows}) == images
        assert len({row["value"] for row in rows}) == values
        per_cell = Counter((row["image"], row["value"]) for row in rows)
        assert set(per_cell.values()) == {labels}
        assert {row["parameter"] for row in rows} == {"compression" if table == "table3" else "sigma"}


def test_numbers_are_numbers_and_the_rest_is_text(tmp_path):
    (tmp_path / "p.csv").write_text(f"# comment\nmore,{HEAD}\n\nx,t,01,sigma,1e-3,None,-2.50\n")
    assert published.read(tmp_path / "p.csv") == [
        {"more": "x", "table": "t", "image": "01", "parameter": "sigma", "value": 0.001, "label": "None"}
        | {"number": -2.5, "about": False, "metric": "psnr", "who": "", "where": ""}
    ]


def test_values_may_be_fractions_and_cells_have_spaces_around_them(tmp_path):
    (tmp_path / "p.csv").write_text(f"{HEAD}\nt, a ,sigma,25/255,NLM , 20\n")
    (row,) = published.read(tmp_path / "p.csv")
    assert (row["image"], row["value"], row["label"], row["number"]) == ("a", 25 / 255, "NLM", 20)


def test_a_number_may_be_second_hand_of_another_metric_and_have_a_source(tmp_path):
    (tmp_path / "p.csv").write_text(
        f"{HEAD},metric,who,where\nt,set5-*,sigma,1,A,~8.19,isnr,Dabov et al. 2008,table 2\nt,set5-*,sigma,1,A,20,,,\n"
    )
    first, second = published.read(tmp_path / "p.csv")
    assert (first["number"], first["about"], first["metric"]) == (8.19, True, "isnr")
    assert (first["who"], first["where"]) == ("Dabov et al. 2008", "table 2")
    assert (second["number"], second["about"], second["metric"], second["who"]) == (20, False, "psnr", "")


GOOD = "t,a,sigma,0.1,NLM,20"
BAD = {
    "no column": ("table,image,parameter,value,label\nt,a,sigma,0.1,NLM\n", 2, "no number; must have table, image, "),
    "a cell without content": (f"{HEAD}\n{GOOD}\nt,,sigma,0.1,BM3D,20\n", 3, "no image; must have table, image, param"),
    "a line cut off": (f"{HEAD}\n{GOOD}\nt,a,sigma\n", 3, "no value; must have"),
    "a value in words": (f"{HEAD}\nt,a,sigma,loud,NLM,20\n", 2, "value 'loud' is not a number"),
    "a PSNR in words": (f"{HEAD}\n{GOOD}\nt,b,sigma,0.1,NLM,20 dB\n", 3, "number '20 dB' is not a number"),
    "an infinite PSNR": (f"{HEAD}\nt,a,sigma,0,NLM,inf\n", 2, "number inf is not a finite number"),
    "no PSNR": (f"{HEAD}\nt,a,sigma,nan,NLM,20\n", 2, "value nan is not a finite number"),
    "after comments": (
        f"# where from\n\n{HEAD}\n{GOOD}\n# more\nt,b,sigma,0.1,NLM,x\n",
        6,
        "number 'x' is not a number",
    ),
    "twice": (f"{HEAD}\n{GOOD}\nt,a,sigma,0.2,NLM,9\nt,a,sigma,1e-1,NLM,21\n", 4, "t, a, 0.1, NLM is there twice"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_in_one_line_that_names_file_and_line(name, tmp_path):
    content, line, words = BAD[name]
    path = tmp_path / "mine.csv"
    path.write_text(content)
    with pytest.raises(BadInput) as caught:
        published.read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}, line {line}: {words}")
    assert "\n" not in message


def test_a_missing_file_is_named():
    with pytest.raises(BadInput, match=r"^published: no file 'none.csv'$"):
        published.read("none.csv")


def test_names_of_an_entry_are_a_list():
    assert published.names({"published": "BM3D"}) == ["BM3D"]
    assert published.names({"published": ["BM3D", "CBM3D"]}) == ["BM3D", "CBM3D"]
    assert published.names({"method": "tv"}) == []


EXPERIMENT = {
    "task": "denoising",
    "images": ["hill"],
    "corruption": {"sigma": 0.1},
    "methods": [{"method": "nlm", "published": "NLM"}, {"method": "bm3d", "published": ["BM3D", "CBM3D"]}],
    "published": {
        "table": "table2",
        "tolerances": [{"images": ["hill"], "labels": ["NS"], "db": 1, "reason": "r"}, {"reason": "s"}],
    },
}
MISTAKES = {
    "table": (("published", "table"), "tabel2", ".published.table: unknown table 'tabel2' (did you mean 'table2'?)"),
    "label of a tolerance": (
        ("published", "tolerances", 0, "labels"),
        ["NS", "NML"],
        ".published.tolerances[0]: unknown published label 'NML' (did you mean 'NLM'?); allowed: BM3D, CBM3D, NLM, NS",
    ),
    "image of a tolerance": (
        ("published", "tolerances", 1, "images"),
        ["hil"],
        ".published.tolerances[1]: unknown published image 'hil' (did you mean 'hill'?)",
    ),
    "image of another table": (
        ("published", "tolerances", 0, "images"),
        ["parrots"],
        ".published.tolerances[0]: unknown published image 'parrots'",
    ),
    "label of a method": (
        ("methods", 1, "published"),
        ["BM3D", "CBMD"],
        ".methods: unknown published label 'CBMD' (did you mean 'CBM3D'?)",
    ),
    "label of another table": (("methods", 0, "published"), "Wiener", ".methods: unknown published label 'Wiener'"),
    "no block": (("published",), None, ".published: missing, but methods are compared with NLM"),
}


def check(experiment, file=FILE):
    published.check(experiment, variants.labels(experiment), experiments.cases(experiment), file, "experiments.e")


def test_what_is_in_the_file_may_be_compared_with():
    check(EXPERIMENT)
    only = {key: value for key, value in EXPERIMENT.items() if key not in ("published", "methods")}
    check(only | {"methods": [{"method": "tv"}]}, file="none.csv")  # not read when nothing is compared


@pytest.mark.parametrize("name", MISTAKES)
def test_a_comparison_with_what_is_not_in_the_file_is_refused(name):
    (*parents, last), value, words = MISTAKES[name]
    experiment = copy.deepcopy(EXPERIMENT)
    place = experiment
    for key in parents:
        place = place[key]
    place[last] = value
    with pytest.raises(BadInput) as caught:
        check(experiment)
    assert str(caught.value).startswith(f"experiments.e{words}")
    assert "\n" not in str(caught.value)


def test_a_published_parameter_that_the_task_has_not_is_refused(tmp_path):
    (tmp_path / "p.csv").write_text(f"{HEAD}\ntable2,hill,sgima,0.1,NLM,20\ntable2,hill,sigma,0.1,BM3D,20\n")
    experiment = EXPERIMENT | {"methods": EXPERIMENT["methods"][:1], "published": {"table": "table2"}}
    with pytest.raises(BadInput, match="e.published: unknown parameter 'sgima' .did you mean 'sigma'"):
        check(experiment, tmp_path / "p.csv")


def test_published_rows_that_no_measurement_is_for():
    places = [(image, value) for image in ("a", "b*", "c") for value in (0.1, 0.2)]
    rows = [{"image": image, "parameter": "sigma", "value": value} for image, value in places]
    found = published.unmatched(rows, "denoising", [("a", "sigma=0.1,seed=1"), ("b1", "sigma=0.2")])
    assert [(row["image"], row["value"]) for row in found] == [("a", 0.2), ("b*", 0.1), ("c", 0.1), ("c", 0.2)]


def test_a_corruption_that_varies_in_more_than_the_published_parameter_is_refused():
    with pytest.raises(BadInput, match="experiments.e.corruption: published values are of sigma; hill varies in more"):
        check(EXPERIMENT | {"corruption": {"sigma": 0.1, "clip": [True, False]}})


def test_a_parameter_is_the_same_spelled_or_at_its_default():
    corruption = [{"sigma": 0.1, "seed": 0}, {"sigma": 0.1, "clip": False, "seed": 1}]
    check(EXPERIMENT | {"corruption": corruption})
    single_pixel = EXPERIMENT | {
        "task": "single_pixel",
        "images": ["barbara"],
        "methods": [{"method": "nlm", "published": "NLM"}],
        "published": {"table": "table3"},
    }
    check(single_pixel | {"corruption": {"patterns": "hadamard"}})
    two = [{"patterns": "hadamard"}, {"compression": 2, "patterns": "hadamard", "sigma": 0.1}]
    with pytest.raises(BadInput, match="published values are of compression; barbara varies in more than that"):
        check(single_pixel | {"corruption": two})


def test_a_value_with_fewer_digits_than_a_float_has_is_the_same():
    row = {"parameter": "sigma", "value": 0.0980392156863}
    assert published.is_of(row, {"sigma": 25 / 255}) and not published.is_of(row, {"sigma": 0.098})


def test_a_comparison_that_no_method_is_part_of_is_refused():
    """It would be an empty table."""
    with pytest.raises(BadInput, match="^experiments.e.*published"):
        check(EXPERIMENT | {"methods": [{"method": "tv"}]})


ONE = {"method": "dip", "label": "x", "published": "NS", "params": {"seed": 0}}
MORE = ONE | {"params": {"seed": [1, 2]}}


@pytest.mark.parametrize(
    "change, key",
    [({"published": "NLM"}, "published"), ({"settings": "tuned"}, "settings"), ({"remark": "r"}, "remark")],
)
def test_entries_of_one_label_that_say_different_things_of_the_comparison_are_refused(change, key):
    with pytest.raises(BadInput) as caught:
        check(EXPERIMENT | {"methods": [ONE, MORE | change]})
    words = f"two entries with the label 'x' differ in {key}; give each its own label"
    assert str(caught.value) == f"experiments.e.methods: {words}"


def test_so_are_those_of_which_one_alone_is_compared_with_or_without_published_values():
    more = {key: value for key, value in MORE.items() if key != "published"}
    for methods in ([ONE, more], [more, ONE]):
        with pytest.raises(BadInput, match="experiments.e.methods: two entries with the label 'x' differ in published"):
            check(EXPERIMENT | {"methods": methods})
    plain = {key: value for key, value in EXPERIMENT.items() if key != "published"}
    with pytest.raises(BadInput, match="experiments.e.methods: two entries with the label 'x' differ in settings"):
        check(plain | {"methods": [more, more | {"settings": "tuned"}]})


def test_entries_of_one_label_that_agree_may_share_it():
    check(EXPERIMENT | {"methods": [ONE, MORE]})
    check(EXPERIMENT | {"methods": [ONE, MORE | {"published": ["NS"], "settings": "paper"}]})  # the same, spelled
