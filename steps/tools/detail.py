"""The centre of large pictures, of which figures and pages are made: no browser opens a page of 24 megapixels."""

import shutil
from pathlib import Path

import numpy as np

from steps.base import discover
from steps.base.files import read_array, whole
from steps.look import pictures

FOLDER = Path("detail")


def centre(recoveries):
    """Copy what figures and pages are made of to FOLDER, pictures cut to their centre; return that folder.

    If they are no larger, or y is another picture than x, it is the working directory, and nothing is copied. Numbers
    stay those of the whole pictures.
    """
    from steps.inverse import measurement

    first = recoveries[0]
    shape = np.load(f"{first.folder}/recovered.npy", mmap_mode="r").shape
    if max(shape[1:]) <= pictures.SIDE or not discover.load("tasks", first.task).Operator.identity:
        return Path()
    shutil.rmtree(FOLDER, ignore_errors=True)
    cut = {f"results/images/{recovery.image}.npy" for recovery in recoveries}
    cut |= {f"{recovery.case}/picture.npy" for recovery in recoveries}
    cut |= {f"{recovery.folder}/recovered.npy" for recovery in recoveries}
    for name in sorted(cut):
        with whole(FOLDER / name) as temporary:
            np.save(temporary, pictures.centre(read_array(name)))
    y, _, _, noise = measurement.load(f"{first.case}/measurement.npz")
    y = pictures.centre(y).contiguous()
    measurement.save(FOLDER / first.case / "measurement.npz", y, first.task, tuple(y.shape), {}, noise)
    for recovery in recoveries:
        for name in ("run.json", "score.json"):
            shutil.copy(f"{recovery.folder}/{name}", FOLDER / recovery.folder)
    return FOLDER
