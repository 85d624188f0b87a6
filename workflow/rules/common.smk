# Checks the config and lists what it asks for; helpers of the rules.

import contextlib
import json
from hashlib import sha256

from steps.base import discover
from steps.base.files import BROKEN, read_json
from steps.base.parameters import parse_parameters
from steps.base.recoveries import listing
from steps.look import style
from steps.plan import claims, corruptions, experiments, metrics, schema, variants
from steps.plan.config import check_config, image_arguments, local_file, true_entry
from steps.plan.drawings import Index, captions, drawings, inputs, measurements, pictures
from steps.run import record
from steps.run.sources import beside, noted, write_note

CONFIGS = engine.process(workflow).files  # the default's among them
NAME = engine.process(workflow).name
# A job need not see again what Snakemake does not say: keys that are there twice.
CONTENTS = {file: or_exit(schema.read)(file) for file in CONFIGS if PROCESS.main}
or_exit(check_config)(config, NAME, PROCESS.main)
if SECOND_PASS:
    config["missing"] = "skip"
if PROCESS.main and not SECOND_PASS:
    for folder in (path for path in config["image_dirs"] if not Path(path).is_dir()):
        print(f"{NAME}: image_dirs: no folder {folder!r}; images are looked for elsewhere", file=sys.stderr)
config["captions"] = captions(config["experiments"].values())  # for the report
MEASURES = sorted({"psnr", *config["metrics"]})  # in whatever order the config names them, scores are the same
METRICS = metrics.as_json(metrics.facts(config["metrics"]))


def is_current(recovery):
    """Return whether a recovery that is there says that the code here made it; of its measurement nothing is asked."""
    noise = parse_parameters(recovery.corruption).get("noise", corruptions.GAUSSIAN)
    with contextlib.suppress(OSError, *BROKEN):
        said = read_json(Path(recovery.folder, "run.json"))["origin"]["code"]
        return said == record.code(recovery.method, recovery.task, noise)
    return True  # a damaged file is made again, whatever else is asked for


ASKED = {name: experiments.recoveries(entry) for name, entry in config["experiments"].items()}
# Those that are part of this run: with `missing: skip` only what is there already.
MADE = {name: [r for r in some if config["missing"] == "run" or experiments.there(r)] for name, some in ASKED.items()}
if config["missing"] == "skip" and not SECOND_PASS:
    OLD = list(dict.fromkeys(r.folder for some in MADE.values() for r in some if not is_current(r)))
    MADE = {name: [r for r in some if r.folder not in set(OLD)] for name, some in MADE.items()}
    if OLD and PROCESS.main:
        print(f"Left out, since their code has changed: {some(OLD, 3)}", file=sys.stderr)
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

