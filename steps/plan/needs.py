"""What a job needs of a machine, for those who ask a scheduler: memory and minutes, from the methods' own modules."""

import inspect
import math

from steps.base import discover
from steps.base.errors import BadInput
from steps.base.parameters import parse_parameters, settings
from steps.inverse.tiles import LARGEST, SIDE
from steps.plan import corruptions

MEMORY_MB = 4000  # of a method that does not say
MEMORY_PER_MB = 500  # for each MB of the image in float32
MINUTES = 120
TILED_MB = 12e-6 * LARGEST  # of a colour picture; larger ones are denoised by tiles
TILE_MB = 12e-6 * SIDE**2  # of such a tile
ARRAYS = 6  # of the whole picture that a recovery by tiles holds, with a margin


def of_method(method, params, image_mb, task):
    """Return (MB of memory, minutes on one CPU thread) that a method says it needs, never less than it takes.

    `params` are spelled as in paths, `image_mb` is the size of the image in float32, whatever that of its measurement.
    A method says so by `needs(image_mb, **its parameters)`. If that names `identity`, it is told whether A = I.
    """
    module = discover.load("methods", method)
    if hasattr(module, "needs"):
        said = settings(module.recover, params)
        if "identity" in inspect.signature(module.needs).parameters:
            said |= {"identity": discover.load("tasks", task).Operator.identity}
        return module.needs(image_mb, **said)
    return MEMORY_MB + MEMORY_PER_MB * image_mb, MINUTES


def recovery(wanted, image_mb, said, gpu=False):
    """Return (MB of memory, minutes) that a recovery is to be given.

    wanted  has its task, corruption, method and params: a Recovery, or the wildcards of its path.
    said    a config's `needs`, which count more than what the method says plus what the task's operator takes.
    gpu     whether it is made on a GPU, which is taken to be ten times as fast.
    """
    memory, minutes = of_method(wanted.method, wanted.params, image_mb, wanted.task)
    tiled = hasattr(discover.load("methods", wanted.method), "LOCAL")
    if tiled and image_mb > TILED_MB and discover.load("tasks", wanted.task).Operator.identity:
        memory = of_method(wanted.method, wanted.params, TILE_MB, wanted.task)[0] + ARRAYS * image_mb
    memory = round(memory + measuring(wanted.task, wanted.corruption, image_mb))
    minutes = 10 + round(minutes / 10) if gpu else math.ceil(minutes)
    said = {"memory_mb": memory, "minutes": minutes} | said.get(wanted.method, {})
    return said["memory_mb"], said["minutes"]


def image_shape(task, corruption, shape, files):
    """Return (C, H, W) of the image that something measured, of a shape (C, H, W) or (C, 1, M), is of.

    files  {name: shape of the numbers in it} of those that are parameters. What a file's numbers are is not looked at.
    If they do not fit, which the job will say, it is the measurement's own shape.
    """
    import numpy as np

    said = parse_parameters(corruption)
    named = {parameter: name for parameter, (name, _) in corruptions.files(task, said).items()}
    try:
        contents = {key: np.broadcast_to(np.float32(1), files[name]) for key, name in named.items()}
        parameters = corruptions.parameters(task, said, task, True)[0]
        return tuple(discover.load("tasks", task).Operator.image_shape(shape, **parameters | contents))
    except (BadInput, KeyError):
        return tuple(shape)


def corrupting(task, corruption, image_mb):
    """Return the MB of memory that it takes to measure an image of so many MB."""
    return 1000 + 6 * image_mb + measuring(task, corruption, image_mb)


def scoring(metrics, image_mb):
    """Return the MB of memory that metrics take, one after another, of images of so many MB.

    A metric that takes more than most says so by `memory_mb(image_mb)`.
    """
    modules = [discover.load("metrics", name) for name in metrics]
    said = [module.memory_mb(image_mb) for module in modules if hasattr(module, "memory_mb")]
    return 1000 + max([10 * image_mb, *said])


def measuring(task, corruption, image_mb):
    """Return the MB of memory that a task's operator takes for an image of so many MB, beside the image itself.

    A task says so by `memory_mb(image_mb, **its operator's parameters)` if it is more than nothing.
    """
    module = discover.load("tasks", task)
    return module.memory_mb(image_mb, **settings(module.Operator, corruption)) if hasattr(module, "memory_mb") else 0
