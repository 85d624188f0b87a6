"""The config: check it, and list the recoveries, tables and drawings it asks for."""

import functools
import itertools
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from steps import claims, corrupt, discover, grid, imagesets, measured, published, recover, schema, variants
from steps.errors import BadInput
from steps.image import check as check_image

ROOT = Path(__file__).parent.parent
ELSEWHERE = ("skimage:", "synthetic:", "http://", "https://")  # sources that are no file on this machine


@dataclass(frozen=True)
class Recovery:
    """One recovery: an image, corrupted for a task, recovered by a method; `label` is its column in a table."""

    task: str
    image: str
    corruption: str
    method: str
    params: str
    label: str

    @property
    def folder(self):
        """The folder of its results, relative to the working directory."""
        return f"results/{self.task}/{self.image}/{self.corruption}/{self.method}/{self.params}"


def check(config, file="config", images=True):
    """Raise BadInput, one line, for the first mistake in a config; fill in the defaults of its top-level keys.

    Sets of images are replaced by their images (steps/imagesets.py). Image files are opened, for their headers, unless
    `images` is false: a job need not see them again. Files of published values and of claims that are not in the
    working directory become priorbench's own.
    """
    schema.validate(config, file)
    imagesets.expand(config, file)
    for key in ("published", "claims"):  # as the working directory has them, else as priorbench has
        given = config.get(key, "")
        schema.check_path(given, f"{file}: {key}")
        if given and not os.path.isfile(given) and os.path.isfile(ROOT / given):
            config[key] = str(ROOT / given)
    for name, image in config["images"].items() if images else ():
        check_image(image, f"{file}: images.{name}")
    for path in config["image_dirs"]:
        if os.pathsep in path:
            raise BadInput(f"{file}: image_dirs: {grid.shown(path)} is not allowed; must be without {os.pathsep!r}")
    for name, experiment in config["experiments"].items():
        try:
            place = f"experiments.{name}"
            recoveries(experiment, config["images"], place)
            measured.check_experiment(experiment, config["images"], place)
            drawings(name, experiment, place)
            published.check(experiment, variants.labels(experiment), cases(experiment), config["published"], place)
        except BadInput as error:
            raise BadInput(f"{file}: {error}") from error
    if "claims" in config:
        claims.read(config["claims"], config, f"{file}: claims")


def recoveries(experiment, images=None, where="experiment"):
    """Return the Recovery of every image × corruption × method variant of an experiment, in the order of the config.

    `images` are the config's, by name; None allows any. Raises BadInput for what is unknown or not allowed.
    """
    task = experiment["task"]
    discover.load("tasks", task, f"{where}.task")
    first = variants.of(experiment, 0, where)
    columns = {"image", "n", "noise sigma", "input", "metric", *corrupt.allowed(task)}
    variants.check(first, columns, f"{where}.methods")
    for image in experiment["images"]:
        if images is not None and image not in images:
            raise BadInput(f"{where}.images: {grid.unknown('image', image, images)}")
    found = []
    by_seed = {0: first}
    pairs = cases(experiment, where)
    kinds = {(corruption, images[image].get("measured", False)) for image, corruption in pairs} if images else set()
    for corruption, given in sorted(kinds):
        corrupt.parameters(task, grid.parse_parameters(corruption), f"{where}.corruption", given)
    if len(pairs) * len(first) > grid.MOST:
        raise BadInput(f"{where}: asks for {len(pairs) * len(first)} recoveries; must be at most {grid.MOST}")
    for image, corruption in pairs:
        seed = grid.parse_parameters(corruption).get("seed", 0)
        if seed not in by_seed:
            by_seed[seed] = variants.of(experiment, seed, where)
            variants.check(by_seed[seed], set(), f"{where}.methods")
        found += [Recovery(task, image, corruption, *variant) for variant in by_seed[seed]]
    return found


def there(recovery):
    """Return whether a recovery has been made: its image is there, and not one that this run failed to make anew."""
    return Path(recovery.folder, "recovered.npy").is_file() and recovery.folder not in _failed()


@functools.cache
def _failed():
    """Return the folders listed in the file $PRIORBENCH_FAILED, of recoveries that are there but out of date."""
    file = os.environ.get("PRIORBENCH_FAILED")
    return frozenset(Path(file).read_text(encoding="utf-8").splitlines()) if file else frozenset()


def cases(experiment, where="experiment"):
    """Return the (image, corruption) pairs of an experiment, image by image, in the order of the config.

    `corruption` is one mapping for all images or a list of mappings, each for its own `images`, else for all.
    """
    given, place = experiment.get("corruption", {}), f"{where}.corruption"
    if isinstance(given, list):
        blocks = [(f"{place}[{i}]", {"images": experiment["images"]} | block) for i, block in enumerate(given)]
    else:
        blocks = [(place, given)]
    found = []
    for place, block in blocks:
        settings = dict(block)
        images = settings.pop("images") if isinstance(given, list) else experiment["images"]
        for image in images:
            if image not in experiment["images"]:
                raise BadInput(f"{place}.images: {grid.unknown('image', image, experiment['images'])}")
        found += [(image, corruption) for image in images for corruption in _corruptions(experiment, settings, place)]
    spelled = {text: tuple(corrupt.filled(experiment["task"], text).items()) for _, text in found}
    twice, times = Counter((image, spelled[text]) for image, text in found).most_common(1)[0]
    if times > 1:  # one noise must not count as two draws of it
        texts = ", also spelled ".join(dict.fromkeys(text for image, text in found if (image, spelled[text]) == twice))
        raise BadInput(f"{where}.corruption: {texts} is there twice")
    order, covered = {image: i for i, image in enumerate(experiment["images"])}, {image for image, _ in found}
    left = next((image for image in order if image not in covered), None)
    if left:
        raise BadInput(f"{where}.images: {left!r} is in none of the corruptions")
    return sorted(found, key=lambda case: order[case[0]])


