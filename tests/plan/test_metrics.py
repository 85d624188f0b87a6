import sys
import types

import pytest

from steps.base import discover
from steps.base.errors import BadInput
from steps.plan import metrics
from steps.plan.config import check_config
from steps.tables.columns import PSNR, Metric, read_metrics


@pytest.fixture
def dropped_in(monkeypatch):
    """Return a function that puts a module among the metrics for this test: dropped_in("name", BETTER="lower")."""

    def put(name, **constants):
        module = types.ModuleType(f"steps.metrics.{name}", constants.pop("doc", "What it is.\n\nAnd more."))
        vars(module).update({"measure": lambda truth, estimate: 0.0} | constants)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(discover, "available", lambda kind: [name, "psnr", "ssim"])
        discover.load.cache_clear()

    yield put
    discover.load.cache_clear()


def test_facts_are_what_files_say_in_the_order_named():
    assert [fact["name"] for fact in metrics.facts(["gmsd", "psnr"])] == ["gmsd", "psnr"]
    assert metrics.facts(["gmsd"])[0] | {"about": ""} == {
        "name": "gmsd",
        "label": "GMSD",
        "unit": "",
        "decimals": 4,
        "better": "lower",
        "about": "",
    }
    assert read_metrics(metrics.as_json(metrics.facts(["psnr"])))[0]._replace(about="") == PSNR


def test_a_file_need_say_nothing_but_which_way_is_better(dropped_in):
    dropped_in("mine", BETTER="higher")
    expected = {"name": "mine", "label": "mine", "unit": "", "decimals": 3, "better": "higher", "about": "What it is."}
    assert metrics.facts(["mine"]) == [expected]


def test_markup_in_a_docstring_is_no_html_in_a_parameter(dropped_in):
    dropped_in("mine", BETTER="higher", doc="<b>x</b>")
    assert "<" not in metrics.as_json(metrics.facts(["mine"]))
    assert read_metrics(metrics.as_json(metrics.facts(["mine"]))) == [
        Metric("mine", "mine", "", 3, "higher", "<b>x</b>")
    ]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["psrn"], "metrics: unknown metric 'psrn' (did you mean 'psnr'?)"),
        (["psnr", "mine"], "metrics: mine says BETTER = 'more'; must be 'higher' or 'lower'"),
    ],
)
def test_what_is_unknown_or_has_no_direction_is_refused(names, message, dropped_in):
    dropped_in("mine", BETTER="more")
    with pytest.raises(BadInput) as error:
        metrics.facts(names)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("name", ["seconds", "label", "residual", "input_psnr", "version_torch", "oracle_psnr"])
def test_the_name_of_another_column_is_refused(name, dropped_in):
    dropped_in(name, BETTER="lower")
    with pytest.raises(BadInput, match=f"^metrics: {name} is another column of scores.csv; its file must have another"):
        metrics.facts([name])


@pytest.mark.parametrize("label", ["SSIM", "Time"])
def test_the_label_of_another_is_refused(label, dropped_in):
    dropped_in("mine", BETTER="lower", LABEL=label)
    with pytest.raises(BadInput, match=f"^metrics: mine is called '{label}', as another is; its LABEL must be its own"):
        metrics.facts(["psnr", "ssim", "mine"])


def test_a_package_that_is_missing_is_one_line_before_any_job(dropped_in):
    dropped_in("mine", BETTER="lower", PACKAGE="no_such_package")
    images = {"logo": {"source": "synthetic:logo", "size": 16}}
    experiment = {"task": "denoising", "images": ["logo"], "methods": [{"method": "wiener"}]}
    with pytest.raises(BadInput) as error:
        check_config({"images": images, "experiments": {"one": experiment}, "metrics": ["mine"]}, "my.yaml")
    assert str(error.value) == "my.yaml: metrics: mine needs the package no_such_package, which is not installed"


def test_a_metric_called_as_a_parameter_of_the_corruption_is_refused(monkeypatch):
    """In a table both would be the column `blur`, and the parameter's values would stand for the metric's."""
    monkeypatch.setitem(sys.modules, "steps.metrics.blur", types.SimpleNamespace(BETTER="lower", measure=max))
    available = discover.available
    monkeypatch.setattr(discover, "available", lambda kind: [*available(kind), *["blur"] * (kind == "metrics")])
    discover.load.cache_clear()
    experiment = {"task": "denoising", "images": ["logo"], "methods": [{"method": "wiener"}], "figures": []}
    config = {"images": {"logo": {"source": "synthetic:logo", "size": 64}}, "metrics": ["blur"]}
    check_config(config | {"experiments": {"one": dict(experiment)}}, "my.yaml")
    with pytest.raises(
        BadInput, match="my.yaml: experiments.one.corruption: blur is a metric, too; one of the two must"
    ):
        check_config(config | {"experiments": {"one": experiment | {"task": "deconvolution"}}}, "my.yaml")
    discover.load.cache_clear()
