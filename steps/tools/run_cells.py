"""Make the recoveries of a bundle, on another machine and within a given time, and pack them (docs/elsewhere.md)."""

import contextlib
import math
import os
import signal
import sys
import time
import traceback
from collections import Counter, deque
from concurrent import futures
from pathlib import Path

import click

from steps import recover
from steps.base import discover
from steps.base.errors import BadInput, Command, one_line
from steps.run.record import forget_peak
from steps.run.threads import ByThread, in_thread
from steps.tools import beside, packs
from steps.tools.bundles import Bundle, settings

PACK_EVERY = 30  # seconds
TRIAL = 10  # seconds, after which a cell's iterations say how long it takes
clock = time.monotonic


class TimeUp(Exception):
    """There is no time for a cell; its message says why."""


class Run:
    """The making of a bundle's cells: fits in threads of this process, all else by `pool`, processes of one thread."""

    def __init__(self, bundle, output, pool, budget=math.inf, reserve=30, device="auto", at_once=1):
        self.bundle, self.output, self.pool = bundle, Path(output), pool
        self.end, self.reserve = clock() + budget, min(reserve, budget / 2)
        self.device, self.at_once = recover.choose_device(device, True), at_once
        if self.device == "cuda":
            import torch

            torch.backends.cudnn.benchmark = True  # so that a fit which ends leaves it on for those beside it
            if any(settings(cell).get("deterministic") for cell in bundle.cells):
                os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read once, when cuBLAS is first used
        self.stdout = ByThread(sys.stdout)
        self.stopped = False
        self.cells = {cell: number for number, cell in enumerate(bundle.cells, start=1)}
        self.waiting = deque(cell for cell in bundle.cells if not bundle.path(cell.folder, "score.json").is_file())
        self.measured = {}  # {folder of a measurement: future}
        self.running, self.finishing, self.rates = {}, {}, {}  # {future: cell}, the same, {kind: seconds an iteration}
        self.counts = {"made": 0, "failed": 0, "left": 0}
        self.packing, self.packed = None, clock()

    def left(self):
        """Return the seconds that are left for making cells."""
        return self.end - self.reserve - clock()

    def go(self):
        """Make what is to be made and pack it; `counts` are the cells made, failed and left."""
        there, asked = len(self.cells) - len(self.waiting), list(self.waiting)
        print(f"{len(self.waiting)} cells to make on {self.device}, {there} are there already", flush=True)
        for cell in self.waiting:
            if cell.case not in self.measured:
                self.measured[cell.case] = self.pool.submit(beside.measure, self.bundle.folder, cell)
        with contextlib.redirect_stdout(self.stdout):
            try:
                self._loop()
            except KeyboardInterrupt:
                self.stopped = True
                print("interrupted", flush=True)
            finally:
                self._pack()
        made = sum(self.bundle.path(cell.folder, "score.json").is_file() for cell in asked)
        self.counts |= {"made": made, "left": len(asked) - made - self.counts["failed"]}

    def _loop(self):
        while self.waiting or self.running or self.finishing:
            self._start()
            done, _ = futures.wait([*self.running, *self.finishing], 1, futures.FIRST_COMPLETED)
            for future in done:
                if future in self.running:
                    self._fitted(self.running.pop(future), future)
                else:
                    self._finished(self.finishing.pop(future), future)
            if self.left() < -self.reserve / 2:
                for cell in [*self.running.values(), *self.finishing.values()]:
                    self._say(cell, "given up, it does not stop", "left")
                return
            due = clock() - self.packed > PACK_EVERY and (self.packing is None or self.packing.done())
            if due and self.counts["made"]:
                self.packing, self.packed = self.pool.submit(packs.write, self.bundle.folder, self.output), clock()

    def _start(self):
        """Start the next cells, as many as may run side by side; say which do not fit into what is left of the time."""
        if self.waiting and self.left() <= 0:
            print(f"the time is over: {len(self.waiting)} more cells are left", flush=True)
            self.counts["left"] += len(self.waiting)
            self.waiting.clear()
        while self.waiting:
            cell = self.waiting[0]
            alone = not all(map(self._beside, [cell, *self.running.values()]))
            if len(self.running) >= (1 if alone else self.at_once):
                return
            self.waiting.popleft()
            needed = self.rates.get(self._kind(cell), 0) * _iterations(cell)
            if needed > max(0, self.left()):
                self._say(cell, f"left: it takes {needed:.0f} s", "left")
                continue
            if not self.running:
                forget_peak(self.device)
            self.running[in_thread(self._make, cell)] = cell

    def _make(self, cell):
        """Return what `recover.recovered` does of a cell; all that it prints, and how it fails, goes to its log."""
        import torch

        torch.set_num_threads(getattr(discover.load("methods", cell.method), "THREADS", 1))
        own = self.device == "cuda" and self.at_once > 1
        with self.stdout.to(self.bundle.path(cell.folder, "recover.log")) as log:
            try:
                self.measured[cell.case].result()
                with torch.cuda.stream(torch.cuda.Stream()) if own else contextlib.nullcontext():
                    path = self.bundle.path(cell.case, "measurement.npz")
                    found = recover.recovered(path, cell.method, cell.params, self.device, self._watch(cell))
            except TimeUp:
                raise
            except BaseException as error:
                log.write(f"Error: {error}\n" if isinstance(error, BadInput) else traceback.format_exc())
                raise
        if self.at_once > 1:  # then seconds and memory are not those of one alone
            found[-1]["device"] += f", up to {self.at_once} fits at once"
            found[-1]["cpu_seconds"] = None  # this process's, so those of all fits
        found[-1]["origin"]["measurement"] = self.bundle.measurements[cell.case]["sha256"]  # of the same content
        return found

    def _watch(self, cell):
        """Return what is called after each iteration of a cell: it raises TimeUp if there is no more time for it."""
        start, made, total = clock(), 0, _iterations(cell)

        def after():
            nonlocal made
            made += 1
            if self.stopped or self.left() < 0:
                raise TimeUp("stopped at the end of the time")
            seconds = clock() - start
            if seconds > TRIAL and (total - made) * seconds / made > 2 * self.left():  # it may stop by itself
                self.rates[self._kind(cell)] = seconds / made
                raise TimeUp(f"stopped, it takes {total * seconds / made:.0f} s")

        return after

    def _fitted(self, cell, future):
        try:
            estimate, trace, run = future.result()
        except TimeUp as reason:
            self._say(cell, f"left: {reason}", "left")
        except Exception as error:
            self._failed(cell, error)
            if self.device == "cuda":
                from steps.prior.graph import give_back

                if not give_back():
                    print("the GPU does nothing more for this process; run it again to go on", flush=True)
                    self.waiting.clear()
        else:
            kind, rate = self._kind(cell), run["seconds"] / (run["iterations"] or _iterations(cell))
            self.rates[kind] = min(rate, self.rates.get(kind, rate))
            job = self.pool.submit(beside.finish, self.bundle.folder, cell, estimate, trace, run)
            self.finishing[job] = cell

    def _finished(self, cell, future):
        try:
            score = future.result()
        except Exception as error:
            self._failed(cell, error)
            return
        psnr = "no truth" if score["psnr"] is None else f"{float(score['psnr']):.2f} dB"
        self._say(cell, f"{score['seconds']:.1f} s  {psnr}", "made")

    def _failed(self, cell, error):
        words = " ".join(str(error).split())[:300]
        words = words if isinstance(error, BadInput) else f"{type(error).__name__}: {words}"
        self._say(cell, f"failed: {words}", "failed")

    def _say(self, cell, words, outcome):
        self.counts[outcome] += 1
        left = "" if math.isinf(self.end) else f"  {max(0, self.left()):.0f} s left"
        print(f"[{self.cells[cell]}/{len(self.cells)}] {cell.folder}  {words}{left}", flush=True)

    def _kind(self, cell):
        """Return what cells have in common that take as long for an iteration."""
        same = {name: value for name, value in settings(cell).items() if name not in ("seed", "iterations")}
        return cell.method, tuple(self.bundle.measurements[cell.case]["shape"]), tuple(same.items())

    def _beside(self, cell):
        """Return whether a cell may be made beside others: determinism is a setting of the whole process."""
        return not settings(cell).get("deterministic")

    def _pack(self):
        if self.packing:
            futures.wait([self.packing])  # else it might replace later packs
        found = packs.write(self.bundle.folder, self.output)
        print(f"{self.output}: {found['files']} packs, {found['bytes'] / 1e6:.1f} MB", flush=True)
        left_out = Counter(Path(name).name for name in found["left_out"])
        if left_out:
            print("no room for: " + ", ".join(f"{count} {name}" for name, count in left_out.items()), flush=True)


