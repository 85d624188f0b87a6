"""Check recoveries that were made on another machine, and bring them into results (docs/elsewhere.md)."""

import io
import json
import math
import subprocess
import sys
from pathlib import Path

import click
import numpy as np

from steps.base import discover
from steps.base.errors import BadInput, Command, one_line, quoted
from steps.base.files import whole
from steps.base.parameters import defaults, parse_parameters
from steps.base.text import check_text
from steps.images.arrays import BYTES
from steps.inverse.measurement import shape as shape_of
from steps.metrics import psnr
from steps.plan import variants
from steps.plan.config import read_config
from steps.run import lock, manifest
from steps.run.record import PACKAGES, origin
from steps.run.sources import ROOT
from steps.score import CONVENTION
from steps.tools import bundles, cells, packs
from steps.tools.recorded import PLACE

FILES = ("trace.npz", "run.json", "recovered.npy")  # written in this order: the last says that a recovery is there
NUMBERS = ("seconds", "peak_memory_mb", "threads", "noise_sigma", "residual")
SCORE = ("loss", "oracle_psnr", "oracle_iteration")  # of the trace
EXACT = 60  # dB, from which on the rounding of a picture shows in its PSNR
RUN = {*NUMBERS, "device", "iterations", "seed", "settings", "origin", "versions"}  # no more: it ends up in score.json
RUN |= {"cpu_seconds"}


def contents(root, folder):
    """Return {name: bytes} of a recovery's files in root/folder, recover.log included if it is there.

    Raises BadInput for a file that is missing, or that is outside root because of a link.
    """
    found = {}
    for name in [*FILES, "recover.log"]:
        path = Path(root, folder, name)
        if path.is_file():
            if not path.resolve().is_relative_to(Path(root).resolve()):
                raise BadInput(f"{name} is a link to outside of {root}")
            if path.stat().st_size > BYTES:
                raise BadInput(f"{name} has more than {BYTES} bytes")
            found[name] = path.read_bytes()
        elif name in FILES:
            raise BadInput(f"{name} is missing")
    return found


def check(recovery, files):
    """Raise BadInput unless files, {name: bytes}, are what the code here makes of the measurement here."""
    measurement = Path(cells.measurement(recovery))
    if not measurement.is_file():
        raise BadInput(f"{measurement} is missing here")
    shape = _read(measurement, measurement, shape_of)
    run = _read("run.json", files["run.json"], json.loads)
    _check_run(run, recovery, origin(measurement, recovery.method))
    recovered = _read("recovered.npy", files["recovered.npy"], _npy)
    _check_arrays("recovered.npy", {"estimate": recovered}, {"estimate": ("float32", shape)})
    if not np.isfinite(recovered).all():
        raise BadInput("recovered.npy has values that are not finite")
    trace, count = _read("trace.npz", files["trace.npz"], _npz), run["iterations"] or 0
    kept = len(trace["iterations"]) if np.ndim(trace.get("iterations")) else 0
    wanted = {"losses": ("float64", (count,)), "penalties": ("float64", (count,)), "iterations": ("int64", (kept,))}
    _check_arrays("trace.npz", trace, wanted | {"estimates": ("float16", (kept, *shape) if kept else (0,))})
    if not np.isin(trace["iterations"], np.arange(1, count + 1)).all():
        raise BadInput(f"trace.npz: iterations must be in 1 to {count}")


def check_score(recovery, files, measures):
    """Raise BadInput unless the score in files, {name: bytes}, is by these metrics and of the picture that is there."""
    score = _read("score.json", files["score.json"], json.loads)
    run, place = json.loads(files["run.json"]), {name: getattr(recovery, name) for name in PLACE}
    channels, *sides = _npy(files["recovered.npy"]).shape
    wanted = place | run | {"channels": channels, "pixels": "×".join(map(str, sides)), "convention": CONVENTION}
    numbers = {*SCORE, *measures, *(f"input_{name}" for name in measures)}
    names = wanted.keys() | numbers
    if not isinstance(score, dict) or set(score) != names:
        raise BadInput(f"score.json must have the keys {', '.join(sorted(names))} and no other")
    for key, value in wanted.items():
        if score[key] != value:
            raise BadInput(f"score.json: {key} cannot be {quoted(score[key])}; must be {quoted(value)}")
    for key in numbers:
        if not (
            score[key] in (None, "inf", "-inf") or (type(score[key]) in (int, float) and math.isfinite(score[key]))
        ):
            raise BadInput(f"score.json: {key} cannot be {quoted(score[key])}; must be a number or null")
    if not files["curve.csv"].startswith(b"iteration,loss,penalty,psnr\n"):
        raise BadInput("curve.csv must begin with iteration,loss,penalty,psnr")
    truth = Path(f"results/images/{recovery.image}.npy")
    if score["psnr"] is not None:
        if not truth.is_file():
            raise BadInput(f"{truth} is missing here")
        there, here = float(score["psnr"]), psnr.measure(np.load(truth), _npy(files["recovered.npy"]))
        if abs(there - here) > 0.01 and min(there, here) < EXACT:
            raise BadInput(f"score.json: psnr is {there:.2f}, that of its picture {here:.2f}")


def take(folder, files):
    """Write {name: bytes} to a folder, each whole; if this is interrupted, the recovery is not there."""
    manifest.forget(f"{folder}/{name}" for name in files)
    Path(folder, FILES[-1]).unlink(missing_ok=True)
    for name in sorted(files, key=lambda name: name == FILES[-1]):
        with whole(Path(folder, name)) as temporary:
            temporary.write_bytes(files[name])


