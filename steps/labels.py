"""Labels in figures: at the ends of lines or beside points where they fit, else one legend below."""

import numpy as np

GAP = 1.25  # height of a line of text in font sizes


def at_ends(figure, ends, looks, **legend):
    """Write each line's label at its right end; if they do not fit, put one legend below the figure.

    ends   [(panel, {label: (x, y)})], the last point of every line; looks {label: keyword arguments of its plot}.
    They fit if lines end at the right of their panel, no label is wider than a quarter of it, and all are not higher.
    """
    figure.draw_without_rendering()
    if not all(_fit(panel, points) for panel, points in ends):
        return below(figure, looks, **legend)
    notes = []
    for panel, points in ends:
        for label, point in points.items():
            colour = looks[label]["color"]
            notes.append(_beside(panel, label, point, colour))
    figure.draw_without_rendering()  # the panels have given way: heights are known now
    points_per_pixel = 72 / figure.dpi
    for panel, points in ends:
        mine = [text for text in notes if text.axes is panel]
        heights = np.array([panel.transData.transform(point)[1] for point in points.values()])
        gap = GAP * _size() / points_per_pixel
        placed = spread(heights, gap, panel.bbox.y0, panel.bbox.y1)
        for text, shift in zip(mine, (placed - heights) * points_per_pixel):
            text.set_position((text.get_position()[0], shift))


def spread(wanted, gap, low, high):
    """Return heights next to those wanted (least squares), in the same order, `gap` apart and in [low, high]."""
    from scipy.optimize import isotonic_regression

    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(wanted))
    placed = np.empty(len(wanted))
    placed[order] = np.clip(isotonic_regression(np.asarray(wanted)[order] - steps).x, low, high - steps[-1]) + steps
    return placed


def beside(figure, panels, looks, **legend):
    """Write labels beside points; if one has no room, put one legend below the figure.

    panels  [(panel, {label: (x, y)}, obstacles)]: obstacles are (n, 2) further points that labels keep clear of.
    """
    figure.draw_without_rendering()
    written = []
    for panel, points, obstacles in panels:
        taken = [panel.transData.transform(point) for point in points.values()]
        taken = [_around(*point, 5 * figure.dpi / 72) for point in taken]
        faint = [_around(*point, 2 * figure.dpi / 72) for point in panel.transData.transform(np.array(obstacles))]
        for label, point in points.items():
            text = _place(panel, label, point, looks[label]["color"], taken, faint)
            if text is None:
                for one in written:
                    one.remove()
                return below(figure, looks, **legend)
            written.append(text)
            taken.append(text.get_window_extent())


def below(figure, looks, *, width=7.1, **extra):
    """Put a legend of looks, and of extra ones, below a figure, in as many columns as its width has room for."""
    from matplotlib.lines import Line2D

    looks = [*looks.values(), *extra.values()]
    letters = max((len(look["label"]) for look in looks), default=0)
    columns = max(1, int(figure.get_figwidth() * 72 / (0.62 * _size() * letters + 5 * _size())))
    handles = [Line2D([], [], **look) for look in looks]
    rows = -(-len(handles) // columns)
    columns = -(-len(handles) // rows)  # as even as may be
    if handles:
        figure.set_figheight(figure.get_figheight() + 1.5 * rows * _size() / 72)
        figure.legend(handles=handles, loc="outside lower center", ncols=columns, handlelength=2.4)


def _size():
    from matplotlib import rcParams

    return rcParams["font.size"]


def _fit(panel, points):
    box = panel.get_window_extent()
    pixels = _size() * panel.figure.dpi / 72
    if GAP * pixels * len(points) > box.height or 0.62 * pixels * max(map(len, points), default=0) > box.width / 4:
        return False
    places = panel.transAxes.inverted().transform(panel.transData.transform(list(points.values())))[:, 0]
    return bool(np.all(places > 0.88))


def _beside(panel, label, point, colour):
    from steps.style import text_colour

    return panel.annotate(
        label,
        point,
        (12, 0),
        textcoords="offset points",
        va="center",
        color=text_colour(colour),
        arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 3},
        annotation_clip=False,
    )


def _place(panel, label, point, colour, taken, faint):
    """Return a label at one of eight places about a point that is clear of what is taken, or None."""
    from steps.style import text_colour

    best = None
    for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
        text = panel.annotate(
            label,
            point,
            (6 * x, (7 if not x else 5) * y),
            textcoords="offset points",
            ha=("right", "center", "left")[x + 1],
            va=("top", "center", "bottom")[y + 1],
            color=text_colour(colour),
        )
        box = text.get_window_extent()
        inside = panel.bbox.x0 <= box.x0 and box.x1 <= panel.bbox.x1 and panel.bbox.y0 <= box.y0
        inside = inside and box.y1 <= panel.bbox.y1
        hits = sum(box.overlaps(other) for other in faint)
        if not inside or any(box.overlaps(other) for other in taken) or (best and best[0] <= hits):
            text.remove()
            continue
        if best:
            best[1].remove()
        best = hits, text
    return best and best[1]


def _around(x, y, radius):
    from matplotlib.transforms import Bbox

    return Bbox.from_extents(x - radius, y - radius, x + radius, y + radius)
