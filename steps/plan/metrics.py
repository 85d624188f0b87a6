"""The metrics that a config names, and what tables, pages and figures are told of each."""

import inspect
import json

from steps.base import discover
from steps.base.errors import BadInput, quoted

TAKEN = {"experiment", "label", "folder", "task", "image", "corruption", "method", "params"}  # columns of scores
TAKEN |= {"pixels", "channels", "loss", "oracle_psnr", "oracle_iteration", "seconds", "peak_memory_mb", "threads"}
TAKEN |= {"noise_sigma", "residual", "device", "iterations", "seed", "settings", "origin", "versions", "convention"}
TAKEN |= {"cpu_seconds"}
SHOWN = ("Residual", "Time", "Seed")  # what is beside metrics on pages


def facts(names, where="metrics"):
    """Return one dict of name, label, unit, decimals, better and about for each metric, as its file says.

    Raises BadInput for a metric that has no file, the name of another column or another's label, a BETTER that is
    neither "higher" nor "lower", and for a package that is not installed.
    """
    found = []
    for name in names:
        module = discover.load("metrics", name, where)
        label, better = getattr(module, "LABEL", name), getattr(module, "BETTER", None)
        if name in TAKEN or name.startswith(("input_", "version_")):
            raise BadInput(f"{where}: {name} is another column of scores.csv; its file must have another name")
        if label in [*SHOWN, *(other["label"] for other in found)]:
            raise BadInput(f"{where}: {name} is called {quoted(label)}, as another is; its LABEL must be its own")
        if better not in ("higher", "lower"):
            raise BadInput(f"{where}: {name} says BETTER = {quoted(better)}; must be 'higher' or 'lower'")
        if package := discover.missing_package(module):
            raise BadInput(f"{where}: {name} needs the package {package}, which is not installed")
        about = (inspect.getdoc(module) or "").split("\n\n")[0].replace("\n", " ")
        shown = {"unit": getattr(module, "UNIT", ""), "decimals": getattr(module, "DECIMALS", 3)}
        found.append({"name": name, "label": label, **shown, "better": better, "about": about})
    return found


def as_json(found):
    """Return `facts` as JSON for a command line; Snakemake's report would obey what is HTML in it."""
    return json.dumps(found).replace("<", "\\u003c")


def in_db(metric):
    """Return whether a metric's numbers are in dB, as tolerances are."""
    return getattr(discover.load("metrics", metric), "UNIT", "") == "dB"
