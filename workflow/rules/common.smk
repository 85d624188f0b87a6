# Checks the config and lists what it asks for; helpers of the rules.

import atexit
import json
import os
import sys
from functools import partial
from pathlib import Path

ROOT = str(Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent.parent)  # also as a module of others
MODULE = not workflow.modifier.is_main_snakefile()  # of another workflow: what is around a run is that one's business
sys.path.insert(0, ROOT)

from steps.base import discover
from steps.base.errors import BadInput
from steps.base.parameters import parse_parameters
from steps.base.recoveries import listing
from steps.look import style
from steps.plan import claims, corruptions, experiments, metrics, schema, variants
from steps.plan.config import check_config, image_arguments, local_file
from steps.plan.drawings import Index, captions, drawings, inputs, pictures
from steps.run import lock
from steps.run.sources import beside, noted, restore, write_note


def or_exit(function):
    """Return the function, its BadInput or OSError turned into one line on stderr and exit status 1."""

    def checked(*arguments):
        try:
            return function(*arguments)
        except (BadInput, OSError) as error:
            sys.exit(f"Error: {error}")

    return checked


HERE = Path.cwd()
CONFIGS = [] if MODULE else workflow.configfiles
CONFIGS = [os.path.relpath(file) if Path(file).is_relative_to(HERE) else str(file) for file in CONFIGS]
if workflow.is_main_process:  # a job need not see again what Snakemake does not say: keys that are there twice
    for file in CONFIGS:
        or_exit(schema.read)(file)
NAME = " + ".join(CONFIGS + ["--config"] * bool(workflow.config_settings.config))
NAME = f"config of the module {workflow.modifier.namespace}" if MODULE else NAME
or_exit(check_config)(config, NAME, workflow.is_main_process)
config["captions"] = captions(config["experiments"].values())  # for the report
MEASURES = sorted({"psnr", *config["metrics"]})  # in whatever order the config names them, scores are the same
METRICS = metrics.as_json(metrics.facts(config["metrics"]))
STAND_INS = {name: image["stand_in"] for name, image in config["images"].items() if "stand_in" in image}

ASKED = {name: experiments.recoveries(entry) for name, entry in config["experiments"].items()}
# Those that are part of this run: with `missing: skip` only what is there already.
MADE = {name: [r for r in some if config["missing"] == "run" or experiments.there(r)] for name, some in ASKED.items()}
INDEX = {name: Index(ASKED[name], MADE[name]) for name in ASKED}
EXPERIMENTS = [name for name in config["experiments"] if MADE[name]]
CLAIMED = list(claims.read(config["claims"], config).values()) if "claims" in config else []
CLAIM_EXPERIMENTS = [name for name in EXPERIMENTS if name in {claim["experiment"] for claim in CLAIMED}]
if not EXPERIMENTS:
    sys.exit("Error: missing: skip, but no recovery of the config is there")
COMPARED = [name for name in EXPERIMENTS if "published" in config["experiments"][name]]
RENDERED = ["time", *["claims"] * bool(CLAIMED), *(f"tables/{name}" for name in EXPERIMENTS)]
RENDERED += [f"tables/{name}_vs_paper" for name in COMPARED]
VIEWER = beside("look/viewer/*.*")  # what pages are made of
DRAWINGS = [
    drawing
    for name in EXPERIMENTS
    for drawing in drawings(name, config["experiments"][name], INDEX[name], config["drawn"])
]

os.environ |= {
    # `python -m steps.x` is of this folder and by the Python that runs this, in any working directory. What else is in
    # PYTHONPATH stays: executor plugins, which jobs on a cluster need, too.
    "PYTHONPATH": os.pathsep.join(
        dict.fromkeys([ROOT, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))])
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


BUSY = workflow.is_main_process and lock.busy()
if workflow.is_main_process and workflow.output_settings.dryrun:
    atexit.register(restore)
if BUSY and lock.NO_LOCK not in sys.argv:
    print("A run is at work here; what was edited since it began is not looked at.", file=sys.stderr)


def code(*modules, **data):
    """Return the file that notes the code of the named modules; only the process that plans the run writes it.

    Not beside a run that is at work: what that has begun is made by the code that its notes say.
    """
    return or_exit(partial(noted, *modules, **data, write=workflow.is_main_process and not BUSY))()


def measured(wildcards):
    """Return whether a path's image is itself a measurement; then nothing is simulated of it and it has no truth."""
    return experiments.entry(config, "images", wildcards.image).get("measured", False)


def check_spelling(wildcards):
    """Raise BadInput for a path that names what does not exist, or does not spell its parameters in the one way."""
    discover.load("tasks", wildcards.task)
    one_way = [(wildcards.corruption, corruptions.spelled(wildcards.task, wildcards.corruption, measured(wildcards)))]
    if "method" in wildcards.keys():
        discover.load("methods", wildcards.method)
        variants.check_task(wildcards.method, wildcards.task, wildcards.method)
        one_way.append((wildcards.params, variants.spelled(wildcards.method, wildcards.params)))
    for text, spelled in one_way:
        if text != spelled:
            raise BadInput(f"{text!r} is spelled {spelled!r}; one value has one folder")


@or_exit
def image_entry(wildcards):
    return experiments.entry(config, "images", wildcards.image)


@or_exit
def file_entry(wildcards):
    return experiments.entry(config, "files", wildcards.file)


def force_damaged():
    """Let damaged files, and what a run set out to make, be made again. Called by an input function of every graph."""
    workflow.dag.forcefiles.update(DAMAGED, INTERRUPTED)


