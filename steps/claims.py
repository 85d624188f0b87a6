"""A paper's claims: reading them, and deciding each on its own numbers or on ours: stands, fails, undecided."""

import math
import os

from steps import corrupt, grid, published, schema, variants
from steps.errors import BadInput

FEWEST = 3  # seeds with an interval of their own; with fewer, other cells' spread serves better
EXACT = (None, None, None)  # in the place of a noise and seeds: that of a published number
STANDS, FAILS, UNDECIDED, NOTHING = "stands", "fails", "undecided", "no numbers"


def read(file, config, where="claims"):
    """Return {name: claim} of a file of claims, defaults filled in; lists where the file may have one word.

    config is the part of a config that claims speak of: published, experiments. Raises BadInput for a file that is
    missing or is not as workflow/schemas/claims.schema.yaml says, for an experiment, label, image or parameter that the
    config has not, and for keys that do not fit what the claim `is`.
    """
    if not os.path.isfile(file):
        raise BadInput(f"{where}: no file {grid.shown(str(file))}")
    content = schema.read(file)
    schema.validate(content, str(file), "claims")
    claims = {}
    for name, given in content["claims"].items():
        claim = {"quantity": "psnr", "where": {}, "than": [], **given}
        for key in ("label", "than"):
            claim[key] = _listed(claim[key])
        try:
            claim["where"] = {
                key: [value if key == "image" else grid.normalise(value) for value in _listed(given)]
                for key, given in claim["where"].items()
            }
        except BadInput as error:
            raise BadInput(f"{file}: claims.{name}.where: {error}") from None
        claim.setdefault("by", 0 if claim["quantity"] == "psnr" else 1)
        _check(claim, config, f"{file}: claims.{name}")
        claims[name] = claim
    return claims


def _check(claim, config, where):
    from steps import experiments

    if claim["experiment"] not in config["experiments"]:
        raise BadInput(f"{where}.experiment: {grid.unknown('experiment', claim['experiment'], config['experiments'])}")
    experiment = config["experiments"][claim["experiment"]]
    flat = claim["is"] == "flat"
    if flat == bool(claim["than"]) or flat != ("over" in claim):
        raise BadInput(f"{where}: is: {claim['is']} needs {'over, and no than' if flat else 'than, and no over'}")
    ratio, two_sided = claim["quantity"] != "psnr", claim["is"] in ("close", "flat")
    least = (1 if ratio else 0) if two_sided else None
    if (ratio and not claim["by"] > 0) or (two_sided and claim["by"] < least):
        allowed = f">= {least}" if two_sided else "a factor > 0"
        raise BadInput(f"{where}.by: {claim['by']} is not allowed; must be {allowed}")
    rows = []
    if "published" in experiment:
        rows = [r for r in published.read(config["published"]) if r["table"] == experiment["published"]["table"]]
        _check_one_variant(claim, variants.labels(experiment), where)
    labels = {row["label"] for row in rows} or {label for label, _ in variants.labels(experiment)}
    for name in claim["label"] + claim["than"]:
        if name not in labels:
            raise BadInput(f"{where}: {grid.unknown('label', name, labels)}")
    known = {}
    for image, corruption in experiments.cases(experiment):
        parameters = corrupt.filled(experiment["task"], corruption) if rows else grid.parse_parameters(corruption)
        for name, value in {"image": image, **parameters}.items():
            known.setdefault(name, set()).add(value)
    for name, values in claim["where"].items():
        if name not in known:
            raise BadInput(f"{where}.where: {grid.unknown('parameter', name, known)}")
        for value in values:
            if value not in known[name]:
                raise BadInput(f"{where}.where.{name}: {grid.unknown('value', value, known[name])}")
    if flat and claim["over"] not in known:
        raise BadInput(f"{where}.over: {grid.unknown('parameter', claim['over'], known)}")
    if not comparisons(claim, expected(claim, experiment, rows)):
        raise BadInput(f"{where}: there is no cell that it compares; are all of its labels for one image and value?")


def _check_one_variant(claim, labels, where):
    """Raise BadInput if two variants of one kind of settings are compared with a published label of the claim."""
    seen = {}
    for label, entry in labels:
        for name in published.names(entry):
            key = (name, entry.get("settings", "paper"))
            if name in claim["label"] + claim["than"] and seen.setdefault(key, label) != label:
                raise BadInput(f"{where}: {seen[key]} and {label} are both the {key[1]} settings of {name}")


def _listed(value):
    return value if isinstance(value, list) else [value]


