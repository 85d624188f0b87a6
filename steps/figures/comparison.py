"""One image, one corruption: truth, measurement and every recovery, with PSNR and an enlarged detail."""

EACH = ("image", "corruption")


def draw(scores):
    """Return a figure of truth, measurement and recoveries, titled with PSNR, the detail with the most edges enlarged.

    `scores` are the rows of one image and corruption; of several seeds the first is shown.
    """
    import matplotlib.pyplot as plt

    from steps import grid, pictures, style

    rows = scores.drop_duplicates("label")
    first = rows.iloc[0]
    truth = pictures.truth(first)
    zoom = pictures.detail(truth)
    shown = [("Truth", truth), (f"Input  {first['input_psnr']:.2f} dB", pictures.measured(first))]
    shown += [(f"{row['label']}  {row['psnr']:.2f} dB", pictures.recovered(row)) for _, row in rows.iterrows()]
    columns = 4 if len(shown) > 6 else min(3, len(shown))
    lines = -(-len(shown) // columns)
    height, width = truth.shape[:2]
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
        style.value(k, v) for k, v in grid.parse_parameters(first["corruption"]).items() if k not in ("seed", "clip")
    )
    figure.suptitle(f"{first['task'].replace('_', ' ').capitalize()} of {first['image']}, {settings}", fontsize=9)
    return figure
