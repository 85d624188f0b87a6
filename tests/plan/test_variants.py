from pathlib import Path

import pytest
import yaml

from steps.base import discover
from steps.base.errors import BadInput
from steps.base.parameters import but_seed
from steps.plan import experiments, variants
from steps.plan.config import read_config

WIENER = {"method": "wiener"}
DIP = {"method": "dip", "params": {"lr": [0.1, 0.01], "seed": [0, 1]}}
PAIRED = {"method": "dip", "params": {"lr": [0.1, 0.01], "seed": "corruption"}}


def of(*methods, seed=0):
    return variants.of({"methods": list(methods)}, seed)


def test_variants_are_all_combinations_of_parameters_in_the_order_of_the_config():
    assert of(WIENER, DIP) == [
        ("wiener", "default", "Wiener"),
        ("dip", "lr=0.1,seed=0", "DIP (lr=0.1)"),
        ("dip", "lr=0.1,seed=1", "DIP (lr=0.1)"),
        ("dip", "lr=0.01,seed=0", "DIP (lr=0.01)"),
        ("dip", "lr=0.01,seed=1", "DIP (lr=0.01)"),
    ]


def test_a_list_of_one_value_is_no_part_of_a_label():
    assert of({"method": "tv", "params": {"lam": [0.1]}}) == [("tv", "lam=0.1", "TV")]


def test_a_seed_of_the_corruption_is_that_seed():
    assert [params for _, params, _ in of(PAIRED, seed=7)] == ["lr=0.1,seed=7", "lr=0.01,seed=7"]


def test_labels_have_the_entry_that_they_come_from():
    for dip in (DIP, PAIRED):
        found = variants.labels({"methods": [dip, WIENER]})
        assert found == [("DIP (lr=0.1)", dip), ("DIP (lr=0.01)", dip), ("Wiener", WIENER)]


def test_a_label_of_two_entries_is_there_once_among_labels_and_of_each_among_entries():
    one, more = {"method": "dip", "params": {"seed": 0}}, {"method": "dip", "params": {"seed": [1, 2]}}
    experiment = {"methods": [one, WIENER, more]}
    assert variants.entries(experiment) == [("DIP", one), ("Wiener", WIENER), ("DIP", more)]
    assert [label for label, _ in variants.labels(experiment)] == ["DIP", "Wiener"]


def test_seeds_of_a_label_are_those_of_all_of_its_entries():
    entries = [{"method": "dip", "params": {"seed": seed}} for seed in (0, ["2", 1])]
    assert variants.seeds({"methods": [*entries, WIENER]}) == {"DIP": {0, 1, 2}, "Wiener": {None}}
    assert set(variants.seeds({"methods": [PAIRED]}).values()) == {frozenset({"corruption"})}


@pytest.mark.parametrize(
    "methods, words",
    [
        ([WIENER, DIP | {"label": "Wiener"}], "two variants have the label 'Wiener'"),
        ([DIP | {"label": "input"}], "the label 'input' is that of another column"),
        ([DIP | {"label": "truth"}], "the label 'truth' is that of another column"),
        ([DIP | {"label": "Truth"}], "the label 'Truth' is that of a picture beside the recoveries"),
        ([DIP | {"label": "Input"}], "the label 'Input' is that of a picture beside the recoveries"),
        ([DIP | {"label": "Wiener ±"}], "the label 'Wiener ±' is that of another column"),
        ([DIP | {"label": "_DIP {lr}"}], "begins with _"),
        ([WIENER, WIENER], "wiener with default is there twice"),
        ([WIENER, WIENER | {"params": {"prior": "smooth"}, "label": "a"}], "wiener with prior=smooth is there twice"),
    ],
)
def test_labels_and_variants_that_cannot_be_told_apart_are_refused(methods, words):
    found = of(*methods)
    with pytest.raises(BadInput) as caught:
        variants.check(found, {"truth", "input"}, "here")
    assert str(caught.value).startswith("here: ")
    assert words in str(caught.value)


def test_a_label_of_an_unknown_parameter_and_one_that_would_differ_by_corruption_are_refused():
    with pytest.raises(BadInput, match="unknown parameter 'lamda'"):
        of({"method": "tv", "label": "TV {lamda}", "params": {"lam": 1}})
    with pytest.raises(BadInput, match="would differ from corruption to corruption"):
        of(PAIRED | {"label": "DIP {lr} {seed}"})


