"""One image, one corruption: the iterates of every iterative method, above curves of their PSNR and loss."""

import numpy as np

from steps.base import discover
from steps.base.errors import NothingToDraw
from steps.base.files import read_arrays
from steps.base.parameters import settings
from steps.figures import curves
from steps.look import labels, pictures, style
from steps.tables.columns import PSNR

CAPTION = """\
A strip of kept iterates for each method, above loss and, where the truth is known, PSNR against iterations. There the
star is the best iterate kept, which only who has the truth can choose. Where it is not what the method returned, the
method's marker is where its own rule stopped it. **Look for** the iteration from which noise appears, and for how far
marker and star lie apart: what is lost by not knowing the truth. Of a method that returns the mean of several fits, an
iterate is the mean of the present fit's and of those before it: where the next fit begins, it is worse for a while.
"""
EACH = ("image", "corruption")
CURVES = True
TRACES = True
FRAMES = 6  # iterates of a strip
LEFT, GAP = 0.3, 0.03  # inches: for the names of strips, between pictures


def draw(scores):
    """Return a figure: a strip of iterates for each method that has kept some, PSNR and loss against iterations below.

    A strip: the input, six kept iterates, evenly spread over the logarithm of iterations and the best among them, what
    the method returned, the truth. In the PSNR curves the method's own marker is where its rule stopped it, the star
    is the oracle: the kept iterate with the highest PSNR, which only who has the truth can choose. The loss is what a
    method reports, see `curves`, over its first. Without a truth there is no PSNR. `scores` are those of one image and
    corruption; of several seeds the first is shown. Raises NothingToDraw if no method has kept iterates.
    """
    import matplotlib.pyplot as plt

    rows = [row for _, row in scores.drop_duplicates("label").iterrows()]
    fits = [(row, curves.read(row["folder"]), read_arrays(f"{row['folder']}/trace.npz")) for row in rows]
    fits = [fit for fit in fits if len(fit[2]["iterations"]) > 1]
    if not fits:
        raise NothingToDraw("film_strip: none of the methods has kept iterates")
    truth = pictures.truth(rows[0])
    looks = style.lines(scores)
    side = (style.WIDTH - LEFT) / (FRAMES + 3) - GAP
    shape = pictures.measured(rows[0]).shape
    high = side * shape[0] / shape[1]
    step = 0.17 + high + 0.17
    strips = 0.2 + len(fits) * step
    figure = plt.figure(figsize=(style.WIDTH, strips + 2.9))
    for line, (row, curve, trace) in enumerate(fits):
        top = 0.2 + line * step + 0.17
        panels = [style.place(figure, LEFT + i * (side + GAP), top, side, high) for i in range(FRAMES + 3)]
        if line == 0:
            pictures.show(panels[0], pictures.measured(row), "Input")
            pictures.caption(panels[0], PSNR.text(row["input_psnr"]))
        if line == 0 and truth is not None:
            pictures.show(panels[-1], truth, "Truth")
        _draw_strip(panels[1:-1], row, curve, trace, looks[row["label"]])
        for panel in panels:
            if not panel.images:
                panel.remove()
        name = style.wrapped(row["label"], step, lines=2)
        middle = 1 - (top + high / 2) / figure.get_figheight()
        figure.text(0.02 / style.WIDTH, middle, name, rotation=90, ha="left", va="center")
    size = (style.WIDTH - 0.75, 1.15)
    above, below = (style.place(figure, 0.65, strips + down, *size) for down in (0.1, 0.1 + 1.15 + 0.1))
    _draw_curves(figure, (above, below), fits, looks)
    style.heading(figure, rows[0])
    rules = dict.fromkeys(f"{row['label']}, {stop(row, len(trace['losses']))[1]}" for row, _, trace in fits)
    notes = [f"Framed: what the method returns, by its own rule, without the truth: {'; '.join(rules)}."]
    if truth is not None:
        notes.append(
            "Oracle, the star: the iterate of the highest PSNR; choosing it takes the truth, which no method has."
        )
    if np.isfinite(rows[0]["input_psnr"]):
        notes.append("Dashed: the input.")
    notes += curves.several_fits(scores)
    notes += [pictures.FIRST] if len(rows) < len(scores) else []
    style.note(figure, " ".join(notes))
    return figure


