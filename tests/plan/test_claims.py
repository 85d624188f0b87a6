import math

import pandas
import pytest
import yaml
from scipy import stats

from steps.base.errors import BadInput
from steps.base.parameters import parse_parameters
from steps.plan import claims, experiments

PUBLISHED = "table,image,parameter,value,label,psnr_db\n" + "".join(
    f"t,{image},sigma,{sigma},{label},{psnr}\n"
    for image in ("camera", "hill")
    for sigma, numbers in ((0.1, {"NS": 27, "NLM": 26}), (0.5, {"NS": 18, "NLM": 9}))
    for label, psnr in numbers.items()
)
CLAIM = {"quote": "q", "section": "1", "experiment": "e", "label": "NS", "is": "higher", "than": "NLM", "note": "n"}


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "published.csv").write_text(PUBLISHED)
    methods = [
        {"method": "nlm", "label": "nlm", "published": "NLM", "params": {"h": 0.1}},
        {"method": "dip", "label": "ns", "published": "NS", "params": {"seed": "corruption"}},
        {"method": "nlm", "label": "nlm tuned", "published": "NLM", "settings": "tuned"},
    ]
    experiment = {
        "task": "denoising",
        "images": ["camera", "hill"],
        "corruption": {"sigma": [0.1, 0.5], "seed": [0, 1, 2]},
        "methods": methods,
        "published": {"table": "t"},
    }
    variants = [{"method": "dip", "label": name, "params": params} for name, params in VARIANTS.items()]
    plain = {"task": "denoising", "images": ["camera", "hill"], "methods": variants}
    return {"published": "published.csv", "experiments": {"e": experiment, "plain": plain}}


VARIANTS = {"none": {"seed": [0, 1]}, "L1": {"l1": 0.1, "seed": [0, 1]}}


def read(config, **changes):
    claim = {key: value for key, value in (CLAIM | changes).items() if value is not None}
    with open("claims.yaml", "w") as file:
        yaml.safe_dump({"claims": {"c": claim}}, file)
    return claims.read("claims.yaml", config)["c"]


def scores(config, psnr, name="e", made=lambda recovery: True):
    """Return a table of scores whose PSNRs are psnr(recovery, seed)."""
    rows = []
    for r in filter(made, experiments.recoveries(config["experiments"][name])):
        seed = int(r.corruption[-1]) if "seed" in r.corruption else int(r.params[-1])
        row = {"label": r.label, "image": r.image, "corruption": r.corruption, "params": r.params}
        rows.append(row | {"seconds": 1.0, "loss": 0.5, "psnr": psnr(r, seed)})
    return pandas.DataFrame(rows)


def evaluated(claim, config, frame, source="paper", name="e"):
    experiment = config["experiments"][name]
    rows = claims.published.read("published.csv") if "published" in experiment else []
    found = claims.values(claim, experiment, frame, rows, source)
    return claims.evaluate(claim, found, claims.comparisons(claim, claims.expected(claim, experiment, rows)))


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
def test_a_bad_claim_is_one_line(config, case):
    changes, message = BAD[case]
    with pytest.raises(BadInput, match=message) as error:
        read(config, **changes)
    assert str(error.value).startswith("claims.yaml: ")
    assert "\n" not in str(error.value)


def test_no_file_and_no_yaml(config, tmp_path):
    with pytest.raises(BadInput, match="claims: no file 'none.yaml'"):
        claims.read("none.yaml", config)
    (tmp_path / "bad.yaml").write_text("claims: [")
    with pytest.raises(BadInput, match="bad.yaml: not YAML"):
        claims.read("bad.yaml", config)


def test_the_repository_s_claims_are_good_and_quote_the_paper_s_sections():
    config = yaml.safe_load((experiments.ROOT / "config/paper.yaml").read_text())
    config["published"] = str(experiments.ROOT / config["published"])
    found = claims.read(experiments.ROOT / "config/claims.yaml", config)
    assert len(found) >= 12
    assert {claim["experiment"] for claim in found.values()} >= {"table1", "table2", "table3", "figure2"}


