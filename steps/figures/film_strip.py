"""One image, one corruption: the iterates of every iterative method above their PSNR and loss, as far as it went."""

import numpy as np

EACH = ("image", "corruption")
CURVES = True
TRACES = True
FRAMES = 6  # iterates of a strip


def draw(scores):
    """Return a figure: a strip of iterates for each method that has kept some, PSNR and loss against iterations below.

    A strip: the input, six kept iterates, evenly spread over the logarithm of iterations and the best among them, what
    the method returned, the truth. In the PSNR curves the method's own marker is where its rule stopped it, and the star
    is the oracle: the kept iterate with the highest PSNR, which only who has the truth can choose. The loss is what a
    method reports, see `curves`. `scores` are the rows of one image and corruption; of several seeds the first is shown.
    Raises BadInput if no method has kept iterates.
    """
    import matplotlib.pyplot as plt

    from steps import grid, pictures, style

    rows = [row for _, row in scores.drop_duplicates("label").iterrows()]
    fits = [(row, *_read(row["folder"])) for row in rows]
    fits = [fit for fit in fits if len(fit[1]) > 1]
    if not fits:
        from steps.errors import BadInput

        raise BadInput("film_strip: none of the methods has kept iterates")
    truth = pictures.truth(rows[0])
    looks = style.lines(scores)
    side = style.WIDTH / (FRAMES + 3.3)
    strips = len(fits) * (side * truth.shape[0] / truth.shape[1] + 0.33)
    figure = plt.figure(figsize=(style.WIDTH, strips + 2.9), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[strips + 0.25, 2.65])
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.02, wspace=0.01, hspace=0.01)
    panels = above.subplots(len(fits), FRAMES + 3, squeeze=False)
    for panel in panels.flat:
        panel.set_axis_off()
    pictures.show(panels[0, 0], pictures.measured(rows[0]), "Input")
    _caption(panels[0, 0], rows[0]["input_psnr"])
    pictures.show(panels[0, -1], truth, "Truth")
    for line, (row, curve, trace) in zip(panels, fits):
        _draw_strip(line[1:-1], row, curve, trace, looks[row["label"]])
        name = style.wrapped(row["label"], side, lines=4)
        if line is panels[0]:
            line[1].text(-0.05, 0.5, name, rotation=90, ha="right", va="center", transform=line[1].transAxes)
        else:
            line[0].text(1, 0.5, name, ha="right", va="center", transform=line[0].transAxes)
    _draw_curves(figure, below.subplots(2, 1, sharex=True), fits, looks)
    settings = ", ".join(
        style.value(k, v) for k, v in grid.parse_parameters(rows[0]["corruption"]).items() if k not in ("seed", "clip")
    )
    above.suptitle(f"{rows[0]['task'].replace('_', ' ').capitalize()} of {rows[0]['image']}, {settings}")
    style.note(
        figure,
        "Stopped: what the method returns, by its own rule, without the truth: "
        + "; ".join(dict.fromkeys(f"{row['label']}, {stop(row, len(trace['losses']))[1]}" for row, _, trace in fits))
        + ". Oracle, the star: the kept iterate with the highest PSNR; choosing it takes the truth, which no method sees.",
    )
    return figure


def stop(row, made):
    """Return (iteration, words): the iteration whose estimate a method returned, None if unknown, and by what rule.

    `made` is how many iterations it made. A moving variance (steps/stopping.py) that has stopped returns the estimate of
    `patience` iterations ago; one that has not, an estimate that is not known by its number.
    """
    from steps import discover, grid

    signature = grid.signature(discover.load("methods", row["method"]).recover)
    settings = {name: parameter.default for name, parameter in signature.items()} | grid.parse_parameters(row["params"])
    early = made < settings.get("iterations", made)
    if settings.get("window"):
        return (made - settings["patience"], "least moving variance") if early else (None, "least moving variance")
    if early:
        return made, "discrepancy principle" if settings.get("discrepancy") else "early"
    return made, f"after its {made} iterations"


