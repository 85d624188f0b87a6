"""Reading a config and checking all of it: one line for the first mistake, before any job."""

import os
import sys
from pathlib import Path

from steps.base import discover
from steps.base.errors import BadInput, quoted
from steps.base.parameters import normalise, parse_parameters
from steps.base.text import check_path
from steps.images import contents, sets
from steps.images.colours import has_colours
from steps.images.load import URL, check_image
from steps.plan import claims, corruptions, metrics, published, schema, variants
from steps.plan.drawings import Index, drawings
from steps.plan.experiments import cases, recoveries

ROOT = Path(__file__).parents[2]
ELSEWHERE = ("skimage:", "synthetic:", "http://", "https://")  # sources that are no file on this machine


def read_config(file):
    """Return the checked config of a YAML file. Raises BadInput, one line, for the first mistake in it."""
    config = schema.read(file)
    check_config(config, file)
    return config


def check_config(config, file="config", images=True):
    """Raise BadInput, one line, for the first mistake in a config; fill in the defaults of its top-level keys.

    Sets of images are replaced by their images (steps/images/sets.py), and optional methods that need a package which
    is not installed are dropped, in a printed line each. Image files are opened, for their headers, unless `images` is
    false: a job need not see them again, nor say those lines. Files of published values and of claims that are not in
    the working directory become priorbench's own.
    """
    schema.validate(config, file)
    for name, image in config["images"].items():
        if "truth" in image and sets.is_set(image):
            raise BadInput(f"{file}: images.{name}.truth: not allowed of a set; must be beside one picture")
    sets.expand(config, file)
    for line in variants.leave_out(config, file):
        if images:
            print(f"{file}: {line}", file=sys.stderr)
    check_path(config.get("record", ""), f"{file}: record")
    for key in ("published", "claims"):  # as the working directory has them, else as priorbench has
        path = config.get(key, "")
        check_path(path, f"{file}: {key}")
        if path and not os.path.isfile(path) and os.path.isfile(ROOT / path):
            config[key] = str(ROOT / path)
    sizes = {name: check_image(image, f"{file}: images.{name}") for name, image in config["images"].items() if images}
    truths = {}
    for name, image in config["images"].items():
        if "truth" in image and not image.get("measured"):
            raise BadInput(f"{file}: images.{name}.truth: not allowed without measured: true")
        if "truth" in image and images:
            truths[name] = check_image(true_entry(image), f"{file}: images.{name}.truth")
    for path in config["image_dirs"]:
        if os.pathsep in path:
            raise BadInput(f"{file}: image_dirs: {quoted(path)} is not allowed; must be without {os.pathsep!r}")
    metrics.facts(config["metrics"], f"{file}: metrics")
    for name in config["needs"]:
        discover.load("methods", name, f"{file}: needs")
    for name, experiment in config["experiments"].items():
        try:
            place = f"experiments.{name}"
            asked = recoveries(experiment, config["images"], place)
            _check_measured(experiment, config["images"], place)
            _check_gray(experiment, config["images"], place, images)
            _check_columns(experiment, config["metrics"], place)
            drawings(name, experiment, Index(asked, asked), where=place)
            labels = variants.labels(experiment)
            published.check(experiment, labels, cases(experiment), config["published"], place, config["metrics"])
        except BadInput as error:
            raise BadInput(f"{file}: {error}") from error
    numbers = _check_files(config, sizes, file, images)
    _check_truths(config, sizes, truths, numbers, file)
    if "claims" in config:
        claims.read(config["claims"], config, f"{file}: claims")


def local_file(image):
    """Return [path] of an image entry's file if it is one on this machine, else []."""
    return [] if image["source"].startswith(ELSEWHERE) else [image["source"]]


def true_entry(image):
    """Return the entry of the truth beside a measured image, cropped and resized like it; of other images the entry."""
    if "truth" not in image:
        return image
    truth = image["truth"] if isinstance(image["truth"], dict) else {"source": image["truth"]}
    return {key: image[key] for key in ("gray", "size", "crop") if key in image} | truth


def image_arguments(name, image):
    """Return the command-line arguments with which steps.image or steps.file takes an entry under images or files."""
    sums = image.get("sha256", [])
    numbers = {
        key: image[key] if isinstance(image[key], list) else [image[key]] for key in ("crop", "size") if key in image
    }
    return [
        image["source"],
        f"--name={name}",
        *(f"--sha256={digest}" for digest in ([sums] if isinstance(sums, str) else sums)),
        *(f"--{key}={','.join(map(str, value))}" for key, value in numbers.items()),
        *(["--gray"] if image.get("gray") else []),
        *(["--measured"] if image.get("measured") else []),
    ]


