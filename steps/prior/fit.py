"""Fitting an untrained network to a measurement: the engine of the deep image prior and of its hybrids."""

import contextlib
import copy
import ctypes
import itertools
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

import torch

from steps.base.errors import BadInput
from steps.inverse.trace import kept
from steps.prior.device import algorithms, enough_memory, narrow
from steps.prior.graph import ONE, Graph
from steps.prior.layers import Dropout
from steps.prior.muon import Muon
from steps.prior.networks import count_parameters, stream
from steps.prior.processor import has_bfloat16
from steps.prior.stopping import MovingVariance, average_centred_at, polynomial_weight

CHECK = 100  # iterations between the checks of backtracking, and of a finite loss on CUDA
LOOK = {"cpu": 1, "cuda": 10}  # iterations between looks whether to stop: on CUDA, looking is waiting
DROP = 10**0.5  # backtracking: the data term has grown by 5 dB


def keep_memory():
    """Tell glibc to keep the memory that is freed: else each iteration gives it back and faults it in again.

    At 256×256 pixels that is half of an iteration's time. Elsewhere than with glibc it does nothing.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
        mallopt(-2, 2**26)  # M_TOP_PAD
        mallopt(-3, 2**30) or mallopt(-3, 2**25)  # M_MMAP_THRESHOLD; before glibc 2.35 at most 32 MiB


@dataclass(eq=False)
class Fit:
    """A network f_θ and its code z, fitted to  min_θ data_term(f_θ(z)) + l1 Σ‖W‖₁ + l2 Σ ½‖W‖².

    The sums are over the weights W of the convolutions, biases and norms excepted (Anderson, section 4.1). `create()`
    returns (network, code), see `networks.create`; `shape` is the image's (C, H, W). A second `run` goes on from where
    the first ended.

    optimiser    "adam"; "muon": the weights W by Muon (see steps/prior/muon.py), biases and norms by Adam.
    lr           the step, Muon's and Adam's.
    input_noise  standard deviation of what is added to z, drawn anew in every iteration.
    output       "last": the iterate; "average": the running average of iterates with weight 0.99; "polynomial": that
                 with weight 5 / (k + 4) for the k-th iterate of a run, whose centre is at 5/6 of the run;
                 "unperturbed": f_θ(z) without input noise and dropout, made only where a trace keeps it or it may be
                 what is returned.
    backtrack    every 100 iterations, if the data term has grown by 5 dB since the last check, restore weights,
                 optimiser and average of that check; if it does so again at once, with half the step.
    window       return the output of least moving variance (see `stopping.MovingVariance`, for patience and min_start
                 too), and stop when it has not fallen for long; 0 for a fixed count.
    precision    "float32"; "bfloat16": convolutions and what lies between them in bfloat16, weights, optimiser, last
                 convolution and loss in float32; "auto": bfloat16 where the processor is faster in it. On CUDA, float32
                 convolutions are torch's, which round to TF32 unless told not to.
    deterministic  on CUDA only algorithms that give the same bits again; on a CPU they always do, for a seed and a
                 number of threads.

    Sources: Ulyanov, Vedaldi, Lempitsky (2018); Anderson, section 4; Wang et al. (2021) for the variance.
    """

    create: Callable
    shape: tuple
    device: torch.device
    _: KW_ONLY
    optimiser: str = "adam"
    lr: float
    l1: float = 0.0
    l2: float = 0.0
    input_noise: float = 0.0
    output: str = "last"
    backtrack: bool = False
    window: int = 0
    patience: int = 1000
    min_start: int = 0
    precision: str = "auto"
    deterministic: bool = False
    seed: int = 0

    def __post_init__(self):
        fast = self.precision == "bfloat16" or (self.precision == "auto" and has_bfloat16(self.device))
        self._start(torch.bfloat16 if fast else torch.float32)

    def run(self, data_term, iterations, callback=None, target=0.0, traced=None):
        """Return the output, (C, H, W) float32 in (0, 1), after so many iterations, or fewer if it stops by itself.

        data_term(image) is what is minimised, a tensor of one; the result is that of the iteration in which it is at
        most `target`, 0 for never; with a polynomial average that in which the average's centre is there, at 6/5 of
        it. On CUDA up to nine more are made, on which a further run goes on, and data_term becomes part of a graph: it
        must neither look at a number nor copy to or from the CPU. `traced` are the iterations that a trace keeps, those
        of `kept` unless it is told. Calls callback(iteration, output, data term), with the penalty as a fourth argument
        if there is one. If the loss is not finite in bfloat16, the network starts again in float32, once. Raises
        BadInput if it is not finite in float32, and if memory runs out.
        """
        if self.window and max(self.window, self.min_start) + self.patience > iterations:
            words = f"window={self.window}, patience={self.patience}, min_start={self.min_start}: cannot stop within "
            words += f"iterations={iterations}; patience and the larger of the others must add up to that at most"
            raise BadInput(words)
        traced = {*(traced or kept(iterations)), iterations}
        try:
            with enough_memory(self.device, self.shape), algorithms(self.device, self.deterministic):
                return self._run(data_term, iterations, callback, target, traced)
        except FloatingPointError as error:
            if self.dtype == torch.float32:
                raise BadInput(f"{error}; lower lr, which is {self.lr}") from error
            print(f"{error} in bfloat16: the network starts again in float32", flush=True)
            self._start(torch.float32)
            return self.run(data_term, iterations, callback, target, traced)

    def _start(self, dtype):
        if self.device.type == "cpu":
            keep_memory()
        self.dtype = dtype
        with enough_memory(self.device, self.shape):
            with ONE:  # weights are drawn by torch's only generator of the CPU
                network, code = self.create()
            self.network = network.to(self.device, memory_format=torch.channels_last)
            self.code = code.to(self.device, dtype, memory_format=torch.channels_last)
        layers = {f"{name}.weight": m for name, m in network.named_modules() if isinstance(m, torch.nn.Conv2d)}
        self.weights = [layer.weight for layer in layers.values()]
        inner = {name: layer.weight for name, layer in layers.items() if layer is not network.last}
        self.narrowed = inner if dtype == torch.bfloat16 and self.device.type == "cuda" else {}
        kernels = self.weights if self.optimiser == "muon" else []
        self.optimisers = [Muon(kernels, lr=self.lr)] if kernels else []
        rest = [p for p in network.parameters() if all(p is not kernel for kernel in kernels)]
        self.optimisers.append(torch.optim.Adam(rest, lr=self.lr, fused=True, capturable=self.device.type == "cuda"))
        self.noise = torch.Generator(self.device).manual_seed(stream(self.seed, 2))
        self.average = self.graph = None
        size, name = count_parameters(network), str(dtype).removeprefix("torch.")
        print(f"a network of {size:,} parameters in {name} on {self.device.type}", flush=True)

    def _run(self, data_term, iterations, callback, target, traced):
        stop = MovingVariance(self.window, self.patience, self.min_start) if self.window else None
        look = LOOK[self.device.type] if (target or stop) and self.output != "unperturbed" else 1
        saved = last = None
        made = []  # iterations that nobody has looked at
        for iteration in range(1, iterations + 1):
            check = iteration % CHECK == 0 or iteration in (iterations, last)
            estimate, loss, penalty = self._step(data_term, iteration, check)
            if self.output in ("average", "polynomial"):
                weight = 0.01 if self.output == "average" else polynomial_weight(iteration)
                self.average = estimate if self.average is None else self.average.lerp(estimate, weight)
                estimate = self.average
            elif self.output == "unperturbed" and (iteration in traced or stop or (target and float(loss) <= target)):
                estimate = self.unperturbed()
            made.append((iteration, estimate, loss, penalty, stop and stop.add(estimate)))
            if len(made) < look and not check:
                continue
            losses = torch.stack([loss for _, _, loss, _, _ in made]).tolist() if target else itertools.repeat(None)
            for (iteration, estimate, loss, penalty, variance), number in zip(made, losses):
                if target and not last and number <= target:
                    last = average_centred_at(iteration) if self.output == "polynomial" else iteration
                    print(f"the data term has come down to {target:.4g}: iteration {last} is the last", flush=True)
                if callback:
                    callback(iteration, estimate, loss, *([penalty] if self.l1 or self.l2 else []))
                if (stop and stop.decide(iteration, estimate, variance)) or iteration == last:
                    return self._chosen(stop, iteration, estimate)
            made.clear()
            if self.backtrack and check:
                saved = self._check(float(loss), estimate, saved)
                estimate = saved["estimate"]
        return self._chosen(stop, iteration, estimate)

    def _chosen(self, stop, iteration, estimate):
        """Return what a run that has ended with this iteration and estimate returns."""
        if stop:
            best = stop.iteration or iteration
            print(f"moving variance: {iteration} iterations made, the estimate is that of {best}", flush=True)
        return stop.best if stop and stop.best is not None else estimate

    def _step(self, data_term, iteration, check):
        if self.graph is None or self.graph.data_term is not data_term:
            dropouts = [m.generator_on(self.device) for m in self.network.modules() if isinstance(m, Dropout)]
            self.graph = Graph(self.device, [self.noise, *dropouts])
            self.graph.data_term = data_term
        estimate, loss, penalty = self.graph(lambda: self._work(data_term))
        if (self.device.type == "cpu" or check) and not torch.isfinite(loss):  # on CUDA, looking is waiting
            raise FloatingPointError(f"the loss is not finite in iteration {iteration}")
        return estimate, loss, penalty

    def _work(self, data_term):
        """One step; return (image, data term, penalty or None), as they were before it."""
        code = self.code
        if self.input_noise:
            code = code + self._draw()
        self.network.zero_grad()
        estimate = self._image(code)
        loss = data_term(estimate)
        penalty = self._penalty()
        (loss if penalty is None else loss + penalty).backward()
        for optimiser in self.optimisers:
            optimiser.step()
        return estimate.detach(), loss.detach(), None if penalty is None else penalty.detach()

    def _draw(self):
        """Return the noise of one iteration; in channels_last from the start, since only dense draws are fast."""
        batch, channels, height, width = self.code.shape
        noise = torch.empty((batch, height, width, channels), device=self.device)
        noise.normal_(0, self.input_noise, generator=self.noise)
        return noise.permute(0, 3, 1, 2).to(self.dtype)

    def _image(self, code):
        bfloat16 = self.dtype == torch.bfloat16
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16, cache_enabled=False):
            if self.narrowed:
                weights = dict(zip(self.narrowed, narrow(*self.narrowed.values())))
                image = torch.func.functional_call(self.network, weights, (code,))[0]
            else:
                image = self.network(code)[0]
        return image[..., : self.shape[-2], : self.shape[-1]]

    def unperturbed(self):
        """Return f_θ(z) with neither input noise nor dropout, (C, H, W)."""
        self.network.eval()
        with ONE, torch.no_grad():
            image = self._image(self.code)
        self.network.train()
        return image

    def _penalty(self):
        terms = []
        if self.l1:
            terms.append(self.l1 * torch.stack([weight.abs().sum() for weight in self.weights]).sum())
        if self.l2:
            terms.append(self.l2 / 2 * torch.stack([weight.square().sum() for weight in self.weights]).sum())
        return sum(terms) if terms else None

    def _check(self, loss, estimate, saved):
        """Return what the next check may restore: the present state, or the saved one if the fit has dropped."""
        if saved is None or not loss > DROP * saved["loss"]:
            state = {"network": self.network.state_dict(), "optimisers": [o.state_dict() for o in self.optimisers]}
            return copy.deepcopy(state) | {"loss": loss, "estimate": estimate, "average": self.average, "again": False}
        self.graph = None  # it writes to the tensors of the optimisers that are replaced
        self.network.load_state_dict(saved["network"])
        for optimiser, state in zip(self.optimisers, copy.deepcopy(saved["optimisers"])):
            optimiser.load_state_dict(state)
        self.average = saved["average"]
        if self.output == "unperturbed":  # of that check perhaps no such output was made
            saved["estimate"] = self.unperturbed()
        if saved["again"]:  # without input noise the same steps would only lead to the same drop
            for group in itertools.chain(*(optimiser.param_groups for optimiser in self.optimisers)):
                group["lr"] /= 2
            saved["optimisers"] = copy.deepcopy([optimiser.state_dict() for optimiser in self.optimisers])
        print(f"backtracked: data term {loss:.4g}, {saved['loss']:.4g} a check ago", flush=True)
        return saved | {"again": True}
