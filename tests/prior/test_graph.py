"""Work as a CUDA graph; without a GPU what is left is that it is done."""

import pytest
import torch

from steps.prior import graph, networks
from steps.prior.fit import Fit
from steps.prior.graph import EAGER, Graph

on_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
SETTINGS = {"muon": {"optimiser": "muon", "input_noise": 0.03, "output": "polynomial"}, "dropout": {"p_keep": 0.9}}


def test_on_a_cpu_every_call_is_made():
    made = []
    work = Graph(lambda: (made.append(0), None), torch.device("cpu"))
    assert [work()[1] for _ in range(EAGER + 3)] == [None] * (EAGER + 3)
    assert len(made) == EAGER + 3


def fit(y, seed=0, p_keep=1.0, **settings):
    def create():
        return networks.create(tuple(y.shape), channels=8, scales=2, p_keep=p_keep, seed=seed)

    return Fit(
        create, tuple(y.shape), y.device, lr=0.01, seed=seed, precision="float32", deterministic=True, **settings
    )


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


@on_cuda
def test_a_fit_that_goes_on_and_one_that_backtracks_are_captured_anew(gray):
    y = gray.cuda()
    whole = fit(y, backtrack=True, input_noise=0.03)
    whole.run(lambda x: (x - y).square().mean(), 150)
    before = whole.graph
    whole.run(lambda x: (x - 1 + y).square().mean(), 150)  # another data term: another graph
    assert whole.graph is not before


@on_cuda
def test_fits_in_threads_are_those_made_one_after_another(gray):
    from concurrent.futures import ThreadPoolExecutor

    y = gray.cuda()

    def result(seed):
        with torch.cuda.stream(torch.cuda.Stream()):
            made = fit(y, seed).run(lambda x: (x - y).square().mean(), 50)
            torch.cuda.current_stream().synchronize()
            return made

    alone = [result(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(result, range(4)))
    assert all(torch.equal(one, other) for one, other in zip(alone, together))
