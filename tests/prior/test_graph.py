"""Work as a CUDA graph; without a GPU what is left is that it is done."""

import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from steps.base import discover
from steps.prior import graph, networks
from steps.prior.fit import Fit
from steps.prior.graph import EAGER, Graph

on_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
SETTINGS = {"muon": {"optimiser": "muon", "input_noise": 0.03, "output": "polynomial"}, "dropout": {"p_keep": 0.9}}


def test_on_a_cpu_every_call_is_made():
    made = []
    graph = Graph(torch.device("cpu"))
    assert [graph(lambda: (made.append(0), None))[1] for _ in range(EAGER + 3)] == [None] * (EAGER + 3)
    assert len(made) == EAGER + 3


def fit(y, seed=0, p_keep=1.0, **settings):
    def create():
        return networks.create(tuple(y.shape), channels=8, scales=2, p_keep=p_keep, seed=seed)

    settings = {"deterministic": True} | settings
    return Fit(create, tuple(y.shape), y.device, lr=0.01, seed=seed, precision="float32", **settings)


@on_cuda
@pytest.mark.parametrize("settings", [{}, *SETTINGS.values()], ids=["adam", *SETTINGS])
def test_a_graph_gives_the_bits_of_plain_calls(settings, gray, monkeypatch):
    """Those of input noise and dropout too: it goes on with the numbers of the generators."""
    y, results = gray.cuda(), []
    for eager in (EAGER, 10**9):
        monkeypatch.setattr(graph, "EAGER", eager)
        seen = []
        result = fit(y, **settings).run(
            lambda x: (x - y).square().mean(), 20, lambda i, x, loss, seen=seen: seen.append(loss)
        )
        results.append((result, torch.stack(seen)))
    assert all(torch.equal(one, other) for one, other in zip(*results))


def test_a_fit_is_gone_with_its_last_name(gray):
    """At once, not when Python collects garbage: on CUDA it has the memory of a graph."""
    made = fit(gray)
    made.run(lambda x: (x - gray).square().mean(), 2)
    gone = weakref.ref(made)
    del made
    assert gone() is None


@on_cuda
def test_a_fit_that_backtracks_is_captured_anew(gray, monkeypatch, capsys):
    """As it goes on in plain calls: the graph before it writes to the tensors of optimisers that are replaced."""
    monkeypatch.setattr("steps.prior.fit.CHECK", 8)
    y, results = gray.cuda(), []
    for eager in (EAGER, 10**9):
        monkeypatch.setattr(graph, "EAGER", eager)
        count = torch.zeros((), device="cuda")

        def data_term(x, count=count):  # ten times as large from the twentieth iteration to the thirtieth
            count.add_(1)
            return (x - y).square().mean() * torch.where((count > 20) & (count < 30), 10.0, 1.0)

        made = fit(y, backtrack=True)
        results.append(made.run(data_term, 60))
    assert "backtracked" in capsys.readouterr().out
    assert torch.equal(*results)


@on_cuda
@pytest.mark.parametrize("task", discover.available("tasks"))
def test_operators_can_be_captured(task):
    module = discover.load("tasks", task)
    shape = (module.Operator.channels or 1, 32, 32)
    for settings in getattr(module, "TRIED", [{}]):
        A = module.Operator(shape, **settings)
        y = A.forward(torch.rand(shape, device="cuda"))
        fit(torch.zeros(shape, device="cuda")).run(lambda x, A=A, y=y: (A.forward(x) - y).square().mean(), EAGER + 3)


def test_fits_that_start_together_have_the_weights_of_their_seeds():
    """Weights are drawn by a generator that all threads share."""
    y = torch.zeros(1, 64, 64)
    together = threading.Barrier(4)

    def weights(seed, begin=lambda: None):
        begin()
        made = Fit(lambda: networks.create((1, 64, 64), channels=64, seed=seed), (1, 64, 64), y.device, lr=0.01)
        return torch.cat([parameter.detach().flatten() for parameter in made.network.parameters()])

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda seed: weights(seed, together.wait), range(4)))
    assert all(torch.equal(weights(seed), one) for seed, one in enumerate(found))


@on_cuda
def test_fits_side_by_side_begin_as_alone(gray):
    """What comes later differs in rounding: determinism is a setting of the whole process."""
    y = gray.cuda()

    def losses(seed):
        found = []
        with torch.cuda.stream(torch.cuda.Stream()):
            fit(y, seed, deterministic=False).run(
                lambda x: (x - y).square().mean(), 20, lambda i, x, loss: found.append(float(loss))
            )
        return found

    alone = [losses(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(losses, range(4)))
    np.testing.assert_allclose(np.array(together)[:, :2], np.array(alone)[:, :2], rtol=1e-3)
    np.testing.assert_allclose(np.array(together)[:, -1], np.array(alone)[:, -1], rtol=0.2)


@on_cuda
def test_graphs_of_a_stream_have_one_which_is_no_fits_own():
    """torch has 32 streams and gives the first again after them: a capture there would take in another fit's work."""
    graphs = []
    for _ in range(2):
        with torch.cuda.stream(torch.cuda.Stream()):
            first, second = (Graph(torch.device("cuda"))._stream() for _ in range(2))
        assert first == second
        graphs.append(first)
    assert graphs[0] != graphs[1]  # what cuBLAS keeps for a stream goes with any graph that was captured on it
    assert all(torch.cuda.Stream() not in graphs for _ in range(40))
