"""One image: values of the corruption parameter × methods, as in the paper's figure 5."""

EACH = ("image",)
MOST = 8  # pictures side by side
LEFT, GAP, BELOW = 0.18, 0.03, 0.17  # inches: for the names of rows, between pictures, for the PSNR below one


def draw(scores):
    """Return a figure: a row for each corruption, a column for input, methods and truth, PSNR under each picture.

    `scores` are the rows of one image; of several seeds the first is shown. More than eight columns are broken into
    blocks, one below the other. The highest PSNR of a row is bold.
    """
    import matplotlib.pyplot as plt

    from steps.look import pictures, style
    from steps.tables import grouping

    scores, varying, _ = grouping.split(scores)
    scores = scores.drop_duplicates(["label", *varying])
    kinds = list(scores.groupby(varying or ["image"], sort=False, dropna=False))  # a row each, whatever the seed
    labels = list(dict.fromkeys(scores["label"]))
    truth = pictures.truth(scores.iloc[0])
    names = ["Input", *labels, *(["Truth"] if truth is not None else [])]
    shape = pictures.measured(scores.iloc[0]).shape
    blocks = -(-len(names) // MOST)
    columns = -(-len(names) // blocks)
    side = (style.WIDTH - LEFT) / columns - GAP
    high = side * shape[0] / shape[1]
    heads = [style.wrapped(name, side, 7.5) for name in names]
    head = 0.04 + 0.13 * max(1 + head.count("\n") for head in heads)
    step, block_step = high + BELOW, head + len(kinds) * (high + BELOW)
    figure = plt.figure(figsize=(style.WIDTH, blocks * block_step))
    for index, (values, here) in enumerate(kinds):
        best = here["psnr"].max()
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
                text = style.values(zip(varying, values))
                side_text = {"rotation": 90, "ha": "right", "va": "center", "fontsize": 7}
                panel.annotate(text, (0, 0.5), (-3, 0), "axes fraction", "offset points", **side_text)
            if place == 0:
                _show(panel, pictures.measured, here.head(1), "input_psnr", None)
            elif place <= len(labels):
                _show(panel, pictures.recovered, here[here["label"] == name].head(1), "psnr", best)
            else:
                pictures.show(panel, truth, heads[place])
    return figure


def _show(panel, read, rows, name, best):
    """Show the picture that `read` reads of the one row, its PSNR below it; "not run" if there is no row."""
    from steps.look import pictures

    if not len(rows):
        panel.text(0.5, 0.5, "not run", ha="center", va="center", transform=panel.transAxes, color="0.45")
        return
    row = rows.iloc[0]
    pictures.show(panel, read(row), panel.get_title())
    pictures.caption(panel, row[name], best is not None and row[name] == best)
