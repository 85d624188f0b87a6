"""Deciding a claim on a paper's own numbers or on ours: stands, fails, undecided."""

import math

from steps.base.parameters import but_seed, parse_parameters
from steps.plan import corruptions, published, variants
from steps.plan.claims import comparisons, published_cell
from steps.tables.statistics import FEWEST, interval

EXACT = (None, None, None)  # in the place of a noise and seeds: that of a published number
STANDS, FAILS, UNDECIDED, NOTHING = "stands", "fails", "undecided", "no numbers"


def values(claim, experiment, scores, rows, source):
    """Return {(label, cell): {(noise, seed, seeds): value}} of a claim's quantity, log10 of seconds and of losses.

    source  "published": the published `rows`, with EXACT for their seeds; "paper" or "tuned": our scores (a DataFrame,
            or None) by settings of the kind. noise is the corruption's seed, seed the method's, seeds all of its label.
            A cell is a tuple of (name, value): the image, then the corruption without its seed. What is no number is
            left out, such as the PSNR of an image without a truth.
    """
    found = {}
    if source == "published":
        for row in (row for row in rows if row["metric"] == claim["quantity"]):
            found[row["label"], published_cell(row)] = {EXACT: row["number"]}
        return found
    if scores is None:
        return found
    seeds = variants.seeds(experiment)
    for label, entry in variants.labels(experiment):
        names = published.names(entry) if "published" in experiment else [label]
        if entry.get("settings", "paper") != source:
            continue
        for row in scores[scores["label"] == label].to_dict("records"):
            noise = parse_parameters(row["corruption"]).get("seed", 0)
            key = (noise, parse_parameters(row["params"]).get("seed"), seeds[label])
            value = row[claim["quantity"]]
            if claim["quantity"] != "psnr":
                value = math.log10(max(value, 1e-12)) if value == value else math.nan
            if math.isnan(value):
                continue
            for name in names:
                for cell in _cells(experiment, row, [r for r in rows if r["label"] == name]):
                    found.setdefault((name, cell), {})[key] = value
    return found


def of_several_devices(claim, experiment, scores):
    """Return {label: its devices} of labels, as `values` has them, whose rows were made on several; of time only.

    Seconds of a GPU and of a processor are no draws of one quantity: they say nothing of each other's spread.
    """
    found = {}
    if claim["quantity"] == "seconds" and scores is not None:
        for label, entry in variants.labels(experiment):
            devices = sorted(set(scores.loc[scores["label"] == label, "device"]))
            if len(devices) > 1:
                names = published.names(entry) if "published" in experiment else [label]
                found |= dict.fromkeys(names, devices)
    return found


def _cells(experiment, score, rows):
    """Return the cells of a row of scores, a list: its own, or those of the published rows that it belongs to."""
    if not rows:
        return [(("image", score["image"]), *but_seed(score["corruption"]).items())]
    parameters = corruptions.filled(experiment["task"], score["corruption"])
    mine = [row for row in rows if row["image"] == score["image"] and published.is_of(row, parameters)]
    return [published_cell(row) for row in mine]


def differences(found, first, second):
    """Return the list of differences first − second on one noise: of each seed if they have the same, else of means."""
    a, b = found.get(first, {}), found.get(second, {})
    if {seeds for _, _, seeds in a} != {seeds for _, _, seeds in b}:
        a, b = _by_noise(a), _by_noise(b)
    return [a[key] - b[key] for key in a if key in b]


def _by_noise(values):
    """Return {noise: mean} of values by (noise, seed, seeds): several seeds of a method on one noise are averaged."""
    found = {}
    for (noise, *_), value in values.items():
        found.setdefault(noise, []).append(value)
    return {noise: sum(several) / len(several) for noise, several in found.items()}


def spread(found, claim):
    """Return {(label, other): (pooled standard deviation, degrees of freedom)} over all cells with several seeds.

    Not for a claim that something is flat: its pairs share cells, so that their deviations are not independent. What is
    exact, at ∞ dB, has none.
    """
    import numpy as np

    pooled = {}
    if claim["is"] == "flat":
        return pooled
    for first, second in comparisons(claim | {"where": {}}, list(found)):
        sample = [difference for difference in differences(found, first, second) if math.isfinite(difference)]
        if len(sample) > 1:
            total, freedom = pooled.get((first[0], second[0]), (0.0, 0))
            pooled[first[0], second[0]] = total + np.var(sample) * len(sample), freedom + len(sample) - 1
    return {pair: (math.sqrt(total / freedom), freedom) for pair, (total, freedom) in pooled.items()}


def decide(claim, mean, half):
    """Return the verdict of one comparison, from the difference and half of its interval (0 for exact numbers)."""
    if math.isnan(mean):
        return NOTHING
    if math.isinf(mean):
        half = 0.0  # one of the two is exact
    if math.isnan(half):
        return UNDECIDED
    by = claim["by"] if claim["quantity"] == "psnr" else math.log10(claim["by"])
    low, high = round(mean - half, 9), round(mean + half, 9)  # so that 28.3 is 0.1 above 28.2
    if claim["is"] in ("close", "flat"):
        inside, outside = -by <= low and high <= by, high < -by or low > by
    elif claim["is"] == "higher":
        inside, outside = low > by, high <= by
    else:
        inside, outside = high < -by, low >= -by
    return STANDS if inside else FAILS if outside else UNDECIDED


def evaluate(claim, found, pairs, several=()):
    """Return one dict (first, second, n, mean, half, pooled, verdict) for each of the pairs; NaN if nothing was run.

    several  labels that were made on several devices: of their cells none borrows the spread of others.
    """
    from scipy import stats

    pooled = spread(found, claim)
    rows = []
    for first, second in pairs:
        sample = differences(found, first, second)
        mean, half = interval(sample) if sample else (math.nan, math.nan)
        known = None if {first[0], second[0]}.intersection(several) else pooled.get((first[0], second[0]))
        exact = EXACT in found.get(first, {})
        borrowed = 0 < len(sample) < FEWEST and not exact and known is not None and known[1] >= len(sample)
        if borrowed:
            half = float(stats.t.ppf(0.975, known[1]) * known[0] / len(sample) ** 0.5)
        row = {"first": first, "second": second, "n": len(sample), "mean": mean, "half": 0.0 if exact else half}
        rows.append(row | {"pooled": borrowed, "verdict": decide(claim, mean, row["half"])})
    return rows


def overall(rows):
    """Return the verdict of a claim from those of its comparisons."""
    found = [row["verdict"] for row in rows]
    if not found or all(verdict == NOTHING for verdict in found):
        return NOTHING
    if FAILS in found:
        return FAILS
    return STANDS if all(verdict == STANDS for verdict in found) else UNDECIDED
