"""Check a config, and say what it asks for: recoveries, hours, memory, tables and figures. Runs nothing."""

import contextlib
import csv
import functools
import math
import statistics
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import click

from steps.base import discover
from steps.base.errors import Command
from steps.base.files import BROKEN
from steps.base.text import brief, read_text
from steps.images import arrays, contents
from steps.images.load import URL, at_hand, check_image
from steps.plan import claims, experiments, needs, published
from steps.plan.config import read_config, true_entry
from steps.plan.drawings import Index, drawings
from steps.run import devices, manifest
from steps.tables.markup import some

MOST = 8  # names that a line lists
JOBS = 1 / 3  # seconds that starting a recovery and its score takes (docs/runs.md)


class Part(NamedTuple):
    """The recoveries of one experiment by one method."""

    experiment: str
    method: str
    count: int
    left: int  # of which so many are not there
    hours: float  # that these take, one after another
    whole: bool  # whether that is all of it: images of unknown size and methods that say nothing are not counted
    measured: bool  # whether it is as long as before here; else by what the method says, with which it is generous
    memory: float  # MB that the largest asks for, 0 if no size is known


def parts(asked, size, wanted, gpu, scored=()):
    """Return the Parts of {experiment: its Recoveries}; what two experiments share is left to make in the first.

    size  the function of `sizes`;  wanted  the config's `needs`;  gpu  whether methods that can use one do;
    scored  the folders of recoveries whose score is enough.
    """
    methods = {recovery.method for recoveries in asked.values() for recovery in recoveries}
    on_gpu = {method: gpu and getattr(discover.load("methods", method), "GPU", False) for method in methods}
    rate, listed, seen = rates(on_gpu), [], set()
    for name, recoveries in asked.items():
        by_method = defaultdict(dict)
        for recovery in recoveries:
            by_method[recovery.method][recovery.folder] = recovery
        for method, folders in by_method.items():
            left = [r for folder, r in folders.items() if folder not in seen and not experiments.there(r, scored)]
            seen |= folders.keys()
            known = [(method, r.params, size(r), r.task) for r in left if size(r)]
            says = hasattr(discover.load("methods", method), "needs")
            seconds = 60 * sum(_growing(*one) for one in known) / (10 if on_gpu[method] else 1)
            if method in rate:  # of small recoveries, most of which is no work, it may be beyond what is generous
                before = rate[method] * sum(_work(*one) for one in known)
                seconds, says = min(before, seconds) if says else before, True
            whole = len(known) == len(left) and (says or not known)
            kinds = {(r.corruption, r.params, size(r)): r for r in folders.values() if size(r)}
            memory = [needs.recovery(r, mb, wanted, on_gpu[method])[0] for (*_, mb), r in kinds.items()]
            hours = (seconds + len(known) * JOBS) / 3600
            counts = len(folders), len(left)
            listed.append(Part(name, method, *counts, hours, whole, method in rate, max(memory, default=0)))
    return listed


def sizes(config):
    """Return the function Recovery ↦ MB in float32 of its image, at most; None if not known before it is there.

    Of a picture or numbers that are measured the image may be larger, as the task says.
    """
    known = shapes(config)

    @functools.cache
    def files():
        entries = ((name, contents.check(e, name, config["image_dirs"], name)) for name, e in config["files"].items())
        return {name: numbers.shape for name, numbers in entries if numbers is not None}

    @functools.cache
    def megabytes(task, image, corruption):
        shape = known[image]
        if shape and config["images"][image].get("measured"):
            shape = needs.image_shape(task, corruption, shape, files())
        return 4e-6 * math.prod(shape) if shape else None

    return lambda recovery: megabytes(recovery.task, recovery.image, recovery.corruption)


def shapes(config):
    """Return {image: its (C, H, W), at most; None if that is not known before the image is there}.

    In the order: what the config or the file's header says, in colour unless it is turned gray; the image as made.
    """
    found = {}
    for name, image in config["images"].items():
        file, made = at_hand(image["source"], name, config["image_dirs"]), _made(name)
        height, width = check_image(image | ({"source": str(file)} if file else {}), f"images.{name}")
        if not height and made:
            height, width = made[1:]
        channels = 1 if image.get("gray") else made[0] if made else 3
        if height == 1:  # numbers of a detector, (M,), (1, M) or (3, M)
            channels = ([1] + list(arrays.header(image["source"])[0]))[-2]
        found[name] = (channels, height, width) if height else None
    return found


def rates(on_gpu):
    """Return {method: seconds for each unit of `_work`}, the median of its recoveries in results/scores.csv.

    on_gpu  {method: whether it would run on a GPU here}; only recoveries count that ran where they would here.
    """
    file, ratios = Path("results/scores.csv"), defaultdict(list)
    rows = list(csv.DictReader(read_text(file).splitlines())) if file.is_file() else []
    shapes = {name: _made(name) for name in {row.get("image") for row in rows}}
    for row in rows:
        with contextlib.suppress(*BROKEN):  # of another version, or somebody else's: it says nothing of seconds
            shape, method, seconds = shapes[row["image"]], row["method"], float(row["seconds"])
            if shape and (row["device"] != "cpu") == on_gpu[method]:
                work = _work(method, row["params"], 4e-6 * math.prod(shape), row["task"])
                ratios[method].append(seconds / work)
    return {method: statistics.median(values) for method, values in ratios.items()}