def _iterations(cell):
    """Return how many iterations a cell makes at most; 1 if its method has none."""
    from steps.inverse.trace import most

    return most(settings(cell)) or 1


@click.command(cls=Command, help=__doc__)
@click.argument("bundle", type=click.Path(exists=True, file_okay=False))
@click.option("--budget", type=click.FloatRange(0, min_open=True), default=math.inf, help="seconds  [default: no end]")
@click.option("--reserve", type=click.FloatRange(0), default=30, show_default=True, help="seconds of them for packing")
@click.option("--output", type=click.Path(file_okay=False), help="folder of the packs  [default: BUNDLE/packs]")
@click.option("--at-once", type=click.IntRange(1), default=1, show_default=True, help="fits side by side")
@click.option(
    "--device", type=click.Choice(recover.DEVICES), default="auto", show_default=True, help="of methods with GPU = True"
)
@click.option("--workers", type=click.IntRange(1), help="processes for scores  [default: by the processors]")
def main(bundle, budget, reserve, output, at_once, device, workers):
    """BUNDLE is the folder in which a bundle of `cells` was unpacked. Its cells.txt says what is made, in what order.

    What is there already is not made again. The exit status is 1 if a recovery failed, 130 if interrupted.
    """
    with one_line("run-cells"):
        found = Bundle(bundle)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        pool = beside.pool(workers or max(1, min(8, (os.cpu_count() or 1) - 2)))
        run = Run(found, output or Path(bundle, "packs"), pool, budget, reserve, device, at_once)
        run.go()
    print(", ".join(f"{outcome}: {count}" for outcome, count in run.counts.items()), flush=True)
    code = 130 if run.stopped else 1 if run.counts["failed"] else 0
    if futures.wait([*run.running, *run.finishing], run.reserve / 4).not_done:
        os._exit(code)  # what does not stop is not waited for
    pool.shutdown(cancel_futures=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
