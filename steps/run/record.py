"""What is noted of a recovery: what it was made of, versions, memory; no number of it depends on this."""

import ast
import contextlib
import gc
import importlib
import inspect
import json
import re
import resource
import sys
from importlib import metadata
from pathlib import Path

from steps.base.files import read_arrays, sha256
from steps.run.sources import listing_digest

PACKAGES = ("torch", "numpy", "scipy", "scikit-image", "bm3d")


def origin(measurement, method):
    """Return {measurement, code}: the SHA-256 of the file that a recovery is of, and of the code that makes it."""
    facts = json.loads(str(read_arrays(measurement)["facts"]))
    return {"measurement": sha256(measurement), "code": code(method, facts["task"], facts["noise"]["name"])}


def code(method, task, noise):
    """Return the SHA-256 of the code here that makes a recovery by a method, of a task's measurement with a noise."""
    return listing_digest("steps.recover", f"steps.methods.{method}", f"steps.tasks.{task}", f"steps.noises.{noise}")


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


def forget_peak(device):
    """Let `peak_memory` be what is used from now on, of the process on Linux only; with CUDA also that of the GPU."""
    gc.collect()
    if device == "cuda":
        import torch

        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