def record(config, folders, scored=()):
    """Let Snakemake note what recoveries are made of, without which touching a source would redo them.

    scored  those of the folders whose scores are noted, too.

    Raises BadInput, with what Snakemake says, if it fails.
    """
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--configfile", config]
    command += ["--cores", "1", "--nolock", "--touch", "--force", "--allowed-rules", "recover", "score", "--"]
    command += [f"{folder}/{FILES[-1]}" for folder in folders] + [f"{folder}/score.json" for folder in scored]
    result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if result.returncode:
        said = " ".join(result.stderr.split())[-300:]
        raise BadInput(f"all is in place, but Snakemake did not take note; run again with --replace (it says: {said})")


def _npy(content):
    return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)


def _npz(content):
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        if sum(member.file_size for member in arrays.zip.infolist()) > BYTES:
            raise BadInput(f"it holds more than {BYTES} bytes")
        return dict(arrays)


def _read(name, content, load):
    """Return load(content). Raises BadInput for any error: there is no list of those of a damaged file."""
    try:
        return load(content)
    except Exception as error:
        raise BadInput(f"{name} cannot be read ({' '.join(str(error).split()) or type(error).__name__})") from error


def _check_arrays(file, arrays, wanted):
    found = {name: (str(array.dtype), array.shape) for name, array in arrays.items()}
    for name in [*wanted, *found]:
        if found.get(name) != wanted.get(name):
            raise BadInput(f"{file}: {name} is {found.get(name)}; must be {wanted.get(name)}")


def _check_run(run, recovery, made_of):
    if not isinstance(run, dict) or set(run) != RUN:
        raise BadInput(f"run.json must have the keys {', '.join(sorted(RUN))} and no other")
    method = discover.load("methods", recovery.method)
    settings = defaults(method.recover)
    settings |= variants.parameters(recovery.method, parse_parameters(recovery.params), recovery.method)
    good = {key: _is_number(run[key]) for key in NUMBERS} | {
        "cpu_seconds": run["cpu_seconds"] is None or _is_number(run["cpu_seconds"]),
        "device": isinstance(run["device"], str),
        "iterations": run["iterations"] is None or type(run["iterations"]) is int,
        "versions": isinstance(run["versions"], dict)
        and set(run["versions"]) == {"python", *PACKAGES}
        and all(version is None or isinstance(version, str) for version in run["versions"].values()),
        "origin": isinstance(run["origin"], dict) and set(run["origin"]) == set(made_of),
        "settings": run["settings"] == settings,
        "seed": run["seed"] == settings.get("seed"),
    }
    if good["origin"] and run["origin"] != made_of:
        changed = next(key for key in made_of if run["origin"][key] != made_of[key])
        raise BadInput(f"its {changed} is not the {changed} here")
    bad = next((key for key, fine in good.items() if not fine), None)
    if bad:
        raise BadInput(f"run.json: {bad} cannot be {quoted(run[bad])}")
    for key, text in {"device": run["device"], **run["versions"]}.items():  # these end up in tables
        if text is not None:
            check_text(text, f"run.json: {key}")


def _is_number(value):
    return type(value) in (int, float) and 0 <= value < math.inf


@click.command(cls=Command, help=__doc__)
@click.argument("config", type=click.Path(exists=True, dir_okay=False))
@click.argument("source", metavar="FROM", type=click.Path(exists=True, file_okay=False))
@click.option("--replace", is_flag=True, help="take also those that are there already")
def main(config, source, replace):
    """CONFIG is a YAML file. FROM is a folder of packs, or the folder that holds the other machine's results.

    The exit status is 1 if a recovery was refused, or if there was none.
    """
    found = {"adopted": [], "there already": [], "numbers only": [], "refused": []}
    with one_line("adopt"):
        if lock.busy():
            raise BadInput("a run is at work here; wait for its end")
        read = read_config(config)
        measures = sorted({"psnr", *read["metrics"]})
        packed, facts = packs.read(source)
        other = packed and facts != {"metrics": measures, "scores": bundles.score_code(measures)}
        for recovery in cells.distinct(read):
            folder, outcome, reason = recovery.folder, "adopted", ""
            if not (folder in packed or Path(source, folder, "run.json").exists()):
                continue
            try:
                files = packs.unpacked(packed[folder]) if folder in packed else None
                if not replace and all(Path(folder, name).is_file() for name in FILES):
                    outcome = "there already"
                elif folder in packed and files is None:
                    outcome = "numbers only"
                else:
                    files = files or contents(source, folder)
                    check(recovery, files)
                    if folder in packed:
                        if other:
                            raise BadInput("its score is by other metrics, or other code, than are here")
                        check_score(recovery, files, measures)
                    take(folder, files)
            except (BadInput, OSError) as error:
                outcome, reason = "refused", f": {error}"
            found[outcome].append(folder)
            print(f"{folder}: {outcome}{reason}")
        if not any(found.values()):
            raise BadInput(
                f"{source} has no recovery of {config}; must be a folder of packs, or one that holds results"
            )
        if found["adopted"]:
            record(config, found["adopted"], [folder for folder in found["adopted"] if folder in packed])
    print(", ".join(f"{outcome}: {len(folders)}" for outcome, folders in found.items()))
    sys.exit(1 if found["refused"] else 0)


if __name__ == "__main__":
    main()