def frames(iterations, best, returned, count=FRAMES):
    """Return at most `count` of the kept iterations, evenly spread in their logarithm, the best among them.

    The iteration that was returned is left out unless nothing else is left: it has its own place.
    """
    others = [iteration for iteration in iterations if iteration != returned] or list(iterations)
    logs = np.log(others)
    wanted = np.linspace(logs[0], logs[-1], count)
    chosen = {others[int(np.argmin(abs(logs - log)))] for log in wanted}
    if best in others and best not in chosen:
        chosen.remove(min(chosen, key=lambda iteration: abs(np.log(iteration / best))))
        chosen.add(best)
    return sorted(chosen)


def _read(folder):
    from steps.figures.curves import read
    from steps.files import read_arrays

    return read(folder), read_arrays(f"{folder}/trace.npz")


def _draw_strip(panels, row, curve, trace, look):
    from steps import pictures, style

    best = int(curve.loc[curve["psnr"].idxmax(), "iteration"]) if curve["psnr"].notna().any() else None
    returned, _ = stop(row, len(trace["losses"]))
    kept = [int(iteration) for iteration in trace["iterations"]]
    for panel, iteration in zip(panels, frames(kept, best, returned)):
        place = kept.index(iteration)
        title = f"★ {iteration}" if iteration == best else f"{iteration}"
        pictures.show(panel, pictures.display(trace["estimates"][place].astype(np.float32)), title)
        _caption(panel, curve["psnr"].iloc[place], "bold" if iteration == best else "normal")
    title = "Returned" if returned is None else f"Stopped {returned}"
    pictures.show(panels[-1], pictures.recovered(row), title)
    _caption(panels[-1], row["psnr"])
    panels[-1].set_axis_on()
    panels[-1].set(xticks=[], yticks=[])
    panels[-1].grid(False)
    panels[-1].spines[:].set(visible=True, color=look["color"], linewidth=1.5)
    panels[-1].title.set_color(style.text_colour(look["color"]))


def _caption(panel, psnr, weight="normal"):
    from steps import style

    text = style.decibels(psnr)
    panel.text(0.5, -0.04, text, ha="center", va="top", transform=panel.transAxes, fontsize=6.5, weight=weight)


def _draw_curves(figure, panels, fits, looks):
    """Draw PSNR and loss of every fit, and where it stopped and was best in the PSNR."""
    from steps import labels, style

    above, below = panels
    marked, points, losses = {}, {}, []
    for row, curve, trace in fits:
        look = looks[row["label"]] | {"marker": None}
        above.plot(curve["iteration"], curve["psnr"], **look)
        shown = np.unique(np.geomspace(1, len(trace["losses"]), 400).round().astype(int))
        below.plot(shown, trace["losses"][shown - 1], **look)
        losses += [loss for loss in trace["losses"] if loss > 0]
        iteration, _ = stop(row, len(trace["losses"]))
        name = f"{row['label']}: stopped {style.decibels(row['psnr'])}"
        marked[name] = looks[row["label"]] | {"linestyle": "", "markersize": 7, "label": name}
        points[name] = (iteration or len(trace["losses"]), row["psnr"])
        if curve["psnr"].notna().any():
            best = curve.loc[curve["psnr"].idxmax()]
            name = f"{row['label']}: oracle {style.decibels(best['psnr'])}"
            marked[name] = {"color": look["color"], "marker": "*", "linestyle": "", "markersize": 10, "label": name}
            marked[name] |= {"markeredgecolor": "black", "markeredgewidth": 0.5, "zorder": 3}
            points[name] = (best["iteration"], best["psnr"])
    for name, point in points.items():
        above.plot(*point, **marked[name])
    first = fits[0][0]
    if np.isfinite(first["input_psnr"]):
        above.axhline(first["input_psnr"], **style.INPUT)
    above.set_ylabel("PSNR [dB]")
    below.set(xlabel="Iteration", ylabel="Loss")
    most = max(len(trace["losses"]) for *_, trace in fits)
    for panel in panels:
        style.log_scale(panel.xaxis, 1, max(10, most))
        panel.margins(y=0.15)
    if losses:
        style.log_scale(below.yaxis, min(losses), max(losses))
    curves = np.concatenate([curve[["iteration", "psnr"]].to_numpy() for _, curve, _ in fits])
    labels.beside(figure, [(above, points, curves)], marked)
