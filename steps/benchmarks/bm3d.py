"""Time BM3D on one core, ours against its authors' program, in turn, and say the PSNR of both."""

import statistics
import time

SIGMA = 25 / 255
SIZES = (64, 256, 512)  # pixels a side
PICTURES = {1: "camera", 3: "astronaut"}  # of scikit-image, by channels
PACKAGE = "bm3d_package"


def picture(channels, size):
    """Return (truth, noisy), (C, H, W) float32: the middle of a picture, and with noise that is not clipped."""
    from steps.images import load
    from steps.noises.gaussian import add

    edge = (512 - size) // 2
    x = load.prepare(load.load(f"skimage:{PICTURES[channels]}"), crop=[edge, edge, size, size])
    return x, add(x, sigma=SIGMA)


def measure(kind, channels, size):
    """Return (seconds of the processor, PSNR in dB) of one denoising by a profile of ours or by the package."""
    import torch

    from steps.base import discover
    from steps.metrics import psnr

    x, y = picture(channels, size)
    A = discover.load("tasks", "denoising").Operator(x.shape)
    settings = {} if kind == PACKAGE else {"profile": kind}
    recover = discover.load("methods", PACKAGE if kind == PACKAGE else "bm3d").recover
    y = torch.from_numpy(y)
    start = time.process_time()
    estimate = recover(y, A, SIGMA, **settings)
    return time.process_time() - start, psnr.measure(x, estimate.numpy())


def table(rounds):
    """Print seconds and PSNR for each size, gray and colour: medians of some rounds, in which all take turns."""
    import torch

    from steps.base import discover
    from steps.inverse.collaborative import PROFILES
    from steps.run.manifest import processor

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    kinds = [*PROFILES] + [PACKAGE] * (not discover.missing_package(discover.load("methods", PACKAGE)))
    print(f"BM3D, sigma 25/255: {processor()}, one thread, torch {torch.__version__}\n")
    print("| pixels | channels | by | seconds | times as fast as the package | PSNR [dB] |")
    print("| ---: | ---: | --- | ---: | ---: | ---: |")
    measure("fast", 1, 64)  # loads libraries
    for channels in PICTURES:
        for size in SIZES:
            found = {kind: [] for kind in kinds}
            for _ in range(rounds):
                for kind in kinds:
                    found[kind].append(measure(kind, channels, size))
            for kind, pairs in found.items():
                seconds = statistics.median(pair[0] for pair in pairs)
                theirs = zip(found.get(PACKAGE, []), pairs, strict=False)
                ratios = [before[0] / after[0] for before, after in theirs]
                ratio = f"{statistics.median(ratios):.1f}" if ratios else ""
                print(f"| {size} | {channels} | {kind} | {seconds:.3f} | {ratio} | {pairs[0][1]:.2f} |", flush=True)
    torch.set_num_threads(threads)
    print()