def stop(row, made):
    """Return (iteration, words): the iteration whose estimate a method returned, None if unknown, and by what rule.

    `made` is how many iterations it made. A moving variance (prior/stopping.py) that has stopped returns that of
    `patience` iterations ago; one that has not, an estimate that is not known by its number. Nor is it with
    `discrepancy`, too, since either may have stopped it, with `fits`, whose mean is returned, and with `backtrack`,
    which may return an earlier one.
    """
    said = settings(discover.load("methods", row["method"]).recover, row["params"])
    fits = said.get("fits", 1)
    early = made < fits * (said.get("iterations") or made)  # None: a number that depends on the task
    if said.get("window") and said.get("discrepancy") and early:
        return None, "least moving variance or discrepancy principle"
    if said.get("window"):
        return made - said["patience"] if early and fits == 1 else None, "least moving variance"
    if early:
        return made, "discrepancy principle" if said.get("discrepancy") else "early"
    if said.get("backtrack"):
        return None, f"after its {made} iterations, unless the last hundred made it worse"
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


def _draw_strip(panels, row, curve, trace, look):
    best = int(curve.loc[curve["psnr"].idxmax(), "iteration"]) if curve["psnr"].notna().any() else None
    returned, _ = stop(row, len(trace["losses"]))
    kept = [int(iteration) for iteration in trace["iterations"]]
    shown = frames(kept, best, returned)
    for panel, iteration in zip(panels, shown):
        place = kept.index(iteration)
        title = f"★ {iteration}" if iteration == best else f"{iteration}"
        pictures.show(panel, pictures.display(trace["estimates"][place].astype(np.float32)), title)
        pictures.caption(panel, PSNR.text(curve["psnr"].iloc[place]), iteration == best)
    last = panels[len(shown)]
    title = "Returned" if returned is None else f"Stopped {returned}"
    pictures.show(last, pictures.recovered(row), f"★ {title}" if returned == best else title)
    pictures.caption(last, PSNR.text(row["psnr"]), returned == best)
    pictures.frame(last, look["color"], 1.5)
    last.title.set_color(style.text_colour(look["color"]))


def _draw_curves(figure, panels, fits, looks):
    """Draw PSNR and loss of every fit, and where it stopped and was best in the PSNR."""
    above, below = panels
    marked, points, losses = {}, {}, []
    for row, curve, trace in fits:
        look = looks[row["label"]] | {"marker": None}
        above.plot(curve["iteration"], curve["psnr"], **look)
        shown = np.unique(np.geomspace(1, len(trace["losses"]), 400).round().astype(int))
        relative = trace["losses"] / (trace["losses"][0] or 1)  # methods' losses have different units
        below.plot(shown, relative[shown - 1], **look)
        losses += [loss for loss in relative if loss > 0]
        iteration, _ = stop(row, len(trace["losses"]))
        if np.isnan(row["psnr"]):
            continue
        best = curve.loc[curve["psnr"].idxmax()]
        same = bool(best["iteration"] == iteration and abs(best["psnr"] - row["psnr"]) < 0.005)  # one mark, the star
        if not same:
            name = f"{row['label']}: stopped {PSNR.text(row['psnr'])}"
            points[name] = (iteration or len(trace["losses"]), row["psnr"])
            marked[name] = looks[row["label"]] | {"linestyle": "", "markersize": 7, "label": name}
        oracle = row["psnr"] if same else best["psnr"]  # kept iterates are rounded
        name = f"{row['label']}: {'stopped, ' * same}oracle {PSNR.text(oracle)}"
        marked[name] = {"color": look["color"], "marker": "*", "linestyle": "", "markersize": 10, "label": name}
        marked[name] |= {"markeredgecolor": "black", "markeredgewidth": 0.5, "zorder": 3}
        points[name] = (best["iteration"], best["psnr"])
    for name, point in points.items():
        above.plot(*point, **marked[name])
    first = fits[0][0]
    if np.isfinite(first["input_psnr"]):
        above.axhline(first["input_psnr"], **style.INPUT)
    above.set_ylabel("PSNR [dB]")
    below.set(xlabel="Iteration", ylabel="Loss / first loss")
    above.tick_params(labelbottom=False)
    most = max(len(trace["losses"]) for *_, trace in fits)
    for panel in panels:
        style.log_scale(panel.xaxis, 1, max(10, most))
        panel.set_xlim(0.9, 1.15 * most)
        panel.margins(y=0.15)
    if losses:
        style.log_scale(below.yaxis, min(losses), max(losses))
    if not points:
        style.empty(above, "no truth")
        return labels.below(figure, {row["label"]: looks[row["label"]] | {"marker": None} for row, *_ in fits})
    return labels.beside(figure, [(above, points, [])], marked)
