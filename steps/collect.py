"""Collect the scores of an experiment's recoveries, one row each."""

import json

import click

from steps import experiments
from steps.errors import Command
from steps.files import read_json, whole


def rows(name, experiment, made=lambda recovery: True):
    """Return one dict for each recovery of an experiment that is `made`: its place in it and what score.json says."""
    found = []
    for recovery in filter(made, experiments.recoveries(experiment)):
        score = read_json(f"{recovery.folder}/score.json")
        versions = {f"version_{package}": version for package, version in score.pop("versions").items()}
        score.pop("settings")
        score.pop("origin")
        place = {"experiment": name, "label": recovery.label, "folder": recovery.folder}
        found.append(place | score | versions)
    return found


@click.command(cls=Command, help=__doc__)
@click.argument("name")
@click.argument("experiment")
@click.argument("output", type=click.Path(dir_okay=False))
@click.option("--missing", type=click.Choice(["run", "skip"]), default="run", help="skip: those that are there")
def main(name, experiment, output, missing):
    """EXPERIMENT is the entry NAME under experiments in the config, as JSON; OUTPUT is a csv."""
    import pandas

    made = {"made": experiments.there} if missing == "skip" else {}
    with whole(output) as temporary:
        pandas.DataFrame(rows(name, json.loads(experiment), **made)).to_csv(temporary, index=False)


if __name__ == "__main__":
    main()
