"""Time an iteration of the deep image prior, ours against a plain float32 network of the reference's design.

On a CPU each number is of a process of its own with one thread; on CUDA all are of one process.
"""

import contextlib
import io
import multiprocessing
import statistics
import time
from concurrent.futures import ProcessPoolExecutor

DESIGNS = {  # skip channels, upsampling, input noise of both networks
    "skips": (4, "bilinear", 1 / 30),  # Ulyanov et al. (2018), denoising
    "plain": (0, "bilinear", 0.0),  # Anderson
    "nearest": (0, "nearest", 0.0),
}
KINDS = {  # ours in bfloat16 only where the processor has it
    "reference": "the reference",
    "kept": "memory kept",
    "float32": "ours, float32",
    "bfloat16": "ours, bfloat16",
}
CHANNELS, SCALES, INPUTS = 128, 5, 32
AHEAD, TIMED = 10, 50  # on CUDA, iterations before timing (tuning, compiling, capturing) and in it
SIZES = {64: 20, 128: 8, 256: 4, 512: 2}  # pixels a side, multiples of 32, and iterations timed in each process
CASES = [(design, size, CHANNELS, SCALES) for design in DESIGNS for size in SIZES if size > 64]
CASES += [(design, size, 32, scales) for design in DESIGNS for scales in (5, 3) for size in (64, 128)]


