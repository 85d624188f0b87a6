"""Labels in figures: at the ends of lines or beside points where they fit, else one legend below."""

import numpy as np

from steps.look import style

GAP = 1.25  # height of a line of text in font sizes


def at_ends(figure, ends, looks):
    """Write each line's label at its right end; if they do not fit, put one legend below the figure.

    ends   [(panel, {label: (x, y)})], the last point of every line; looks {label: keyword arguments of its plot}.
    They fit if lines end at the right of their panel, no label is wider than a quarter of it, and all are not higher.
    """
    figure.draw_without_rendering()
    if not all(_fit(panel, points) for panel, points in ends):
        return below(figure, looks)
    notes = [
        [_beside(panel, label, point, looks[label]["color"]) for label, point in points.items()]
        for panel, points in ends
    ]
    figure.draw_without_rendering()  # the panels give way, and their ticks to that
    figure.draw_without_rendering()
    points_per_pixel = 72 / figure.dpi
    for (panel, points), texts in zip(ends, notes):
        heights = _pixels(panel, points)[:, 1]
        gap = GAP * _size() / points_per_pixel
        placed = spread(heights, gap, panel.bbox.y0, panel.bbox.y1)
        for text, shift in zip(texts, (placed - heights) * points_per_pixel):
            text.set_position((text.get_position()[0], shift))
    figure.set_layout_engine("none")


def spread(wanted, gap, low, high):
    """Return heights next to those wanted (least squares), in the same order, `gap` apart and in [low, high]."""
    from scipy.optimize import isotonic_regression

    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(wanted))
    placed = np.empty(len(wanted))
    placed[order] = np.clip(isotonic_regression(np.asarray(wanted)[order] - steps).x, low, high - steps[-1]) + steps
    return placed


def beside(figure, panels, looks, extra=()):
    """Write labels beside points, where no line of their panel runs through them; else one legend below the figure.

    panels  [(panel, {label: (x, y)}, faint)]: faint are further points, which labels keep clear of where they can.
    extra   more looks of the legend.
    """
    figure.draw_without_rendering()
    written = []
    for panel, points, faint in panels:
        taken = [panel.transData.transform(point) for point in points.values()]
        taken = [_around(*point, 5 * figure.dpi / 72) for point in taken]
        faint = panel.transData.transform(np.reshape(faint, (-1, 2)))
        faint = [_around(*point, 2 * figure.dpi / 72) for point in faint]
        lines = [path for line in panel.get_lines() if (path := drawn(line)) is not None]
        for label, point in points.items():
            text = _place(panel, label, point, looks[label]["color"], taken, faint, lines)
            if text is None:
                for one in written:
                    one.remove()
                return below(figure, looks | dict(extra))
            written.append(text)
            taken.append(text.get_window_extent())


def below(figure, looks):
    """Put a legend of looks below a figure, outside of it (`style.page`), in as many columns as have room."""
    from matplotlib.lines import Line2D

    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    place = (0.5, (style.page(figure).y0 - 0.03) / figure.get_figheight())
    handles = [Line2D([], [], **look) for look in looks.values()]
    for most in range(min(6, len(handles)), 0, -1):
        columns = -(-len(handles) // -(-len(handles) // most))  # seven are four and three, not six and one
        legend = figure.legend(
            handles=handles, loc="upper center", bbox_to_anchor=place, ncols=columns, handlelength=2.6
        )
        legend.set_in_layout(False)
        if columns == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()


def drawn(line):
    """Return the path of a line in pixels, None if it has none but its points."""
    if line.get_linestyle() == "None" or len(line.get_xydata()) < 2:
        return None
    return line.get_transform().transform_path(line.get_path())


def _size():
    from matplotlib import rcParams

    return rcParams["font.size"]


def _fit(panel, points):
    box = panel.get_window_extent()
    pixels = _size() * panel.figure.dpi / 72
    if GAP * pixels * len(points) > box.height or 0.62 * pixels * max(map(len, points), default=0) > box.width / 4:
        return False
    places = panel.transAxes.inverted().transform(_pixels(panel, points))[:, 0]
    return bool(np.all(places > 0.88))


def _pixels(panel, points):
    """Return where the points {label: (x, y)} are in the figure, (n, 2) in pixels; x may be a category."""
    values = [(panel.convert_xunits(x), panel.convert_yunits(y)) for x, y in points.values()]
    return panel.transData.transform(np.array(values, dtype=float).reshape(-1, 2))


def _beside(panel, label, point, colour):
    line = {"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 3, "relpos": (0, 0.5)}
    settings = {"va": "center", "color": style.text_colour(colour), "arrowprops": line, "annotation_clip": False}
    return panel.annotate(label, point, (12, 0), textcoords="offset points", **settings)


def _place(panel, label, point, colour, taken, faint, lines):
    """Return a label at one of eight places about a point that is clear of what is taken and of lines, or None."""
    from matplotlib.patheffects import withStroke

    settings = {"textcoords": "offset points", "color": style.text_colour(colour)}
    settings["path_effects"] = [withStroke(linewidth=2, foreground="white")]  # legible on the grid
    best = None
    for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
        at = {"ha": ("right", "center", "left")[x + 1], "va": ("top", "center", "bottom")[y + 1]}
        text = panel.annotate(label, point, (6 * x, (5 if x else 7) * y), **settings, **at)
        box = text.get_window_extent()
        inside = panel.bbox.x0 <= box.x0 and box.x1 <= panel.bbox.x1 and panel.bbox.y0 <= box.y0
        inside = inside and box.y1 <= panel.bbox.y1
        hits = sum(box.overlaps(other) for other in faint)
        struck = any(path.intersects_bbox(box, filled=False) for path in lines)
        if not inside or struck or any(box.overlaps(other) for other in taken) or (best and best[0] <= hits):
            text.remove()
            continue
        if best:
            best[1].remove()
        best = hits, text
    return best and best[1]


def _around(x, y, radius):
    from matplotlib.transforms import Bbox

    return Bbox.from_extents(x - radius, y - radius, x + radius, y + radius)
