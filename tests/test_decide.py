import json

import pandas
import pytest
from click.testing import CliRunner

from steps import decide
from tests.claimed import read, scores


@pytest.fixture
def page(claimed, tmp_path):
    read(claimed, quote="the prior is best")
    frame = scores(
        claimed, lambda r, seed: 20 + (r.label == "ns") * (1 + 0.01 * seed), made=lambda r: r.image == "hill"
    )
    frame.assign(experiment="e").to_csv(tmp_path / "e.csv", index=False)
    result = CliRunner().invoke(decide.main, ["claims.yaml", json.dumps(claimed), "e.csv", "claims"])
    assert result.exit_code == 0, result.output
    return (tmp_path / "claims.md").read_text()


def test_the_page_has_a_verdict_for_each_source_and_the_numbers_behind_it(page):
    assert (
        "| [the prior is best](#c) | **stands** (4 of 4 stand) | **undecided** (2 of 4 stand, 2 not run) | no numbers |"
        in page
    )
    assert (
        "> the prior is best\n\nSection 1. Tested on e: the PSNR of NS is higher than that of NLM by more than 0 dB"
        in page
    )
    assert "| hill, sigma = 0.5 | NS − NLM | +9.00, stands | +1.01 ± 0.02, stands |  |" in page
    assert "| camera, sigma = 0.5 | NS − NLM | +9.00, stands | not run |  |" in page


def test_the_csv_has_a_row_for_each_comparison_and_source(page, tmp_path):
    table = pandas.read_csv(tmp_path / "claims.csv")
    assert len(table) == 3 * 4
    ours = table[(table["source"] == "paper") & (table["cell"] == "hill, sigma = 0.1")].iloc[0]
    assert (ours["n"], ours["verdict"], ours["claim verdict"]) == (3, "stands", "undecided")
    assert ours["mean"] == pytest.approx(1.01)


def test_pooled_intervals_and_ratios_say_so():
    row = {"n": 1, "mean": 1.0, "half": 0.30103, "pooled": True}
    assert decide._number({"quantity": "psnr"}, row) == "+1.00 ± 0.30 pooled"
    assert decide._number({"quantity": "seconds"}, row | {"pooled": False}) == "10× (5 to 20)"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"is": "higher", "by": -0.5}, "the PSNR of NS is not lower than that of NLM by 0.5 dB"),
        ({"is": "lower", "by": -0.5}, "the PSNR of NS is not higher than that of NLM by 0.5 dB"),
        ({"is": "higher", "quantity": "seconds", "by": 4}, "the time of NS is more than 4 times that of NLM"),
        ({"is": "lower", "quantity": "seconds", "by": 4}, "the time of NS is less than 0.25 times that of NLM"),
        ({"is": "close", "by": 0.2}, "the PSNR of NS is within 0.2 dB of that of NLM"),
    ],
)
def test_what_is_tested_in_words(claimed, changes, expected):
    assert decide.words(read(claimed, **changes)) == f"{expected}, in every cell"


def test_of_an_experiment_with_published_values_only_those_cells_are_tested(claimed):
    claim = read(claimed, **{"is": "close", "by": 0.2})
    tested = "the PSNR of NS is within 0.2 dB of that of NLM, in every cell that has a published number"
    assert decide.words(claim, True) == tested
    some = claim | {"where": {"image": ["hill"]}}
    assert decide.words(some, True) == f"{tested}, with image = hill"
    assert decide.words(some).endswith("of NLM, in every cell with image = hill")


def test_a_noise_in_levels_of_gray_is_spelled_as_everywhere():
    assert (
        decide._spell([("image", "hill"), ("sigma", 25 / 255), ("clip", True)]) == "hill, sigma = 25/255, clip = true"
    )


def test_times_of_recoveries_that_waited_are_said_to_be():
    methods = [{"method": "dip", "label": "NS"}, {"method": "nlm", "label": "NLM"}, {"method": "tv", "label": "TV"}]
    experiment = {"methods": methods, "task": "denoising"}
    claim = {"quantity": "seconds", "label": ["NS"], "than": ["NLM"]}
    waited = [
        {"label": "NS", "cpu_seconds": 9.0},
        {"label": "NLM", "cpu_seconds": 1.0},
        {"label": "TV", "cpu_seconds": 9},
    ]
    scores = pandas.DataFrame(waited).assign(seconds=10.0, device="cpu")
    assert decide.times(claim, experiment, scores) == [decide.WAITED]
    assert decide.times(claim, experiment, scores[scores["label"] != "NLM"]) == []
    assert decide.times(claim | {"quantity": "psnr"}, experiment, scores) == []
    assert decide.times(claim, experiment, None) == []


def test_without_scores_only_the_paper_is_judged(claimed, tmp_path):
    read(claimed)
    result = CliRunner().invoke(decide.main, ["claims.yaml", json.dumps(claimed), "claims"])
    assert result.exit_code == 0, result.output
    assert "| **stands** (4 of 4 stand) | no numbers | no numbers |" in (tmp_path / "claims.md").read_text()