def reference(outputs, skip, upsampling, channels=CHANNELS, scales=SCALES):
    """Return the hourglass as one writes it from the paper: nested torch layers, nothing fused, nothing reordered."""
    import torch
    from torch import nn

    class Beside(nn.Module):
        def __init__(self, *branches):
            super().__init__()
            self.branches = nn.ModuleList(branches)

        def forward(self, x):
            return torch.cat([branch(x) for branch in self.branches], 1)

    def block(inputs, outputs, size, stride=1):
        pad = [nn.ReflectionPad2d(size // 2)] if size > 1 else []
        return [
            *pad,
            nn.Conv2d(inputs, outputs, size, stride),
            nn.BatchNorm2d(outputs),
            nn.LeakyReLU(0.2, inplace=True),
        ]

    def level(scale, inputs):
        deeper = [*block(inputs, channels, 3, 2), *block(channels, channels, 3)]
        deeper += level(scale + 1, channels) if scale < scales else []
        deeper += [nn.Upsample(scale_factor=2, mode=upsampling)]
        merged = [Beside(nn.Sequential(*block(inputs, skip, 1)), nn.Sequential(*deeper))] if skip else deeper
        merged += [nn.BatchNorm2d(skip + channels), *block(skip + channels, channels, 3)]
        return [*merged, *block(channels, channels, 1)]

    return nn.Sequential(*level(1, INPUTS), nn.Conv2d(channels, outputs, 1), nn.Sigmoid())


def count_flops(design, size, channels, scales):
    """Return the floating-point operations of the convolutions of one iteration, forward and backward.

    Those of the reference's layers, also for ours, which computes a convolution of doubled pixels with fewer.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        network = reference(3, *DESIGNS[design][:2], channels, scales)
        with FlopCounterMode(display=False) as counter:
            network(torch.rand(1, INPUTS, size, size)).sum().backward()
    return counter.get_total_flops()


def measure(kind, design, size, channels, scales, device):
    """Return (median seconds an iteration, peak memory in bytes) of a fit in this process, after two iterations.

    On a CPU the seconds are its processor's, of one thread, which other processes disturb less. On CUDA they are the
    mean of a run without a look in between, and the memory is that of its tensors.
    """
    import torch

    from steps.run.record import peak_memory

    torch.set_num_threads(1)
    device, times, cuda = torch.device(device), [], device == "cuda"
    iterations = AHEAD + TIMED if cuda else SIZES[size] + 2
    y = torch.rand((3, size, size), generator=torch.Generator().manual_seed(0)).to(device)
    if cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()

    def tick(iteration, *_):
        if cuda and iteration in (AHEAD, iterations):
            torch.cuda.synchronize()
        times.append(time.perf_counter() if cuda else time.process_time())

    if kind.endswith(("32", "16")):
        with contextlib.redirect_stdout(io.StringIO()):
            ours(y, design, channels, scales, precision=kind).run(squares(y), iterations, tick)
    else:
        fit_plainly(kind, y, design, channels, scales, iterations, tick)
    if cuda:
        return (times[-1] - times[AHEAD - 1]) / TIMED, peak_memory(device.type)
    seconds = [after - before for before, after in zip(times[1:], times[2:])]
    return statistics.median(seconds), peak_memory(device.type)


def ours(y, design, channels=CHANNELS, scales=SCALES, **settings):
    """Return a Fit of a design to the size and on the device of y."""
    from steps.prior.fit import Fit
    from steps.prior.networks import create

    skip, upsampling, input_noise = DESIGNS[design]
    network = {"skip": skip, "upsampling": upsampling, "channels": channels, "scales": scales}
    return Fit(lambda: create(y.shape, **network), y.shape, y.device, lr=0.01, input_noise=input_noise, **settings)


def squares(y):
    """Return the data term of denoising y."""
    return lambda x: (x - y).square().mean()


def fit_plainly(kind, y, design, channels, scales, iterations, tick):
    """Fit the reference to y as its notebooks do; kind "kept" tells glibc to keep freed memory."""
    import torch

    from steps.prior.fit import keep_memory

    if kind == "kept":
        keep_memory()
    torch.backends.cudnn.benchmark = True
    skip, upsampling, input_noise = DESIGNS[design]
    network = reference(len(y), skip, upsampling, channels, scales).to(y.device)
    code = 0.1 * torch.rand(1, INPUTS, *y.shape[1:]).to(y.device)
    noise = torch.empty_like(code)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    for iteration in range(1, iterations + 1):
        optimiser.zero_grad()
        noisy = code + input_noise * noise.normal_() if input_noise else code
        loss = torch.nn.functional.mse_loss(network(noisy)[0], y)
        loss.backward()
        optimiser.step()
        loss.item()
        tick(iteration)


def limit(precision, device):
    """Return the most floating-point operations a second of a large matrix product or convolution, on one thread."""
    import torch

    torch.set_num_threads(1)
    how = {"device": device, "dtype": getattr(torch, precision)}
    side = 8192 if device == "cuda" else 2048
    a = torch.rand((side, side), **how)
    x = torch.rand((1, 128, 128, 128), **how).to(memory_format=torch.channels_last)
    weight = torch.rand((128, 128, 3, 3), **how).to(memory_format=torch.channels_last)
    cases = {
        2 * side**3: lambda: a @ a,
        2 * 9 * 128**2 * 128**2: lambda: torch.nn.functional.conv2d(x, weight, padding=1),
    }
    return max(operations / timed(run, device) for operations, run in cases.items())


def timed(run, device):
    """Return the median seconds of five runs, the processor's on a CPU, after one."""
    import torch

    run()
    taken = []
    for _ in range(5):
        if device == "cuda":
            torch.cuda.synchronize()
        before = time.perf_counter(), time.process_time()
        run()
        if device == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - before[0] if device == "cuda" else time.process_time() - before[1])
    return statistics.median(taken)


def alone(function, *arguments):
    """Return what a function of this module does in a process of its own: its memory is its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def path(device):
    """Return in words what the processor is and which products the engine takes there."""
    import torch

    from steps.prior.processor import has_avx512, has_bfloat16
    from steps.run.manifest import processor

    if device == "cuda":
        return torch.cuda.get_device_name()
    units = "AVX-512" if has_avx512() else torch.backends.cpu.get_cpu_capability()
    gradient = "oneDNN's convolutions" if has_avx512() else "matrix products"
    bfloat16 = "with" if has_bfloat16(torch.device(device)) else "without"
    return f"{processor()}, {units} {bfloat16} bfloat16, weight gradients in float32 by {gradient}, one thread"


def table(rounds):
    """Print the table of docs/prior.md, medians over the rounds; with a GPU a second one for it."""
    import torch

    compare("cpu", CASES, rounds)
    if torch.cuda.is_available():
        compare("cuda", CASES, rounds)


def compare(device, cases, rounds):
    """Print the reference's and our time an iteration of cases (design, pixels, channels, scales)."""
    import numpy as np
    import torch

    from steps.prior.processor import has_bfloat16

    kinds = [kind for kind in KINDS if not (kind == "kept" and device == "cuda")]
    kinds = kinds if has_bfloat16(torch.device(device)) else kinds[:-1]
    mine = [kinds.index(kind) for kind in kinds if kind.endswith(("32", "16"))]
    run = alone if device == "cpu" else (lambda function, *arguments: function(*arguments))
    limits = {kinds[place]: run(limit, kinds[place], device) for place in mine}
    print(f"\n{path(device)}, torch {torch.__version__}")
    print("limit: " + ", ".join(f"{rate / 1e9:.0f} GFLOP/s in {kind}" for kind, rate in limits.items()))
    titles = ["design", "pixels", "network", *(KINDS[kind] for kind in kinds)]
    titles += [f"speed in {kind}" for kind in limits] + ["of the limit", "peak MB: reference, ours"]
    print(f"\n| {' | '.join(titles)} |\n| --- |{' ---: |' * (len(titles) - 1)}")
    for case in cases:
        runs = np.array([[run(measure, kind, *case, device) for kind in kinds] for _ in range(rounds)])
        times, memory = np.median(runs, axis=0).T
        speeds = np.median(runs[:, :1, 0] / runs[:, mine, 0], axis=0)
        share = count_flops(*case) / times[-1] / limits[kinds[-1]]
        design, size, channels, scales = case
        cells = [design, str(size), f"{channels} × {scales}", *(f"{number:.3g}" for number in times)]
        cells += [*(f"{speed:.2f}×" for speed in speeds), f"{share:.0%}"]
        cells += [f"{memory[0] / 1e6:.0f}, {memory[-1] / 1e6:.0f}"]
        print(f"| {' | '.join(cells)} |", flush=True)
