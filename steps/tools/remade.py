"""Scores, tables, claims and figures made of a record alone, by the workflow's own steps, in a folder of their own."""

import contextlib
import importlib
from pathlib import Path

from steps.base.files import write_text
from steps.base.recoveries import listing
from steps.plan import claims, metrics
from steps.plan.drawings import Index, drawings
from steps.plan.experiments import recoveries
from steps.tables import words
from steps.tools import recorded


def remake(config, cells, folder):
    """Make in folder/results the scores, tables, claims and figures of numbers that the workflow makes of cells.

    cells  {folder: cell}, all current. Return {experiment: (the Recoveries it asks for, those that are recorded)};
    of an experiment of which none is recorded nothing is made.
    """
    config = config | {key: str(Path(config[key]).resolve()) for key in ("published", "claims") if key in config}
    named = metrics.as_json(metrics.facts(config["metrics"]))
    found, put = {}, set()
    with contextlib.chdir(folder):
        for name, experiment in config["experiments"].items():
            asked = recoveries(experiment)
            made = [recovery for recovery in asked if recovery.folder in cells]
            found[name] = asked, made
            for recovery in made:
                if recovery.folder not in put:
                    recorded.put(recovery, cells[recovery.folder])
                    put.add(recovery.folder)
            if made:
                _make(config, name, named, *found[name])
        files = [f"results/scores/{name}.csv" for name, (_, made) in found.items() if made]
        _run("combine", *files, "results/scores.csv")
        _run("timing", "results/scores.csv", "results/time")
        if "claims" in config:
            listed = list(claims.read(config["claims"], config).values())
            names = {claim["experiment"] for claim in listed}
            files = [file for file in files if Path(file).stem in names]
            _run("decide", config["claims"], words.claimed(config, listed), *files, "results/claims")
    return found


def _make(config, name, named, asked, made):
    experiment = config["experiments"][name]
    scores, table = f"results/scores/{name}.csv", f"results/tables/{name}"
    measured = [f"--measured={image}" for image, entry in config["images"].items() if entry.get("measured")]
    stand_ins = words.stand_ins(config, experiment)
    write_text(f"results/code/recoveries-{name}.csv", listing(asked, set(made)))
    _run("collect", name, f"results/code/recoveries-{name}.csv", scores, *measured)
    _run("tabulate", scores, table, *words.options(config, name, named, asked, made))
    if "published" in experiment:
        title = ["--title", experiment.get("title", name), "--metrics", named]
        _run("compare", scores, config["published"], words.compared(experiment), stand_ins, f"{table}_vs_paper", *title)
    for drawing in drawings(name, experiment, Index(asked, made)):
        _, figure, *subject = drawing.split("/")
        if not subject:  # those of an image show pictures, which no record has
            _run("draw", scores, figure, f"results/figures/{drawing}", "--metrics", named, "--stand-ins", stand_ins)


def _run(command, *arguments):
    importlib.import_module(f"steps.{command}").main(list(arguments), standalone_mode=False)
