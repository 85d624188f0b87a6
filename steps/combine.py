"""Combine the scores of all experiments into one file, with a column for each parameter of a corruption."""

import functools

import click

from steps.base.errors import Command
from steps.base.files import whole
from steps.base.parameters import parse_parameters
from steps.plan import corruptions
from steps.tables.scores import read_scores

DIGITS = 6  # significant ones of a number that is not whole; scores/{experiment}.csv and score.json have all of them


@functools.cache
def parameters(task, corruption, measured):
    """Return {parameter: text} of a corruption as its path spells it: those that it does not say at their defaults.

    Of a picture that is `measured`, nothing was simulated: only what it says.
    """
    said = parse_parameters(corruption) if measured else corruptions.filled(task, corruption)
    return {name: rounded(value) for name, value in said.items() if value is not None}


def rounded(value):
    """Return the text of a value, of a number to DIGITS digits unless it is whole; "" of NaN."""
    if not isinstance(value, float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if value.is_integer():
        return f"{value:.0f}"
    return "" if value != value else f"{value:.{DIGITS}g}"


def combined(scores):
    """Return scores (DataFrame) as texts, behind `corruption` a column for each of its parameters, empty without it.

    One that is called as another column is, as the seed, has the name corruption_seed. Of rows that are `measured`, a
    column that scores have if any are, only what the corruption says.
    """
    import pandas

    measured = scores["measured"].eq(True) if "measured" in scores else [False] * len(scores)
    cases = zip(scores["task"], scores["corruption"], measured)
    found = pandas.DataFrame([parameters(*case) for case in cases], index=scores.index).fillna("")
    found = found.rename(columns={name: f"corruption_{name}" for name in found if name in scores})
    place = scores.columns.get_loc("corruption") + 1
    return pandas.concat([scores.iloc[:, :place], found, scores.iloc[:, place:]], axis="columns").map(rounded)


@click.command(cls=Command, help=__doc__)
@click.argument("scores", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.argument("output", type=click.Path(dir_okay=False))
def main(scores, output):
    """SCORES are CSV files, one for each experiment. Writes OUTPUT (CSV)."""
    import pandas

    every = pandas.concat([read_scores(path) for path in scores], ignore_index=True)
    with whole(output) as temporary:
        combined(every).to_csv(temporary, index=False)


if __name__ == "__main__":
    main()
