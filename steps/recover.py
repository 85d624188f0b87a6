"""Recover an image from a measurement by one method: x̂ = recover(y, A, sigma)."""

import ast
import contextlib
import importlib
import inspect
import json
import os
import re
import resource
import sys
import time
from importlib import metadata
from pathlib import Path

import click
import numpy as np

from steps import devices, discover, grid
from steps.errors import BadInput, Command, one_line
from steps.files import read_arrays, sha256, whole, write_json
from steps.sources import digest

PACKAGES = ("torch", "numpy", "scipy", "scikit-image", "bm3d")
DEVICES = ("auto", "cpu", "cuda")


def parameters(method, given, where):
    """Return a method's parameters, in its signature's order and types. Raises BadInput for what it does not allow."""
    return grid.check_parameters(given, grid.signature(discover.load("methods", method, where).recover), where)


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


def origin(measurement, method):
    """Return {measurement, code}: the SHA-256 of the file that a recovery is of, and of the code that makes it."""
    task = json.loads(str(read_arrays(measurement)["facts"]))["task"]
    code = digest("steps.recover", f"steps.methods.{method}", f"steps.tasks.{task}")
    return {"measurement": sha256(measurement), "code": code}


def versions():
    """Return {package: version} of Python and of the packages that numbers may depend on."""
    found = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


def import_ahead(module):
    """Import what a method's functions import, so that its seconds are those of solving; it says what is missing."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ImportFrom):
            with contextlib.suppress(ImportError):
                imported = importlib.import_module(node.module)
                for alias in node.names:
                    getattr(imported, alias.name, None)  # scikit-image loads its parts only when they are named
        elif isinstance(node, ast.Import):
            for alias in node.names:
                with contextlib.suppress(ImportError):
                    importlib.import_module(alias.name)


def check_estimate(estimate, shape, method):
    """Return what a method gave, in float32 on the CPU. Raises BadInput unless it is a finite image of this shape."""
    import torch

    tensor = isinstance(estimate, torch.Tensor)
    if not tensor or not estimate.is_floating_point() or tuple(estimate.shape) != shape:
        found = f"of type {type(estimate).__name__}"
        if tensor:
            found = f"{str(estimate.dtype).removeprefix('torch.')} of shape {tuple(estimate.shape)}"
        raise BadInput(f"{method}: the estimate is {found}; must be a tensor of floats of shape {shape}, the image's")
    estimate = estimate.detach().to("cpu", torch.float32)
    if not torch.isfinite(estimate).all():
        raise BadInput(f"{method}: the estimate has values that are not finite")
    return estimate


def peak_memory(device):
    """Return the most memory in bytes: of torch's tensors on CUDA, else of this process, its libraries included."""
    import torch

    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status")
    found = status.exists() and re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    if found:  # Linux, where ru_maxrss would count what the parent process had, too
        return 1024 * int(found[1])
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


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

    Writes recovered.npy (C, H, W), trace.npz (losses, kept iterates) and run.json (seconds, memory, versions …,
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

    from steps.measurement import load
    from steps.trace import Trace

    torch.set_num_threads(threads or torch.get_num_threads())
    with one_line(folder):
        module = discover.load("methods", method)
        chosen = parameters(method, grid.parse_parameters(params), method)
        device = choose_device(device, getattr(module, "GPU", False))
        y, A, sigma = load(measurement, device)
        settings = {name: parameter.default for name, parameter in grid.signature(module.recover).items()} | chosen
        import_ahead(module)
        made_of = origin(measurement, method)  # before: an edit during a long fit is not what made it
        trace = Trace(settings.get("iterations"), A.shape)
        start = time.perf_counter()
        estimate = check_estimate(module.recover(y, A, sigma, **chosen, callback=trace), A.shape, method)
        seconds = time.perf_counter() - start
    fitted = A.forward(estimate.to(y))
    with whole(folder / "trace.npz") as temporary:
        np.savez(temporary, **trace.arrays())
    with whole(folder / "recovered.npy") as temporary:
        np.save(temporary, estimate.numpy())
    write_json(
        folder / "run.json",
        {
            "seconds": round(seconds, 3),
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
        },
    )
    print(f"done in {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
