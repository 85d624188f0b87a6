"""Combine the scores of all experiments into one file."""

import click

from steps.base.errors import Command
from steps.base.files import whole
from steps.tables.scores import read_scores


@click.command(cls=Command, help=__doc__)
@click.argument("scores", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.argument("output", type=click.Path(dir_okay=False))
def main(scores, output):
    """SCORES are CSV files, one for each experiment. Writes OUTPUT (CSV)."""
    import pandas

    with whole(output) as temporary:
        pandas.concat([read_scores(path) for path in scores]).to_csv(temporary, index=False)


if __name__ == "__main__":
    main()
