"""What is done beside the fits of `run-cells`: measurements, scores, pieces to pack. Only this sees the truth."""

import contextlib
import functools
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait

from steps import recover
from steps.base import discover
from steps.base.files import whole, write_json, write_text
from steps.tools import packs
from steps.tools.bundles import Bundle


def pool(workers):
    """Return an executor of so many processes, of one thread each and without a GPU."""
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_begin)


def measure(folder, cell):
    """Make the measurement of a cell of the bundle in a folder, see `Bundle.measurement`."""
    with contextlib.redirect_stdout(None):
        _bundle(folder).measurement(cell)


def finish(folder, cell, estimate, trace, run):
    """Write a cell's files, its score and its pieces for packing; return the score, which is written last, a dict."""
    from steps.score import score

    bundle = _bundle(folder)
    place = bundle.path(cell.folder)
    recover.write(place, estimate, trace, run)
    for name, content in packs.pieces(estimate, trace, cell.folder in bundle.traces).items():
        with whole(place / name) as temporary:
            temporary.write_bytes(content)
    found, curve = score(
        (cell.task, cell.image, cell.corruption, cell.method, cell.params),
        estimate,
        trace,
        run,
        bundle.picture(cell),
        bundle.truth(cell.image),
        bundle.metrics,
        backprojection=not discover.load("tasks", cell.task).Operator.alike,
    )
    write_text(place / "curve.csv", curve)
    write_json(place / "score.json", found)
    return found


@functools.cache
def _bundle(folder):
    return Bundle(folder)


def _begin():
    """Begin a process of the pool: it ends with its parent, however that ends, and leaves interrupts to it."""
    os.environ |= {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = multiprocessing.parent_process().sentinel
    threading.Thread(target=lambda: wait([parent]) and os._exit(1), daemon=True).start()
    import torch

    torch.set_num_threads(1)
