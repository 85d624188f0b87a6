"""What a method's iterations leave behind: losses, kept iterates, lines of progress."""

import time

import numpy as np
import torch

from steps.base.errors import BadInput

SECONDS_BETWEEN_LINES = 2


def kept(total):
    """Return the iterations whose estimates are kept: 1, 2, 3, 5, 7, 10, 15, 20, 30, … and the last."""
    steps = {round(lead * 10**power) for power in range(9) for lead in (1, 1.5, 2, 3, 5, 7)} - {0}
    return sorted({step for step in steps if step < total} | {total})


def most(settings):
    """Return how many iterations a method with these settings makes at most, those of all fits; 0 if it says none."""
    return (settings.get("iterations") or 0) * (settings.get("fits") or 1)


class Trace:
    """A method's callback(iteration, estimate, loss, penalty = 0), which counts from 1.

    Keeps every loss and penalty, and the estimates at the iterations `kept(total)` and at the end, as float16 (off by
    at most 2.5e-4 in [0, 1]); prints iteration, loss and time left every two seconds. The method never sees it, and it
    never sees the truth. Where the total is not known, 0, a method that decides it says it by  callback(…, total=n);
    else no time left is printed. `shape` is the image's; None allows any.
    """

    def __init__(self, total, shape=None):
        self.total, self.shape = total, shape
        self.kept = set(kept(total or 10**9))
        self.losses, self.penalties, self.iterations, self.estimates = [], [], [], []
        self._last = None
        self._start = self._printed = time.monotonic()

    def _cut(self, length):
        """Forget the iterations after so many."""
        keep = sum(iteration <= length for iteration in self.iterations)
        for values in (self.losses, self.penalties):
            del values[length:]
        for values in (self.iterations, self.estimates):
            del values[keep:]

    def __call__(self, iteration, estimate, loss, penalty=0.0, total=None):
        """Record one iteration; loss (the data term) and penalty are numbers or tensors of one.

        An iteration that has been there starts the trace anew from there: a method that had to begin again leaves only
        what led to its result.
        Raises BadInput for an estimate of another shape than the image's.
        """
        if self.shape and tuple(estimate.shape) != self.shape:
            raise BadInput(
                f"callback: the estimate has shape {tuple(estimate.shape)}; must be {self.shape}, the image's"
            )
        self.total = total or self.total
        if iteration <= len(self.losses):
            self._cut(iteration - 1)
        self.losses.append(loss)
        self.penalties.append(penalty)
        self._last = estimate.detach()
        if iteration in self.kept:
            self._keep()
        now = time.monotonic()
        if now - self._printed >= SECONDS_BETWEEN_LINES or iteration == self.total:
            self._printed = now
            of, left = "", ""
            if self.total and 0 < iteration <= self.total:
                of = f"/{self.total}"
                left = f"  {(now - self._start) / iteration * (self.total - iteration):.0f} s left"
            print(f"iteration {iteration}{of}  loss {float(loss):.4g}{left}", flush=True)

    def _keep(self):
        self.iterations.append(len(self.losses))
        self.estimates.append(self._last.to("cpu", torch.float16).numpy())

    def arrays(self):
        """Return {losses (T,), penalties (T,), iterations (K,), estimates (K, C, H, W)}, to be saved as an npz.

        The last estimate is among them even if the method stopped before `total`.
        """
        if self.losses and self.iterations[-1:] != [len(self.losses)]:
            self._keep()
        return {
            "losses": np.array([float(loss) for loss in self.losses], dtype=np.float64),
            "penalties": np.array([float(penalty) for penalty in self.penalties], dtype=np.float64),
            "iterations": np.array(self.iterations, dtype=np.int64),
            "estimates": np.array(self.estimates, dtype=np.float16),
        }