def drawings(name, experiment, where="experiment", made=lambda recovery: True):
    """Return the paths below results/figures, without suffix, of an experiment's figures.

    One drawing for each figure, or for each image (EACH = ("image",)) or each image and corruption
    (EACH = ("image", "corruption"); of several seeds the first) if its module says so: denoising/psnr,
    denoising/comparison/camera/sigma=0.1,seed=0. Only those for which a recovery is `made`.
    """
    found = [(r.image, r.corruption) for r in recoveries(experiment, where=where) if made(r)]
    pairs = [case for case in cases(experiment, where) if case in set(found)]
    if not pairs:
        return []
    paths = []
    for figure in experiment.get("figures", ["psnr", "comparison"]):
        module = discover.load("figures", figure, f"{where}.figures")
        if getattr(module, "PUBLISHED", False) and "published" not in experiment:
            raise BadInput(f"{where}.figures: {figure} needs published values, and the experiment has none")
        each = module.EACH
        if each == ("image",):
            subjects = [(image,) for image in dict.fromkeys(image for image, _ in pairs)]
        else:
            subjects = _first_seeds(pairs) if each else [()]
        paths += ["/".join((name, figure, *subject)) for subject in subjects]
    return paths


def entry(config, kind, name):
    """Return config[kind][name]; raises BadInput with the nearest match if there is none. kind is plural."""
    if name not in config[kind]:
        raise BadInput(grid.unknown(kind[:-1], name, config[kind]))
    return config[kind][name]


def local_file(image):
    """Return [path] of an image entry's file if it is one on this machine, else []."""
    return [] if image["source"].startswith(ELSEWHERE) else [image["source"]]


def image_arguments(name, image):
    """Return the command-line arguments with which steps.image makes an image entry."""
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


def shown(name, experiment, drawing, made=lambda recovery: True):
    """Return the files, beside the scores, that a drawing of `drawings` shows, of the recoveries that are `made`.

    The recoveries and their images, of its image and corruption, if it is drawn for one; the curves, the kept iterates,
    the images, or the table that compares with published values, if its module says CURVES, TRACES, IMAGES or
    PUBLISHED = True.
    """
    figure, *subject = drawing.split("/")
    module = discover.load("figures", figure)
    if len(subject) != len(module.EACH):
        raise BadInput(f"{drawing}: {figure} is drawn for each {' and '.join(module.EACH) or 'experiment'}")
    where = dict(zip(module.EACH, subject))
    for column, value in where.items():
        known = dict.fromkeys(getattr(recovery, column) for recovery in recoveries(experiment))
        if value not in known:
            raise BadInput(f"{drawing}: {grid.unknown(column, value, known)}")
    files = [f"results/tables/{name}_vs_paper.csv"] if getattr(module, "PUBLISHED", False) else []
    for recovery in filter(made, recoveries(experiment)):
        if any(getattr(recovery, column) != value for column, value in where.items()):
            continue
        if where:
            files += images([recovery])
        if getattr(module, "CURVES", False):
            files.append(f"{recovery.folder}/curve.csv")
        if getattr(module, "TRACES", False):
            files.append(f"{recovery.folder}/trace.npz")
        if getattr(module, "IMAGES", False):
            files.append(f"results/images/{recovery.image}.npy")
    return list(dict.fromkeys(files))


def images(recoveries):
    """Return the files of the truths, of what one sees before recovery, and of the recoveries, each once."""
    of_each = (
        (
            f"results/images/{recovery.image}.npy",
            f"results/{recovery.task}/{recovery.image}/{recovery.corruption}/picture.npy",
            f"{recovery.folder}/recovered.npy",
        )
        for recovery in recoveries
    )
    return list(dict.fromkeys(itertools.chain.from_iterable(of_each)))


@functools.cache
def corruption_path(task, text, given=False):
    """Return the one spelling of a corruption given as text; raises BadInput for what the task does not allow.

    given  whether it is of an image that is measured, for which fewer are allowed.
    """
    corruption = grid.parse_parameters(text)
    corrupt.parameters(task, corruption, task, given)
    return grid.format_parameters(grid.check_parameters(corruption, corrupt.allowed(task), task))


@functools.cache
def params_path(method, text):
    """Return the one spelling of a method's parameters given as text; raises BadInput for what it does not allow."""
    return grid.format_parameters(recover.parameters(method, grid.parse_parameters(text), method))


def _corruptions(experiment, settings, where):
    allowed = corrupt.allowed(experiment["task"])
    choices = grid.combinations(settings, where)
    return [grid.format_parameters(grid.check_parameters(choice, allowed, where), where) for choice in choices]


def _first_seeds(pairs):
    """Return of the (image, corruption) pairs that differ in their seed only the first."""
    return list({(i, tuple(variants.but_seed(c).items())): (i, c) for i, c in reversed(pairs)}.values())[::-1]
