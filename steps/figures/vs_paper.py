"""Our numbers minus the published, cell by cell, as a heat map."""

import textwrap

import numpy as np

from steps.base.text import brief
from steps.look import style
from steps.tables.columns import PSNR

CAPTION = """\
Ours minus published, a cell for each published value. **Look for** a whole row or column of one colour: a difference
of method or setting. Single cells are more often accidents of noise and seed.
"""
EACH = ()
PUBLISHED = True
RANGE = 3  # dB, where the colours end


def draw(scores, metrics=(PSNR,)):
    """Return a figure: a row for each image and value, a column for each variant, a panel for each kind of settings.

    In a cell stands ours − published, over the published value; blue is more, red less, and beyond 3 dB the colours
    end; an asterisk: not comparable. Cells that were not run say so; those not in dB have no colour. It reads the
    experiment's table results/tables/{experiment}_vs_paper.csv, see steps/compare.py.
    """
    import matplotlib.pyplot as plt
    import pandas

    file = f"results/tables/{scores['experiment'].iloc[0]}_vs_paper.csv"
    text = dict.fromkeys(("image", "label", "published label", "verdict", "parameter", "metric"), str)
    cells = pandas.read_csv(file, dtype=text, keep_default_na=False, na_values=[""])
    cells = cells.assign(column=_columns(cells))
    place = ["image", "parameter", "value", "metric"]
    lines = list(dict.fromkeys(cells[place].itertuples(index=False, name=None)))
    columns = sorted(dict.fromkeys(zip(cells["settings"], cells["column"])), key=lambda pair: pair[0])  # paper, tuned
    cell_at = {(row.column, row.image, row.parameter, row.value, row.metric): row for row in cells.itertuples()}
    cells_of = [[cell_at.get((label, *line)) for _, label in columns] for line in lines]
    symbols = {name: style.symbol(name, scores["task"].iloc[0])[0] for name in cells["parameter"].unique()}
    named = {metric.name: metric for metric in (PSNR, *metrics)}
    compared = list(dict.fromkeys(named[metric].label for *_, metric in lines))
    in_db = [named[metric].unit == "dB" for *_, metric in lines]
    differences = np.array([[np.nan if c is None or c.n == 0 else c.difference for c in line] for line in cells_of])
    height = 1.2 + 0.3 * len(lines)
    figure, panel = plt.subplots(figsize=(style.WIDTH, height), layout="constrained")
    colours = np.where(np.array(in_db)[:, None], differences, np.nan)
    shown = panel.imshow(colours, cmap="RdBu", vmin=-RANGE, vmax=RANGE, aspect="auto")
    for (i, j), difference in np.ndenumerate(differences):
        cell = cells_of[i][j]
        if cell is None:
            continue
        metric = named[cell.metric]
        text = "not run" if np.isnan(difference) else f"{difference:+.{metric.decimals}f}"
        text += "*" if cell.verdict == "not comparable" else ""
        text += f"\n({f'{cell.published:.1f}' if in_db[i] else metric.digits(cell.published)})"
        dark = in_db[i] and abs(difference) > 0.7 * RANGE
        colour = "white" if dark else "0.45" if np.isnan(difference) else "black"
        panel.text(j, i, text, ha="center", va="center", fontsize=6.5, color=colour)
    heads = [f"{label}\n({settings})" if settings not in label else label for settings, label in columns]
    wide = max(9, 84 // len(columns))  # letters that fit over a column
    heads = ["\n".join(piece for line in head.split("\n") for piece in textwrap.wrap(line, wide)) for head in heads]
    panel.set_xticks(range(len(columns)), heads, fontsize=7)
    names = [
        f"{image}, {symbols[name]} = {brief(float(value))}{f', {named[metric].label}' if len(compared) > 1 else ''}"
        for image, name, value, metric in lines
    ]
    panel.set_yticks(range(len(lines)), names)
    panel.tick_params(length=0, labeltop=True, labelbottom=False)
    panel.grid(False)
    for rule, keys in ((panel.axhline, lines), (panel.axvline, columns)):
        for edge in range(1, len(keys)):
            if keys[edge][0] != keys[edge - 1][0]:
                rule(edge - 0.5, color="black", linewidth=0.8)
    unit = " [dB]" * all(in_db)
    note = f"In brackets the published {' and '.join(compared)}{unit}."
    if "not comparable" in set(cells["verdict"]):
        note += " * not comparable, see the table."
    if not all(in_db):
        note += " Colours are of dB only."
    panel.set_xlabel(note, fontsize=6.5)
    figure.colorbar(
        shown, ax=panel, label=f"ours − published{' [dB]' * any(in_db)}", shrink=min(1, 3 / height), extend="both"
    )
    return figure


def _columns(cells):
    """Return the head of each row's column: the variant's label, and the published one if a cell has several."""
    several = (
        cells.duplicated(["label", "image", "parameter", "value", "metric"], keep=False)
        .groupby(cells["label"])
        .transform("any")
    )
    heads = [f"{a}\nto {b}" if s else a for a, b, s in zip(cells["label"], cells["published label"], several)]
    return [style.literal(head) for head in heads]
