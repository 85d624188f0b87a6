import math

import pytest
from scipy import stats

from steps.base.errors import BadInput
from steps.base.parameters import parse_parameters
from steps.plan import published
from steps.plan.claims import comparisons
from steps.tables.verdicts import decide, evaluate, of_several_devices, overall, values
from tests.claimed import evaluated, read, scores


def test_the_published_numbers_are_exact(claimed):
    rows = evaluated(read(claimed), claimed, None, "published")
    assert [(row["mean"], row["half"], row["verdict"]) for row in rows] == [
        (1, 0, "stands"),
        (9, 0, "stands"),
        (1, 0, "stands"),
        (9, 0, "stands"),
    ]
    assert overall(rows) == "stands"
    assert overall(evaluated(read(claimed, by=1), claimed, None, "published")) == "fails"


def test_differences_are_taken_seed_by_seed(claimed):
    # The noise moves both by the same large amount, the difference is 1 and hardly moves.
    frame = scores(claimed, lambda r, seed: 20 + 10 * seed + (r.label == "ns") * (1 + 0.01 * seed))
    (row, *_) = rows = evaluated(read(claimed), claimed, frame)
    assert len(rows) == 4
    low, high = stats.t.interval(0.95, 2, 1.01, stats.sem([1, 1.01, 1.02]))
    assert (row["mean"] - row["half"], row["mean"] + row["half"]) == pytest.approx((low, high))
    assert overall(rows) == "stands"


def test_a_wide_interval_is_undecided_and_a_wrong_sign_fails(claimed):
    wide = scores(claimed, lambda r, seed: 20 + (r.label == "ns") * (1, 0.1, -0.5)[seed])
    assert overall(evaluated(read(claimed), claimed, wide)) == "undecided"
    wrong = scores(claimed, lambda r, seed: 20 - (r.label == "ns") * (r.image == "hill") * (1 + 0.01 * seed))
    rows = evaluated(read(claimed), claimed, wrong)
    assert {row["verdict"] for row in rows if row["first"][1][0] == ("image", "hill")} == {"fails"}
    assert overall(rows) == "fails"


def test_one_seed_borrows_the_spread_of_the_pair_s_other_cells(claimed):
    only = scores(
        claimed,
        lambda r, seed: 20 + (r.label == "ns") * (1 + 0.1 * seed),
        made=lambda r: r.image == "camera" or r.corruption.endswith("seed=0"),
    )
    rows = evaluated(read(claimed), claimed, only)
    one = [row for row in rows if row["n"] == 1]
    assert len(one) == 2
    assert all(row["pooled"] for row in one)
    assert one[0]["half"] == pytest.approx(stats.t.ppf(0.975, 4) * 0.1)  # both cells have a deviation of 0.1
    alone = scores(claimed, lambda r, seed: 20 + (r.label == "ns"), made=lambda r: r.corruption.endswith("seed=0"))
    assert {row["verdict"] for row in evaluated(read(claimed), claimed, alone)} == {"undecided"}


def test_two_seeds_borrow_the_spread_too(claimed):
    frame = scores(
        claimed,
        lambda r, seed: 20 + (r.label == "ns") * (1 + 0.1 * seed),
        made=lambda r: r.image == "camera" or r.corruption[-1] in "01",
    )
    two = [row for row in evaluated(read(claimed), claimed, frame) if row["n"] == 2]
    assert len(two) == 2
    pooled = math.sqrt((2 * 2 * 0.1**2 + 2 * 0.05**2 * 2) / 6)  # two cells of three seeds, two of two
    assert two[0]["half"] == pytest.approx(stats.t.ppf(0.975, 6) * pooled / 2**0.5)
    assert two[0]["verdict"] == "stands"


def test_one_seed_borrows_the_spread_of_two_seeds_of_a_single_other_cell(claimed):
    def made(r):
        return r.corruption[-1] in ("01" if r.image == "camera" and r.corruption.startswith("sigma=0.1") else "0")

    frame = scores(claimed, lambda r, seed: 20 + (r.label == "ns") * (5 + 0.01 * seed), made=made)
    rows = evaluated(read(claimed), claimed, frame)
    assert sorted((row["n"], row["pooled"], row["verdict"]) for row in rows) == [
        *[(1, True, "stands")] * 3,
        (2, False, "stands"),
    ]


