"""Published values and our cells for them: what the tables beside the paper and the claims are made of."""

import csv
import fnmatch
import math
import os

from steps.base.errors import BadInput, no_such, quoted
from steps.base.parameters import normalise
from steps.base.text import check_text, read_text
from steps.plan import corruptions, variants

COLUMNS = ("table", "image", "parameter", "value", "label", "number")


def read(path):
    """Return the rows of a file of published values: dicts of table, image, parameter, value, label, number, and more.

    image   an image of the config, or with a * the mean over all that it matches, such as set5-* over a set's.
    number  a float, and `about`, True if the file has it as ~8.19: from memory or second hand, not checked.
    metric  what it is of, psnr if the file has no such column;  who, where  its source, "" if it has none.

    value is a float, too, which the file may have as a fraction, 25/255; lines that start with # are comments. Raises
    BadInput, naming file and line, for a missing column, a value that is no number, a text that is too long or has
    control characters, and a cell that is there twice.
    """
    if not os.path.isfile(path):
        raise BadInput(f"published: no file {quoted(str(path))}")
    text = read_text(path).removeprefix("\ufeff")
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    found, seen = [], set()
    header = _values(f"{path}, line {lines[0][0]}", lines[0][1]) if lines else []
    for line, row in ((n, _row(f"{path}, line {n}", header, line)) for n, line in lines[1:]):
        missing = next((name for name in COLUMNS if not row.get(name)), None)
        if missing:
            raise BadInput(f"{path}, line {line}: no {missing}; must have {', '.join(COLUMNS)}")
        row = {"metric": "psnr", "who": "", "where": ""} | {name: (text or "").strip() for name, text in row.items()}
        row["metric"] = row["metric"] or "psnr"
        row["about"] = row["number"].startswith("~")
        row["number"] = row["number"].removeprefix("~")
        for name in ("value", "number"):
            try:
                row[name] = float(normalise(row[name]) if "/" in row[name] else row[name])
            except (BadInput, ValueError):
                raise BadInput(f"{path}, line {line}: {name} {quoted(row[name])} is not a number") from None
            if not math.isfinite(row[name]):
                raise BadInput(f"{path}, line {line}: {name} {row[name]!r} is not a finite number")
        key = tuple(row[name] for name in ("table", "image", "value", "label", "parameter", "metric"))
        if key in seen:
            raise BadInput(f"{path}, line {line}: {', '.join(map(str, key[:4]))} is there twice")
        seen.add(key)
        found.append(row)
    return found


def _values(where, line):
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise BadInput(f"{where}: not csv ({error})") from error


def _row(where, header, line):
    values = _values(where, line)
    if len(values) > len(header):
        raise BadInput(f"{where}: has {len(values)} values for {len(header)} columns")
    row = dict(zip(header, values))
    for name in (*COLUMNS, "metric", "who", "where"):
        check_text(row.get(name) or "none", f"{where}: {name}")
    return row


def names(entry):
    """Return the published labels that an entry under methods is compared with, a list."""
    given = entry.get("published", [])
    return [given] if isinstance(given, str) else given


def check(experiment, labels, cases, file, where, metrics=("psnr",)):
    """Raise BadInput if an experiment is to be compared with what is not in the file of published values.

    Also if they are of a metric that is not among the config's `metrics`, and if two entries under methods with one
    label say different things of them, since they are one variant.
    labels  [(label, its entry under methods)], as variants.labels gives them;  cases  [(image, corruption)].
    """
    said = {}
    for label, entry in variants.entries(experiment):
        says = {"published": names(entry), "settings": entry.get("settings", "paper"), "remark": entry.get("remark")}
        for key, value in says.items():
            if said.setdefault((label, key), value) != value:
                words = f"two entries with the label {label!r} differ in {key}; give each its own label"
                raise BadInput(f"{where}.methods: {words}")
    asked = experiment.get("published")
    if not asked:
        entry = next((entry for _, entry in labels if "published" in entry), None)
        if entry:
            raise BadInput(f"{where}.published: missing, but methods are compared with {', '.join(names(entry))}")
        return
    rows = read(file)
    tables = dict.fromkeys(row["table"] for row in rows)
    if asked["table"] not in tables:
        raise BadInput(f"{where}.published.table: {no_such('table', asked['table'], tables)}")
    rows = [row for row in rows if row["table"] == asked["table"]]
    if not any("published" in entry for _, entry in labels):
        raise BadInput(f"{where}.published: none of the methods says with which published label it is compared")
    for row in rows:
        if row["metric"] not in ("psnr", *metrics):
            raise BadInput(f"{where}.published: the values are of {row['metric']}; metrics must have it")
    seen, every = {}, {}
    for image, corruption in cases:
        parameters = corruptions.filled(experiment["task"], corruption)
        parameters.pop("seed")
        every |= parameters
        mine = [row for row in rows if fnmatch.fnmatchcase(image, row["image"]) and is_of(row, parameters)]
        for name in {row["parameter"] for row in mine}:
            if seen.setdefault((image, name, parameters.get(name)), parameters) != parameters:
                raise BadInput(f"{where}.corruption: published values are of {name}; {image} varies in more than that")
    for row in rows:
        if row["parameter"] not in every:
            raise BadInput(f"{where}.published: {no_such('parameter', row['parameter'], every)}")
    known = {"labels": {row["label"] for row in rows}, "images": {row["image"] for row in rows}}
    rules = [(f"{where}.published.tolerances[{i}]", rule) for i, rule in enumerate(asked.get("tolerances", []))]
    rules += [(f"{where}.methods", {"labels": names(entry)}) for _, entry in labels]
    for place, rule in rules:
        for kind, allowed in known.items():
            for name in rule.get(kind, []):
                if name not in allowed:
                    raise BadInput(f"{place}: {no_such(f'published {kind[:-1]}', name, allowed)}")


def unmatched(rows, task, cases):
    """Return the published rows that none of the (image, corruption) pairs of an experiment is for."""
    filled = [(image, corruptions.filled(task, corruption)) for image, corruption in cases]
    return [
        row
        for row in rows
        if not any(fnmatch.fnmatchcase(image, row["image"]) and is_of(row, said) for image, said in filled)
    ]


def is_of(row, parameters):
    """Return whether a published row's parameter has its value in a dict of all parameters of a corruption."""
    value = parameters.get(row["parameter"])
    return isinstance(value, int | float) and math.isclose(value, row["value"])
