"""On a GPU: what several fits side by side bring, and how far runs of one seed are apart."""

import contextlib
import io
import threading
import time

from steps.benchmarks import iteration

SIZES, COUNTS = (64, 128, 256, 512), (1, 2, 4, 8)  # pixels a side, fits at once


def at_once(size, many, steps=200):
    """Return the seconds an iteration of each of so many fits, side by side in threads on CUDA."""
    import torch

    y = torch.rand((1, size, size), generator=torch.Generator().manual_seed(0)).cuda()
    ready, times = threading.Barrier(many), []

    def fit(seed):
        with torch.cuda.stream(torch.cuda.Stream()):
            made = iteration.ours(y, "plain", seed=seed)
            made.run(iteration.squares(y), iteration.AHEAD)
            torch.cuda.current_stream().synchronize()
            ready.wait(600)  # if one fails, the others end in an error, too
            times.append(time.perf_counter())
            made.run(made.graph.data_term, steps)
            torch.cuda.current_stream().synchronize()
            times.append(time.perf_counter())

    threads = [threading.Thread(target=fit, args=(seed,)) for seed in range(many)]
    with contextlib.redirect_stdout(io.StringIO()):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return (max(times) - min(times)) / steps / many


def apart(deterministic, size=128, steps=500):
    """Return how far, in dB at most, the PSNRs of three runs of one seed are apart on CUDA."""
    import torch

    from steps.images.synthetic import logo
    from steps.metrics import psnr

    x = torch.from_numpy(logo(size)).float()[None]
    y = (x + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).cuda()
    with contextlib.redirect_stdout(io.StringIO()):
        fits = (iteration.ours(y, "plain", deterministic=deterministic) for _ in range(3))
        found = [psnr.measure(x.numpy(), fit.run(iteration.squares(y), steps).cpu().numpy()) for fit in fits]
    return max(found) - min(found)


def table(rounds):
    """Print the milliseconds an iteration of fits of the plain design, gray, when so many are at once; then spreads."""
    import statistics

    import torch

    if not torch.cuda.is_available():
        print("no GPU here")
        return
    print(f"\n{iteration.path('cuda')}, torch {torch.__version__}")
    print(f"\n| pixels | {' | '.join(f'{many} at once' for many in COUNTS)} |\n| ---: |{' ---: |' * len(COUNTS)}")
    for size in SIZES:
        times = [1e3 * statistics.median(at_once(size, many) for _ in range(rounds)) for many in COUNTS]
        print(f"| {size} | {' | '.join(f'{time:.2f}' for time in times)} |", flush=True)
    for words, deterministic in (("", False), (" with deterministic", True)):
        print(f"\nthree runs of one seed differ by {apart(deterministic):.3f} dB{words}", flush=True)