def test_two_seeds_do_not_borrow_from_themselves(claimed):
    frame = scores(
        claimed,
        lambda r, seed: 20 + (r.label == "ns") * (1 + 0.01 * seed),
        made=lambda r: r.image == "camera" and r.corruption.startswith("sigma=0.1") and r.corruption[-1] in "01",
    )
    [row] = [row for row in evaluated(read(claimed), claimed, frame) if row["n"]]
    assert row["n"] == 2 and not row["pooled"]


def test_the_spread_is_also_that_of_cells_which_a_claim_is_not_about(claimed):
    frame = scores(
        claimed,
        lambda r, seed: 20 + (r.label == "ns") * (1 + 0.01 * seed),
        made=lambda r: r.image == "camera" or r.corruption.endswith("seed=0"),
    )
    rows = evaluated(read(claimed, where={"image": "hill"}), claimed, frame)
    assert [(row["n"], row["pooled"], row["verdict"]) for row in rows] == [(1, True, "stands")] * 2


def test_a_seed_without_a_number_is_left_out(claimed):
    frame = scores(claimed, lambda r, seed: 20 + (r.label == "ns") * (1 + 0.01 * seed))
    odd = (frame["label"] == "ns") & (frame["image"] == "camera") & frame["corruption"].str.endswith("seed=1")
    frame.loc[odd, "psnr"] = math.nan
    rows = evaluated(read(claimed), claimed, frame)
    assert [(row["n"], row["verdict"]) for row in rows] == [(2, "stands"), (2, "stands"), (3, "stands"), (3, "stands")]


def test_several_method_seeds_on_one_noise_are_averaged_before_they_meet_a_method_without(claimed):
    claimed["experiments"]["e"]["methods"][1]["params"] = {"seed": [0, 1]}
    frame = scores(claimed, lambda r, seed: 20 + (r.label == "ns") * (1 + 0.2 * (r.params[-1] == "1")))
    rows = evaluated(read(claimed), claimed, frame)
    assert [row["n"] for row in rows] == [3] * 4
    assert rows[0]["mean"] == pytest.approx(1.1)


def plain(claimed, one, other, made=lambda recovery: True, corruption=None):
    """Return the comparisons of none with L1 with params of each, their PSNRs their seeds, and 10 more for none."""
    params = {"none": one, "L1": {"l1": 0.1} | other}
    methods = [{"method": "dip", "label": label, "params": params} for label, params in params.items()]
    claimed["experiments"]["plain"] |= {"methods": methods, "corruption": corruption or {}}
    claim = read(claimed, experiment="plain", label="none", than="L1")

    def psnr(r, seed):
        return 10 * (r.label == "none") + parse_parameters(r.params).get("seed", 0)

    return evaluated(claim, claimed, scores(claimed, psnr, "plain", made), name="plain")


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
def test_methods_with_other_seeds_are_compared_by_their_means_on_a_noise(claimed, one, other, mean):
    assert [(row["n"], row["mean"]) for row in plain(claimed, one, other)] == [(1, mean)] * 2
    noises = {"sigma": 0.1, "seed": [0, 1, 2]}
    assert [(row["n"], row["mean"]) for row in plain(claimed, one, other, corruption=noises)] == [(3, mean)] * 2


def test_methods_with_the_same_seeds_are_compared_seed_by_seed_in_any_order_and_only_where_both_were_run(claimed):
    rows = plain(claimed, {"seed": [0, 1, 2]}, {"seed": ["2", 0, 1]})
    assert [(row["n"], row["mean"], row["half"]) for row in rows] == [(3, 10, 0)] * 2
    made = {("none", "0"), ("none", "1"), ("L1", "1"), ("L1", "2")}
    rows = plain(claimed, {"seed": [0, 1, 2]}, {"seed": [0, 1, 2]}, lambda r: (r.label, r.params[-1]) in made)
    assert [(row["n"], row["mean"]) for row in rows] == [(1, 10)] * 2


def test_seeds_of_the_corruption_are_paired_by_it(claimed):
    rows = plain(claimed, {"seed": "corruption"}, {"seed": 1}, corruption={"sigma": 0.1, "seed": [0, 1, 2]})
    assert [(row["n"], row["mean"]) for row in rows] == [(3, 10)] * 2  # 9, 10, 11


def test_a_label_of_two_entries_has_the_seeds_of_both(claimed):
    claimed["experiments"]["plain"]["methods"] = [
        {"method": "dip", "label": "none", "params": {"seed": 0}},
        {"method": "dip", "label": "L1", "params": {"lr": 0.1, "seed": [0, 1, 2]}},
        {"method": "dip", "label": "none", "params": {"seed": [1, 2]}},
        {"method": "dip", "label": "none", "params": {"seed": 3}},
    ]
    claim = read(claimed, experiment="plain", label="none", than="L1")
    frame = scores(claimed, lambda r, seed: 10 * (r.label == "none") + seed, "plain")
    assert [(row["n"], row["mean"]) for row in evaluated(claim, claimed, frame, name="plain")] == [(1, 10.5)] * 2


