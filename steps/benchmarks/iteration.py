"""Time an iteration of the deep image prior, ours against a plain float32 network of the reference's design."""

import itertools
import multiprocessing
import statistics
import time
from concurrent.futures import ProcessPoolExecutor

DESIGNS = {  # skip channels, upsampling, input noise of both networks
    "skips": (4, "bilinear", 1 / 30),  # Ulyanov et al. (2018), denoising
    "plain": (0, "bilinear", 0.0),  # Anderson
    "nearest": (0, "nearest", 0.0),
}
KINDS = ("reference", "the same, memory kept", "ours, float32", "ours")  # ours: in bfloat16 where the processor has it
CHANNELS, SCALES, INPUTS = 128, 5, 32
SIZES = (128, 256, 512)  # pixels a side, multiples of 32
ITERATIONS = 6  # timed in each process


def reference(outputs, skip, upsampling):
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
        deeper = [*block(inputs, CHANNELS, 3, 2), *block(CHANNELS, CHANNELS, 3)]
        deeper += level(scale + 1, CHANNELS) if scale < SCALES else []
        deeper += [nn.Upsample(scale_factor=2, mode=upsampling)]
        merged = [Beside(nn.Sequential(*block(inputs, skip, 1)), nn.Sequential(*deeper))] if skip else deeper
        merged += [nn.BatchNorm2d(skip + CHANNELS), *block(skip + CHANNELS, CHANNELS, 3)]
        return [*merged, *block(CHANNELS, CHANNELS, 1)]

    return nn.Sequential(*level(1, INPUTS), nn.Conv2d(CHANNELS, outputs, 1), nn.Sigmoid())


def count_flops(design, size, channels):
    """Return the floating-point operations of the convolutions of one iteration, forward and backward.

    Those of the reference's layers, also for ours, which computes a convolution of doubled pixels with fewer.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        network = reference(channels, *DESIGNS[design][:2])
        with FlopCounterMode(display=False) as counter:
            network(torch.rand(1, INPUTS, size, size)).sum().backward()
    return counter.get_total_flops()


def measure(kind, design, size, channels, device, iterations):
    """Return (median seconds an iteration, peak memory in bytes) of a fit in this process, after two iterations."""
    import torch

    from steps.prior.fit import Fit, has_bfloat16, keep_memory
    from steps.prior.networks import create
    from steps.run.record import peak_memory

    device = torch.device(device)
    y = torch.rand((channels, size, size), generator=torch.Generator().manual_seed(0)).to(device)
    skip, upsampling, input_noise = DESIGNS[design]
    times = []

    def tick(*_):
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter())

    if kind.startswith("ours"):
        precision = "bfloat16" if kind == "ours" and has_bfloat16(device) else "float32"
        fit = Fit(
            lambda: create(y.shape, skip=skip, upsampling=upsampling),
            y.shape,
            device,
            lr=0.01,
            input_noise=input_noise,
            precision=precision,
        )
        fit.run(lambda x: (x - y).square().mean(), iterations + 2, tick)
    else:
        if kind != "reference":
            keep_memory()
        network = reference(channels, skip, upsampling).to(device)
        code = 0.1 * torch.rand(1, INPUTS, size, size).to(device)
        noise = torch.empty_like(code)
        optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
        for _ in range(iterations + 2):
            optimiser.zero_grad()
            noisy = code + input_noise * noise.normal_() if input_noise else code
            loss = torch.nn.functional.mse_loss(network(noisy)[0], y)
            loss.backward()
            optimiser.step()
            loss.item()
            tick()
    seconds = [after - before for before, after in zip(times[1:], times[2:])]
    return statistics.median(seconds), peak_memory(device.type)


def limit(precision, device):
    """Return the most floating-point operations a second of a large matrix product or convolution."""
    import torch
    from torch.utils.benchmark import Timer

    how = {"device": device, "dtype": getattr(torch, precision)}
    a = torch.rand((4096, 4096), **how)
    x = torch.rand((1, 128, 256, 256), **how).to(memory_format=torch.channels_last)
    weight = torch.rand((128, 128, 3, 3), **how).to(memory_format=torch.channels_last)
    cases = {
        2 * 4096**3: lambda: a @ a,
        2 * 9 * 128**2 * 256**2: lambda: torch.nn.functional.conv2d(x, weight, padding=1),
    }
    rates = []
    for operations, run in cases.items():
        timer = Timer("run()", globals={"run": run}, num_threads=torch.get_num_threads())
        rates.append(operations / timer.timeit(5).mean)
    return max(rates)


def alone(function, *arguments):
    """Return what a function of this module does in a process of its own: its memory is its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def table(rounds):
    """Print the table of docs/prior.md, medians over the rounds; a second one if there is a GPU."""
    import numpy as np
    import torch

    from steps.prior.fit import has_bfloat16

    for device in ("cpu", "cuda")[: 1 + torch.cuda.is_available()]:
        limits = {precision: alone(limit, precision, device) for precision in ("bfloat16", "float32")}
        ours = "bfloat16" if has_bfloat16(torch.device(device)) else "float32"
        where = torch.cuda.get_device_name() if device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
        print(f"\n{where}, torch {torch.__version__}; the network has {CHANNELS} channels and {SCALES} scales")
        print("limit: " + ", ".join(f"{rate / 1e9:.0f} GFLOP/s in {name}" for name, rate in limits.items()))
        titles = ["design", "pixels", "channels", *KINDS, "speed", "of the limit", "peak MB: reference, ours"]
        print(f"\n| {' | '.join(titles)} |\n| --- |{' ---: |' * (len(titles) - 1)}")
        for case in itertools.product(DESIGNS, SIZES, (1, 3)):
            runs = [[alone(measure, kind, *case, device, ITERATIONS) for kind in KINDS] for _ in range(rounds)]
            seconds, memory = np.median(runs, axis=0).T
            share = count_flops(*case) / seconds[-1] / limits[ours]
            cells = [*map(str, case), *(f"{number:.3f}" for number in seconds), f"{seconds[0] / seconds[-1]:.2f}×"]
            cells += [f"{share:.0%}", f"{memory[0] / 1e6:.0f}, {memory[-1] / 1e6:.0f}"]
            print(f"| {' | '.join(cells)} |", flush=True)
