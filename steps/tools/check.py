"""Check a config and say in words what it asks for: recoveries, hours, memory, tables, figures. Nothing is run."""

import contextlib
import csv
import functools
import math
import statistics
from collections import Counter, defaultdict
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import click

from steps.base import discover
from steps.base.errors import Command, one_line
from steps.base.files import BROKEN
from steps.base.text import read_text
from steps.images.load import at_hand, check_image
from steps.plan import claims, experiments, needs, published
from steps.plan.config import read_config
from steps.plan.drawings import Index, drawings
from steps.run import devices

MOST = 8  # names that a line lists
JOBS = 1 / 3  # seconds that starting a recovery and its score takes (docs/runs.md)


class Part(NamedTuple):
    """The recoveries of one experiment by one method."""

    experiment: str
    method: str
    recoveries: list
    left: list  # those that are not there


def parts(asked):
    """Return the Parts of {experiment: its Recoveries}; what two experiments share is left to make in the first."""
    found, seen = [], set()
    for name, recoveries in asked.items():
        by_method = defaultdict(dict)
        for recovery in recoveries:
            by_method[recovery.method][recovery.folder] = recovery
        for method, folders in by_method.items():
            left = [r for folder, r in folders.items() if folder not in seen and not experiments.there(r)]
            found.append(Part(name, method, list(folders.values()), left))
            seen |= folders.keys()
    return found


def sizes(config):
    """Return {image: its MB in float32, at most; None if that is not known before the image is there}.

    In the order: what the config or the file's header says, in colour unless it is turned gray; the image as made.
    """
    found = {}
    for name, image in config["images"].items():
        file = at_hand(image["source"], name, config["image_dirs"]) if is_url(image) else None
        height, width = check_image(image | ({"source": str(file)} if file else {}), f"images.{name}")
        made = _made(name)
        if not height and made:
            height, width = made[1:]
        channels = 1 if image.get("gray") else made[0] if made else 3
        found[name] = 4e-6 * channels * height * width or None
    return found


def is_url(image):
    """Return whether an entry under images is a URL."""
    return image["source"].startswith(("http://", "https://"))


def rates(config, file="results/scores.csv"):
    """Return {method: seconds for each unit of `work`}, the median of the recoveries that a csv of scores has.

    Of a method that would run on a GPU here, those that ran on one; else those that ran on the CPU.
    """
    ratios = defaultdict(list)
    rows = list(csv.DictReader(read_text(file).splitlines())) if Path(file).is_file() else []
    shapes = {name: _made(name) for name in {row.get("image") for row in rows}}
    for row in rows:
        with contextlib.suppress(*BROKEN):  # of another version, or somebody else's: it says nothing of seconds
            shape, method, seconds = shapes[row["image"]], row["method"], float(row["seconds"])
            if shape and (row["device"] != "cpu") == on_gpu(config, method):
                work = _work(method, row["params"], 4e-6 * math.prod(shape))
                ratios[method].append(seconds / work)
    return {method: statistics.median(values) for method, values in ratios.items()}


def on_gpu(config, method):
    """Return whether a method would run on a GPU of this machine."""
    if config["device"] == "cpu" or not getattr(discover.load("methods", method), "GPU", False):
        return False
    return config["device"] == "cuda" or _has_gpu()


def hours(part, config, megabytes, rate):
    """Return (hours that what is left of a Part takes one after another, whether that is all of it).

    megabytes  {image: MB};  rate  of `rates`, None if the method has not run here: then by what the method says, with
    which it is generous. Not counted are images of unknown size, and methods that say nothing.
    """
    known = [(recovery.params, megabytes[recovery.image]) for recovery in part.left if megabytes[recovery.image]]
    if rate is not None:
        found = sum(rate * _work(part.method, *one) for one in known) / 3600
    else:
        found = sum(_growing(part.method, *one) for one in known) / 60 / (10 if on_gpu(config, part.method) else 1)
    found += len(known) * JOBS / 3600
    says = rate is not None or hasattr(discover.load("methods", part.method), "needs")
    return found, len(known) == len(part.left) and (says or not known)


def memory(part, config, megabytes):
    """Return the MB of memory of the largest recovery of a Part whose image's size is known, 0 if there is none."""
    gpu = on_gpu(config, part.method)
    known = {(r.corruption, r.params, megabytes[r.image]): r for r in part.recoveries if megabytes[r.image]}
    return max((needs.recovery(r, size, config["needs"], gpu)[0] for (*_, size), r in known.items()), default=0)


