"""The record of a config's cells: the numbers of each recovery, a line a cell, in one file that outlives results/.

A line is JSON: folder, day (when it was recorded), machine (None if not known), code (checksums of what its measurement
and its score were made with; that of the recovery is in the score's origin), score (score.json without what the folder
and the code say) and curve (curve.csv without its head, six digits a number). No picture is in it.
"""

import csv
import functools
import hashlib
import json
import math
import re
from pathlib import Path

from steps import score as scoring
from steps.base import discover
from steps.base.errors import BadInput, quoted
from steps.base.files import sha256, write_text
from steps.base.parameters import defaults, parse_parameters
from steps.base.text import check_text, read_text
from steps.plan import corruptions, variants
from steps.plan.config import local_file, true_entry
from steps.run import record
from steps.run.record import PACKAGES
from steps.run.sources import listing_digest

KEYS, CODE = {"folder", "day", "machine", "code", "score", "curve"}, {"measurement", "score"}
PLACE = ("task", "image", "corruption", "method", "params")  # what the folder says
NUMBERS = ("seconds", "peak_memory_mb", "threads", "noise_sigma")
NEEDED = {*NUMBERS, "psnr", "input_psnr", "pixels", "channels", "loss", "device", "iterations", "origin", "versions"}
TEXTS = {*PLACE, "device", "pixels", "settings", "convention"}
HEAD = "iteration,loss,penalty,psnr"
CURVE = re.compile(r"(\d+(,[-+.e0-9inf]*){3}\n)*")
_digest = functools.cache(listing_digest)


def read(path):
    """Return {folder: cell} of a record, {} if there is no file. Raises BadInput, naming the line that is none.

    Of a cell that is there twice, as git's merge leaves it, that of the later day counts, of one day the later line.
    """
    if not Path(path).is_file():
        return {}
    cells = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        try:
            cell = json.loads(line, parse_constant=_finite)
            if (set(cell), set(cell["code"])) != (KEYS, CODE):
                raise BadInput(f"must have the keys {', '.join(sorted(KEYS))}, and in code {', '.join(sorted(CODE))}")
            check(cell["folder"], cell["score"])
            for text in (cell["folder"], cell["day"], cell["machine"] or "none"):
                check_text(text, "folder, day and machine")
            if not CURVE.fullmatch(cell["curve"]):
                raise BadInput("the curve is none")
            if cell["day"] >= cells.get(cell["folder"], cell)["day"]:
                cells[cell["folder"]] = cell
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            said = " ".join(str(error).split())
            raise BadInput(f"{path}, line {number}: no cell of a record ({said[:200]})") from error
    return cells


def _finite(name):
    raise BadInput(f"{name} is no number of a cell")


def write(path, cells):
    """Write {folder: cell} as a record, a line a cell, sorted by folder, so that a diff shows which have changed."""
    lines = [json.dumps(cell, ensure_ascii=False, separators=(",", ":")) for _, cell in sorted(cells.items())]
    write_text(path, "".join(f"{line}\n" for line in lines))


def file_of(config):
    """Return the file of a config's record. Raises BadInput if it names none."""
    if "record" not in config:
        raise BadInput("missing key 'record', the file (.jsonl) of its finished recoveries")
    return config["record"]


def check(folder, score):
    """Raise BadInput for a score.json that tables could not be made of; what it says of machines ends up in them."""
    missing = sorted(NEEDED.difference(score)) if isinstance(score, dict) else ["keys"]
    if missing:
        raise BadInput(f"{folder}: score.json has no {missing[0]}")
    good = {name: type(score[name]) in (int, float) and 0 <= score[name] < math.inf for name in NUMBERS}
    texts = [score["device"], score["pixels"]]
    for name, keys in {"origin": {"code", "measurement"}, "versions": {"python", *PACKAGES}}.items():
        good[name] = isinstance(score[name], dict) and set(score[name]) == keys
        texts += [text for text in score[name].values() if text is not None] if good[name] else []
    for name in set(score).difference(good, TEXTS):
        good[name] = score[name] in (None, "inf", "-inf") or type(score[name]) in (int, float)
    bad = next((name for name in sorted(good) if not good[name]), None)
    if bad:
        raise BadInput(f"{folder}: score.json: {bad} cannot be {quoted(score[bad])}")
    for text in texts:
        check_text(text if isinstance(text, str) else "", f"{folder}: score.json")


