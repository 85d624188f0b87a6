"""One image, one corruption: truth, measurement and every recovery, with metrics, an enlarged detail and its error."""

from pathlib import Path

import numpy as np

from steps.look import maps, pictures, style
from steps.tables.columns import PSNR

CAPTION = """\
Input and every recovery of one image, in the same range of grays or colours, beside the truth where it is known. Below
each is the framed detail and, with a truth, the error. **Look for** what PSNR does not say: texture that is gone,
stairs in smooth parts, blotches, invented stripes, colours that run. Open the file at full size to judge.
"""
EACH = ("image", "corruption")
GAP = 0.04  # inches between pictures
BAR = 0.45  # inches that the scale of the errors needs below a picture
HIGHEST = 8  # inches of a picture; one that would be higher is drawn narrower


def draw(scores, metrics=(PSNR,)):
    """Return a figure of truth, input and recoveries; below each the same detail enlarged, and the error |x̂ − x|.

    `scores` are the rows of one image and corruption; of several seeds the first is shown. The detail is the part with
    the most edges, the error the mean over channels, of images that are not clipped, all on one scale, which ends where
    1 % of the recoveries' pixels are beyond. The first two metrics are shown, the best of each in bold. Without a
    truth, it, the metrics and the errors are left out; the detail, of the mean of the recoveries, has the place of
    both.
    """
    import matplotlib.pyplot as plt

    rows = scores.drop_duplicates("label")
    first = rows.iloc[0]
    truth = pictures.truth(first)
    errors = [] if truth is None else _errors(rows)
    recovered = [pictures.recovered(row) for _, row in rows.iterrows()]
    part = pictures.detail(np.mean(recovered, 0), (4, 2)) if truth is None else pictures.detail(truth)
    best = [(metric, metric.best(rows[metric.name])) for metric in metrics[:2]]
    shown = [("Truth", [], truth)] if truth is not None else []
    shown += [("Input", [(m.text(first[f"input_{m.name}"]), False) for m, _ in best], pictures.measured(first))]
    for (_, row), image in zip(rows.iterrows(), recovered):
        numbers = [(metric.text(row[metric.name]), metric.is_best(row[metric.name], value)) for metric, value in best]
        shown.append((row["label"], numbers, image))
    most = 0 if truth is None else np.quantile(errors[1:], 0.99)
    most = max(0.01, float(np.ceil(100 * most) / 100))
    columns, lines = arranged(len(shown))
    side = (style.WIDTH - GAP) / columns - GAP
    wide, high = side, side * recovered[0].shape[0] / recovered[0].shape[1]
    if high > HIGHEST:
        wide, high = side * HIGHEST / high, HIGHEST
    low = max((high - GAP) / 2, GAP)  # of a detail
    titles = [_titles(label, numbers, side) for label, numbers, _ in shown]
    tops = [0.2]
    for line in range(lines):
        head = 0.04 + 0.13 * max(_lines(title) for title in titles[line * columns :][:columns])
        tops[line] += head
        tops.append(tops[line] + high + max(low + 2 * GAP, BAR))
    figure = plt.figure(figsize=(style.WIDTH, tops.pop()))
    for index, ((*_, image), title) in enumerate(zip(shown, titles)):
        line, column = divmod(index, columns)
        left, top = GAP + column * (side + GAP) + (side - wide) / 2, tops[line]
        whole = style.place(figure, left, top, wide, high)
        (head, bold), *numbers = title
        pictures.show(whole, image, frame=part)
        whole.set_title(head, pad=12 if numbers else 2.5, weight="bold" if bold else "normal")
        for place, (text, bold) in enumerate(numbers):
            settings = {"ha": "center", "va": "bottom", "weight": "bold" if bold else "normal"}
            settings["fontsize"] = min(6.5, 72 * wide / 0.6 / sum(len(text) + 1 for text, _ in numbers))
            at = (place + 0.5) / len(numbers)
            whole.annotate(text, (at, 1), (0, 2.5), "axes fraction", "offset points", **settings)
        below = style.place(figure, left, top + high + GAP, wide if truth is None else (wide - GAP) / 2, low)
        pictures.show(below, pictures.cut(image, part), aspect="auto")
        pictures.frame(below, style.DETAIL)
        if index and truth is not None:
            beside = style.place(figure, left + (wide + GAP) / 2, top + high + GAP, (wide - GAP) / 2, low)
            colours = pictures.show(beside, errors[index - 1], cmap="inferno", vmin=0, vmax=most, aspect="auto")
    if truth is not None:
        bar = style.place(figure, GAP + side / 2 + 0.1, tops[0] + high + 0.25, side / 2 - 0.25, 0.07)
        figure.colorbar(colours, cax=bar, orientation="horizontal", extend="max", ticks=[0, most], format="{x:g}")
        bar.tick_params(labelsize=6, length=2, pad=1)
        bar.set_title("Error |x̂ − x|", fontsize=6, pad=2)
    style.heading(figure, first)
    style.note(figure, pictures.FIRST if len(rows) < len(scores) else "")
    return figure


def arranged(count):
    """Return (columns, lines) of so many pictures: at most four, from nine on five, stand side by side, or six.

    Up to 36 pictures the last line is at least half full: five are three and two.
    """
    for most in (4,) if count < 9 else (5, 4, 6):
        lines = -(-count // most)
        columns = -(-count // lines)
        if 2 * (columns * lines - count) <= columns:
            break
    return columns, lines


def _errors(rows):
    """Return [|x̂ − x|] of the input and of the rows' recoveries, of images that are not clipped, as PSNR is."""
    first, *_ = files = [Path(folder) for folder in rows["folder"]]
    shown = [first.parent.parent / "picture.npy", *(folder / "recovered.npy" for folder in files)]
    truth = pictures.read(f"results/images/{rows['image'].iloc[0]}.npy")
    return [maps.error_map(truth, pictures.read(path)) for path in shown]


def _lines(titles):
    return titles[0][0].count("\n") + 1 + bool(titles[1:])


def _titles(label, numbers, side):
    """Return [(text, whether bold)] of a picture: the label, and with it the number if it is one, else beside it."""
    head, known = style.wrapped(label, side, 7.5), [number for number in numbers if number[0]]
    if len(known) > 1:
        return [(head, False), *known]
    text, bold = known[0] if known else ("", False)
    line = f"{label}  {text}".strip()
    return [(line if len(line) * 0.6 * 7.5 / 72 < side else f"{head}\n{text}".strip(), bold)]