def test_parameters_without_their_seed():
    assert but_seed("lr=0.1,seed=3") == but_seed("lr=0.1") == {"lr": 0.1}


def test_a_folder_of_parameters_has_one_spelling():
    assert variants.spelled("tv", "iterations=5.0,lam=1e-3") == "lam=0.001,iterations=5"


def test_a_method_that_names_the_tasks_it_can_do_is_refused_for_others(monkeypatch):
    variants.check_task("wiener", "deconvolution", "here")
    monkeypatch.setattr(discover.load("methods", "wiener"), "TASKS", ("denoising", "inpainting"), raising=False)
    variants.check_task("wiener", "denoising", "here")
    words = "here: wiener cannot do deconvolution, as its file says; it can do denoising, inpainting"
    with pytest.raises(BadInput) as caught:
        variants.check_task("wiener", "deconvolution", "here")
    assert str(caught.value) == words
    experiment = {"task": "deconvolution", "images": ["a"], "methods": [{"method": "tv"}, WIENER]}
    with pytest.raises(BadInput, match=r"^experiment.methods\[1\].method: wiener cannot do deconvolution"):
        experiments.recoveries(experiment)


def test_a_method_that_names_the_corruptions_it_can_do_is_refused_for_others():
    words = "bm3d_deblurring cannot do boundary: valid, as its file says; it can do circular"
    for said in ("default", "blur=2,boundary=circular"):
        variants.check_corruption("bm3d_deblurring", "deconvolution", said, "here")
    variants.check_corruption("tv", "deconvolution", "boundary=valid", "here")
    with pytest.raises(BadInput, match=f"^here: {words}$"):
        variants.check_corruption("bm3d_deblurring", "deconvolution", "boundary=valid", "here")
    boundaries = {"psf": "motion", "boundary": ["circular", "valid"]}
    methods = [{"method": "tv"}, {"method": "bm3d_deblurring"}]
    experiment = {"task": "deconvolution", "images": ["a"], "corruption": boundaries, "methods": methods}
    with pytest.raises(BadInput, match=rf"^experiment.methods\[1\].method: {words}$"):
        experiments.recoveries(experiment)


def test_what_a_method_can_do_of_one_task_says_nothing_of_a_task_without_that_parameter(monkeypatch):
    monkeypatch.setattr(discover.load("methods", "tv"), "ONLY", {"boundary": ("circular",)}, raising=False)
    variants.check_corruption("tv", "denoising", "sigma=0.1", "here")
    with pytest.raises(BadInput, match="tv cannot do boundary: valid"):
        variants.check_corruption("tv", "deconvolution", "boundary=valid", "here")


def test_an_optional_method_whose_package_is_not_here_is_left_out_in_a_line(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(discover.load("methods", "nlm"), "PACKAGE", "no_such_package", raising=False)
    methods = [WIENER, {"method": "nlm", "optional": True}, {"method": "tv", "optional": True}]
    one = {"task": "denoising", "images": ["logo"], "methods": methods}
    config = {"images": {"logo": {"source": "synthetic:logo", "size": 16}}, "experiments": {"one": one}}

    def read(some):
        one["methods"] = some
        Path("my.yaml").write_text(yaml.safe_dump(config))
        return [r.method for r in experiments.recoveries(read_config("my.yaml")["experiments"]["one"])]

    assert read(methods) == ["wiener", "tv"]
    assert capsys.readouterr().err == "my.yaml: experiments.one: nlm is left out: no_such_package is not installed\n"
    assert read([WIENER, {"method": "nlm"}]) == ["wiener", "nlm"]  # which fails, as it should
    with pytest.raises(BadInput, match="^my.yaml: experiments.one: nlm is left out.*, and there is no other method$"):
        read(methods[1:2])
    with pytest.raises(BadInput, match="^my.yaml: experiments.one.methods: unknown method 'nl'"):
        read([{"method": "nl", "optional": True}])


def test_a_task_in_brackets_without_a_comma_is_one_task(monkeypatch):
    monkeypatch.setattr(discover.load("methods", "nlm"), "TASKS", ("denoising"), raising=False)
    variants.check_task("nlm", "denoising", "x")
    with pytest.raises(BadInput, match="it can do denoising$"):
        variants.check_task("nlm", "deconvolution", "x")