os.environ |= {  # where a job finds an image and on what device it runs is not what it computes: no parameter of a rule
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


@or_exit
def note_of(*modules, **data):
    """Return the file that notes the code of the named modules; only the process that plans the run writes it."""
    return noted(*modules, **data, write=begin() and not SECOND_PASS)


def code(*modules, keys=(), **data):
    """Return an input function that gives the note of modules, and of the files that keys of the config name."""

    def noted_now(wildcards):
        files = tuple(config[key] for key in keys)
        more = {"data": files, "name": f"{modules[0].split('.')[-1]}-{Path(files[-1]).stem}"} if files else {}
        return note_of(*modules, **data, **more)

    return noted_now


def check_meaning(kind, name, meant):
    """Say so if results are here of another config, which is still there and means something else by an image's name.

    Raise BadInput if it does by an experiment's: their tables would take each other's place. What is meant from now on
    is noted, as a checksum and the file that says it.
    """
    file = next((file for file, content in CONTENTS.items() if name in (content.get(kind) or ())), None)
    if not begin() or file is None:
        return
    path, digest = Path(f"results/code/{kind}-{name}.txt"), sha256(meant.encode()).hexdigest()
    before, _, other = path.read_text(encoding="utf-8").strip().partition("  ") if path.is_file() else (digest, "", "")
    if before != digest and other not in CONTENTS and means_another(other, kind, name, CONTENTS[file]):
        both = f"{NAME}: {kind}.{name}: {other} means something else by this name"
        if kind == "experiments":
            raise BadInput(f"{both}; rename one of them, or run in a folder of its own (--directory)")
        print(f"{both}: what was made of that is made anew", file=sys.stderr)
    write_note(path, f"{digest}  {file}\n")


def means_another(file, kind, name, content):
    """Return whether a config still has this name, and means by it what `content`, of ours, does not."""
    with contextlib.suppress(BadInput, AttributeError, KeyError, TypeError):
        other, parts = schema.read(file), ("images", "files") if kind == "experiments" else ()
        return other[kind][name] != content[kind][name] or any(other.get(key) != content.get(key) for key in parts)
    return False


def measured(wildcards):
    """Return whether a path's image is itself a measurement; then nothing is simulated of it."""
    return experiments.entry(config, "images", wildcards.image).get("measured", False)


def measured_images(wildcards):
    """Return the names of an experiment's images that are themselves measurements."""
    names = experiment_entry(wildcards)["images"]
    return [name for name in names if experiments.entry(config, "images", name).get("measured")]


def check_spelling(wildcards):
    """Raise BadInput for a path that names what does not exist, or does not spell its parameters in the one way."""
    discover.load("tasks", wildcards.task)
    one_way = [(wildcards.corruption, corruptions.spelled(wildcards.task, wildcards.corruption, measured(wildcards)))]
    if "method" in wildcards.keys():
        discover.load("methods", wildcards.method)
        variants.check_task(wildcards.method, wildcards.task, wildcards.method)
        variants.check_corruption(wildcards.method, wildcards.task, wildcards.corruption, wildcards.method)
        one_way.append((wildcards.params, variants.spelled(wildcards.method, wildcards.params)))
    for text, spelled in one_way:
        if text != spelled:
            raise BadInput(f"{text!r} is spelled {spelled!r}; one value has one folder")


@or_exit
def corruption_files(wildcards):
    """Return the paths of the files that are parameters of a path's corruption."""
    names = [name for name, _ in corruptions.files(wildcards.task, parse_parameters(wildcards.corruption)).values()]
    for name in names:
        experiments.entry(config, "files", name)
    return [f"results/files/{name}.npy" for name in names]


@or_exit
def task_code(wildcards):
    check_spelling(wildcards)
    task, noise = wildcards.task, noise_module(wildcards)
    name = f"corrupt-{task}-{noise.split('.')[-1]}-measured"
    other = {"said": "measured", "name": name} if measured(wildcards) else {}
    return note_of("steps.corrupt", f"steps.tasks.{task}", noise, **other)


def noise_module(wildcards):
    """Return the name of the module of a path's noise."""
    return corruptions.noise_of(parse_parameters(wildcards.corruption)).__name__


@or_exit
def truth(wildcards):
    """Return the path of a path's ground truth; [] if its image is measured and none is beside it."""
    unknown = measured(wildcards) and "truth" not in image_entry(wildcards)
    return [] if unknown else f"results/images/{wildcards.image}.npy"


@or_exit
def method_code(wildcards):
    check_spelling(wildcards)
    task, method = wildcards.task, wildcards.method
    return note_of("steps.recover", f"steps.methods.{method}", f"steps.tasks.{task}", noise_module(wildcards))


@or_exit
def method_module(wildcards):
    return discover.load("methods", wildcards.method)


@or_exit
def experiment_entry(wildcards):
    return experiments.entry(config, "experiments", wildcards.experiment)


@or_exit
def published_file(wildcards):
    """Return the path of the published values that an experiment is compared with."""
    if "published" not in experiment_entry(wildcards):
        raise BadInput(f"{wildcards.experiment} is compared with nothing; its entry must have the key published")
    return ancient(config["published"])


def recoveries(wildcards):
    experiment_entry(wildcards)
    return MADE[wildcards.experiment]


@or_exit
def listed(wildcards):
    """Return the file that lists an experiment's recoveries and which are made, and what they are called."""
    name = wildcards.experiment
    made = recoveries(wildcards)
    check_meaning("experiments", name, listing(ASKED[name], ()))
    path = f"results/code/recoveries-{name}.csv"
    if begin():
        write_note(path, listing(ASKED[name], set(made)))
    return path


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
    return note_of("steps.draw", f"steps.figures.{figure}", said=said, name=f"draw-{figure}-{wildcards.experiment}")


@or_exit
def page_code(wildcards):
    entry = experiment_entry(wildcards)
    more = {"said": style.said(entry["task"], corruptions.noises(entry)), "name": f"show-{wildcards.experiment}"}
    return note_of("steps.show", f"steps.tasks.{entry['task']}", data=VIEWER, **more)
