import math

import matplotlib.pyplot as plt
import pandas

from steps.look import style
from steps.tools import summary
from tests.figures.made import METRICS, cell

NAMED = {metric.name: metric for metric in METRICS}


def row(image, value, difference, verdict, half=math.nan, **facts):
    """Return a row of an experiment's table beside the published values, whose published number is 20 dB."""
    facts = {"ours": 20 + difference, "interval": half} | facts
    return cell("ours", image, value, difference, verdict, **facts)


FIRST = pandas.DataFrame(
    [
        row("house", 0.1, 0.25, "within", 0.5),
        row("house", 0.5, 1.5, "better"),
        row("hill", 0.1, -3.0, "worse", **{"published label": "Q"}),
        row("logo", 0.1, 1.0, "not comparable"),
        row("house", 0.1, 2.0, "better", settings="tuned"),
        row("house", 0.1, -2.0, "worse", settings="tuned"),  # a second variant, which does not count again
    ]
)
SECOND = pandas.DataFrame([row("house", 0.1, 0.0, "within"), row("house", 0.5, math.nan, "not run", n=0)])


def test_each_published_number_counts_once_in_either_settings():
    assert summary.numbers([FIRST, SECOND], 7).splitlines() == [
        "| 7 published numbers | within | better | worse | not comparable | not run |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        "| ours, the paper's settings | 2 | 1 | 1 | 1 | 2 |",
        "| ours, tuned | 0 | 1 | 0 | 0 | 6 |",
    ]
    first = pandas.DataFrame([row("house", 0.1, math.nan, "not run", n=0), row("house", 0.1, 0.0, "within")])
    assert "| ours, the paper's settings | 1 |" in summary.numbers([first], 1)  # the first variant that was run
    whole = pandas.DataFrame([row("house", 0.1, 0.0, "within", settings=kind) for kind in ("paper", "tuned")])
    assert "not run" not in summary.numbers([whole], 1)
    two = pandas.DataFrame([row("house", 0.1, 0.0, "within", metric=name) for name in ("psnr", "ssim")])
    assert "| ours, the paper's settings | 2 |" in summary.numbers([two], 2)


def test_each_claim_counts_once_for_each_source():
    rows = [("a", "published", "stands"), ("b", "published", "fails"), ("a", "paper", "undecided")] * 2
    rows += [("b", "paper", "stands"), ("a", "tuned", "no numbers"), ("b", "tuned", "no numbers")]
    said = summary.claims(pandas.DataFrame(rows, columns=["claim", "source", "claim verdict"]))
    assert said.splitlines() == [
        "| 2 claims | stand | fail | undecided | no numbers |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| the paper's numbers | 1 | 1 | 0 | 0 |",
        "| ours, the paper's settings | 1 | 0 | 1 | 0 |",
        "| ours, tuned | 0 | 0 | 0 | 2 |",
    ]


def test_the_table_is_laid_out_as_the_paper_s():
    assert summary.beside(FIRST, {"logo"}, NAMED).splitlines() == [
        "| image | sigma | P | Q |",
        "| --- | --- | ---: | ---: |",
        "| house | 0.1 | 20.25 ± 0.50 (20.00) |  |",
        "| house | 0.5 | 21.50 (20.00) ▲ |  |",
        "| hill | 0.1 |  | 17.00 (20.00) ▼ |",
        "| logo (stand-in) | 0.1 | 21.00 (20.00) \\* |  |",
    ]
    assert summary.beside(SECOND, set(), NAMED).splitlines()[-1] == "| house | 0.5 | not run (20.00) |"
    second = pandas.DataFrame([row("house", 0.1, math.nan, "not run", n=0), row("house", 0.1, 0.0, "within")])
    assert summary.beside(second, set(), NAMED).splitlines()[-1] == "| house | 0.1 | 20.00 (20.00) |"


def test_each_row_of_the_table_names_its_metric_unless_all_are_psnr():
    ssim = row("house", 0.1, -0.25, "worse", 0.01, metric="ssim", published=0.9, ours=0.65)
    assert summary.beside(pandas.DataFrame([*SECOND.to_dict("records"), ssim]), set(), NAMED).splitlines() == [
        "| image | sigma | metric | P |",
        "| --- | --- | --- | ---: |",
        "| house | 0.1 | PSNR [dB] | 20.00 (20.00) |",
        "| house | 0.5 | PSNR [dB] | not run (20.00) |",
        "| house | 0.1 | SSIM | 0.650 ± 0.010 (0.900) ▼ |",
    ]
    assert "| house | 0.1 | SSIM | 0.650" in summary.beside(pandas.DataFrame([ssim]), set(), NAMED)


def test_the_figure_has_a_point_for_each_number_that_was_run():
    with style.apply():
        drawn = summary.figure([("One: of $", FIRST), ("Two", SECOND), ("Nothing run", SECOND[1:])])
    points = [
        line.get_xydata().tolist() for panel in drawn.axes for line in panel.get_lines() if line.get_marker() != "None"
    ]
    assert sorted(point[1] for some in points for point in some) == [17, 20, 20.25, 21, 21.5]
    assert [panel.get_title() for panel in drawn.axes] == [r"One: of \$", "Two"]
    plt.close(drawn)
