"""Draw one figure of an experiment."""

import inspect
import json
from pathlib import Path

import click

from steps.base import discover
from steps.base.errors import BadInput, Command, NothingToDraw, no_such, one_line
from steps.base.files import whole
from steps.look import style
from steps.tables.columns import read_metrics
from steps.tables.markup import stand_in_note
from steps.tables.scores import read_scores


def select(scores, drawing):
    """Return (figure's module, rows) of a drawing as `plan.drawings.drawings` names it: comparison/camera/sigma=0.1.

    Raises BadInput if the figure is not drawn for such a subject, or no row of the scores has it.
    """
    figure, *subject = drawing.split("/")
    module = discover.load("figures", figure)
    if len(subject) != len(module.EACH):
        raise BadInput(f"{drawing}: {figure} is drawn for each {' and '.join(module.EACH) or 'experiment'}")
    for column, value in zip(module.EACH, subject):
        if value not in set(scores[column]):
            raise BadInput(f"{drawing}: {no_such(column, value, set(scores[column]))}")
        scores = scores[scores[column] == value]
    return module, scores


@click.command(cls=Command, help=__doc__)
@click.argument("scores", type=click.Path(exists=True, dir_okay=False))
@click.argument("drawing")
@click.argument("output")
@click.option("--metrics", "named", default="", help="as plan.metrics.facts has them, as JSON  [default: PSNR]")
@click.option("--stand-ins", default="{}", help="images that stand for others, {image: text}, as JSON")
def main(scores, drawing, output, named, stand_ins):
    """SCORES (CSV, of collect) are drawn as DRAWING, psnr or comparison/camera/sigma=0.1, to OUTPUT.png and .pdf."""
    import matplotlib.pyplot

    with one_line(output), style.apply():
        module, rows = select(read_scores(scores), drawing)
        rows = rows.assign(label=rows["label"].map(style.literal)).reset_index(drop=True)
        try:
            shown = {"metrics": read_metrics(named)} if "metrics" in inspect.signature(module.draw).parameters else {}
            figure = module.draw(rows, **shown)
        except NothingToDraw as error:
            figure = style.sentence(f"Nothing to draw: {error}")
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # laid out once, not for every file
        stand_ins = {name: text for name, text in json.loads(stand_ins).items() if name in set(rows["image"])}
        style.note(figure, style.literal(stand_in_note(stand_ins)))
        page = style.page(figure)
        for suffix in (".png", ".pdf"):
            with whole(Path(output + suffix)) as temporary:
                metadata = {"CreationDate": None} if suffix == ".pdf" else None
                figure.savefig(temporary, bbox_inches=page, metadata=metadata)
        matplotlib.pyplot.close(figure)


if __name__ == "__main__":
    main()
