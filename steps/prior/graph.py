"""The same work again and again on CUDA, launched as one graph: a GPU does a kernel sooner than Python launches it."""

import contextlib
import threading

import torch

from steps.prior.processor import has_triton

ONE = threading.Lock()  # of several threads one at a time: while a graph is captured, nothing else may be begun
EAGER = 3  # calls before the graph: what is allocated, tuned and compiled once is not for it
STREAMS = {}  # {a fit's stream: that of its graphs}, no other's: what is captured must meet no other fit's work


class Graph:
    """Calls of work(), which takes nothing, reads and writes the same tensors each time and returns tensors or None.

    The first calls are plain ones, then it is captured and replayed. A result is the caller's to keep: each call makes
    copies. `generators` are those that the work draws from: a graph goes on with their numbers where plain calls would.
    Work that is captured must not look at a number, nor copy from or to the CPU. On a CPU, or without Triton, every
    call is a plain one.
    """

    def __init__(self, device, generators=()):
        self.device, self.generators = device, generators
        self.calls, self.graph, self.results = 0, None, None

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
            copies = tuple(None if result is None else result.clone() for result in results)
            if self.graph is None:  # the next fit's plain calls get the memory of these results: not before the copies
                self._stream().wait_stream(torch.cuda.current_stream(self.device))
            return copies

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

    def _stream(self):
        """Return the stream on which the present one's graphs are captured; cuBLAS has a workspace for each."""
        key = self.device, torch.cuda.current_stream(self.device).cuda_stream
        if key not in STREAMS:  # of high priority: no fit's own stream is
            STREAMS[key] = torch.cuda.Stream(self.device, priority=-1)
        return STREAMS[key]

    @contextlib.contextmanager
    def _elsewhere(self):
        """Inside, the stream of graphs, which begins after the present one and which the present one waits for."""
        here, there = torch.cuda.current_stream(self.device), self._stream()
        there.wait_stream(here)
        with torch.cuda.stream(there):
            yield
        here.wait_stream(there)


def give_back():
    """Give back to the GPU the memory that torch keeps, as soon as no graph is being captured.

    Returns whether the GPU still works for this process: after some errors it does not.
    """
    with ONE:
        try:
            torch.cuda.empty_cache()
            torch.cuda.synchronize()
        except RuntimeError:
            return False
    return True
