"""What a job needs of a machine, for those who ask a scheduler: memory and minutes, from the methods' own modules."""

from steps.base import discover
from steps.base.parameters import settings

MEMORY_MB = 4000  # of a method that does not say
MEMORY_PER_MB = 500  # for each MB of the image in float32
MINUTES = 120


def of_method(method, params, image_mb):
    """Return (MB of memory, minutes on one CPU thread) that a method says it needs, never less than it takes.

    `params` are spelled as in paths, `image_mb` is the size of the image in float32, whatever that of its measurement.
    A method says so by `needs(image_mb, **its parameters)`.
    """
    module = discover.load("methods", method)
    if hasattr(module, "needs"):
        return module.needs(image_mb, **settings(module.recover, params))
    return MEMORY_MB + MEMORY_PER_MB * image_mb, MINUTES


def recovery(wanted, image_mb, said, gpu=False):
    """Return (MB of memory, minutes) that a recovery is to be given.

    wanted  has its task, corruption, method and params: a Recovery, or the wildcards of its path.
    said    a config's `needs`, which count more than what the method says plus what the task's operator takes.
    gpu     whether it is made on a GPU, which is taken to be ten times as fast.
    """
    memory, minutes = of_method(wanted.method, wanted.params, image_mb)
    memory = round(memory + measuring(wanted.task, wanted.corruption, image_mb))
    minutes = 10 + round(minutes / 10) if gpu else round(minutes)
    said = {"memory_mb": memory, "minutes": minutes} | said.get(wanted.method, {})
    return said["memory_mb"], said["minutes"]


def measuring(task, corruption, image_mb):
    """Return the MB of memory that a task's operator takes for an image of so many MB, beside the image itself.

    A task says so by `memory_mb(image_mb, **its operator's parameters)` if it is more than nothing.
    """
    module = discover.load("tasks", task)
    return module.memory_mb(image_mb, **settings(module.Operator, corruption)) if hasattr(module, "memory_mb") else 0
