"""The same work again and again on CUDA, launched as one graph: a GPU does a kernel sooner than Python launches it."""

import contextlib
import threading

import torch

from steps.prior.processor import has_triton

ONE = threading.Lock()  # of several threads one at a time: while a graph is captured, nothing else may be begun
EAGER = 3  # calls before the graph: what is allocated, tuned and compiled once is not for it


class Graph:
    """Calls of work(), which takes nothing, reads and writes the same tensors each time and returns tensors or None.

    The first calls are plain ones, then it is captured and replayed. A result is the caller's to keep: each call makes
    copies. `generators` are those that the work draws from: a graph goes on with their numbers where plain calls would.
    Work that is captured must not look at a number, nor copy from or to the CPU. On a CPU, or without Triton, every
    call is a plain one.
    """

    def __init__(self, device, generators=()):
        self.device, self.generators = device, generators
        self.calls, self.graph, self.results, self.stream = 0, None, None, None

    def __call__(self, work):
        """Return what work() returns; it is the same work in every call, and is not kept: its owner has this graph."""
        if not has_triton(self.device):
            return work()
        with ONE:
            self.calls += 1
            if self.calls <= EAGER:
                with self._elsewhere():
                    results = work()
            else:
                if self.graph is None:
                    self._capture(work)
                self.graph.replay()
                results = self.results
            return tuple(None if result is None else result.clone() for result in results)

    def _capture(self, work):
        torch.cuda.empty_cache()  # of what the plain calls have used: while it captures, nothing of it can be freed
        self.graph = torch.cuda.CUDAGraph()
        for generator in self.generators:
            self.graph.register_generator_state(generator)
        with self._elsewhere():
            self.graph.capture_begin(capture_error_mode="thread_local")
            try:
                self.results = work()
            finally:
                self.graph.capture_end()

    @contextlib.contextmanager
    def _elsewhere(self):
        """Inside, a stream of its own, which begins after the present one and which the present one waits for."""
        self.stream = self.stream or torch.cuda.Stream(self.device)
        here, there = torch.cuda.current_stream(self.device), self.stream
        there.wait_stream(here)
        with torch.cuda.stream(there):
            yield
        here.wait_stream(there)
