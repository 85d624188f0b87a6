"""Score a recovery against the truth, if there is one: the first step that sees it."""

import csv
import io
from pathlib import Path

import click
import numpy as np

from steps.base.errors import BadInput, Command, one_line
from steps.base.files import read_array, read_arrays, read_json, write_json, write_text
from steps.metrics import psnr, ssim

CONVENTION = (
    "PSNR in dB and SSIM (Gaussian window, sigma 1.5, Wang et al. 2004), data_range 1, all channels together, "
    "estimates neither clipped nor quantised"
)


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


@click.command(cls=Command, help=__doc__)
@click.argument("picture", type=click.Path(exists=True, dir_okay=False))
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
@click.option("--truth", type=click.Path(exists=True, dir_okay=False), help="the image (npy), where it is known")
def main(picture, folder, truth):
    """FOLDER of a recovery, of which PICTURE is the input; adds score.json and curve.csv to it.

    Without the truth, PSNR and SSIM are null and the curve's PSNR is empty.
    """
    folder = Path(folder)
    with one_line(folder):
        truth = read_array(truth).astype(np.float64) if truth else None
        estimate = read_array(folder / "recovered.npy")
        shown = read_array(picture)
        for image in (shown, truth):
            if image is not None and estimate.shape != image.shape:
                raise BadInput(f"the estimate has shape {estimate.shape}, the image {image.shape}")
        run = read_json(folder / "run.json")
        trace = read_arrays(folder / "trace.npz")
    rows = curve(truth, trace)
    best = None if truth is None else max(rows, key=lambda row: row["psnr"], default=None)
    *_, task, name, corruption, method, params = folder.absolute().parts
    write_text(folder / "curve.csv", _csv(rows))
    write_json(
        folder / "score.json",
        {
            "task": task,
            "image": name,
            "corruption": corruption,
            "method": method,
            "params": params,
            "psnr": None if truth is None else psnr.measure(truth, estimate),
            "ssim": None if truth is None else ssim.measure(truth, estimate),
            "input_psnr": None if truth is None else psnr.measure(truth, shown),
            "pixels": "×".join(map(str, estimate.shape[1:])),
            "channels": estimate.shape[0],
            "loss": rows[-1]["loss"] if rows else None,
            "oracle_psnr": best and best["psnr"],
            "oracle_iteration": best and best["iteration"],
            **run,
            "convention": CONVENTION,
        },
    )


def _csv(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, ["iteration", "loss", "penalty", "psnr"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


if __name__ == "__main__":
    main()
