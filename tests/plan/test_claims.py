from pathlib import Path

import pytest
import yaml

from steps.base.errors import BadInput
from steps.plan import claims
from tests.claimed import read
from tests.workflows import ROOT

BAD = {
    "missing key": ({"note": None}, "claims.c: missing key 'note'"),
    "unknown key": ({"notes": "x"}, "unknown key 'notes' .did you mean 'note'"),
    "kind": ({"is": "greater"}, "claims.c.is: 'greater' is not allowed; must be one of higher, lower, close, flat"),
    "experiment": ({"experiment": "f"}, "claims.c.experiment: unknown experiment 'f'"),
    "label": ({"label": "nlm"}, "claims.c: unknown label 'nlm'; allowed: NLM, NS"),
    "than": ({"than": ["NLM", "BM3D"]}, "claims.c: unknown label 'BM3D'"),
    "where": ({"where": {"sigm": 0.1}}, "claims.c.where: unknown parameter 'sigm' .did you mean 'sigma'"),
    "value": ({"where": {"sigma": 0.2}}, "claims.c.where.sigma: unknown value 0.2"),
    "image": ({"where": {"image": "hil"}}, "claims.c.where.image: unknown value 'hil' .did you mean 'hill'"),
    "nothing to compare with": ({"than": None}, "claims.c: is: higher needs than, and no over"),
    "flat compares with nothing": ({"is": "flat", "over": "sigma"}, "claims.c: is: flat needs over, and no than"),
    "over": ({"is": "flat", "than": None, "over": "blur"}, "claims.c.over: unknown parameter 'blur'"),
    "factor": ({"quantity": "seconds", "by": 0}, "claims.c.by: 0 is not allowed; must be a factor > 0"),
    "negative distance": ({"is": "close", "by": -1}, "claims.c.by: -1 is not allowed; must be >= 0"),
    "factor below one": (
        {"is": "close", "quantity": "loss", "by": 0.5},
        "claims.c.by: 0.5 is not allowed; must be >= 1",
    ),
    "nothing in common": ({"where": {"seed": 0}}, "claims.c: there is no cell that it compares"),
    "list in a list": (
        {"where": {"image": [["hill"]]}},
        "claims.c.where.image: .* must be a value or a list of values",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_claim_is_one_line(claimed, case):
    changes, message = BAD[case]
    with pytest.raises(BadInput, match=message) as error:
        read(claimed, **changes)
    assert str(error.value).startswith("claims.yaml: ")
    assert "\n" not in str(error.value)


def test_a_claim_that_does_not_say_by_how_much_is_of_any_difference_or_factor(claimed):
    assert [read(claimed, quantity=name)["by"] for name in ("psnr", "seconds", "loss")] == [0, 1, 1]


def test_no_file_and_no_yaml(claimed, tmp_path):
    with pytest.raises(BadInput, match="claims: no file 'none.yaml'"):
        claims.read("none.yaml", claimed)
    (tmp_path / "bad.yaml").write_text("claims: [")
    with pytest.raises(BadInput, match="bad.yaml, line 2, column 1: not YAML"):
        claims.read("bad.yaml", claimed)


def test_the_repository_s_claims_are_good_and_quote_the_paper_s_sections():
    claimed = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
    claimed["published"] = str(ROOT / claimed["published"])
    found = claims.read(ROOT / "config/claims.yaml", claimed)
    assert len(found) >= 12
    assert {claim["experiment"] for claim in found.values()} >= {"table1", "table2", "table3", "figure2"}


def test_two_variants_for_one_published_label_cannot_be_decided(claimed):
    claimed["experiments"]["e"]["methods"][2]["settings"] = "paper"
    with pytest.raises(BadInput, match="claims.c: nlm and nlm tuned are both the paper settings of NLM"):
        read(claimed)


def test_a_number_of_a_set_of_images_is_no_cell_of_ours(claimed):
    text = Path("published.csv").read_text()
    Path("published.csv").write_text(text.replace("camera,", "*,"))
    words = r"claims.c: NS is published as a mean over \*; must be of one image"
    with pytest.raises(BadInput, match=words):
        read(claimed)
    Path("published.csv").write_text(f"{text.rstrip()}\nt,*,sigma,0.5,NS,20\n")
    with pytest.raises(BadInput, match=words):
        read(claimed)
    assert read(claimed, where={"image": "hill"})["where"] == {"image": ["hill"]}