def _check_files(config, sizes, file, look):
    """Return {name: numbers in it} of files; raise BadInput for a name that is no word, or that nothing can have.

    A corruption can have but some files. Nor may what was measured be of another shape than the task measures.

    sizes  {image: (height, width)}, (0, 0) if not known;  look  whether files are to be read.
    """
    numbers = {}
    for name, entry in config["files"].items():
        where = f"{file}: files.{name}"
        try:
            word = normalise(name)
        except BadInput:  # of inf and nan
            word = None
        if word != name:
            raise BadInput(f"{where}: {name} is not allowed; must be a word that is no number, true or false")
        numbers[name] = contents.check(entry, name, config["image_dirs"], where) if look else None
    for title, experiment in config["experiments"].items():
        task, seen = experiment["task"], set()
        takes = corruptions.files(task, corruptions.allowed(task))
        takes_numbers = discover.load("tasks", task).Operator.numbers
        for image, text in cases(experiment):
            size, entry = sizes.get(image, (0, 0)), config["images"][image]
            here = all(size) or (takes_numbers and not entry["source"].startswith(URL))
            measured = look and here and entry.get("measured", False)
            if _stays_unknown(entry):
                size = (0, 0)
            if (text, size, measured) in seen or not (takes or measured):
                continue
            seen.add((text, size, measured))
            said = parse_parameters(text)
            try:
                if measured:
                    corruptions.fitted(task, said, numbers, (1, *size))
                else:
                    corruptions.contents(task, said, numbers, size if all(size) else None)
            except BadInput as error:
                raise BadInput(f"{file}: experiments.{title}.corruption.{error}") from error
    return numbers


def _check_truths(config, sizes, truths, numbers, file):
    """Raise BadInput for a truth beside a measured picture that is not of the shape of the image sought.

    That may be larger than the picture, as of a blur with unknown borders. What is not known yet `score` will see.

    sizes, truths  {image: (height, width)}, (0, 0) if not known;  numbers  {name: those in it} of files.
    """
    for title, experiment in config["experiments"].items():
        make = discover.load("tasks", experiment["task"]).Operator
        for image, text in cases(experiment) if truths else ():
            entry, found = config["images"][image], truths.get(image, (0, 0))
            if not all((*found, *sizes[image])) or any(map(_stays_unknown, (entry, true_entry(entry)))):
                continue
            shape, _ = corruptions.fitted(experiment["task"], parse_parameters(text), numbers, (1, *sizes[image]))
            where = f"{file}: images.{image}.truth: {true_entry(entry)['source']}"
            sought = f"as the image that experiments.{title} recovers ({text})"
            if shape and found != (wanted := tuple(shape[1:])):
                has, must = ("x".join(map(str, size)) for size in (found, wanted))
                raise BadInput(f"{where} has {has} pixels; must have {must}, {sought}")
            seen, must = _channels(true_entry(entry)), make.channels or _channels(entry) * (not make.numbers)
            if seen and must and seen != must:
                raise BadInput(f"{where} has {seen} channels; must have {must}, {sought}")


def _stays_unknown(image):
    """Return whether of an entry under images only the longer side is known before it is there."""
    return isinstance(image.get("size"), int) and image["source"].startswith(("skimage:", *URL))


def _channels(image):
    """Return how many channels an entry under images has, 1 or 3; 0 if that is not known before it is there."""
    if image.get("gray"):
        return 1
    return max((3 if has_colours(path) else 1 for path in local_file(image)), default=0)


def _check_columns(experiment, metrics, where):
    """Raise BadInput if a metric has the name of a parameter of the corruption: in tables both would be one column."""
    for noise in corruptions.noises(experiment):
        names = corruptions.allowed(experiment["task"], {"noise": noise})
        if both := [name for name in metrics if name in names]:
            raise BadInput(f"{where}.corruption: {both[0]} is a metric, too; one of the two must have another name")


def _check_gray(experiment, images, where, look):
    """Raise BadInput for an image that is turned gray in an experiment whose task needs colours.

    A mosaic that is measured is gray, and not the image: then for one that has colours.  look  whether to open files.
    """
    needed = discover.load("tasks", experiment["task"]).Operator.channels
    gray = [name for name in experiment["images"] if images[name].get("gray") and not images[name].get("measured")]
    if needed not in (None, 1) and gray:
        raise BadInput(f"{where}.images: {gray[0]} is gray; {experiment['task']} needs {needed} channels")
    for name in experiment["images"] if look and needed not in (None, 1) else ():
        as_it_is = images[name].get("measured") and not images[name].get("gray")
        if as_it_is and any(map(has_colours, local_file(images[name]))):
            said = f"must be gray, one value a pixel, if it is measured for {experiment['task']}"
            raise BadInput(f"{where}.images: {name} has colours; {said} (gray: true, if its channels are equal)")


def _check_measured(experiment, images, where):
    """Raise BadInput for what cannot be asked of measured images: published values, and figures that need a truth.

    If none of the images has a truth, only figures that need none are drawn by default. `images` are the config's.
    """
    without = [name for name in experiment["images"] if images[name].get("measured") and "truth" not in images[name]]
    if without and "published" in experiment:
        raise BadInput(f"{where}.published: {without[0]} is measured; without a truth it is compared with nothing")
    if len(without) == len(experiment["images"]):
        for figure in experiment.setdefault("figures", ["comparison"]):
            if getattr(discover.load("figures", figure, f"{where}.figures"), "TRUTH", False):
                raise BadInput(f"{where}.figures: {figure} needs a truth, but all images are measured")
