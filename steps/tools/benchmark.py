"""Time the workbench on this machine, beside other implementations where there are any."""

import click

from steps.base import discover
from steps.base.errors import Command, no_such


@click.command(cls=Command, help=__doc__)
@click.argument("names", nargs=-1)
@click.option(
    "--rounds", type=click.IntRange(1), default=3, show_default=True, help="times that each is timed, in turn"
)
def main(names, rounds):
    """NAMES are files of steps/benchmarks, each of which prints a table; without any, all are run."""
    there = discover.available("benchmarks")
    for name in names:
        if name not in there:
            raise click.BadParameter(no_such("benchmark", name, there))
    for name in names or there:
        discover.load("benchmarks", name).table(rounds)


if __name__ == "__main__":
    main()
