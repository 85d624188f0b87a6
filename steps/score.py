"""Score a recovery against the truth, if there is one: the first step that sees it."""

import inspect
import math
from pathlib import Path

import click

from steps.base import discover
from steps.base.errors import BadInput, Command, one_line, quoted
from steps.base.files import read_array, read_arrays, read_json, write_json, write_text
from steps.metrics import psnr

CONVENTION = "Of unclipped and unquantised estimates, images being in [0, 1] (data_range 1), all channels together"


def number(name, truth, estimate, measured=None):
    """Return a metric of (truth, estimate) as a float; None if it has none for them, as it says by None or NaN.

    `measured`, the picture before recovery, is for metrics that name it. Raises BadInput for what is no number.
    """
    measure = discover.load("metrics", name).measure
    truth, estimate, measured = (fixed(image) for image in (truth, estimate, measured))
    extra = {"measured": measured} if "measured" in inspect.signature(measure).parameters else {}
    value = measure(truth, estimate, **extra)
    try:
        value = None if value is None else float(value)
    except (TypeError, ValueError) as error:
        raise BadInput(f"steps/metrics/{name}.py: measure gives {quoted(value)}; must be a number or None") from error
    return None if value is None or math.isnan(value) else value


def fixed(image):
    """Return an array that cannot be written to, None of None: a metric that works in place would falsify the next."""
    if image is not None:
        image = image.view()
        image.flags.writeable = False
    return image


def curve(truth, trace):
    """Return one dict (iteration, loss, penalty, psnr) for each kept iterate of a trace (see steps/inverse/trace.py).

    Without a truth, None, there is no psnr.
    """
    return [
        {
            "iteration": int(iteration),
            "loss": float(trace["losses"][iteration - 1]),
            "penalty": float(trace["penalties"][iteration - 1]),
            "psnr": None if truth is None else psnr.measure(truth, estimate),
        }
        for iteration, estimate in zip(trace["iterations"], trace["estimates"])
    ]


def score(place, estimate, trace, run, picture, truth, metrics=(), backprojection=False):
    """Return (score.json as a dict, curve.csv as text) of a recovery.

    place   the pieces of its path: (task, image, corruption, method, params).
    estimate, picture, truth
            (C, H, W) float32: what was recovered, the input, and the image, None where it is not known.
    trace   the arrays of trace.npz;  run  the dict of run.json.
    metrics, backprojection  as in `main`.

    Raises BadInput if the three pictures are not of one shape, and for a trace that has lost its iterates.
    """
    for image in (picture, truth):
        if image is not None and estimate.shape != image.shape:
            raise BadInput(f"the estimate has shape {estimate.shape}, the image {image.shape}")
    if len(trace["losses"]) and not len(trace["iterations"]):
        raise BadInput("trace.npz has no iterates to score: they stayed where it was made; remove the folder")
    numbers = {}
    for name in dict.fromkeys(["psnr", *metrics]):
        for key, image in ((name, estimate), (f"input_{name}", picture)):
            numbers[key] = None if truth is None else number(name, truth, image, None if backprojection else picture)
    rows = curve(truth, trace)
    best = None if truth is None else max(rows, key=lambda row: row["psnr"], default=None)
    lines = [",".join("" if value is None else str(value) for value in row.values()) for row in rows]
    found = {
        **dict(zip(("task", "image", "corruption", "method", "params"), place)),
        **numbers,
        "pixels": "×".join(map(str, estimate.shape[1:])),
        "channels": estimate.shape[0],
        "loss": rows[-1]["loss"] if rows else None,
        "oracle_psnr": best and best["psnr"],
        "oracle_iteration": best and best["iteration"],
        **run,
        "convention": CONVENTION,
    }
    return found, "\n".join(["iteration,loss,penalty,psnr", *lines, ""])


@click.command(cls=Command, help=__doc__)
@click.argument("picture", type=click.Path(exists=True, dir_okay=False))
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
@click.option("--truth", type=click.Path(exists=True, dir_okay=False), help="the image (npy), where it is known")
@click.option("--metric", "metrics", multiple=True, help="a file of steps/metrics; again for more; psnr is always one")
@click.option("--backprojection", is_flag=True, help="PICTURE is Aᵀ y, since the measurement y is no picture")
def main(picture, folder, truth, metrics, backprojection):
    """FOLDER has a recovery, and PICTURE is its input. Writes score.json and curve.csv to FOLDER.

    In score.json each METRIC has a key, and input_METRIC is that of PICTURE. Without the truth both are null, and the
    curve's PSNR is empty.
    """
    folder = Path(folder)
    with one_line(folder):
        found, lines = score(
            folder.absolute().parts[-5:],
            read_array(folder / "recovered.npy"),
            read_arrays(folder / "trace.npz"),
            read_json(folder / "run.json"),
            read_array(picture),
            read_array(truth) if truth else None,
            metrics,
            backprojection,
        )
    write_text(folder / "curve.csv", lines)
    write_json(folder / "score.json", found)


if __name__ == "__main__":
    main()
