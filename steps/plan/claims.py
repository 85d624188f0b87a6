"""A paper's claims: reading them, and the comparisons that each makes."""

import os

from steps.base.errors import BadInput, no_such, quoted
from steps.base.parameters import but_seed, normalise, parse_parameters
from steps.images.load import listed
from steps.plan import corruptions, published, schema, variants
from steps.plan.experiments import cases


def read(file, config, where="claims"):
    """Return {name: claim} of a file of claims, defaults filled in; lists where the file may have one word.

    config is the part of a config that claims speak of: published, experiments. Raises BadInput for a file that is
    missing or is not as workflow/schemas/claims.schema.yaml says, for an experiment, label, image or parameter that the
    config has not, and for keys that do not fit what the claim `is`.
    """
    if not os.path.isfile(file):
        raise BadInput(f"{where}: no file {quoted(str(file))}")
    content = schema.read(file)
    schema.validate(content, str(file), "claims")
    claims = {}
    for name, given in content["claims"].items():
        claim = {"quantity": "psnr", "where": {}, "than": [], **given}
        for key in ("label", "than"):
            claim[key] = listed(claim[key])
        try:
            claim["where"] = {
                key: [value if key == "image" else normalise(value) for value in listed(given)]
                for key, given in claim["where"].items()
            }
        except BadInput as error:
            raise BadInput(f"{file}: claims.{name}.where: {error}") from None
        claim.setdefault("by", 0 if claim["quantity"] == "psnr" else 1)
        _check(claim, config, f"{file}: claims.{name}")
        claims[name] = claim
    return claims


def _check(claim, config, where):
    if claim["experiment"] not in config["experiments"]:
        raise BadInput(f"{where}.experiment: {no_such('experiment', claim['experiment'], config['experiments'])}")
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
        for row in rows:
            images = claim["where"].get("image", [row["image"]])
            if "*" in row["image"] and row["label"] in claim["label"] + claim["than"] and row["image"] in images:
                raise BadInput(
                    f"{where}: {row['label']} is published as a mean over {row['image']}; must be of one image: "
                    "where.image says of which a claim is"
                )
    labels = {row["label"] for row in rows} or {label for label, _ in variants.labels(experiment)}
    for name in claim["label"] + claim["than"]:
        if name not in labels:
            raise BadInput(f"{where}: {no_such('label', name, labels)}")
    known = {}
    for image, corruption in cases(experiment):
        parameters = corruptions.filled(experiment["task"], corruption) if rows else parse_parameters(corruption)
        for name, value in {"image": image, **parameters}.items():
            known.setdefault(name, set()).add(value)
    for name, values in claim["where"].items():
        if name not in known:
            raise BadInput(f"{where}.where: {no_such('parameter', name, known)}")
        for value in values:
            if value not in known[name]:
                raise BadInput(f"{where}.where.{name}: {no_such('value', value, known[name])}")
    if flat and claim["over"] not in known:
        raise BadInput(f"{where}.over: {no_such('parameter', claim['over'], known)}")
    if not comparisons(claim, expected(experiment, rows)):
        raise BadInput(f"{where}: there is no cell that it compares; are all of its labels for one image and value?")


def _check_one_variant(claim, labels, where):
    """Raise BadInput if two variants of one kind of settings are compared with a published label of the claim."""
    seen = {}
    for label, entry in labels:
        for name in published.names(entry):
            key = (name, entry.get("settings", "paper"))
            if name in claim["label"] + claim["than"] and seen.setdefault(key, label) != label:
                raise BadInput(f"{where}: {seen[key]} and {label} are both the {key[1]} settings of {name}")


def published_cell(row):
    """Return the cell of a published row: its image and the value of its parameter."""
    return (("image", row["image"]), (row["parameter"], normalise(row["value"])))


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


def expected(experiment, rows):
    """Return the (label, cell) keys that an experiment should have: its published rows', else its cases' by label.

    A cell is a tuple of (name, value): the image, then the corruption without its seed.
    """
    if rows:
        return list(dict.fromkeys((row["label"], published_cell(row)) for row in rows))
    keys = {}
    for label, _ in variants.labels(experiment):
        for image, corruption in cases(experiment):
            keys[label, (("image", image), *but_seed(corruption).items())] = None
    return list(keys)