def describe(config, file):
    """Return the lines that say what a checked config asks for."""
    entries = config["experiments"]
    asked = {name: experiments.recoveries(entry) for name, entry in entries.items()}
    every = {recovery.folder: recovery for recoveries in asked.values() for recovery in recoveries}.values()
    has_gpu = config["device"] != "cpu" and bool(devices.available())
    scored = manifest.scores_alone() if config["missing"] == "run" else ()  # else pictures are of what is there
    listed = parts(asked, sizes(config), config["needs"], has_gpu or config["device"] == "cuda", scored)
    count, measurements = len(every), len({recovery.case for recovery in every})
    left, largest = sum(part.left for part in listed), max(part.memory for part in listed)
    total = spelled(sum(part.hours for part in listed), all(part.whole for part in listed))
    wide = max(10, *map(len, asked))
    lines = [
        f"{file}: {len(config['images'])} images, {measurements} measurements, {count} recoveries.",
        f"{count - left} of them are there. To make the other {left}, one after another: {total}.",
        "",
        f"{'experiment':<{wide}}  {'method':<14} {'recoveries':>10} {'to make':>8} {'time':>10} {'memory':>8}",
    ]
    for part in listed:
        memory = f"{part.memory / 1e3:.1f} GB" if part.memory else "unknown"
        numbers = f"{part.count:>10} {part.left:>8} {spelled(part.hours, part.whole):>10} {memory:>8}"
        lines.append(f"{part.experiment:<{wide}}  {part.method:<14} {numbers}")
    ran = ", ".join(dict.fromkeys(part.method for part in listed if part.measured))
    before = f"as long as here before of {ran}; else " if ran else ""
    lines += ["", f"Time: {before}by what the methods' files say, which is generous, and {JOBS:.1f} s to start each."]
    lines += [f"Memory: what the largest job asks for{f', {largest / 1e3:.1f} GB in all' if largest else ''}."]

    indices = {name: Index(recoveries, recoveries) for name, recoveries in asked.items()}
    drawn, askable = (
        [path for name, index in indices.items() for path in drawings(name, entries[name], index, most)]
        for most in (config["drawn"], None)
    )
    figures = Counter(path.split("/")[1] for path in drawn)
    counts = ", ".join(f"{count} {name}" for name, count in figures.items()) or "none"
    lines += [f"Tables and pages: {', '.join(asked)}. Figures: {counts}."]
    no_cells = []
    for name, entry in entries.items():
        if "published" in entry:
            table = entry["published"]["table"]
            rows = [row for row in published.read(config["published"]) if row["table"] == table]
            lines += [f"{name} is compared with the {len(rows)} values of {table} in {config['published']}."]
            asked_for = {label for method in entry["methods"] for label in published.names(method)}
            rows = [row for row in rows if row["label"] in asked_for]
            none = published.unmatched(rows, entry["task"], experiments.cases(entry))
            places = [f"{row['image']} {row['parameter']}={brief(row['value'])} {row['label']}" for row in none]
            if none:
                no_cells.append(f"{name} has no measurement for {len(none)} published values: {some(places, 3)}.")
    if "claims" in config:
        lines += [f"{len(claims.read(config['claims'], config))} claims of {config['claims']} are decided."]
    remarks = worth_knowing(config, every, [path for path in askable if path not in set(drawn)])
    remarks += no_cells
    if config["device"] == "cuda" and not has_gpu:
        remarks.append("device: cuda, but this machine has no GPU; the methods that use one will fail.")
    return lines + ["", "Worth knowing:", *(f"- {remark}" for remark in remarks)] if remarks else lines


def worth_knowing(config, recoveries, not_drawn):
    """Return what somebody who starts this config may not expect, a list of sentences."""
    remarks = []
    if config["missing"] == "skip":
        remarks.append("missing: skip, so no recovery is made; tables and figures are of those there and up to date.")
    if not_drawn:
        words = f"{len(not_drawn)} figures of single images are not drawn (drawn: {config['drawn']})"
        remarks.append(f"{words}; each is when its path is asked for, such as results/figures/{not_drawn[0]}.png")
    sources = [(name, entry["source"]) for kind in ("images", "files") for name, entry in config[kind].items()]
    sources += [(f"{name}-truth", true_entry(e)["source"]) for name, e in config["images"].items() if "truth" in e]
    urls = [(name, source) for name, source in sources if source.startswith(URL)]
    if far := [name for name, url in urls if not at_hand(url, name, config["image_dirs"])]:
        remarks.append(f"To be downloaded, since not in image_dirs: {some(far, MOST)}.")
    if unknown := [name for name, shape in shapes(config).items() if shape is None]:
        remarks.append(f"Their sizes, hours and memory are not known before they are there: {some(unknown, MOST)}.")
    for method in dict.fromkeys(recovery.method for recovery in recoveries):
        if package := discover.missing_package(discover.load("methods", method)):
            remarks.append(f"The package {package} is not installed; recoveries by {method} will fail.")
    return remarks


def _made(name):
    """Return the shape (C, H, W) of an image that a run has made, None if there is none."""
    import numpy as np

    try:
        return np.load(f"results/images/{name}.npy", mmap_mode="r").shape
    except (OSError, *BROKEN):
        return None


def _growing(method, params, size, task):
    """Return the minutes that a method says it needs for an image of so many MB more than for one of none."""
    whole, nothing = (needs.of_method(method, params, mb, task)[1] for mb in (size, 0))
    return whole - nothing


def _work(*recovery):
    return _growing(*recovery) or recovery[2]


def spelled(hours, whole):
    """Return hours as one reads them; `whole` says whether that is all."""
    text = f"{60 * hours:.0f} min" if hours < 1 else f"{hours:.1f} h" if hours < 10 else f"{hours:.0f} h"
    return text if whole else f"> {text}" if hours else "unknown"


@click.command(cls=Command, help=__doc__)
@click.argument("config", type=click.Path(exists=True, dir_okay=False))
def main(config):
    """CONFIG is a YAML file. The first mistake in it is told in one line, with exit status 1."""
    print(*describe(read_config(config), config), sep="\n")


if __name__ == "__main__":
    main()
