"""What a job needs of a machine, for those who ask a scheduler: memory and minutes, from the methods' own modules."""

from steps.base import discover
from steps.base.parameters import keywords, parse_parameters

MEMORY_MB = 4000  # of a method that does not say
MEMORY_PER_MB = 500  # for each MB of the image in float32
MINUTES = 120


def recovery(task, corruption, method, params, image_mb):
    """Return (MB of memory, minutes on two CPU threads) that a recovery needs, never less than it takes.

    `corruption` and `params` are spelled as in paths, `image_mb` is the size of the image in float32, whatever that of
    its measurement. A method says by `needs(image_mb, **its parameters)`; a task adds `memory_mb(image_mb, **its
    operator's parameters)` where it has it.
    """
    module = discover.load("methods", method)
    if hasattr(module, "needs"):
        memory, minutes = module.needs(image_mb, **_settings(module.recover, params))
    else:
        memory, minutes = MEMORY_MB + MEMORY_PER_MB * image_mb, MINUTES
    return round(memory + measuring(task, corruption, image_mb)), round(minutes)


def measuring(task, corruption, image_mb):
    """Return the MB of memory that a task's operator takes for an image of so many MB, beside the image itself."""
    module = discover.load("tasks", task)
    return module.memory_mb(image_mb, **_settings(module.Operator, corruption)) if hasattr(module, "memory_mb") else 0


def _settings(function, text):
    """Return the value of every parameter of a function: as spelled in a text, else its default."""
    said = parse_parameters(text)
    return {name: said.get(name, parameter.default) for name, parameter in keywords(function).items()}
