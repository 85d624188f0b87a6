"""How all figures look: one font, one palette that colour-blind readers can tell apart, embedded fonts."""

PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933", "#882255", "#44AA99"]
MARKERS = "osD^vP*X<>"
INPUT = {"color": "0.55", "linestyle": "--", "label": "input"}
WIDTH = 6.9  # inches, two columns of a journal page
RC = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "0.9",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.dpi": 200,
    "savefig.dpi": 200,
    "savefig.bbox": "tight",
    "pdf.fonttype": 42,
}


def apply():
    """Return a context in which matplotlib draws to files in this style."""
    import matplotlib

    matplotlib.use("Agg")
    return matplotlib.rc_context(RC)


def lines(labels):
    """Return {label: keyword arguments of plot}: one colour and marker for each label, in their order."""
    return {
        label: {"color": PALETTE[i % len(PALETTE)], "marker": MARKERS[i % len(MARKERS)], "label": label}
        for i, label in enumerate(labels)
    }


def value(name, number):
    """Return a parameter and its value as a reader would write them: "σ = 0.1", "N/M = 4", "blur = 5", "σ estimated".

    Of what a measurement does not have (None or NaN): "no clip".
    """
    from steps.grid import spell

    if number is None or number != number:
        return f"no {symbol(name)}"
    if number == "estimate":
        return f"{symbol(name)} estimated"
    return f"{symbol(name)} = {spell(number)}"


def literal(text):
    """Return text that matplotlib shows as it is: a dollar begins no formula."""
    return text.replace("$", r"\$")


def symbol(name):
    """Return the symbol of a corruption parameter in figures; its name if it has none."""
    return {"sigma": "σ", "compression": "N/M"}.get(name, name)
