# What jobs ask of this machine or of a scheduler: memory (MB), minutes and GPUs, at each retry so much more; and which
# small ones are one job of a scheduler's.

import math

import numpy as np

from steps.base.files import BROKEN
from steps.inverse.measurement import shape
from steps.plan import needs
from steps.run import devices

if not CLUSTER and config["device"] != "cpu":
    # As many GPU jobs at once as there are slots; on a cluster, and with --resources gpu=N, that is not ours to say.
    engine.offer_gpus(workflow, len(devices.available()) * config["gpu_slots"])


def together(name):
    """Return the name as a group where jobs are submitted: as many as `group-components` says are one job there."""
    return name if PROCESS.submits else None


def recovery_group(wildcards):
    """Return the group of a recovery and its score; None if it is a job of its own: it is long, or holds a GPU."""
    method = method_module(wildcards)
    return None if getattr(method, "ALONE", getattr(method, "GPU", False)) else together("recover")


def more(amount):
    return lambda wildcards, attempt: amount * attempt


def megabytes(file):
    return os.path.getsize(file) / 1e6


def image_megabytes(measurement):
    """Return the MB in float32 of the image that a measurement is of; its file's, if that is damaged."""
    try:
        return 4e-6 * math.prod(shape(measurement))
    except BROKEN:
        return megabytes(measurement)


def measured_megabytes(wildcards, input):
    """Return the MB in float32 of the image that a measured picture, or measured numbers, are of."""
    try:
        shape, *files = (np.load(file, mmap_mode="r").shape for file in (input.image, *input.files))
    except BROKEN:
        return megabytes(input.image)
    files = dict(zip((Path(file).stem for file in input.files), files))
    return 4e-6 * math.prod(needs.image_shape(wildcards.task, wildcards.corruption, shape, files))


def corruption_memory(wildcards, input, attempt):
    image = measured_megabytes(wildcards, input) if measured(wildcards) else megabytes(input.image)
    return attempt * round(needs.corrupting(wildcards.task, wildcards.corruption, image))


@or_exit
def uses_gpu(wildcards):
    return config["device"] != "cpu" and getattr(method_module(wildcards), "GPU", False)


def recovery_needs(wildcards, input):
    """Return (MB of memory, minutes): what the config says, else the method."""
    return needs.recovery(wildcards, image_megabytes(input.measurement), config["needs"], uses_gpu(wildcards))


def recovery_memory(wildcards, input, attempt):
    return attempt * recovery_needs(wildcards, input)[0]


def recovery_minutes(wildcards, input, attempt):
    return attempt * recovery_needs(wildcards, input)[1]


def score_memory(wildcards, input, attempt):
    return attempt * round(needs.scoring(MEASURES, megabytes(input.picture)))
