"""Seconds on one core until the deep image prior is as good as the reference gets: PSNR of what is returned."""

import importlib
import importlib.util
import os
import time
from pathlib import Path

from steps.benchmarks.iteration import alone, reference

SIGMA = 25 / 255
PICTURES = {"f16": [256], "house": None}  # of config/paper.yaml, and the size each is brought to
BELOW = (1.0, 0.5, 0.1)  # dB below the reference's best
ITERATIONS = 2000  # of the reference, whose average is past its best by then; the notebook makes 3000


class Watch:
    """Called with each estimate that a method would return: notes (processor seconds, PSNR), its own time left out."""

    def __init__(self, title, x):
        self.title, self.x, self.points, self.lost = title, x, [], 0.0
        self.start = time.process_time()

    def __call__(self, estimate):
        """Note one iteration; print a line every hundred."""
        now = time.process_time()
        error = (estimate.detach() - self.x).square().mean()
        self.points.append((now - self.start - self.lost, -10 * float(error.log10())))
        if len(self.points) % 100 == 0:
            seconds, psnr = self.points[-1]
            print(f"{self.title}: iteration {len(self.points)}, {seconds:.0f} s, {psnr:.2f} dB", flush=True)
        self.lost += time.process_time() - now


def by_the_reference(y, watch):
    """The notebook's settings in plain float32 torch: 5 × 128, 4 skips, Adam 0.01, noise 1/30, average 0.99."""
    import torch

    torch.manual_seed(0)
    network, code = reference(len(y), 4, "bilinear"), 0.1 * torch.rand(1, 32, *y.shape[1:])
    optimiser, noise, average = torch.optim.Adam(network.parameters(), lr=0.01), torch.empty_like(code), None
    for _ in range(ITERATIONS):
        optimiser.zero_grad()
        estimate = network(code + noise.normal_() / 30)[0]
        (estimate - y).square().mean().backward()
        optimiser.step()
        estimate = estimate.detach()
        average = estimate if average is None else 0.99 * average + 0.01 * estimate
        watch(average)


def by_deepinv(y, watch):
    """deepinv's DeepImagePrior of its ConvDecoder, with 64 channels, as its example has it."""
    import torch

    deepinv, channels = importlib.import_module("deepinv"), 64
    torch.manual_seed(0)
    network = deepinv.models.ConvDecoder(y.shape, channels=channels)
    network.register_forward_hook(lambda *arguments: watch(arguments[-1][0]))
    fit = deepinv.models.DeepImagePrior(network, (channels, 4, 4), iterations=ITERATIONS, learning_rate=0.01)
    fit(y[None], deepinv.physics.Denoising())


def by_ours(y, watch, precision="auto"):
    """The method `dip` with its defaults: it stops by itself."""
    from steps.methods import dip
    from steps.tasks.denoising import Operator

    dip.recover(y, Operator(y.shape), SIGMA, precision=precision, callback=lambda i, x, loss: watch(x))


def by_ours_in_float32(y, watch):
    """As `by_ours`, as it is on a processor without bfloat16."""
    by_ours(y, watch, "float32")


def points(title, method, name, draw):
    """Return the [(seconds, PSNR)] of a method on a picture with the noise of a draw, in this process, on one core."""
    import torch

    from steps.noises.gaussian import add

    torch.set_num_threads(1)
    x = picture(name)
    watch = Watch(f"{title}, {name}", torch.from_numpy(x))
    globals()[method](torch.from_numpy(add(x, sigma=SIGMA, seed=draw)), watch)
    return watch.points


def picture(name):
    """Return a picture of config/paper.yaml, looked for in the folder $PRIORBENCH_IMAGES first."""
    import yaml

    from steps.images import load

    entry = yaml.safe_load(Path("config/paper.yaml").read_text(encoding="utf-8"))["images"][name]
    folders = [os.environ["PRIORBENCH_IMAGES"]] if "PRIORBENCH_IMAGES" in os.environ else []
    pixels = load.load(entry["source"], name=name, sha256=entry["sha256"], image_dirs=folders)
    return load.prepare(pixels, size=PICTURES[name])


def row(points, best):
    """Return the cells of a method: iterations, seconds, PSNR returned, its best, seconds to the reference's levels."""
    (seconds, psnr), oracle = points[-1], max(psnr for _, psnr in points)
    reached = [next((f"{s:.0f}" for s, value in points if value >= best - below), "–") for below in BELOW]
    return [len(points), f"{seconds:.0f}", f"{psnr:.2f}", f"{oracle:.2f}", *reached]


def table(rounds):
    """Print the table of docs/prior.md: hours. The others once, ours with as many draws of the noise as rounds."""
    import torch

    from steps.prior.fit import has_bfloat16

    methods = {"reference": "by_the_reference", "ours, float32": "by_ours_in_float32"}
    methods |= {"ours": "by_ours"} if has_bfloat16(torch.device("cpu")) else {}
    methods |= {"deepinv": "by_deepinv"} if importlib.util.find_spec("deepinv") else {}
    print(f"\nCPU, one thread, torch {torch.__version__}; sigma 25/255")
    rows = []
    for name in PICTURES:
        best = 0
        for title, method in methods.items():
            for draw in range(rounds if "ours" in title else 1):
                found = alone(points, title, method, name, draw)
                best = best or max(psnr for _, psnr in found)
                rows.append([name, f"{title}, noise {draw}", *row(found, best)])
                print(f"| {' | '.join(map(str, rows[-1]))} |", flush=True)
    levels = [f"s to the reference's best − {below}" for below in BELOW]
    titles = ["picture", "method", "iterations", "seconds", "returned dB", "best dB", *levels]
    print(f"\n| {' | '.join(titles)} |\n| --- | --- |{' ---: |' * (len(titles) - 2)}")
    for cells in rows:
        print(f"| {' | '.join(map(str, cells))} |", flush=True)
