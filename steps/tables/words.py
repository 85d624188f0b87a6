"""What tables, figures and pages say beside their numbers, as arguments of the steps that make them."""

import json

from steps.base.parameters import parse_parameters
from steps.base.text import brief
from steps.tables.markup import some

FEW = 3  # recoveries of a label that are named


def not_made(asked, made):
    """Return which of the Recoveries `asked` are not among those `made`: "label on image (corruption)".

    Of a label that more than FEW are missing of, only the number; all in all at most 20 parts.
    """
    there, parts = set(made), []
    out = [recovery for recovery in asked if recovery not in there]
    for label in dict.fromkeys(recovery.label for recovery in out):
        missing = [recovery for recovery in out if recovery.label == label]
        if len(missing) > FEW:
            parts.append(f"{label} on {len(missing)} of {sum(r.label == label for r in asked)} measurements")
        else:
            parts += [f"{label} on {r.image} ({in_brief(parse_parameters(r.corruption))})" for r in missing]
    return f"{len(out)} of {len(asked)}: {some(parts, between='; ')}" if out else ""


def in_brief(parameters):
    """Return a dict of parameters as `format_parameters` spells it, but its numbers as `brief` has them."""
    return ",".join(f"{name}={brief(value)}" for name, value in parameters.items())


def stand_ins(config, experiment):
    """Return the stand-ins among the images of an entry under experiments, {image: what it stands for}, as JSON."""
    images = {name: config["images"][name] for name in experiment["images"]}
    named = {name: image["stand_in"] for name, image in images.items() if "stand_in" in image}
    return json.dumps(named).replace("<", "\\u003c")  # Snakemake's report would obey what is HTML in a parameter


def options(config, name, metrics, asked, made):
    """Return the options of the tables and the page of an experiment: title, metrics, stand-ins, what is not made.

    name  the experiment's;  metrics  as plan.metrics.as_json has them;  asked, made  lists of Recoveries.
    """
    experiment = config["experiments"][name]
    named = ["--metrics", metrics, "--stand-ins", stand_ins(config, experiment)]
    pairs = [image for image in experiment["images"] if "truth" in config["images"][image]]
    named += [f"--note=Measured, not simulated, and scored against another picture: {some(pairs)}."] * bool(pairs)
    return ["--title", experiment.get("title", name), *named, f"--not-made={not_made(asked, made)}"]


def contents(config, files, made, drawings):
    """Return what results/index.html is about, as JSON: the config's files, recoveries, and the experiments' contents.

    made  {experiment: its Recoveries} of the experiments that are shown;  drawings  the paths of all of their figures.
    """
    experiments = {name: {"title": config["experiments"][name].get("title", name), "drawings": []} for name in made}
    for drawing in drawings:
        experiments[drawing.split("/")[0]]["drawings"].append(drawing)
    count = len({recovery.folder for some in made.values() for recovery in some})
    return json.dumps({"config": " + ".join(files), "recoveries": count, "experiments": experiments}, indent=1)


def compared(experiment):
    """Return an entry under experiments, but for what redraws no comparison, as JSON."""
    return json.dumps({key: value for key, value in experiment.items() if key not in ("title", "figures")})


def claimed(config, claims):
    """Return the part of a config that claims, a list, are about, as JSON."""
    entries = {claim["experiment"]: config["experiments"][claim["experiment"]] for claim in claims}
    part = {name: {k: v for k, v in entry.items() if k not in ("title", "figures")} for name, entry in entries.items()}
    images = {name: config["images"][name] for entry in part.values() for name in entry["images"]}
    named = {name: image["stand_in"] for name, image in images.items() if "stand_in" in image}
    return json.dumps({"published": config["published"], "experiments": part, "stand_ins": named})
