"""One image, one corruption: truth, measurement and every recovery, each with PSNR, an enlarged detail and its error."""

import numpy as np

EACH = ("image", "corruption")


def draw(scores):
    """Return a figure of truth, input and recoveries; below each the same detail enlarged, and the error |x̂ − x|.

    `scores` are the rows of one image and corruption; of several seeds the first is shown. The detail is the part with
    the most edges, the error the mean over channels, all on one scale, which ends where 1 % of the recoveries' pixels
    are beyond. The highest PSNR is bold.
    """
    import matplotlib.pyplot as plt

    from steps import grid, pictures, style

    rows = scores.drop_duplicates("label")
    first = rows.iloc[0]
    truth = pictures.truth(first)
    part = pictures.detail(truth)
    shown = [("Truth", np.nan, truth), ("Input", first["input_psnr"], pictures.measured(first))]
    shown += [(row["label"], row["psnr"], pictures.recovered(row)) for _, row in rows.iterrows()]
    errors = [_error(image, truth) for *_, image in shown]
    most = max(0.01, float(np.ceil(100 * np.quantile(errors[2:], 0.99)) / 100))
    best = np.nanmax(rows["psnr"]) if np.isfinite(rows["psnr"]).any() else None
    columns = len(shown) if len(shown) < 4 else 4 if len(shown) < 9 else 5
    lines = -(-len(shown) // columns)
    height, width = truth.shape[:2]
    side = style.WIDTH / columns
    titles = [_title(label, psnr, side) for label, psnr, _ in shown]
    head = 0.14 * max(title.count("\n") + 1 for title in titles)
    size = (style.WIDTH, 0.25 + lines * (1.5 * side * height / width + head + 0.05))
    figure = plt.figure(figsize=size, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.01, hspace=0.01)
    cells = figure.add_gridspec(lines, columns)
    for index, ((_, psnr, image), title, error) in enumerate(zip(shown, titles, errors)):
        cell = cells[divmod(index, columns)].subgridspec(2, 2, height_ratios=[2, 1])
        whole, below, beside = (figure.add_subplot(place) for place in (cell[0, :], cell[1, 0], cell[1, 1]))
        pictures.show(whole, image, frame=part)
        whole.set_title(title, pad=2.5, weight="bold" if index > 1 and psnr == best else "normal")
        pictures.show(below, pictures.cut(image, part))
        below.set_axis_on()
        below.set(xticks=[], yticks=[])
        below.grid(False)
        below.spines[:].set(visible=True, color=style.DETAIL, linewidth=0.8)
        if index:
            colours = pictures.show(beside, error, cmap="magma", vmin=0, vmax=most)
        else:
            beside.set_axis_off()
            scale = beside
    bar = scale.inset_axes((0.05, 0.45, 0.9, 0.12))
    figure.colorbar(colours, cax=bar, orientation="horizontal", extend="max", ticks=[0, most])
    bar.tick_params(labelsize=6, length=2, pad=1)
    bar.set_title("Error |x̂ − x|", fontsize=6, pad=2)
    settings = ", ".join(
        style.value(k, v) for k, v in grid.parse_parameters(first["corruption"]).items() if k not in ("seed", "clip")
    )
    figure.suptitle(f"{first['task'].replace('_', ' ').capitalize()} of {first['image']}, {settings}")
    return figure


def _error(image, truth):
    error = np.abs(image - truth)
    return error if error.ndim == 2 else error.mean(-1)


def _title(label, psnr, side):
    from steps import style

    known = style.decibels(psnr)
    line = f"{label}  {known}".strip()
    return line if len(line) * 0.6 * 7.5 / 72 < side else f"{style.wrapped(label, side, 7.5)}\n{known}".strip()
