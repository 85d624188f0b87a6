import numpy as np
import pytest
import torch

from steps.base.errors import BadInput
from steps.inverse.trace import Trace, kept


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


@pytest.mark.parametrize(
    ("total", "iteration", "line"),
    [
        (None, 3, "iteration 3  loss 0.5\n"),
        (10, 5, "iteration 5/10  loss 0.5  4 s left\n"),
        (10, 10, "iteration 10/10  loss 0.5  0 s left\n"),
        (10, 12, "iteration 12  loss 0.5\n"),
        (10, 0, "iteration 0  loss 0.5\n"),
    ],
)
def test_a_line_tells_the_time_left_where_it_is_known(total, iteration, line, monkeypatch, capsys):
    """Known if the method has a keyword `iterations` and has not made more of them: here 4 s have passed."""
    clock = iter([0.0, 4.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    Trace(total)(iteration, torch.zeros(1, 2, 2), 0.5)
    assert capsys.readouterr().out == line


def test_a_method_may_say_itself_how_often_it_iterates(monkeypatch, capsys):
    """As one whose keyword `iterations` is None by default: what it makes of that is known to nobody else."""
    clock = iter([0.0, 4.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    Trace(None)(5, torch.zeros(1, 2, 2), 0.5, total=10)
    assert capsys.readouterr().out == "iteration 5/10  loss 0.5  4 s left\n"


def test_without_a_total_the_same_iterations_are_kept():
    trace = Trace(None)
    for iteration in range(1, 13):
        trace(iteration, torch.full((1, 2, 2), iteration / 100), 1.0)
    arrays = trace.arrays()
    assert arrays["iterations"].tolist() == kept(12)
    np.testing.assert_allclose(arrays["estimates"][:, 0, 0, 0], arrays["iterations"] / 100, atol=2.5e-4)


def test_an_estimate_of_another_shape_than_the_image_is_refused():
    with pytest.raises(BadInput, match=r"callback: the estimate has shape \(2, 2\); must be \(1, 2, 2\), the image's"):
        Trace(None, (1, 2, 2))(1, torch.zeros(2, 2), 1.0)


def test_a_penalty_is_kept_apart_and_is_zero_where_there_is_none():
    trace = Trace(3)
    trace(1, torch.zeros(1, 2, 2), 1.0, torch.tensor(0.5))
    trace(2, torch.zeros(1, 2, 2), 1.0)
    assert trace.arrays()["penalties"].tolist() == [0.5, 0]
    assert trace.arrays()["losses"].tolist() == [1, 1]


def test_a_method_that_begins_again_leaves_its_second_go():
    trace = Trace(5)
    for iteration, loss in ((1, 9.0), (2, 8.0), (1, 7.0), (2, 6.0), (3, 5.0)):
        trace(iteration, torch.full((1, 2, 2), loss / 10), loss)
    arrays = trace.arrays()
    assert arrays["losses"].tolist() == [7, 6, 5]
    assert arrays["iterations"].tolist() == [1, 2, 3]
    assert len(arrays["estimates"]) == 3


def test_a_later_fit_that_begins_again_leaves_the_fits_before_it():
    trace = Trace(8)
    for iteration, loss in ((1, 9.0), (2, 8.0), (3, 7.0), (4, 6.0), (5, 5.0), (3, 4.0), (4, 3.0), (5, 2.0)):
        trace(iteration, torch.full((1, 2, 2), loss / 10), loss)
    arrays = trace.arrays()
    assert arrays["losses"].tolist() == [9, 8, 4, 3, 2]
    assert arrays["iterations"].tolist() == [1, 2, 3, 5]
    assert arrays["estimates"][-1, 0, 0, 0] == np.float16(0.2) and arrays["estimates"][2, 0, 0, 0] == np.float16(0.4)


def test_the_last_estimate_is_kept_when_a_method_stops_early():
    trace = Trace(1000)
    for iteration in range(1, 10):
        trace(iteration, torch.full((1, 2, 2), iteration / 10), 1.0)
    arrays = trace.arrays()
    assert arrays["iterations"].tolist() == [1, 2, 3, 5, 7, 9]
    assert arrays["estimates"][-1, 0, 0, 0] == np.float16(0.9)
