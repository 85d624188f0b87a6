# Checks the config and lists what it asks for; helpers of the rules.

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, workflow.basedir)

from steps import claims, discover, experiments
from steps.errors import BadInput
from steps.sources import sources


def or_exit(function):
    """Return the function, its BadInput turned into one line on stderr and exit status 1."""

    def checked(*arguments):
        try:
            return function(*arguments)
        except BadInput as error:
            sys.exit(f"Error: {error}")

    return checked


or_exit(experiments.check)(config)
STAND_INS = {name: image["stand_in"] for name, image in config["images"].items() if "stand_in" in image}


def made(recovery):
    """Return whether a recovery is part of this run: with `missing: skip` only those that are there already."""
    return config["missing"] == "run" or experiments.there(recovery)


MADE = {name: [r for r in experiments.recoveries(entry) if made(r)] for name, entry in config["experiments"].items()}
EXPERIMENTS = [name for name in config["experiments"] if MADE[name]]
CLAIMED = list(claims.read(config["claims"], config).values()) if "claims" in config else []
CLAIM_EXPERIMENTS = [name for name in EXPERIMENTS if name in {claim["experiment"] for claim in CLAIMED}]
if not EXPERIMENTS:
    sys.exit("Error: missing: skip, but no recovery of the config is there")
COMPARED = [name for name in EXPERIMENTS if "published" in config["experiments"][name]]
DRAWINGS = [
    drawing for name in EXPERIMENTS for drawing in experiments.drawings(name, config["experiments"][name], made=made)
]

os.environ |= {
    # `python -m steps.x` is of this folder and by the Python that runs this, in any working directory. What else is in
    # PYTHONPATH stays: executor plugins, which jobs on a cluster need, too.
    "PYTHONPATH": os.pathsep.join(
        dict.fromkeys([workflow.basedir, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))])
    ),
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]),
    # Where a job finds an image and on what device it runs is not what it computes: no parameter of a rule.
    "PRIORBENCH_IMAGE_DIRS": os.pathsep.join(config["image_dirs"]),
    "PRIORBENCH_DEVICE": config["device"],
    "PRIORBENCH_GPU_SLOTS": str(config["gpu_slots"]),
}


wildcard_constraints:
    image=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    experiment=r"[A-Za-z0-9][A-Za-z0-9_-]*(?<!_vs_paper)",
    task=r"\w+",
    method=r"\w+",
    corruption=r"[^/]+",
    params=r"[^/]+",


def asked(wildcards):
    """Raise BadInput for a path that names what does not exist, or does not spell its parameters in the one way."""
    discover.load("tasks", wildcards.task)
    one_way = [(wildcards.corruption, experiments.corruption_path(wildcards.task, wildcards.corruption))]
    if "method" in wildcards.keys():
        discover.load("methods", wildcards.method)
        one_way.append((wildcards.params, experiments.params_path(wildcards.method, wildcards.params)))
    for given, spelled in one_way:
        if given != spelled:
            raise BadInput(f"{given} is spelled {spelled}; one value has one folder")


@or_exit
def image_entry(wildcards):
    return experiments.entry(config, "images", wildcards.image)


@or_exit
def task_sources(wildcards):
    asked(wildcards)
    return sources("steps.corrupt", f"steps.tasks.{wildcards.task}")


@or_exit
def method_sources(wildcards):
    asked(wildcards)
    return sources("steps.recover", f"steps.methods.{wildcards.method}", f"steps.tasks.{wildcards.task}")


@or_exit
def method_module(wildcards):
    return discover.load("methods", wildcards.method)


@or_exit
def experiment_entry(wildcards):
    return experiments.entry(config, "experiments", wildcards.experiment)


def recoveries(wildcards):
    experiment_entry(wildcards)
    return MADE[wildcards.experiment]


def recovery_part(wildcards):
    """Return what decides an experiment's recoveries and labels, as JSON: no title, no figure, no published value."""
    entry = experiment_entry(wildcards)
    methods = [{k: v for k, v in m.items() if k not in ("published", "settings", "remark")} for m in entry["methods"]]
    kept = {k: v for k, v in entry.items() if k not in ("title", "figures", "published")}
    return json.dumps(kept | {"methods": methods})


def claimed_part(wildcards):
    """Return the part of the config that claims are about, as JSON."""
    entries = {claim["experiment"]: config["experiments"][claim["experiment"]] for claim in CLAIMED}
    part = {name: {k: v for k, v in entry.items() if k not in ("title", "figures")} for name, entry in entries.items()}
    images = {image for entry in part.values() for image in entry["images"]}
    named = {name: text for name, text in STAND_INS.items() if name in images}
    return json.dumps({"published": config["published"], "experiments": part, "stand_ins": named})


def stand_ins(wildcards):
    """Return the stand-ins among an experiment's images, as JSON."""
    return json.dumps({name: STAND_INS[name] for name in experiment_entry(wildcards)["images"] if name in STAND_INS})


@or_exit
def shown_files(wildcards):
    return experiments.shown(wildcards.experiment, experiment_entry(wildcards), wildcards.drawing, made)


@or_exit
def figure_sources(wildcards):
    figure = wildcards.drawing.split("/")[0]
    discover.load("figures", figure)
    return sources("steps.draw", f"steps.figures.{figure}")
