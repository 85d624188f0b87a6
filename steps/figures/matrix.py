"""One image: values of the corruption parameter × methods, as in the paper's figure 5."""

from steps.look import pictures, style
from steps.tables import grouping
from steps.tables.columns import PSNR

CAPTION = """\
Recoveries of one image: a column for each method, a row for each corruption. **Look for** the strength of the
corruption at which a method lets go: edges that fray, details that are gone, noise that is left.
"""
EACH = ("image",)
MOST = 8  # pictures side by side
LEFT, GAP, LINE = 0.18, 0.03, 0.11  # inches: for the names of rows, between pictures, for a number below one


def draw(scores, metrics=(PSNR,)):
    """Return a figure: a row for each corruption, a column for input, methods and truth, metrics under each picture.

    `scores` are the rows of one image; of several seeds the first is shown. More than eight columns are broken into
    blocks, one below the other. The first two metrics are shown, the best of a row in bold.
    """
    import matplotlib.pyplot as plt

    scores, varying, _ = grouping.split(scores)
    every, scores = len(scores), scores.drop_duplicates(["label", *varying])
    kinds = list(scores.groupby(varying or ["image"], sort=False, dropna=False))  # a row each, whatever the seed
    labels = grouping.labels(scores)
    truth = pictures.truth(scores.iloc[0])
    names = ["Input", *labels, *(["Truth"] if truth is not None else [])]
    shape = pictures.measured(scores.iloc[0]).shape
    blocks = -(-len(names) // MOST)
    columns = -(-len(names) // blocks)
    side = (style.WIDTH - LEFT) / columns - GAP
    high = side * shape[0] / shape[1]
    heads = [style.wrapped(name, side, 7.5) for name in names]
    head = 0.04 + 0.13 * max(1 + head.count("\n") for head in heads)
    step = high + 0.06 + LINE * len(metrics[:2])
    block_step = head + len(kinds) * step
    figure = plt.figure(figsize=(style.WIDTH, blocks * block_step))
    for index, (values, here) in enumerate(kinds):
        best = {metric: metric.best(here[metric.name]) for metric in metrics[:2]}
        for place, name in enumerate(names):
            block, column = divmod(place, columns)
            if place > len(labels) and index:
                continue  # the truth stands once
            top = block * block_step + head + index * step
            panel = style.place(figure, LEFT + column * (side + GAP), top, side, high)
            panel.set_axis_off()
            if index == 0:
                panel.set_title(heads[place], pad=2.5)
            if column == 0 and varying:
                text = style.values(zip(varying, values), scores["task"].iloc[0])
                size = min(7, 72 * step / (0.6 * len(text)))
                side_text = {"rotation": 90, "ha": "right", "va": "center", "fontsize": size}
                middle = 0.5 - (step - high) / high / 2  # of the row, its numbers included
                panel.annotate(text, (0, middle), (-3, 0), "axes fraction", "offset points", **side_text)
            if place == 0:
                _show(panel, pictures.measured, here.head(1), dict.fromkeys(best), "input_")
            elif place <= len(labels):
                _show(panel, pictures.recovered, here[here["label"] == name].head(1), best)
            else:
                pictures.show(panel, truth, heads[place])
    style.note(figure, pictures.FIRST if len(scores) < every else "")
    return figure


def _show(panel, read, rows, best, prefix=""):
    """Show the picture that `read` reads of the one row, its numbers below it; "not run" if there is no row."""
    if not len(rows):
        panel.text(0.5, 0.5, "not run", ha="center", va="center", transform=panel.transAxes, color="0.45")
        return
    row = rows.iloc[0]
    pictures.show(panel, read(row), panel.get_title())
    for line, (metric, value) in enumerate(best.items()):
        number = row[f"{prefix}{metric.name}"]
        pictures.caption(panel, metric.text(number), metric.is_best(number, value), line)
