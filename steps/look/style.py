"""How all figures look: sizes of a journal's columns, one font, one colour and marker a method in every figure.

A figure of one method has the colours of all, for its variants.
"""

import itertools
import json
import textwrap
import zlib

from steps.base import discover
from steps.base.parameters import keywords, parse_parameters
from steps.base.text import brief

COLUMN, WIDTH = 3.5, 7.1  # inches: one and two columns of a journal page
# Of Okabe and Ito (2008), which everyone can tell apart; the prior and its hybrids have the warm ones.
COLOURS = ("#0072B2", "#009E73", "#56B4E9", "#000000", "#D55E00", "#E69F00", "#CC79A7")
SPARE_COLOURS, SPARE_MARKERS = ("#001878", "#900000", "#484848", "#786048"), "*pH<>"  # of methods that say no LOOK
INPUT = {"color": "0.45", "linestyle": (0, (4, 2)), "linewidth": 1, "label": "input"}
DETAIL = "#E69F00"  # the frame of what is enlarged
RC = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "0.9",
    "grid.linewidth": 0.5,
    **dict.fromkeys(("xtick.labelsize", "ytick.labelsize"), 6.5),
    **dict.fromkeys(("xtick.major.width", "ytick.major.width"), 0.6),
    **dict.fromkeys(("xtick.minor.width", "ytick.minor.width"), 0.4),
    "lines.linewidth": 1.2,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "figure.figsize": (COLUMN, 2.3),  # of a figure that says none
    "figure.dpi": 200,  # twice the 100 of a screen
    "savefig.dpi": 200,
    "pdf.fonttype": 42,  # TrueType, embedded: text stays text
}


def apply():
    """Return a context in which matplotlib draws to files in this style."""
    import matplotlib

    matplotlib.use("Agg")
    return matplotlib.rc_context(RC)


def look(method):
    """Return (colour, marker) of a method: its file's LOOK, else one by its name, so that none changes another's."""
    return getattr(discover.load("methods", method), "LOOK", spare(method))


def spare(method):
    """Return the (colour, marker) of a method whose file says none, by its name."""
    number = zlib.crc32(method.encode())
    colour, marker = number % len(SPARE_COLOURS), number // len(SPARE_COLOURS) % len(SPARE_MARKERS)
    return SPARE_COLOURS[colour], SPARE_MARKERS[marker]


def lines(scores):
    """Return {label: keyword arguments of plot} of the labels of scores, in their order.

    The first label of a method has its colour and marker, and a further method of that colour other dashes; further
    labels have them lighter or darker, with dashes and every second marker hollow: twelve that differ. If all are of
    one method, whose colour would tell nothing, they have the marker, and up to seven the colours of all.
    """
    of_one = scores["method"].nunique() == 1
    looks, counts, dashes = {}, {}, {}
    for label, method in scores.drop_duplicates("label")[["label", "method"]].itertuples(index=False):
        variant = counts[method] = counts.get(method, -1) + 1
        colour, marker = look(method)
        dash = dashes[colour] = dashes.get(colour, -1) + 1
        if of_one:
            colour = [colour, *(other for other in COLOURS if other != colour)][variant % len(COLOURS)]
        elif variant % 3:
            colour = mixed(colour, *((0, 0), (1, 0.4), (0, 0.45))[variant % 3])
        looks[label] = {
            "color": colour,
            "linestyle": ("-", (0, (4, 1.2)), (0, (1, 1)), (0, (5, 1, 1, 1)))[dash % 4],
            "marker": marker,
            "markersize": RC["lines.markersize"] * (1.6 if marker == "*" else 1),
            "markerfacecolor": "white" if variant % 2 else colour,
            "markeredgecolor": colour if variant % 2 else "white",
            "markeredgewidth": 0.9 if variant % 2 else 0.4,
            "label": label,
        }
    return looks


def mixed(colour, gray, share):
    """Return a colour with a share of a gray, 0 for black and 1 for white, mixed in."""
    from matplotlib.colors import to_hex, to_rgb

    return to_hex([(1 - share) * value + share * gray for value in to_rgb(colour)])


def text_colour(colour):
    """Return a line's colour, dark enough for text in it."""
    return mixed(colour, 0, 0.3)


def columns(panels):
    """Return how many of some panels stand side by side: three, of four two, and four where three leave one alone."""
    return 2 if panels == 4 else min(panels, 4 if panels % 3 == 1 else 3)