def test_the_published_numbers_are_exact(config):
    rows = evaluated(read(config), config, None, "published")
    assert [(row["mean"], row["half"], row["verdict"]) for row in rows] == [
        (1, 0, "stands"),
        (9, 0, "stands"),
        (1, 0, "stands"),
        (9, 0, "stands"),
    ]
    assert claims.overall(rows) == "stands"
    assert claims.overall(evaluated(read(config, by=1), config, None, "published")) == "fails"


def test_differences_are_taken_seed_by_seed(config):
    # The noise moves both by the same large amount, the difference is 1 and hardly moves.
    frame = scores(config, lambda r, seed: 20 + 10 * seed + (r.label == "ns") * (1 + 0.01 * seed))
    (row, *_) = rows = evaluated(read(config), config, frame)
    assert len(rows) == 4
    low, high = stats.t.interval(0.95, 2, 1.01, stats.sem([1, 1.01, 1.02]))
    assert (row["mean"] - row["half"], row["mean"] + row["half"]) == pytest.approx((low, high))
    assert claims.overall(rows) == "stands"


def test_a_wide_interval_is_undecided_and_a_wrong_sign_fails(config):
    wide = scores(config, lambda r, seed: 20 + (r.label == "ns") * (1, 0.1, -0.5)[seed])
    assert claims.overall(evaluated(read(config), config, wide)) == "undecided"
    wrong = scores(config, lambda r, seed: 20 - (r.label == "ns") * (r.image == "hill") * (1 + 0.01 * seed))
    rows = evaluated(read(config), config, wrong)
    assert {row["verdict"] for row in rows if row["first"][1][0] == ("image", "hill")} == {"fails"}
    assert claims.overall(rows) == "fails"


def test_one_seed_borrows_the_spread_of_the_pair_s_other_cells(config):
    only = scores(
        config,
        lambda r, seed: 20 + (r.label == "ns") * (1 + 0.1 * seed),
        made=lambda r: r.image == "camera" or r.corruption.endswith("seed=0"),
    )
    rows = evaluated(read(config), config, only)
    one = [row for row in rows if row["n"] == 1]
    assert len(one) == 2
    assert all(row["pooled"] for row in one)
    assert one[0]["half"] == pytest.approx(stats.t.ppf(0.975, 4) * 0.1)  # both cells have a deviation of 0.1
    alone = scores(config, lambda r, seed: 20 + (r.label == "ns"), made=lambda r: r.corruption.endswith("seed=0"))
    assert {row["verdict"] for row in evaluated(read(config), config, alone)} == {"undecided"}


def test_two_seeds_borrow_the_spread_too(config):
    frame = scores(
        config,
        lambda r, seed: 20 + (r.label == "ns") * (1 + 0.1 * seed),
        made=lambda r: r.image == "camera" or r.corruption[-1] in "01",
    )
    two = [row for row in evaluated(read(config), config, frame) if row["n"] == 2]
    assert len(two) == 2
    pooled = math.sqrt((2 * 2 * 0.1**2 + 2 * 0.05**2 * 2) / 6)  # two cells of three seeds, two of two
    assert two[0]["half"] == pytest.approx(stats.t.ppf(0.975, 6) * pooled / 2**0.5)
    assert two[0]["verdict"] == "stands"


def test_several_method_seeds_on_one_noise_are_averaged_before_they_meet_a_method_without(config):
    config["experiments"]["e"]["methods"][1]["params"] = {"seed": [0, 1]}
    frame = scores(config, lambda r, seed: 20 + (r.label == "ns") * (1 + 0.2 * (r.params[-1] == "1")))
    rows = evaluated(read(config), config, frame)
    assert [row["n"] for row in rows] == [3] * 4
    assert rows[0]["mean"] == pytest.approx(1.1)


def plain(config, one, other, made=lambda recovery: True, corruption=None):
    """Return the comparisons of none with L1 with params of each, their PSNRs their seeds, and 10 more for none."""
    params = {"none": one, "L1": {"l1": 0.1} | other}
    methods = [{"method": "dip", "label": label, "params": params} for label, params in params.items()]
    config["experiments"]["plain"] |= {"methods": methods, "corruption": corruption or {}}
    claim = read(config, experiment="plain", label="none", than="L1")

    def psnr(r, seed):
        return 10 * (r.label == "none") + parse_parameters(r.params).get("seed", 0)

    return evaluated(claim, config, scores(config, psnr, "plain", made), name="plain")