def values(claim, experiment, scores, rows, source):
    """Return {(label, cell): {(noise, seed, seeds): value}} of a claim's quantity, log10 of seconds and of losses.

    source  "published": the published `rows`, with EXACT for their seeds; "paper" or "tuned": our scores (a DataFrame,
            or None) by settings of the kind. noise is the corruption's seed, seed the method's, seeds all of its label.
            A cell is a tuple of (name, value): the image, then the corruption without its seed.
    """
    found = {}
    if source == "published":
        for row in rows if claim["quantity"] == "psnr" else []:
            found[row["label"], _published_cell(row)] = {EXACT: row["psnr_db"]}
        return found
    if scores is None:
        return found
    seeds = variants.seeds(experiment)
    for label, entry in variants.labels(experiment):
        names = published.names(entry) if "published" in experiment else [label]
        if entry.get("settings", "paper") != source:
            continue
        for row in scores[scores["label"] == label].to_dict("records"):
            noise = grid.parse_parameters(row["corruption"]).get("seed", 0)
            key = (noise, grid.parse_parameters(row["params"]).get("seed"), seeds[label])
            value = row[claim["quantity"]]
            if claim["quantity"] != "psnr":
                value = math.log10(max(value, 1e-12))
            for name in names:
                for cell in _cells(experiment, row, [r for r in rows if r["label"] == name]):
                    found.setdefault((name, cell), {})[key] = value
    return found


def _cells(experiment, score, rows):
    """Return the cells of a row of scores, a list: its own, or those of the published rows that it belongs to."""
    if not rows:
        return [(("image", score["image"]), *variants.but_seed(score["corruption"]).items())]
    parameters = corrupt.filled(experiment["task"], score["corruption"])
    mine = [row for row in rows if row["image"] == score["image"] and published.is_of(row, parameters)]
    return [_published_cell(row) for row in mine]


def _published_cell(row):
    return (("image", row["image"]), (row["parameter"], grid.normalise(row["value"])))


def comparisons(claim, keys):
    """Return [(first, second)] of the (label, cell) keys that a claim compares, both among `keys`."""
    wanted = [key for key in keys if all(dict(key[1]).get(n) in v for n, v in claim["where"].items())]
    pairs = []
    for label, cell in wanted:
        if label not in claim["label"]:
            continue
        if claim["is"] == "flat":
            rest = [pair for pair in cell if pair[0] != claim["over"]]
            others = [key for key in wanted if key[0] == label and [p for p in key[1] if p[0] != claim["over"]] == rest]
            pairs += [((label, cell), other) for other in others[others.index((label, cell)) + 1 :]]
        else:
            pairs += [((label, cell), (other, cell)) for other in claim["than"] if (other, cell) in wanted]
    return pairs


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

    Not for a claim that something is flat: its pairs share cells, so that their deviations are not independent.
    """
    import numpy as np

    pooled = {}
    if claim["is"] == "flat":
        return pooled
    for first, second in comparisons(claim | {"where": {}}, list(found)):
        sample = differences(found, first, second)
        if len(sample) > 1:
            total, freedom = pooled.get((first[0], second[0]), (0.0, 0))
            pooled[first[0], second[0]] = total + np.var(sample) * len(sample), freedom + len(sample) - 1
    return {pair: (math.sqrt(total / freedom), freedom) for pair, (total, freedom) in pooled.items()}


def decide(claim, mean, half):
    """Return the verdict of one comparison, from the difference and half of its interval (0 for exact numbers)."""
    if math.isnan(mean):
        return NOTHING
    if math.isnan(half):
        return UNDECIDED
    by = claim["by"] if claim["quantity"] == "psnr" else math.log10(claim["by"])
    low, high = mean - half, mean + half
    if claim["is"] in ("close", "flat"):
        inside, outside = -by <= low and high <= by, high < -by or low > by
    elif claim["is"] == "higher":
        inside, outside = low > by, high <= by
    else:
        inside, outside = high < -by, low >= -by
    return STANDS if inside else FAILS if outside else UNDECIDED


def evaluate(claim, found, pairs):
    """Return one dict (first, second, n, mean, half, pooled, verdict) for each of the pairs; NaN if nothing was run."""
    from scipy import stats

    pooled = spread(found, claim)
    rows = []
    for first, second in pairs:
        sample = differences(found, first, second)
        mean, half = published.interval(sample) if sample else (math.nan, math.nan)
        known = pooled.get((first[0], second[0]))
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


def expected(claim, experiment, rows):
    """Return the (label, cell) keys that an experiment should have: its published rows', else its cases' by label."""
    from steps import experiments

    if rows:
        return list(values(claim | {"quantity": "psnr"}, experiment, None, rows, "published"))
    keys = {}
    for label, _ in variants.labels(experiment):
        for image, corruption in experiments.cases(experiment):
            parameters = grid.parse_parameters(corruption)
            parameters.pop("seed", None)
            keys[label, (("image", image), *parameters.items())] = None
    return list(keys)