def grid(titles, height, stacked=1, across=None):
    """Return (figure, panels): for each title, `stacked` panels one below the other; a title None leaves a gap.

    A title has `height` inches; side by side are columns(across), of all unless it is said. All share their x-axis.
    """
    import matplotlib.pyplot as plt

    wide = columns(across or len(titles))
    rows = -(-len(titles) // wide)
    size = (COLUMN if wide == 1 else WIDTH, height * rows)
    figure, panels = plt.subplots(stacked * rows, wide, figsize=size, squeeze=False, sharex=True, layout="constrained")
    panels = panels.reshape(rows, stacked, wide).swapaxes(1, 2).reshape(-1, stacked)
    for group, title in itertools.zip_longest(panels, titles):
        if title is None:
            for panel in group:
                panel.remove()
        else:
            group[0].set_title(wrapped(title, size[0] / wide - 0.4, 7.5))
            group[-1].tick_params(labelbottom=True)  # also where the panel below is missing
    return figure, panels[: len(titles)]


def empty(panel, text):
    """Say in the middle of a panel why it is empty."""
    panel.set(yticks=[])
    panel.text(0.5, 0.5, text, transform=panel.transAxes, ha="center", va="center", color="0.4")


def value(name, number, task):
    """Return a task's parameter and its value as a reader would write them: "σ = 0.1", "blur = 4", "σ estimated".

    Of a noise what its module calls it: "Poisson noise". Of what a measurement does not have (None or NaN): "".
    """
    if number is None or number != number:
        return ""
    if name == "noise":
        return f"{getattr(discover.load('noises', number), 'LABEL', number)} noise"
    short, _ = symbol(name, task)
    return f"{short} estimated" if number == "estimate" else f"{short} = {brief(number)}"


def values(pairs, task):
    """Return (parameter, value) pairs of a task in words, those that a measurement has: "Poisson noise, peak = 30"."""
    return ", ".join(filter(None, (value(*pair, task) for pair in pairs)))


def panel_title(image, names, numbers, task):
    """Return the title of a panel: an image and the values of a task's parameters that vary: "house, σ = 0.1"."""
    return ", ".join(filter(None, [image, values(zip(names, numbers), task)]))


def literal(text):
    """Return text that matplotlib shows as it is: a dollar begins no formula."""
    return text.replace("$", r"\$")


def symbol(name, task):
    """Return (symbol, words of an axis) of a corruption's parameter: SYMBOLS of the task or a noise; else its name."""
    files = ("tasks", task), *(("noises", noise) for noise in discover.available("noises"))
    known = [getattr(discover.load(*file), "SYMBOLS", {}) for file in files]
    return next((symbols[name] for symbols in known if name in symbols), (name, name))


def said(task, noises, methods=()):
    """Return as JSON what files say of how figures show these methods and the parameters of this task and these noises.

    No number depends on it, see steps/run/sources.py; but figures are drawn anew when it changes.
    """
    adds = [discover.load("noises", noise).add for noise in noises]
    symbols = {name: symbol(name, task) for name in keywords(discover.load("tasks", task).Operator, *adds)}
    names = [value("noise", noise, task) for noise in noises]
    return json.dumps([symbols, names, {method: look(method) for method in methods}])


def wrapped(text, inches, size=7, lines=3):
    """Return text in lines that are about as wide as so many inches; cut with … after so many lines, never at " = "."""
    text, letters = text.replace(" = ", "\xa0=\xa0"), max(6, int(inches * 120 / size))  # a letter is 0.6 of size wide
    return "\n".join(textwrap.wrap(text, letters, max_lines=lines, placeholder=" …") or [text]).replace("\xa0", " ")


def log_scale(axis, low, high):
    """Give panel.xaxis or panel.yaxis a logarithmic scale with plain numbers, for values from low to high."""
    from matplotlib.ticker import LogLocator, NullFormatter

    getattr(axis.axes, f"set_{axis.axis_name}scale")("log")
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)) if high < 50 * low else LogLocator(numticks=6))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def heading(figure, row):
    """Write above all of a figure what it shows: the task, the image and the corruption of a row of scores."""
    settings = parse_parameters(row["corruption"])
    words = [
        value(name, number, row["task"]) + (f" as {row['noise_sigma']:.2g}" if number == "estimate" else "")
        for name, number in settings.items()
        if name not in ("seed", "clip")
    ]
    words += ["clipped to [0, 1]"] * (settings.get("clip") is True)
    words += [f"seed {seed}" for name, seed in settings.items() if name == "seed"]
    title = ", ".join([f"{row['task'].replace('_', ' ').capitalize()} of {row['image']}", *words])
    size = min(8, 0.95 * WIDTH * 72 / (0.6 * len(title)))  # in one line, however long the image's name
    figure.text(0.5, 1 - 0.05 / figure.get_figheight(), title, ha="center", va="top", fontsize=size)


def sentence(text):
    """Return a figure that has nothing to show but a sentence."""
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(COLUMN, 0.6))
    figure.text(0.5, 0.5, "\n".join(textwrap.wrap(text, 50)), ha="center", va="center", color="0.3")
    return figure


def place(figure, left, top, width, height):
    """Return new axes in a figure, placed in inches from its left and its top."""
    wide, high = figure.get_size_inches()
    return figure.add_axes((left / wide, 1 - (top + height) / high, width / wide, height / high))


def note(figure, text, size=6):
    """Write a note, if there is one, below all that a figure has, outside of it: `page` is what to save."""
    width, height = figure.get_size_inches()
    lines = textwrap.wrap(text, int(width * 72 / (0.57 * size)))
    at = (0.05 / width, (page(figure).y0 - 0.05) / height)
    if lines:
        figure.text(*at, "\n".join(lines), va="top", fontsize=size, color="0.3", in_layout=False)


def page(figure):
    """Return the part of the plane to save, in inches: the figure in its full width, and legend and notes below it."""
    from matplotlib.transforms import Bbox

    width, height = figure.get_size_inches()
    below = [artist for artist in (*figure.legends, *figure.texts) if not artist.get_in_layout()]
    low = [artist.get_window_extent().y0 / figure.dpi - 0.03 for artist in below]
    return Bbox.from_extents(0, min([0, *low]), width, height)