def describe(config, file):
    """Return the lines that say what a checked config asks for."""
    asked = {name: experiments.recoveries(entry) for name, entry in config["experiments"].items()}
    megabytes, rate, found = sizes(config), rates(config), parts(asked)
    every = [recovery for recoveries in asked.values() for recovery in recoveries]
    count, left = len({r.folder for r in every}), sum(len(part.left) for part in found)
    times = [hours(part, config, megabytes, rate.get(part.method)) for part in found]
    memories = [memory(part, config, megabytes) for part in found]
    total = spelled(sum(time for time, _ in times), all(whole for _, whole in times))
    wide = max(10, *(len(part.experiment) for part in found))
    lines = [
        f"{file}: {len(config['images'])} images, {len({r.case for r in every})} measurements, {count} recoveries.",
        f"{count - left} of them are there. To make the other {left}, one after another: {total}.",
        "",
        f"{'experiment':<{wide}}  {'method':<14} {'recoveries':>10} {'to make':>8} {'time':>10} {'memory':>8}",
    ]
    for part, time, size in zip(found, times, memories):
        counts = f"{len(part.recoveries):>10} {len(part.left):>8}"
        size = f"{size / 1e3:.1f} GB" if size else "unknown"
        lines.append(f"{part.experiment:<{wide}}  {part.method:<14} {counts} {spelled(*time):>10} {size:>8}")
    ran = [name for name in dict.fromkeys(part.method for part in found) if name in rate]
    before = f"as long as here before of {', '.join(ran)}; else " if ran else ""
    largest = f", {max(memories) / 1e3:.1f} GB in all" if any(memories) else ""
    lines += ["", f"Time: {before}by what the methods' files say, which is generous, and {JOBS:.1f} s to start each."]
    lines += [f"Memory: what the largest job asks for{largest}."]
    lines += outcomes(config, asked)
    remarks = worth_knowing(config, asked, megabytes)
    return lines + ["", "Worth knowing:", *(f"- {remark}" for remark in remarks)] if remarks else lines


def outcomes(config, asked):
    """Return the lines that say what is made of the recoveries: tables, pages, figures, comparisons, claims."""
    figures = Counter(path.split("/")[1] for path in _drawings(config, asked, config["drawn"]))
    drawn = ", ".join(f"{count} {name}" for name, count in figures.items()) or "none"
    lines = [f"Tables and pages: {', '.join(asked)}. Figures: {drawn}."]
    for name, entry in config["experiments"].items():
        if "published" in entry:
            table = entry["published"]["table"]
            rows = [row for row in published.read(config["published"]) if row["table"] == table]
            lines.append(f"{name} is compared with the {len(rows)} values of {table} in {config['published']}.")
    if "claims" in config:
        lines.append(f"{len(claims.read(config['claims'], config))} claims of {config['claims']} are decided.")
    return lines


def worth_knowing(config, asked, megabytes):
    """Return what somebody who starts this config may not expect, a list of sentences."""
    remarks = []
    if config["missing"] == "skip":
        remarks.append("missing: skip, so no recovery is made; tables and figures are of those that are there.")
    drawn = set(_drawings(config, asked, config["drawn"]))
    left_out = [path for path in _drawings(config, asked, None) if path not in drawn]
    if left_out:
        words = f"{len(left_out)} figures of single images are not drawn (drawn: {config['drawn']})"
        remarks.append(f"{words}; each is when its path is asked for, such as results/figures/{left_out[0]}.png")
    urls = [name for name, image in config["images"].items() if is_url(image)]
    far = [n for n in urls if not at_hand(config["images"][n]["source"], n, config["image_dirs"])]
    if far:
        remarks.append(f"To be downloaded, since not in image_dirs: {_listed(far)}.")
    unknown = [name for name, size in megabytes.items() if size is None]
    if unknown:
        remarks.append(f"Their sizes, hours and memory are not known before they are there: {_listed(unknown)}.")
    methods = list(dict.fromkeys(recovery.method for recoveries in asked.values() for recovery in recoveries))
    for method in methods:
        package = getattr(discover.load("methods", method), "PACKAGE", None)
        if package and not find_spec(package):
            remarks.append(f"The package {package} is not installed; recoveries by {method} will fail.")
    if config["device"] == "cuda" and not _has_gpu():
        remarks.append("device: cuda, but this machine has no GPU; the methods that use one will fail.")
    return remarks


def _drawings(config, asked, most):
    entries = config["experiments"]
    return [path for name, all_ in asked.items() for path in drawings(name, entries[name], Index(all_, all_), most)]


def _listed(names):
    return ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")


def spelled(hours, whole):
    """Return hours as one reads them; `whole` says whether that is all."""
    text = f"{60 * hours:.0f} min" if hours < 1 else f"{hours:.1f} h" if hours < 10 else f"{hours:.0f} h"
    return text if whole else f"> {text}" if hours else "unknown"


@functools.cache
def _has_gpu():
    return bool(devices.available())


def _made(name):
    """Return the shape (C, H, W) of an image that a run has made, None if there is none."""
    import numpy as np

    try:
        return np.load(f"results/images/{name}.npy", mmap_mode="r").shape
    except (OSError, *BROKEN):
        return None


def _growing(method, params, size):
    """Return the minutes that a method says it needs for an image of so many MB more than for one of none."""
    return needs.of_method(method, params, size)[1] - needs.of_method(method, params, 0)[1]


def _work(method, params, size):
    return _growing(method, params, size) or size


@click.command(cls=Command, help=__doc__)
@click.argument("config", type=click.Path(exists=True, dir_okay=False))
def main(config):
    """CONFIG is a yaml file. The first mistake in it is one line, and exit status 1."""
    with one_line():
        print(*describe(read_config(config), config), sep="\n")


if __name__ == "__main__":
    main()