def test_what_was_not_run_keeps_a_claim_undecided_but_not_a_failure(claimed):
    there = scores(claimed, lambda r, s: 20 + (r.label == "ns") * (1 + 0.01 * s), made=lambda r: r.image == "camera")
    rows = evaluated(read(claimed), claimed, there)
    assert [row["verdict"] for row in rows] == ["stands", "stands", "no numbers", "no numbers"]
    assert overall(rows) == "undecided"
    assert overall(evaluated(read(claimed, by=3), claimed, there)) == "fails"
    assert overall(evaluated(read(claimed), claimed, None)) == "no numbers"


def test_where_selects_cells(claimed):
    rows = evaluated(read(claimed, where={"sigma": "5e-1", "image": "hill"}), claimed, None, "published")
    assert [row["first"][1] for row in rows] == [(("image", "hill"), ("sigma", 0.5))]


def test_tuned_settings_are_kept_apart(claimed):
    frame = scores(claimed, lambda r, seed: {"nlm": 20, "ns": 21, "nlm tuned": 30}[r.label] + 0.01 * seed)
    assert overall(evaluated(read(claimed), claimed, frame)) == "stands"
    assert overall(evaluated(read(claimed), claimed, frame, "tuned")) == "no numbers"  # no tuned NS


def test_a_published_parameter_may_be_at_its_default_in_the_corruption(claimed, tmp_path):
    text = "table,image,parameter,value,label,number\n" + "".join(
        f"t,{image},compression,2,{label},20\n" for image in ("camera", "hill") for label in ("NS", "NLM")
    )
    (tmp_path / "published.csv").write_text(text)
    experiment = claimed["experiments"]["e"]
    experiment["task"], experiment["corruption"] = "single_pixel", {"patterns": "hadamard", "seed": [0, 1, 2]}
    claim = read(claimed, where={"compression": 2})
    rows = evaluated(claim, claimed, scores(claimed, lambda r, seed: 20 + (r.label == "ns") * (1 + 0.01 * seed)))
    assert [row["n"] for row in rows] == [3, 3]
    assert overall(rows) == "stands"
    with pytest.raises(BadInput, match="claims.c.where.compression: unknown value 4; allowed: 2"):
        read(claimed, where={"compression": 4})


@pytest.mark.parametrize(
    "mean, half, verdicts",
    [
        (0.0, 0.4, {"close": "stands", "flat": "stands", "higher": "fails", "lower": "fails"}),
        (1.0, 0.4, {"close": "fails", "flat": "fails", "higher": "stands", "lower": "fails"}),
        (-1.0, 0.4, {"close": "fails", "flat": "fails", "higher": "fails", "lower": "stands"}),
        (0.4, 0.4, {"close": "undecided", "flat": "undecided", "higher": "undecided", "lower": "fails"}),
        (-0.4, 0.4, {"close": "undecided", "flat": "undecided", "higher": "fails", "lower": "undecided"}),
        (0.9, 0.4, {"close": "undecided", "flat": "undecided", "higher": "undecided", "lower": "fails"}),
        (-0.9, 0.4, {"close": "undecided", "flat": "undecided", "higher": "fails", "lower": "undecided"}),
        (9.0, math.nan, dict.fromkeys(("close", "flat", "higher", "lower"), "undecided")),
        (math.inf, math.nan, {"close": "fails", "flat": "fails", "higher": "stands", "lower": "fails"}),
        (math.nan, math.nan, dict.fromkeys(("close", "flat", "higher", "lower"), "no numbers")),
    ],
)
def test_verdicts_about_a_margin_of_half_a_decibel(mean, half, verdicts):
    for kind, verdict in verdicts.items():
        assert decide({"is": kind, "by": 0.5, "quantity": "psnr"}, mean, half) == verdict, kind


def test_times_are_compared_by_their_ratio(claimed):
    frame = scores(claimed, lambda r, seed: 20)
    frame["seconds"] = [100.0 if label == "ns" else 5.0 for label in frame["label"]]
    claim = read(claimed, quantity="seconds", by=19)
    rows = evaluated(claim, claimed, frame)
    assert 10 ** rows[0]["mean"] == pytest.approx(20)
    assert overall(rows) == "stands"
    assert overall(evaluated(claim | {"by": 21}, claimed, frame)) == "fails"
    frame["loss"] = [2e-6 if label == "ns" else 1e-6 for label in frame["label"]]  # however small
    assert 10 ** evaluated(claim | {"quantity": "loss"}, claimed, frame)[0]["mean"] == pytest.approx(2)
    assert overall(evaluated(claim, claimed, None, "published")) == "no numbers"


