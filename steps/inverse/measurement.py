"""The measurement file: everything a method may know, and nothing else."""

import json

import numpy as np
import torch

from steps.base.discover import load as load_module
from steps.base.files import read_arrays, whole


def save(path, y, task, shape, operator, noise):
    """Write y (float32 tensor), the task, the image's shape, and the parameters of the operator and of the noise."""
    facts = {"task": task, "shape": list(shape), "operator": operator, "noise": noise}
    with whole(path) as temporary:
        np.savez(temporary, y=y.numpy().astype(np.float32), facts=json.dumps(facts))


def load(path, device="cpu"):
    """Return (y, A, sigma) of a measurement file: tensor on `device`, operator, standard deviation of the noise."""
    arrays = read_arrays(path)
    y = torch.from_numpy(arrays["y"]).to(device)
    facts = json.loads(str(arrays["facts"]))
    operator = load_module("tasks", facts["task"]).Operator(facts["shape"], **facts["operator"])
    return y, operator, facts["noise"]["sigma"]
