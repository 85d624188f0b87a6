"""Time a fit of the deep image prior with one thread and two, alone, side by side and beside a busy process."""

import contextlib
import io
import multiprocessing
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor

FITS = ((128, 32, 10), (256, 128, 3))  # pixels a side, channels, iterations timed in each process
CASES = {  # threads of each process; busy processes beside them
    "one thread": ((1,), 0),
    "two threads": ((2,), 0),
    "two processes of one thread": ((1, 1), 0),
    "one thread, beside a busy process": ((1,), 1),
    "two threads, beside a busy process": ((2,), 1),
}
WAITING = {"spinning": {}, "asleep": {"OMP_WAIT_POLICY": "PASSIVE"}}


def measure(threads, size, channels, iterations):
    """Return the median seconds of an iteration of a fit in this process, after two."""
    import torch

    from steps.prior.fit import Fit
    from steps.prior.networks import create

    torch.set_num_threads(threads)
    y = torch.rand((1, size, size), generator=torch.Generator().manual_seed(0))
    with contextlib.redirect_stdout(io.StringIO()):
        fit = Fit(lambda: create(y.shape, channels=channels), y.shape, y.device, lr=0.01)
    times = []
    fit.run(lambda x: (x - y).square().mean(), iterations + 2, lambda *_: times.append(time.perf_counter()))
    return statistics.median(after - before for before, after in zip(times[1:], times[2:]))


def spin():
    """Keep a core busy until the process is killed."""
    while True:
        pass


def together(threads, busy, environment, *fit):
    """Return the seconds of an iteration, the mean of processes at work at once, each in its own environment."""
    context = multiprocessing.get_context("spawn")
    os.environ |= environment
    others = [context.Process(target=spin, daemon=True) for _ in range(busy)]
    pools = [ProcessPoolExecutor(1, context) for _ in threads]
    try:
        for other in others:
            other.start()
        started = [pool.submit(measure, count, *fit) for pool, count in zip(pools, threads)]
        return statistics.mean(future.result() for future in started)
    finally:
        for pool in pools:
            pool.shutdown()
        for other in others:
            other.kill()
        for name in environment:
            del os.environ[name]


def table(rounds):
    """Print the table of docs/prior.md: seconds an iteration, medians over the rounds, of an idle machine if it is one.

    Columns are how a thread waits for the others: spinning, as OpenMP's do by themselves, or asleep.
    """
    import torch

    from steps.run.manifest import processor

    print(f"\n{processor()}, {os.cpu_count()} cores, torch {torch.__version__}; seconds an iteration")
    titles = [f"{size} px, {channels} channels, {how}" for size, channels, _ in FITS for how in WAITING]
    print(f"\n| | {' | '.join(titles)} |\n| --- |{' ---: |' * len(titles)}")
    columns = [(fit, environment) for fit in FITS for environment in WAITING.values()]
    seconds = {case: [[] for _ in columns] for case in CASES}
    for _ in range(rounds):
        for case, (threads, busy) in CASES.items():
            for found, (fit, environment) in zip(seconds[case], columns):
                found.append(together(threads, busy, environment, *fit))
    for case, found in seconds.items():
        print(f"| {case} | {' | '.join(f'{statistics.median(times):.3f}' for times in found)} |", flush=True)
