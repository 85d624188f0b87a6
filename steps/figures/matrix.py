"""One image: values of the corruption parameter × methods, as in the paper's figure 5."""

import numpy as np

EACH = ("image",)
MOST = 8  # pictures side by side


def draw(scores):
    """Return a figure: a row for each corruption, a column for input and each method, PSNR under each picture; the truth.

    `scores` are the rows of one image; of several seeds the first is shown. More than eight columns are broken into
    blocks, one below the other. The highest PSNR of a row is bold.
    """
    import matplotlib.pyplot as plt

    from steps import corruptions, grid, pictures, style

    scores, varying, _ = corruptions.split(scores)
    scores = scores.drop_duplicates(["label", *varying])
    kinds = list(scores.drop_duplicates(varying or ["image"])["corruption"])  # one for each value, whatever the seed
    labels = list(dict.fromkeys(scores["label"]))
    truth = pictures.truth(scores.iloc[0])
    names = ["Input", *labels, "Truth"]
    blocks = -(-len(names) // MOST)
    columns = -(-len(names) // blocks)
    side = style.WIDTH / (columns + 0.15)
    heads = [style.wrapped(name, side, 7.5) for name in names]
    row_height = side * truth.shape[0] / truth.shape[1] + 0.15
    height = blocks * (len(kinds) * row_height + 0.13 * max(1 + head.count("\n") for head in heads))
    figure, panels = plt.subplots(
        blocks * len(kinds), columns, figsize=(style.WIDTH, height), squeeze=False, layout="constrained"
    )
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.01, hspace=0.01)
    for panel in panels.flat:
        panel.set_axis_off()
    for index, corruption in enumerate(kinds):
        parameters = grid.parse_parameters(corruption)
        parameters = {name: parameters[name] for name in varying if name in parameters}
        here = scores[[grid.parse_parameters(text).items() >= parameters.items() for text in scores["corruption"]]]
        best = here["psnr"].max()
        for place, name in enumerate(names):
            block, column = divmod(place, columns)
            panel = panels[block * len(kinds) + index, column]
            if index == 0:
                panel.set_title(heads[place], pad=2.5)
            if column == 0 and parameters:
                text = ", ".join(style.value(*pair) for pair in parameters.items())
                panel.text(-0.04, 0.5, text, rotation=90, ha="right", va="center", transform=panel.transAxes)
            if place == 0:
                _show(panel, pictures.measured, here.head(1), "input_psnr", None)
            elif place <= len(labels):
                _show(panel, pictures.recovered, here[here["label"] == name].head(1), "psnr", best)
            elif index == 0:
                pictures.show(panel, truth, heads[place])
    return figure


def _show(panel, read, rows, name, best):
    """Show the picture that `read` reads of the one row, its PSNR below it; "not run" if there is no row."""
    from steps import pictures, style

    if not len(rows):
        panel.text(0.5, 0.5, "not run", ha="center", va="center", transform=panel.transAxes, color="0.45")
        return
    row = rows.iloc[0]
    pictures.show(panel, read(row), panel.get_title())
    weight = "bold" if row[name] == best and np.isfinite(best) else "normal"
    text = style.decibels(row[name])
    panel.text(0.5, -0.03, text, ha="center", va="top", transform=panel.transAxes, fontsize=6.5, weight=weight)