@pytest.mark.parametrize(
    "one, other, mean",
    [
        ({"seed": [0, 1, 2]}, {"seed": [3, 4, 5]}, 7),
        ({"seed": [0, 1, 2]}, {"seed": [2, 3]}, 8.5),
        ({"seed": [0, 1, 2]}, {}, 11),
        ({"seed": [1]}, {"seed": [4]}, 7),
    ],
    ids=["none in common", "one in common", "a list and none", "one each"],
)
def test_methods_with_other_seeds_are_compared_by_their_means_on_a_noise(config, one, other, mean):
    assert [(row["n"], row["mean"]) for row in plain(config, one, other)] == [(1, mean)] * 2
    noises = {"sigma": 0.1, "seed": [0, 1, 2]}
    assert [(row["n"], row["mean"]) for row in plain(config, one, other, corruption=noises)] == [(3, mean)] * 2


def test_methods_with_the_same_seeds_are_compared_seed_by_seed_in_any_order_and_only_where_both_were_run(config):
    rows = plain(config, {"seed": [0, 1, 2]}, {"seed": ["2", 0, 1]})
    assert [(row["n"], row["mean"], row["half"]) for row in rows] == [(3, 10, 0)] * 2
    made = {("none", "0"), ("none", "1"), ("L1", "1"), ("L1", "2")}
    rows = plain(config, {"seed": [0, 1, 2]}, {"seed": [0, 1, 2]}, lambda r: (r.label, r.params[-1]) in made)
    assert [(row["n"], row["mean"]) for row in rows] == [(1, 10)] * 2


def test_seeds_of_the_corruption_are_paired_by_it(config):
    rows = plain(config, {"seed": "corruption"}, {"seed": 1}, corruption={"sigma": 0.1, "seed": [0, 1, 2]})
    assert [(row["n"], row["mean"]) for row in rows] == [(3, 10)] * 2  # 9, 10, 11


def test_a_label_of_two_entries_has_the_seeds_of_both(config):
    config["experiments"]["plain"]["methods"] = [
        {"method": "dip", "label": "none", "params": {"seed": 0}},
        {"method": "dip", "label": "L1", "params": {"lr": 0.1, "seed": [0, 1, 2]}},
        {"method": "dip", "label": "none", "params": {"seed": [1, 2]}},
        {"method": "dip", "label": "none", "params": {"seed": 3}},
    ]
    claim = read(config, experiment="plain", label="none", than="L1")
    frame = scores(config, lambda r, seed: 10 * (r.label == "none") + seed, "plain")
    assert [(row["n"], row["mean"]) for row in evaluated(claim, config, frame, name="plain")] == [(1, 10.5)] * 2


def test_two_variants_for_one_published_label_cannot_be_decided(config):
    config["experiments"]["e"]["methods"][2]["settings"] = "paper"
    with pytest.raises(BadInput, match="claims.c: nlm and nlm tuned are both the paper settings of NLM"):
        read(config)


def test_what_was_not_run_keeps_a_claim_undecided_but_not_a_failure(config):
    there = scores(config, lambda r, s: 20 + (r.label == "ns") * (1 + 0.01 * s), made=lambda r: r.image == "camera")
    rows = evaluated(read(config), config, there)
    assert [row["verdict"] for row in rows] == ["stands", "stands", "no numbers", "no numbers"]
    assert claims.overall(rows) == "undecided"
    assert claims.overall(evaluated(read(config, by=3), config, there)) == "fails"
    assert claims.overall(evaluated(read(config), config, None)) == "no numbers"


def test_where_selects_cells(config):
    rows = evaluated(read(config, where={"sigma": "5e-1", "image": "hill"}), config, None, "published")
    assert [row["first"][1] for row in rows] == [(("image", "hill"), ("sigma", 0.5))]


