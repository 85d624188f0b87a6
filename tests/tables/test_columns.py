import math

import pytest

from steps.tables.columns import PSNR, RESIDUAL, TIME, Metric, directions, line, read_metrics, winners

GMSD = Metric("gmsd", "GMSD", decimals=4, better="lower")


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        (PSNR, 29.1649, "29.16 dB"),
        (PSNR, -5.4, "−5.40 dB"),
        (PSNR, math.inf, "∞ dB"),
        (PSNR, math.nan, ""),
        (PSNR, None, ""),
        (GMSD, 0.12345, "GMSD 0.1235"),
        (Metric("isnr", "ISNR", "dB", 2, "higher"), -math.inf, "ISNR −∞ dB"),
        (RESIDUAL, 0.01234, "Residual 0.0123"),
    ],
)
def test_texts(metric, value, text):
    assert metric.text(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.00341, "0.0034"),
        (0.2249, "0.22"),
        (0.996, "1.0"),
        (7.394, "7.4"),
        (9.96, "10"),
        (16.7, "17"),
        (131.2, "130"),
        (1234.5, "1200"),
        (0.0, "0"),
        (math.inf, "∞"),
    ],
)
def test_times_have_two_significant_digits(seconds, text):
    assert (TIME.digits(seconds), TIME.number(seconds)) == (text, f"{text} s")


def test_the_best_is_by_the_direction_and_at_the_decimals_shown():
    values = [0.10004, 0.2, math.nan, 0.1]
    assert [GMSD.is_best(value, GMSD.best(values)) for value in values] == [True, False, False, True]
    assert [PSNR.is_best(value, PSNR.best([20, 30.001, 30])) for value in (20, 30.001, 30)] == [False, True, True]
    assert PSNR.is_best(math.inf, PSNR.best([30, math.inf]))
    assert not PSNR.is_best(math.nan, PSNR.best([math.nan]))


def test_what_has_no_direction_has_no_best():
    assert RESIDUAL.best([1, 2]) is None and not RESIDUAL.is_best(1, None)


def test_directions_in_words():
    assert directions([PSNR, GMSD]) == "Higher is better: PSNR. Lower is better: GMSD."
    assert directions([GMSD]) == "Lower is better: GMSD."


def test_by_default_psnr_is_shown():
    assert read_metrics("") == [PSNR]


def test_a_table_in_a_terminal():
    row = {"psnr": 29.1649, "gmsd": None, "input_psnr": 20.0, "input_gmsd": 0.25}
    assert line("", 5, [PSNR, GMSD]) == "       PSNR [dB]    GMSD"
    assert line("TV", 5, [PSNR, GMSD], row) == "TV         29.16"
    assert line("truth", 5, [PSNR, GMSD], {"psnr": math.inf, "gmsd": 0.0}) == "truth          ∞  0.0000"
    assert line("input", 5, [PSNR, GMSD], row, "input_") == "input      20.00  0.2500"


def test_winners_in_words():
    rows = {"TV": {"psnr": 29.0, "gmsd": 0.1}, "NLM": {"psnr": 30.0, "gmsd": 0.2}, "DIP": {"psnr": 30.0, "gmsd": None}}
    assert winners([PSNR, GMSD], rows) == "NLM and DIP by PSNR; TV by GMSD (lower is better)"
    assert winners([GMSD], {"TV": {"gmsd": None}}) == ""


@pytest.mark.parametrize(
    ("value", "half", "text"), [(127.6, 1.2, "127.6 ± 1.2"), (7.13, 10.2, "7.1 ± 10"), (12.49, 0.031, "12.490 ± 0.031")]
)
def test_a_time_has_the_decimals_of_its_interval(value, half, text):
    assert TIME.interval(value, half) == text


@pytest.mark.parametrize(("value", "half", "text"), [(28.116, 0.0312, "28.12 ± 0.03"), (math.inf, 0.0, "∞ ± 0.00")])
def test_other_intervals_have_the_metric_s_decimals(value, half, text):
    assert PSNR.interval(value, half) == text


@pytest.mark.parametrize(("value", "text"), [(-0.001, "0.00"), (-0.0, "0.00"), (-0.005001, "-0.01"), (-1.0, "-1.00")])
def test_a_zero_has_no_sign(value, text):
    assert PSNR.digits(value) == text
