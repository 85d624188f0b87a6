"""What `try` is given: a picture's name, what of it is taken, what is said of it; a folder; what is refused."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np

from steps.base import discover
from steps.base.errors import BadInput, quoted
from steps.base.files import whole
from steps.base.parameters import (
    LONGEST_NAME,
    WORD,
    check_parameters,
    format_parameters,
    keywords,
    normalise,
    parse_parameters,
)
from steps.base.text import check_path, check_text
from steps.images import contents, decode
from steps.inverse.photograph import estimate_sigma
from steps.plan import corruptions, experiments, needs, variants

LONGEST = (512, 256, 128, 64)  # pixels of the longer side: the first for which the operator takes little memory
MEMORY_MB = 500
QUICK = {True: ("wiener", "tv", "nlm"), False: ("wiener", "tv")}  # methods if none is named: for A = I, else
SIGMA = {True: 0.1, False: 0.01}  # if none is named: for A = I, else
CAMERA = "camera"  # the noise of a measured picture of which none is named
MARK = "# Made by priorbench's try; "  # how a config.yaml begins in whose folder files may be replaced


def named(picture):
    """Return (name, source) of a picture as a config would have them; a file's source is its absolute path.

    Raises BadInput for a URL, and for a path that a config could not have, or that would be a set of images there.
    """
    kind, _, rest = picture.partition(":")
    if kind in ("http", "https"):
        raise BadInput(f"{picture}: a URL is for a config, with its checksum; here it must be a file on this machine")
    made = kind in ("skimage", "synthetic")
    source = picture if made else str(Path(picture).absolute())
    check_text(source, "PICTURE")
    check_path(source, "PICTURE")
    if "*" in source:
        raise BadInput(f"PICTURE: {quoted(source)} is not allowed; must be one file, without *")
    name = re.sub(r"[^A-Za-z0-9]+", "-", rest if made else Path(picture).stem).strip("-")[:50].rstrip("-")
    return name or "picture", source


def experiment(name, task, corruption, methods, measured=False):
    """Return the entry under experiments that a config would have, of the texts of the command line.

    corruption "blur=2,sigma=0.01", methods such as "dip:iterations=500,channels=64"; `measured` whether the picture
    is one. Raises BadInput, naming the option, for what is not allowed.
    """
    operator = discover.load("tasks", task, "--task").Operator
    identity, settings = operator.identity, parse_parameters(corruption)
    if measured and operator.alike and settings.keys().isdisjoint(("noise", "sigma")):
        settings |= {"noise": CAMERA}
    elif settings.get("noise", corruptions.GAUSSIAN) == corruptions.GAUSSIAN and "bsnr" not in settings:
        settings = {"sigma": corruptions.ESTIMATE if measured else SIGMA[identity]} | settings
    corruptions.check_scale(operator, settings, "--sigma")
    corruptions.parameters(task, settings, "--corruption", measured)
    known = keywords(operator)
    if measured and operator.pictures and not identity and known.keys().isdisjoint(settings):
        raise BadInput(
            f"--corruption: missing; of a measured picture it must be said what {task} did: {', '.join(known)}"
        )
    settings = check_parameters(settings, corruptions.allowed(task, settings), "--corruption")
    methods, entries = methods or QUICK[identity] + ("bm3d",) * (identity and measured), []
    for text in methods:
        method, _, params = text.partition(":")
        label = getattr(discover.load("methods", method, "--method"), "LABEL", method)
        entry = {"method": method}
        if params:
            entry["params"] = variants.parameters(method, parse_parameters(params), f"--method {method}")
            if [other.partition(":")[0] for other in methods].count(method) > 1:
                entry["label"] = f"{label} {format_parameters(entry['params'])}"
        entries.append(entry)
    entry = {"task": task, "images": [name], "corruption": settings, "methods": entries, "figures": ["comparison"]}
    experiments.recoveries(entry, where="command line")
    return entry


def fitting(shape, task, corruption, measured):
    """Return ({"size" or "crop": …}, sentence) that bring an image of shape (H, W, …) to a size that takes minutes.

    The longer side gets at most 512 pixels, fewer if the task's operator would take more than MEMORY_MB. A picture that
    is measured is cropped, since its noise and blur would change with its size. ({}, "") if it is small already.
    """
    height, width = shape[:2]
    for longest in LONGEST:
        scale = min(1, longest / max(height, width))
        rows, columns = (max(min(2, side), round(side * scale)) for side in (height, width))
        if needs.measuring(task, format_parameters(corruption), 4e-6 * rows * columns) <= MEMORY_MB:
            break
    if scale == 1:
        return {}, ""
    if not measured:
        sentence = f"Resized from {height} x {width} pixels; --size, --crop or --all for another."
        return {"size": [rows, columns]}, sentence
    rows, columns = min(height, longest), min(width, longest)
    sentence = f"This is the centre of {height} x {width} pixels; --crop for another part, --all for all."
    return {"crop": [(height - rows) // 2, (width - columns) // 2, rows, columns]}, sentence


def depth(source, pixels):
    """Return a sentence if a file's integers of 16 bits look as if they were of 12 or 14; "" if not.

    pixels are those of the file, in [0, 1]. Scientific cameras write such files, and white would be a dark gray.
    """
    if (
        not Path(source).is_file()
        or len(pixels) == 1
        or pixels.max() >= 2**14 / 65535
        or not (most := decode.largest(source))
    ):
        return ""
    bits = 12 if most < 2**12 else 14
    return (
        f"{source}: the largest value is {most}, as of {bits} bits in a file of 16; white is taken to be 65535. "
        f"If white is {2**bits - 1}, divide by that and give a NPY or TIFF of floats."
    )


def entry(source, measured, settings):
    """Return the entry under images that a config would have; settings are gray, and lists or None: size, crop."""
    found = {"source": source} | ({"measured": True} if measured else {})
    for key, value in settings.items():
        if value:
            found[key] = value[0] if isinstance(value, list) and len(value) == 1 else value
    return found


def folder(name, picture, files, task, corruption):
    """Return the name of the folder for a picture and files, entries of a config, with a corruption.

    Six digits keep pictures apart whose files have one name, and the settings of one picture.
    """
    text = json.dumps([picture, task, corruption, *([files] if files else [])])
    digits = hashlib.sha256(text.encode()).hexdigest()[:6]
    prefix = "measured-" if picture.get("measured") else ""
    return f"{name}-{digits}-{prefix}{task},{format_parameters(corruption)}"[:LONGEST_NAME]


def files(given):
    """Return {name: its entry under files in a config} of texts NAME=PATH, and {name: the numbers in it}.

    Raises BadInput for what is none.
    """
    found = {}
    for text in given:
        name, _, path = text.partition("=")
        if not WORD.fullmatch(name) or not isinstance(normalise(name), str) or not path or name in found:
            raise BadInput(f"--file: {quoted(text)} is not allowed; must be NAME=PATH, each NAME a word, and once")
        found[name] = {"source": str(Path(path).absolute())}
    return found, {name: contents.read(entry["source"]) for name, entry in found.items()}


def write(numbers):
    """Write the {name: numbers} of files to results; return the options by which steps.corrupt reads them."""
    for name, array in numbers.items():
        with whole(f"results/files/{name}.npy") as temporary:
            np.save(temporary, array)
    return [f"--file=results/files/{name}.npy" for name in numbers]


def study(name, picture, entry, named, files):
    """Return the text of a config for a picture's entry under images, an experiment's, names of metrics, and files.

    In it both have names of their own: a run of it must not take the place of the default run's `camera`, `denoising`.
    """
    import yaml

    images, title = f"try_{name}", f"try_{name}_{entry['task']}"[:80]
    config = {"images": {images: picture}, "experiments": {title: entry | {"images": [images]}}, "metrics": named}
    config |= {"files": files} if files else {}
    first = f"{MARK}the workflow does the same: snakemake --cores 2 --configfile config.yaml\n"
    return first + yaml.safe_dump(config, sort_keys=False, allow_unicode=True)


def check(x, task, corruption, measured, numbers):
    """Return (height, width) of the image that x (C, H, W) is, or is measured of.

    Raises BadInput if there is no measurement of x, or it is none, before anything of it is written.
    numbers  {name: those in a file that is a parameter}.
    """
    operator, noise = corruptions.parameters(task, corruption, task, measured)
    named = [name for name, _ in corruptions.files(task, corruption).values()]
    if unused := [name for name in numbers if name not in named]:
        raise BadInput(f"--file: no parameter of --corruption is {unused[0]}, so that it would not be used")
    if measured:
        shape, found = corruptions.fitted(task, corruption, numbers, x.shape)
    else:
        shape, found = x.shape, corruptions.contents(task, corruption, numbers, x.shape[-2:])
    discover.load("tasks", task).Operator(shape, **operator | found)
    if noise.get("sigma") == corruptions.ESTIMATE:
        estimate_sigma(x)
    module = corruptions.noise_of(corruption)
    if measured and hasattr(module, "estimate"):
        module.estimate(x)
    return shape[-2:]


def check_folder(output, source):
    """Raise BadInput for a folder whose files are not this command's to replace, or in which the picture lies."""
    if Path(source).is_file() and output.resolve() == Path(source).resolve().parent:
        raise BadInput(f"-o {output}: the picture lies in it, and files there are replaced; must be another folder")
    config = output / "config.yaml"
    ours = config.is_file() and config.read_text(encoding="utf-8", errors="replace").startswith(MARK)
    if output.is_dir() and any(output.iterdir()) and not ours:
        raise BadInput(f"-o {output}: files in it could be replaced; must be new, empty, or made by try")
