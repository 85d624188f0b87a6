"""Recover an image from a measurement by one method: x̂ = recover(y, A, sigma)."""

import contextlib
import os
import time
from pathlib import Path

import click
import numpy as np

from steps.base import discover
from steps.base.errors import BadInput, Command, one_line
from steps.base.files import whole, write_json
from steps.base.parameters import check_parameters, defaults, keywords, parse_parameters
from steps.run import devices
from steps.run.record import import_ahead, origin, peak_memory, versions

DEVICES = ("auto", "cpu", "cuda")


def choose_device(wanted, uses_gpu):
    """Return "cuda" or "cpu" for the config's device and a method; auto takes CUDA where there is one.

    Raises BadInput if "cuda" is wanted and there is none.
    """
    import torch

    if not uses_gpu or wanted == "cpu":
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        raise BadInput("device: 'cuda' is not available on this machine; allowed here: auto, cpu")
    return "cpu"


@click.command(cls=Command, help=__doc__)
@click.argument("measurement", type=click.Path(exists=True, dir_okay=False))
@click.argument("method")
@click.argument("params")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option(
    "--device",
    type=click.Choice(DEVICES),
    default="auto",
    show_default=True,
    envvar="PRIORBENCH_DEVICE",
    help="for methods with GPU = True",
)
@click.option(
    "--gpu-slots",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    envvar="PRIORBENCH_GPU_SLOTS",
    help="jobs at once on each GPU",
)
@click.option("--threads", type=click.IntRange(1), default=None, help="CPU threads of torch  [default: all]")
def main(measurement, method, params, folder, device, gpu_slots, threads):
    """MEASUREMENT (npz) by METHOD with PARAMS, such as lam=0.05 or default, to FOLDER.

    Writes recovered.npy (C, H, W), trace.npz (losses, kept iterates) and run.json (seconds on the clock and of the
    processor, all threads together, to four digits; memory, versions …,
    noise_sigma, which the method was told, and residual, the root mean square of A x̂ − y).
    """
    folder = Path(folder)
    with one_line(folder):
        wants_gpu = device != "cpu" and getattr(discover.load("methods", method), "GPU", False)
    with devices.slot(gpu_slots) if wants_gpu else contextlib.nullcontext() as gpu:
        if gpu is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = gpu  # before CUDA is: it looks only once
        _recover(measurement, method, params, folder, device, threads)


def _recover(measurement, method, params, folder, device, threads):
    import torch

    torch.set_num_threads(threads or torch.get_num_threads())
    with one_line(folder):
        found = recovered(measurement, method, params, device)
    write(folder, *found)
    print(f"done in {found[-1]['seconds']:.1f} s", flush=True)


def recovered(measurement, method, params, device="auto", after=None):
    """Return (estimate, trace, run): what a method, with params as spelled in a path, makes of a measurement's file.

    estimate  (C, H, W) float32;  trace  the arrays of trace.npz (see steps/inverse/trace.py);  run  run.json, a dict.
    after     called after each iteration; what it raises ends the recovery.

    Raises BadInput for a method or parameters that are not allowed, and for what the method refuses.
    """
    import torch

    from steps.inverse.call import call
    from steps.inverse.measurement import load
    from steps.inverse.trace import Trace, most

    module = discover.load("methods", method)
    chosen = check_parameters(parse_parameters(params), keywords(module.recover), method)
    device = choose_device(device, getattr(module, "GPU", False))
    y, A, sigma, noise = load(measurement, device)
    settings = defaults(module.recover) | chosen
    import_ahead(module)
    made_of = origin(measurement, method)  # before: an edit during a long fit is not what made it
    trace = Trace(most(settings), A.shape)

    def callback(*report, **total):
        trace(*report, **total)
        if after:
            after()

    start, cpu_start = time.perf_counter(), time.process_time()
    estimate = call(module, y, A, sigma, chosen, callback, noise)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    y = load(measurement, device)[0]  # once more: a method may have worked on it in place
    fitted = A.forward(estimate.to(y))
    run = {
        "seconds": float(f"{seconds:.4g}"),
        "cpu_seconds": float(f"{cpu_seconds:.4g}"),
        "peak_memory_mb": round(peak_memory(device) / 1e6, 1),
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "noise_sigma": sigma,
        "residual": float((fitted - y).square().mean().sqrt()),
        "iterations": len(trace.losses) or None,
        "seed": settings.get("seed"),
        "settings": settings,
        "origin": made_of,
        "versions": versions(),
    }
    return estimate.numpy(), trace.arrays(), run


def write(folder, estimate, trace, run):
    """Write what `recovered` returns: recovered.npy, trace.npz and run.json, each whole."""
    with whole(Path(folder, "trace.npz")) as temporary:
        np.savez(temporary, **trace)
    with whole(Path(folder, "recovered.npy")) as temporary:
        np.save(temporary, estimate)
    write_json(Path(folder, "run.json"), run)


if __name__ == "__main__":
    main()
