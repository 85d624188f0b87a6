"""One image, one corruption: truth, measurement and every recovery, with PSNR and an enlarged detail."""

EACH = ("image", "corruption")


def draw(scores):
    """Return a figure of truth, measurement and recoveries, titled with PSNR, the detail with the most edges enlarged.

    Without a truth, it and the PSNR are left out, and the detail is that of the mean of the recoveries. `scores` are
    the rows of one image and corruption; of several seeds the first is shown.
    """
    import matplotlib.pyplot as plt
    import numpy as np

    from steps import grid, pictures, style

    rows = scores.drop_duplicates("label")
    first = rows.iloc[0]
    truth = pictures.truth(first)
    recovered = [pictures.recovered(row) for _, row in rows.iterrows()]
    zoom = pictures.detail(np.mean(recovered, 0) if truth is None else truth)
    shown = [("Truth", truth)] if truth is not None else []
    shown += [(pictures.title("Input", first["input_psnr"]), pictures.measured(first))]
    shown += [(pictures.title(*named), image) for named, image in zip(zip(rows["label"], rows["psnr"]), recovered)]
    columns = 4 if len(shown) > 6 else min(3, len(shown))
    lines = -(-len(shown) // columns)
    height, width = recovered[0].shape[:2]
    side = style.WIDTH / columns
    figure, panels = plt.subplots(
        lines,
        columns,
        figsize=(style.WIDTH, lines * (side * height / width + 0.25)),
        squeeze=False,
        layout="constrained",
    )
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    for panel, (title, image) in zip(panels.flat, shown):
        pictures.show(panel, image, title, zoom)
    for panel in panels.flat[len(shown) :]:
        panel.remove()
    settings = ", ".join(
        style.value(k, v) + (f" as {first['noise_sigma']:.2g}" if v == "estimate" else "")
        for k, v in grid.parse_parameters(first["corruption"]).items()
        if k not in ("seed", "clip")
    )
    figure.suptitle(f"{first['task'].replace('_', ' ').capitalize()} of {first['image']}, {settings}", fontsize=9)
    return figure
