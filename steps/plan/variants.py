"""The variants of an experiment: its methods with every combination of their parameters, and their labels."""

import functools
import re

from steps.base import discover
from steps.base.errors import BadInput, no_such
from steps.base.parameters import (
    but_seed,
    check_parameters,
    combinations,
    format_parameters,
    keywords,
    normalise,
    parse_parameters,
    settings,
    spell,
)

BESIDE = {"Truth", "Input"}  # what figures and pages call the pictures beside the recoveries


def of(experiment, seed, where="experiment"):
    """Return (method, params, label) of every variant of an experiment's methods, in the order of the config.

    seed is the corruption's, which a parameter `seed: corruption` takes. Raises BadInput for what is unknown.
    """
    entries = enumerate(experiment["methods"])
    return [variant for i, entry in entries for variant in _of_entry(entry, seed, f"{where}.methods[{i}]")]


def leave_out(config, file="config"):
    """Drop the optional entries under methods that need a package which is not installed; return lines that say so.

    Raises BadInput, one line, for an experiment of which none is left.
    """
    said = []
    for name, experiment in config["experiments"].items():
        left = []
        for entry in experiment["methods"]:
            place, package = f"{file}: experiments.{name}.methods", None
            if entry.get("optional"):
                package = discover.missing_package(discover.load("methods", entry["method"], place))
            if package:
                said.append(f"experiments.{name}: {entry['method']} is left out: {package} is not installed")
            else:
                left.append(entry)
        if not left:
            raise BadInput(f"{file}: {said[-1]}, and there is no other method")
        experiment["methods"] = left
    return said


def entries(experiment):
    """Return [(label, entry)] of each entry under methods with each label of its variants, in the order of the config.

    A label is there again for another entry that has it: one that differs in its seeds only (see `check`).
    """
    return [pair for entry in experiment["methods"] for pair in {v[2]: entry for v in _of_entry(entry, 0)}.items()]


def labels(experiment):
    """Return [(label, an entry under methods that has it)], each label once, in the order of the config.

    Entries that share a label say the same of what it is compared with: published.check refuses others.
    """
    return list(dict(entries(experiment)).items())


def seeds(experiment):
    """Return {label: its method's seeds in the config, a frozenset of numbers, "corruption" and None if not said}."""
    found = {}
    for label, entry in entries(experiment):
        given = entry.get("params", {}).get("seed")
        given = given if isinstance(given, list) else [given]
        found[label] = found.get(label, frozenset()) | {s if s is None else normalise(s) for s in given}
    return found


def check(found, reserved, where):
    """Raise BadInput for a label that another column or another variant has, and for a variant that is there twice."""
    columns, seen = {}, set()
    for method, params, label in found:
        if label in reserved or label.endswith(" ±"):
            raise BadInput(f"{where}: the label {label!r} is that of another column; give it another")
        if label in BESIDE:
            raise BadInput(f"{where}: the label {label!r} is that of a picture beside the recoveries; give it another")
        if label.startswith("_"):
            raise BadInput(f"{where}: the label {label!r} begins with _, which legends leave out; give it another")
        columns.setdefault(label, set()).add((method, tuple(but_seed(params).items())))
        if len(columns[label]) > 1:
            raise BadInput(f"{where}: two variants have the label {label!r}; give each its own label")
        parameters = keywords(discover.load("methods", method).recover)
        given = check_parameters(parse_parameters(params), parameters, where)
        kind = (method, *(given.get(name, parameter.default) for name, parameter in parameters.items()))
        if kind in seen:
            raise BadInput(f"{where}: {method} with {params} is there twice")
        seen.add(kind)


def check_task(method, task, where):
    """Raise BadInput if a method cannot do a task: its file says by TASKS which it can; without it, all."""
    able = getattr(discover.load("methods", method, where), "TASKS", [task])
    able = [able] if isinstance(able, str) else able  # for want of a comma
    if task not in able:
        raise BadInput(f"{where}: {method} cannot do {task}, as its file says; it can do {', '.join(able)}")


def check_corruption(method, task, corruption, where):
    """Raise BadInput if a method cannot do a corruption, as spelled in a path, of a task that it can do.

    Its file says by ONLY, {parameter of the task: values}, which it can; without it, all.
    """
    only = getattr(discover.load("methods", method, where), "ONLY", {})
    chosen = settings(discover.load("tasks", task).Operator, corruption) if only else {}
    for name, values in only.items():
        value = chosen.get(name)
        if name in chosen and value not in values:
            can = f"it can do {' or '.join(map(spell, values))}"
            raise BadInput(f"{where}: {method} cannot do {name}: {spell(value)}, as its file says; {can}")


def parameters(method, chosen, where):
    """Return a method's parameters, in its signature's order and types. Raises BadInput for what it does not allow."""
    return check_parameters(chosen, keywords(discover.load("methods", method, where).recover), where)


@functools.cache
def spelled(method, text):
    """Return the one spelling of a method's parameters given as text; raises BadInput for what it does not allow."""
    return format_parameters(parameters(method, parse_parameters(text), method))


def _of_entry(entry, seed, where="experiment"):
    """Return (method, params, label) of every combination of an entry's parameters; seed is the corruption's."""
    method, given = entry["method"], entry.get("params", {})
    if given.get("seed") == "corruption":
        given = given | {"seed": seed}
    name = getattr(discover.load("methods", method, where), "LABEL", method)
    varied = [key for key, value in given.items() if isinstance(value, list) and len(value) > 1 and key != "seed"]
    label = entry.get("label") or (f"{name} ({', '.join(f'{v}={{{v}}}' for v in varied)})" if varied else name)
    variants = []
    if entry.get("params", {}).get("seed") == "corruption" and "{seed}" in label:
        raise BadInput(f"{where}.label: {{seed}} would differ from corruption to corruption, but a label is one column")
    for choice in combinations(given, f"{where}.params"):
        checked = parameters(method, choice, f"{where}.params")
        texts = {key: spell(value) for key, value in checked.items()}
        filled = label
        for name in re.findall(r"{(.*?)}", label):
            if name not in texts:
                raise BadInput(f"{where}.label: {no_such('parameter', name, texts)}, those of its params")
            filled = filled.replace(f"{{{name}}}", texts[name])
        variants.append((method, format_parameters(checked, f"{where}.params"), filled))
    return variants
