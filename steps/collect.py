"""Collect the scores of an experiment's recoveries, one row each."""

import click

from steps.base.errors import Command
from steps.base.files import whole
from steps.base.recoveries import read_listing
from steps.tables.scores import read_score


def rows(name, recoveries, measured=()):
    """Return one dict for each recovery of an experiment: its place in it and what score.json says.

    `measured`  names of images that are themselves measurements: if there are any, a column says which rows are theirs.
    """
    found = []
    for recovery in recoveries:
        score = read_score(recovery.folder)
        versions = {f"version_{package}": version for package, version in score.pop("versions").items()}
        score.pop("settings")
        score.pop("origin")
        place = {"experiment": name, "label": recovery.label, "folder": recovery.folder}
        said = {"measured": recovery.image in measured} if measured else {}
        found.append(place | said | score | versions)
    return found


@click.command(cls=Command, help=__doc__)
@click.argument("name")
@click.argument("listing", type=click.Path(exists=True, dir_okay=False))
@click.argument("output", type=click.Path(dir_okay=False))
@click.option("--measured", multiple=True, help="name of an image that is itself a measurement")
def main(name, listing, output, measured):
    """LISTING (CSV) has the recoveries of the experiment NAME. Writes OUTPUT (CSV), with those that are made."""
    import pandas

    _, made = read_listing(listing)
    with whole(output) as temporary:
        pandas.DataFrame(rows(name, made, measured)).to_csv(temporary, index=False)


if __name__ == "__main__":
    main()
