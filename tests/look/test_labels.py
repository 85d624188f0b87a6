import matplotlib.pyplot as plt
import numpy as np
import pytest

from steps.look import labels, style


@pytest.fixture
def panel():
    with style.apply():
        figure, panel = plt.subplots(figsize=(style.COLUMN, 2), layout="constrained")
        yield panel
        plt.close(figure)


def test_spread_moves_nothing_that_has_room():
    np.testing.assert_allclose(labels.spread([5, 1, 9], 2, 0, 10), [5, 1, 9])


def test_spread_is_the_nearest_that_is_far_enough_apart():
    """Against a brute-force search on a grid."""
    wanted = np.array([4.0, 3.5, 9.0, 3.5])
    placed = labels.spread(wanted, 1, 0, 10)
    assert np.diff(np.sort(placed)).min() > 1 - 1e-9
    grid = np.arange(0, 10.01, 0.5)
    best = min(
        sum((np.array([c, a, 9.0, b]) - wanted) ** 2)
        for a in grid
        for b in grid
        for c in grid
        if min(b - a, c - b) >= 1
    )
    assert ((placed - wanted) ** 2).sum() <= best


def test_spread_stays_within_its_limits():
    placed = labels.spread([0, 0, 0], 1, 0, 10)
    np.testing.assert_allclose(placed, [0, 1, 2])
    np.testing.assert_allclose(labels.spread([10, 10], 1, 0, 10), [9, 10])


def looks(*names):
    return {name: {"color": f"C{i}", "label": name} for i, name in enumerate(names)}


def plotted(panel, ends):
    for x, y in ends.values():
        panel.plot([0, x], [0, y])


def test_labels_stand_at_the_ends_of_lines_in_their_order(panel):
    ends = {"low": (1, 0.5), "middle": (1, 0.51), "high": (1, 1)}
    plotted(panel, ends)
    labels.at_ends(panel.figure, [(panel, ends)], looks(*ends))
    assert not panel.figure.legends
    boxes = [text.get_window_extent() for text in panel.texts]
    assert [text.get_text() for text in panel.texts] == ["low", "middle", "high"]
    assert all(below.y1 <= above.y0 + 1 for below, above in zip(boxes, boxes[1:]))
    assert all(box.x0 >= panel.bbox.x1 - 20 and box.x1 <= panel.figure.bbox.x1 for box in boxes)


@pytest.mark.parametrize(
    "ends",
    [
        {"a label that is much too wide for it": (1, 1), "b": (1, 0)},
        {"ends early": (0.3, 1), "b": (1, 0)},
        {f"line {i}": (1, i) for i in range(30)},
    ],
    ids=["wide", "early", "many"],
)
def test_a_legend_below_where_labels_do_not_fit(ends, panel):
    plotted(panel, ends)
    labels.at_ends(panel.figure, [(panel, ends)], looks(*ends))
    (legend,) = panel.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(ends)
    box = legend.get_window_extent()
    assert box.y1 <= 0 and box.x0 >= 0 and box.x1 <= panel.figure.bbox.x1
    assert style.page(panel.figure).y0 * panel.figure.dpi <= box.y0


def test_labels_beside_points_keep_clear_of_each_other(panel):
    points = {"one": (0.5, 0.5), "two": (0.52, 0.5), "edge": (1, 1)}
    panel.set(xlim=(0, 1), ylim=(0, 1))
    labels.beside(panel.figure, [(panel, points, [(0.6, 0.5)])], looks(*points))
    boxes = [text.get_window_extent() for text in panel.texts]
    assert len(boxes) == 3 and not panel.figure.legends
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert all(panel.bbox.containsx(box.x1) and panel.bbox.containsy(box.y1) for box in boxes)


def test_a_legend_where_points_are_crowded(panel):
    points = {f"point {i}": (0.5 + i / 1000, 0.5) for i in range(12)}
    panel.set(xlim=(0, 1), ylim=(0, 1))
    labels.beside(panel.figure, [(panel, points, [(0.6, 0.5)])], looks(*points), {"input": style.INPUT})
    assert not panel.texts
    assert [text.get_text() for text in panel.figure.legends[0].get_texts()] == [*points, "input"]


def test_no_line_runs_through_a_label_beside_a_point(panel):
    points = {"label": (0.5, 0.5)}
    panel.set(xlim=(0, 1), ylim=(0, 1))
    panel.plot([0, 1], [0.5, 0.5])
    panel.axhline(0.4)  # a line between two places as well as one through many
    panel.plot([0.5, 1], [0.5, 0.9])
    labels.beside(panel.figure, [(panel, points, [])], looks(*points))
    (text,) = panel.texts
    box = text.get_window_extent()
    paths = [labels.drawn(line) for line in panel.get_lines()]
    assert len(paths) == 3 and not any(path.intersects_bbox(box, filled=False) for path in paths)


def test_a_legend_where_lines_leave_no_place(panel):
    points = {"label": (0.5, 0.5)}
    panel.set(xlim=(0, 1), ylim=(0, 1))
    for height in range(1, 20):
        panel.axhline(height / 20)
    labels.beside(panel.figure, [(panel, points, [])], looks(*points))
    assert not panel.texts and len(panel.figure.legends) == 1


def test_a_legend_has_columns_of_about_one_height(panel):
    names = [f"line {i}" for i in range(7)]
    panel.figure.set_figwidth(7)
    labels.below(panel.figure, looks(*names))
    assert panel.figure.legends[0]._ncols == 4
