"""Time an iteration of the deep image prior, ours against a plain float32 network of the reference's design."""

import json
import statistics
import subprocess
import sys
import time

import click

from steps.base.errors import Command

DESIGNS = {  # what both networks are
    "skips": {"skip": 4, "upsampling": "bilinear", "input_noise": 1 / 30},  # Ulyanov et al. (2018), denoising
    "plain": {"skip": 0, "upsampling": "bilinear", "input_noise": 0.0},  # Anderson
    "nearest": {"skip": 0, "upsampling": "nearest", "input_noise": 0.0},
}
KINDS = {
    "reference": "as the textbook has it",
    "reference, kept": "the same, but glibc keeps its memory",
    "ours, float32": "steps/prior/fit.py in float32",
    "ours": "steps/prior/fit.py in bfloat16 where the processor has it",
}
CHANNELS, SCALES, INPUTS = 128, 5, 32


def reference(outputs, skip, upsampling):
    """Return the hourglass as one writes it from the paper: nested torch layers, nothing fused, nothing reordered."""
    from torch import nn

    class Beside(nn.Module):
        def __init__(self, *branches):
            super().__init__()
            self.branches = nn.ModuleList(branches)

        def forward(self, x):
            import torch

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
        network = reference(channels, DESIGNS[design]["skip"], DESIGNS[design]["upsampling"])
        with FlopCounterMode(display=False) as counter:
            network(torch.rand(1, INPUTS, size, size)).sum().backward()
    return counter.get_total_flops()


def measure(kind, design, size, channels, device, iterations):
    """Return {seconds (median an iteration), memory (peak, bytes)} of a fit in this process, after two iterations."""
    import torch

    from steps.prior.fit import Fit, has_bfloat16, keep_memory
    from steps.prior.networks import create
    from steps.recover import peak_memory

    settings = DESIGNS[design]
    device = torch.device(device)
    y = torch.rand((channels, size, size), generator=torch.Generator().manual_seed(0)).to(device)
    times = []

    def tick(*_):
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter())

    if kind.startswith("ours"):
        precision = "float32" if "float32" in kind or not has_bfloat16(device) else "bfloat16"
        network = {"skip": settings["skip"], "upsampling": settings["upsampling"]}
        fit = Fit(
            lambda: create(y.shape, **network),
            y.shape,
            device,
            lr=0.01,
            input_noise=settings["input_noise"],
            precision=precision,
        )
        fit.run(lambda x: (x - y).square().mean(), iterations + 2, tick)
    else:
        if "kept" in kind:
            keep_memory()
        network = reference(channels, settings["skip"], settings["upsampling"]).to(device)
        code = 0.1 * torch.rand(1, INPUTS, size, size).to(device)
        noise = torch.empty_like(code)
        optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
        for _ in range(iterations + 2):
            optimiser.zero_grad()
            noisy = code + settings["input_noise"] * noise.normal_() if settings["input_noise"] else code
            loss = torch.nn.functional.mse_loss(network(noisy)[0], y)
            loss.backward()
            optimiser.step()
            loss.item()
            tick()
    seconds = [after - before for before, after in zip(times[1:], times[2:])]
    return {"seconds": statistics.median(seconds), "memory": peak_memory(device.type)}


def limits(device):
    """Return {"float32": …, "bfloat16": …}: the most operations a second of a large matrix product or convolution."""
    import torch

    found = {}
    for dtype in (torch.float32, torch.bfloat16):
        a = torch.rand((4096, 4096), device=device).to(dtype)
        x = torch.rand((1, 128, 256, 256), device=device).to(dtype, memory_format=torch.channels_last)
        weight = torch.rand((128, 128, 3, 3), device=device).to(dtype, memory_format=torch.channels_last)
        cases = [
            (2 * 4096**3, lambda a=a: a @ a),
            (2 * 9 * 128**2 * 256**2, lambda x=x, w=weight: torch.nn.functional.conv2d(x, w, padding=1)),
        ]
        rates = []
        for operations, run in cases:
            seconds = []
            for _ in range(5):
                start = time.perf_counter()
                run()
                if device == "cuda":
                    torch.cuda.synchronize()
                seconds.append(time.perf_counter() - start)
            rates.append(operations / statistics.median(seconds[1:]))
        found[str(dtype).removeprefix("torch.")] = max(rates)
    return found


def in_process(function, *arguments):
    """Return what a function of this module does in a process of its own: its memory is its own."""
    command = [sys.executable, "-m", "steps", "benchmark", "--call", json.dumps([function.__name__, *arguments])]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


@click.command(cls=Command, help=__doc__)
@click.option(
    "--size",
    "sizes",
    type=click.IntRange(33),
    multiple=True,
    default=(128, 256, 512),
    show_default=True,
    help="pixels of a side of the image; may be given repeatedly, as the next two",
)
@click.option(
    "--channels",
    type=click.Choice(["1", "3"]),
    multiple=True,
    default=("1", "3"),
    show_default=True,
    help="of the image: gray or colour",
)
@click.option(
    "--design",
    "designs",
    type=click.Choice(list(DESIGNS)),
    multiple=True,
    default=tuple(DESIGNS),
    show_default=True,
    help="of the network",
)
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="processes of each kind, in turn")
@click.option("--iterations", type=click.IntRange(1), default=6, show_default=True, help="timed in each process")
@click.option("--call", hidden=True)
def main(sizes, channels, designs, rounds, iterations, call):
    """Prints medians over the rounds: seconds an iteration, peak memory, and the share of the arithmetic limit."""
    import torch

    from steps.prior.fit import has_bfloat16

    if call:
        name, *arguments = json.loads(call)
        print(json.dumps({"measure": measure, "limits": limits}[name](*arguments)))
        return
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        limit = in_process(limits, device)
        fast = "bfloat16" if has_bfloat16(torch.device(device)) else "float32"
        where = torch.cuda.get_device_name() if device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
        print(f"\n{where}, torch {torch.__version__}; the network has {CHANNELS} channels and {SCALES} scales")
        print("limit: " + ", ".join(f"{rate / 1e9:.0f} GFLOP/s in {name}" for name, rate in limit.items()))
        print("\n| design | pixels | channels | kind | s / iteration | speed | peak MB | GFLOP/s | of the limit |")
        print("| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |")
        for design in designs:
            for size in sizes:
                for count in map(int, channels):
                    found = {kind: [] for kind in KINDS}
                    for _ in range(rounds):
                        for kind in KINDS:
                            found[kind].append(in_process(measure, kind, design, size, count, device, iterations))
                    _print_rows(found, (design, size, count), limit, fast)


def _print_rows(found, case, limit, fast):
    """Print a row a kind; `fast` is the precision that the limit of "ours" is in."""
    design, size, count = case
    operations = count_flops(design, size, count)
    baseline = statistics.median(run["seconds"] for run in found["reference"])
    for kind, runs in found.items():
        seconds = statistics.median(run["seconds"] for run in runs)
        memory = statistics.median(run["memory"] for run in runs)
        rate = operations / seconds
        share = rate / limit[fast if kind == "ours" else "float32"]
        print(
            f"| {design} | {size} | {count} | {kind} | {seconds:.3f} | {baseline / seconds:.2f} | {memory / 1e6:.0f} "
            f"| {rate / 1e9:.0f} | {share:.0%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