def test_tuned_settings_are_kept_apart(config):
    frame = scores(config, lambda r, seed: {"nlm": 20, "ns": 21, "nlm tuned": 30}[r.label] + 0.01 * seed)
    assert claims.overall(evaluated(read(config), config, frame)) == "stands"
    assert claims.overall(evaluated(read(config), config, frame, "tuned")) == "no numbers"  # no tuned NS


def test_a_published_parameter_may_be_at_its_default_in_the_corruption(config, tmp_path):
    text = "table,image,parameter,value,label,psnr_db\n" + "".join(
        f"t,{image},compression,2,{label},20\n" for image in ("camera", "hill") for label in ("NS", "NLM")
    )
    (tmp_path / "published.csv").write_text(text)
    experiment = config["experiments"]["e"]
    experiment["task"], experiment["corruption"] = "single_pixel", {"patterns": "hadamard", "seed": [0, 1, 2]}
    claim = read(config, where={"compression": 2})
    rows = evaluated(claim, config, scores(config, lambda r, seed: 20 + (r.label == "ns") * (1 + 0.01 * seed)))
    assert [row["n"] for row in rows] == [3, 3]
    assert claims.overall(rows) == "stands"
    with pytest.raises(BadInput, match="claims.c.where.compression: unknown value 4; allowed: 2"):
        read(config, where={"compression": 4})


@pytest.mark.parametrize(
    "mean, half, verdicts",
    [
        (0.0, 0.4, {"close": "stands", "flat": "stands", "higher": "fails", "lower": "fails"}),
        (1.0, 0.4, {"close": "fails", "flat": "fails", "higher": "stands", "lower": "fails"}),
        (-1.0, 0.4, {"close": "fails", "flat": "fails", "higher": "fails", "lower": "stands"}),
        (0.4, 0.4, {"close": "undecided", "flat": "undecided", "higher": "undecided", "lower": "fails"}),
        (-0.4, 0.4, {"close": "undecided", "flat": "undecided", "higher": "fails", "lower": "undecided"}),
        (9.0, math.nan, dict.fromkeys(("close", "flat", "higher", "lower"), "undecided")),
        (math.nan, math.nan, dict.fromkeys(("close", "flat", "higher", "lower"), "no numbers")),
    ],
)
def test_verdicts_about_a_margin_of_half_a_decibel(mean, half, verdicts):
    for kind, verdict in verdicts.items():
        assert claims.decide({"is": kind, "by": 0.5, "quantity": "psnr"}, mean, half) == verdict, kind


def test_times_are_compared_by_their_ratio(config):
    frame = scores(config, lambda r, seed: 20)
    frame["seconds"] = [100.0 if label == "ns" else 5.0 for label in frame["label"]]
    claim = read(config, quantity="seconds", by=19)
    rows = evaluated(claim, config, frame)
    assert 10 ** rows[0]["mean"] == pytest.approx(20)
    assert claims.overall(rows) == "stands"
    assert claims.overall(evaluated(claim | {"by": 21}, config, frame)) == "fails"
    assert claims.overall(evaluated(claim, config, None, "published")) == "no numbers"


def test_flat_compares_all_pairs_of_values(config):
    claim = read(config, **{"is": "flat", "than": None, "over": "sigma", "by": 10})
    rows = evaluated(claim, config, None, "published")
    assert [(row["mean"], row["verdict"]) for row in rows] == [(9, "stands"), (9, "stands")]
    assert claims.overall(evaluated(claim | {"by": 8}, config, None, "published")) == "fails"


def test_an_experiment_without_published_values_is_compared_by_its_own_labels_and_method_seeds(config):
    claim = read(config, experiment="plain", label="none", than="L1")
    frame = scores(config, lambda r, seed: 20 + 5 * seed + (r.label == "none") * (1 + 0.01 * seed), "plain")
    rows = evaluated(claim, config, frame, name="plain")
    assert [(row["n"], row["mean"]) for row in rows] == [(2, pytest.approx(1.005))] * 2
    assert claims.overall(rows) == "stands"
    assert claims.overall(evaluated(claim, config, None, "published", "plain")) == "no numbers"