def codes(config, recovery):
    """Return {measurement, recovery, score: SHA-256} of the code and settings here that these are made with.

    A measurement is known by the code that draws it and by its image in the config, so that it need not be there.
    """
    said = parse_parameters(recovery.corruption)
    task, noise = f"steps.tasks.{recovery.task}", corruptions.noise_of(said).__name__
    files = [config["files"][name] for name, _ in corruptions.files(recovery.task, said).values()]
    parts = [_digest("steps.image"), _digest("steps.corrupt", task, noise), *[_digest("steps.file")] * bool(files)]
    parts += [_content(entry) for entry in (config["images"][recovery.image], *files)]
    metrics = sorted({"psnr", *config["metrics"]})
    return {
        "measurement": hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest(),
        "recovery": record.code(recovery.method, recovery.task, said.get("noise", corruptions.GAUSSIAN)),
        "score": _digest("steps.score", *(f"steps.metrics.{name}" for name in metrics)),
    }


def _content(entry):
    """Return what an entry under images or files says of its numbers; where they are found is nothing of it."""
    said = {key: entry[key] for key in ("sha256", "crop", "gray", "size", "measured") if key in entry}
    if "sha256" not in entry:
        said["sha256"] = [sha256(file) for file in local_file(entry)] or entry["source"]
    if "truth" in entry:
        said["truth"] = _content(true_entry(entry))
    return said


def cell(recovery, files, code, day, machine=None):
    """Return the cell of a finished recovery. Raises BadInput for numbers that are not those of the code here.

    files  {"score.json": dict, "run.json": dict, "curve.csv": text};  code  as `codes` gives it.
    """
    score, run = files["score.json"], files["run.json"]
    check(recovery.folder, score)
    if not isinstance(run, dict):
        raise BadInput(f"{recovery.folder}: run.json is no mapping")
    if any(score.get(key) != value for key, value in run.items()):
        raise BadInput(f"{recovery.folder}: score.json is not of run.json")
    if [score[name] for name in PLACE] != [getattr(recovery, name) for name in PLACE]:
        raise BadInput(f"{recovery.folder}: score.json is of another recovery")
    if score["origin"]["code"] != code["recovery"]:
        raise BadInput(f"{recovery.folder}: made with other code than is here")
    left_out = {*PLACE, "settings", "convention"}
    return {
        "folder": recovery.folder,
        "day": day,
        "machine": machine,
        "code": {part: code[part] for part in sorted(CODE)},
        "score": {key: value for key, value in score.items() if key not in left_out},
        "curve": _rounded(files["curve.csv"]),
    }


def changed(cell, code):
    """Return what of a cell is made otherwise here, "measurement", "recovery" or "score"; None if it is current."""
    made = cell["code"] | {"recovery": cell["score"]["origin"]["code"]}
    return next((part for part in code if made[part] != code[part]), None)


def split(config, recoveries, cells):
    """Return ({folder: cell}, {folder: what has changed}) of the cells of some recoveries: those current, those old."""
    found = {r.folder: changed(cells[r.folder], codes(config, r)) for r in recoveries if r.folder in cells}
    old = {folder: what for folder, what in found.items() if what}
    return {folder: cells[folder] for folder in found if folder not in old}, old


def put(recovery, cell):
    """Write score.json and curve.csv of a current cell to its folder, as `score` would have."""
    settings = defaults(discover.load("methods", recovery.method).recover)
    settings |= variants.parameters(recovery.method, parse_parameters(recovery.params), recovery.method)
    said = {name: getattr(recovery, name) for name in PLACE}
    score = cell["score"] | said | {"settings": settings, "convention": scoring.CONVENTION}
    Path(recovery.folder).mkdir(parents=True, exist_ok=True)
    Path(recovery.folder, "score.json").write_text(json.dumps(score), encoding="utf-8")
    Path(recovery.folder, "curve.csv").write_text(f"{HEAD}\n{cell['curve']}", encoding="utf-8")


def _rounded(curve):
    """Return the lines of a curve.csv after its head, with six digits a number."""
    head, *rows = csv.reader(curve.splitlines()) if curve.strip() else [[]]
    if ",".join(head) != HEAD:
        raise BadInput(f"curve.csv begins with {quoted(','.join(head))}; must be {HEAD}")
    try:
        lines = [[iteration, *(f"{float(text):.6g}" if text else "" for text in row)] for iteration, *row in rows]
    except ValueError as error:
        raise BadInput(f"curve.csv: {error}") from error
    return "".join(f"{','.join(line)}\n" for line in lines)
