"""PSNR against seconds: what each method costs and what it gives, a panel for each image."""

EACH = ()
TRUTH = True
COLUMNS = 3


def draw(scores):
    """Return a figure: the gain over the input in dB, against the seconds of solving, in logarithmic scale.

    A faint point is one corruption (mean over seeds), the large one is the median over corruptions of both. Where the
    input is no image that PSNR is meaningful for, as in compressed measurements, it is the back-projection's.
    """
    import matplotlib.pyplot as plt

    from steps import corruptions, style

    scores, varying, _ = corruptions.split(scores[scores["psnr"].notna()])
    scores = scores.assign(gain=scores["psnr"] - scores["input_psnr"], seconds=scores["seconds"].clip(lower=1e-3))
    images = list(dict.fromkeys(scores["image"]))
    columns = min(COLUMNS, len(images))
    lines = -(-len(images) // columns)
    size = (min(style.WIDTH, 3.4 * columns), 2.8 * lines)
    figure, panels = plt.subplots(lines, columns, figsize=size, squeeze=False, sharex=True, layout="constrained")
    for panel, image in zip(panels.flat, images):
        here = scores[scores["image"] == image]
        for label, look in style.lines(dict.fromkeys(scores["label"])).items():
            points = here[here["label"] == label].groupby(["image", *varying], dropna=False)[["seconds", "gain"]].mean()
            look = look | {"linestyle": ""}
            panel.plot(points["seconds"], points["gain"], **look | {"alpha": 0.35, "markersize": 3, "label": None})
            if len(points):
                panel.plot(points["seconds"].median(), points["gain"].median(), **look | {"markersize": 7})
        panel.axhline(0, **style.INPUT)
        panel.set_title(image)
        panel.set_xscale("log")
        panel.tick_params(labelbottom=True)  # also where the panel below is missing
        panel.set_xlabel("Seconds")
    for panel in panels[:, 0]:
        panel.set_ylabel("PSNR gain over the input [dB]")
    for panel in panels.flat[len(images) :]:
        panel.remove()
    handles = {}
    for panel in panels.flat[: len(images)]:
        handles |= dict(zip(*reversed(panel.get_legend_handles_labels())))
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=min(3 * columns, 5, len(handles)))
    return figure