def test_flat_compares_all_pairs_of_values(claimed):
    claim = read(claimed, **{"is": "flat", "than": None, "over": "sigma", "by": 10})
    rows = evaluated(claim, claimed, None, "published")
    assert [(row["mean"], row["verdict"]) for row in rows] == [(9, "stands"), (9, "stands")]
    assert overall(evaluated(claim | {"by": 8}, claimed, None, "published")) == "fails"


def test_flat_borrows_no_spread(claimed):
    claim = read(claimed, **{"is": "flat", "than": None, "over": "sigma", "by": 10})
    frame = scores(
        claimed,
        lambda r, seed: 20 + 0.01 * seed,
        made=lambda r: r.image == "camera" or r.corruption.endswith("seed=0"),
    )
    rows = evaluated(claim, claimed, frame)
    assert {(row["n"], row["pooled"], row["verdict"]) for row in rows} == {
        (3, False, "stands"),
        (1, False, "undecided"),
    }


def test_an_experiment_without_published_values_is_compared_by_its_own_labels_and_method_seeds(claimed):
    claim = read(claimed, experiment="plain", label="none", than="L1")
    frame = scores(claimed, lambda r, seed: 20 + 5 * seed + (r.label == "none") * (1 + 0.01 * seed), "plain")
    rows = evaluated(claim, claimed, frame, name="plain")
    assert [(row["n"], row["mean"]) for row in rows] == [(2, pytest.approx(1.005))] * 2
    assert overall(rows) == "stands"
    assert overall(evaluated(claim, claimed, None, "published", "plain")) == "no numbers"


def test_what_is_no_number_or_exact_takes_no_interval_from_other_cells(claimed):
    first = ("camera", "sigma=0.1,seed=0")
    for value, verdict in ((math.nan, "no numbers"), (math.inf, "stands")):
        frame = scores(claimed, lambda r, seed: 20 + (r.label == "ns") * (1 + 0.01 * seed), made=lambda r: seed2(r))
        odd = (frame["label"] == "ns") & (frame["image"] == first[0]) & frame["corruption"].str.startswith("sigma=0.1")
        frame.loc[odd, "psnr"] = value
        rows = evaluated(read(claimed), claimed, frame)
        assert [row["verdict"] for row in rows] == [verdict, "stands", "stands", "stands"]
        assert not any(math.isnan(row["half"]) for row in rows[1:])


def seed2(recovery):
    return not recovery.corruption.endswith("seed=2")


@pytest.mark.parametrize("difference", [28.3 - 28.2, 28.2 - 28.3])
@pytest.mark.parametrize("kind", ["close", "higher", "lower"])
def test_a_published_difference_at_the_margin_is_not_decided_by_rounding(kind, difference):
    verdict = decide({"is": kind, "by": 0.1, "quantity": "psnr"}, difference, 0)
    assert verdict == {"close": "stands", "higher": "fails", "lower": "fails"}[kind]


def test_times_of_several_devices_borrow_no_spread(claimed):
    claim = read(claimed, quantity="seconds", by=2)
    frame = scores(claimed, lambda r, seed: 20, made=lambda r: r.image == "camera" or r.corruption.endswith("seed=0"))
    frame["seconds"] = [(50.0 + i % 3) if label == "ns" else 5.0 for i, label in enumerate(frame["label"])]
    frame["device"] = "cpu"
    assert of_several_devices(claim, claimed["experiments"]["e"], frame) == {}
    assert {row["verdict"] for row in evaluated(claim, claimed, frame)} == {"stands"}
    frame.loc[(frame["label"] == "ns") & (frame["image"] == "hill"), "device"] = "a GPU"
    several = of_several_devices(claim, claimed["experiments"]["e"], frame)
    assert several == {"NS": ["a GPU", "cpu"]}
    found = values(claim, claimed["experiments"]["e"], frame, published.read("published.csv"), "paper")
    rows = evaluate(claim, found, comparisons(claim, list(found)), several)
    assert {dict(row["first"][1])["image"]: row["verdict"] for row in rows} == {"camera": "stands", "hill": "undecided"}
    assert of_several_devices(claim | {"quantity": "psnr"}, claimed["experiments"]["e"], frame) == {}