def image_file(wildcards):
    """Return [path] of an image's file on this machine, else []."""
    force_damaged()
    return [ancient(file) for file in local_file(image_entry(wildcards))]


def file_file(wildcards):
    """Return [path] of a file that is a parameter on this machine, else []."""
    return [ancient(file) for file in local_file(file_entry(wildcards))]


def entry_code(step, name, entry):
    """Return the note of a step that takes a file of an entry under images or files."""
    said = " ".join(image_arguments(name, entry))
    return code(f"steps.{step}", data=tuple(local_file(entry)), said=said, name=f"{step}-{name}")


@or_exit
def image_code(wildcards):
    return entry_code("image", wildcards.image, image_entry(wildcards))


@or_exit
def file_code(wildcards):
    return entry_code("file", wildcards.file, file_entry(wildcards))


@or_exit
def corruption_files(wildcards):
    """Return the paths of the files that are parameters of a path's corruption."""
    found = corruptions.files(wildcards.task, parse_parameters(wildcards.corruption))
    return [f"results/files/{experiments.entry(config, 'files', name) and name}.npy" for name, _ in found.values()]


@or_exit
def task_code(wildcards):
    check_spelling(wildcards)
    task, noise = wildcards.task, noise_module(wildcards)
    other = (
        {"said": "measured", "name": f"corrupt-{task}-{noise.split('.')[-1]}-measured"} if measured(wildcards) else {}
    )
    return code("steps.corrupt", f"steps.tasks.{task}", noise, **other)


def noise_module(wildcards):
    """Return the name of the module of a path's noise."""
    return corruptions.noise_of(parse_parameters(wildcards.corruption)).__name__


@or_exit
def truth(wildcards):
    """Return the path of a path's ground truth; [] if its image is measured."""
    return [] if measured(wildcards) else f"results/images/{wildcards.image}.npy"


@or_exit
def method_code(wildcards):
    check_spelling(wildcards)
    task, method = wildcards.task, wildcards.method
    return code("steps.recover", f"steps.methods.{method}", f"steps.tasks.{task}", noise_module(wildcards))


@or_exit
def method_module(wildcards):
    return discover.load("methods", wildcards.method)


@or_exit
def experiment_entry(wildcards):
    return experiments.entry(config, "experiments", wildcards.experiment)


def recoveries(wildcards):
    experiment_entry(wildcards)
    return MADE[wildcards.experiment]


def not_made(wildcards):
    """Return the recoveries of an experiment that are left out, "label on image (corruption)", some 20 at most."""
    there = set(recoveries(wildcards))
    out = [recovery for recovery in ASKED[wildcards.experiment] if recovery not in there]
    names = [f"{r.label} on {r.image} ({r.corruption})" for r in out]
    more = [f"and {len(names) - 20} more"] if len(names) > 20 else []
    return f"{len(out)} of {len(ASKED[wildcards.experiment])}: {'; '.join(names[:20] + more)}" if out else ""


@or_exit
def listed(wildcards):
    """Return the file that lists an experiment's recoveries and which are made, and what they are called."""
    path = f"results/code/recoveries-{wildcards.experiment}.csv"
    if workflow.is_main_process and not BUSY:
        write_note(path, listing(ASKED[wildcards.experiment], set(recoveries(wildcards))))
    return path


def claimed_part(wildcards):
    """Return the part of the config that claims are about, as JSON."""
    entries = {claim["experiment"]: config["experiments"][claim["experiment"]] for claim in CLAIMED}
    part = {name: {k: v for k, v in entry.items() if k not in ("title", "figures")} for name, entry in entries.items()}
    images = {image for entry in part.values() for image in entry["images"]}
    named = {name: text for name, text in STAND_INS.items() if name in images}
    return json.dumps({"published": config["published"], "experiments": part, "stand_ins": named})


def stand_ins(wildcards):
    """Return the stand-ins among an experiment's images, as JSON."""
    named = {name: STAND_INS[name] for name in experiment_entry(wildcards)["images"] if name in STAND_INS}
    return json.dumps(named).replace("<", "\\u003c")  # Snakemake's report would obey what is HTML in a parameter


@or_exit
def shown_files(wildcards):
    experiment_entry(wildcards)
    return inputs(wildcards.experiment, wildcards.drawing, INDEX[wildcards.experiment])


@or_exit
def figure_code(wildcards):
    figure = wildcards.drawing.split("/")[0]
    discover.load("figures", figure)
    entry = experiment_entry(wildcards)
    said = style.said(entry["task"], corruptions.noises(entry), [method["method"] for method in entry["methods"]])
    return code("steps.draw", f"steps.figures.{figure}", said=said, name=f"draw-{figure}-{wildcards.experiment}")


@or_exit
def page_code(wildcards):
    entry = experiment_entry(wildcards)
    said = style.said(entry["task"], corruptions.noises(entry))
    return code("steps.show", data=VIEWER, said=said, name=f"show-{wildcards.experiment}")


def figure_labels(wildcards):
    """Return what the report calls a figure: its name, and the image and corruption that it is of."""
    figure, *subject = wildcards.drawing.split("/")
    each = discover.load("figures", figure).EACH
    return {"result": f"figure: {figure.replace('_', ' ')}", **dict(zip(each, subject))}


def page_category(wildcards):
    folder, _, name = wildcards.page.rpartition("/")
    return name.removesuffix("_vs_paper") if folder else "All experiments"


def page_labels(wildcards):
    """Return what the report calls a page of tables."""
    if wildcards.page.endswith("_vs_paper"):
        return {"result": "table: ours and published"}
    names = {"time": "time and memory", "claims": "claims"}
    return {"result": names.get(wildcards.page, "table: all images and methods")}
