"""Collect the scores of an experiment's recoveries, one row each."""

import json

import click

from steps import experiments
from steps.files import read_json, whole


def rows(name, experiment):
    """Return one dict for each recovery of an experiment: its place in the experiment and what its score.json says."""
    found = []
    for recovery in experiments.recoveries(experiment):
        score = read_json(f"{recovery.folder}/score.json")
        versions = {f"version_{package}": version for package, version in score.pop("versions").items()}
        score.pop("settings")
        place = {"experiment": name, "label": recovery.label, "folder": recovery.folder}
        found.append(place | score | versions)
    return found


@click.command(help=__doc__)
@click.argument("name")
@click.argument("experiment")
@click.argument("output", type=click.Path(dir_okay=False))
def main(name, experiment, output):
    """EXPERIMENT is the entry NAME under experiments in the config, as JSON; OUTPUT is a csv."""
    import pandas

    with whole(output) as temporary:
        pandas.DataFrame(rows(name, json.loads(experiment))).to_csv(temporary, index=False)


if __name__ == "__main__":
    main()
