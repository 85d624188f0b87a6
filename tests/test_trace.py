import numpy as np
import torch

from steps.trace import Trace, kept


def test_kept_iterations():
    assert kept(30) == [1, 2, 3, 5, 7, 10, 15, 20, 30]
    assert kept(4) == [1, 2, 3, 4]
    assert kept(1) == [1]
    assert len(kept(10_000)) < 30


def test_records_every_loss_and_the_kept_estimates(capsys):
    trace = Trace(12)
    for iteration in range(1, 13):
        trace(iteration, torch.full((1, 2, 2), iteration / 100), torch.tensor(1.0 / iteration))
    arrays = trace.arrays()
    np.testing.assert_allclose(arrays["losses"], 1 / np.arange(1, 13), rtol=1e-6)
    assert arrays["iterations"].tolist() == [1, 2, 3, 5, 7, 10, 12]
    np.testing.assert_allclose(arrays["estimates"][:, 0, 0, 0], arrays["iterations"] / 100, atol=2.5e-4)
    assert "iteration 12/12  loss 0.08333  0 s left" in capsys.readouterr().out


def test_a_method_without_iterations_leaves_an_empty_trace():
    arrays = Trace(None).arrays()
    assert len(arrays["losses"]) == len(arrays["estimates"]) == len(arrays["iterations"]) == 0
