"""The measurement file: everything a method may know, and nothing else."""

import functools
import importlib
import inspect
import json
import os
from dataclasses import asdict, dataclass

import numpy as np

from steps.base.files import read_arrays, whole


@dataclass(frozen=True)
class Noise:
    """What is known of a measurement's noise, and what a method gets that names a keyword `noise`.

    name        of its file in steps/noises.
    parameters  a dict of those that it was made with, without the seed, by which one could draw it again.
    sigma       the standard deviation that a method is told which knows no better.
    """

    name: str
    parameters: dict
    sigma: float

    def stabiliser(self):
        """Return the transform that makes it Gaussian (see steps/inverse/anscombe.py), None if it has none."""
        module = importlib.import_module(f"steps.noises.{self.name}")
        make = getattr(module, "stabiliser", None)
        known = inspect.signature(make).parameters if make else ()
        return make and make(**{name: value for name, value in self.parameters.items() if name in known})


def save(path, y, task, shape, operator, noise, contents=None):
    """Write y (float32 tensor), the task, the image's shape, the operator's parameters, and the noise (a `Noise`).

    contents  {parameter: array} of those of the operator that are files, which take the place of their names.
    """
    facts = {"task": task, "shape": list(shape), "operator": operator, "noise": asdict(noise)}
    with whole(path) as temporary:
        np.savez(
            temporary,
            y=y.numpy().astype(np.float32, copy=False),
            facts=json.dumps(facts),
            **{f"file_{k}": v for k, v in (contents or {}).items()},
        )


def load(path, device="cpu"):
    """Return (y, A, sigma, noise) of a measurement file: tensor on `device`, operator, told deviation, `Noise`."""
    import torch

    arrays = read_arrays(path)
    y = torch.from_numpy(arrays["y"]).to(device)
    facts = json.loads(str(arrays["facts"]))
    task = importlib.import_module(f"steps.tasks.{facts['task']}")
    contents = {key.removeprefix("file_"): array for key, array in arrays.items() if key.startswith("file_")}
    operator = task.Operator(facts["shape"], **facts["operator"] | contents)
    noise = Noise(**facts["noise"])
    return y, operator, noise.sigma, noise


def shape(path):
    """Return (C, H, W) of the image that a measurement file is of: from its facts, without reading y.

    Raises FileNotFoundError if there is none, and what `read_arrays` turns into BadInput if it is damaged.
    """
    return _shape(path, os.stat(path).st_mtime_ns)


@functools.lru_cache
def _shape(path, changed):
    with np.load(path, allow_pickle=False) as file:
        return tuple(json.loads(str(file["facts"]))["shape"])
