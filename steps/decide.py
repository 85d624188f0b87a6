"""Decide a paper's claims, on its own numbers and on ours, and write the page of verdicts."""

import json
from pathlib import Path

import click

from steps.base.errors import Command
from steps.base.files import whole, write_text
from steps.base.text import brief
from steps.plan import published, variants
from steps.plan.claims import comparisons, expected, read
from steps.tables.markup import escape_markdown, stand_in_note
from steps.tables.scores import read_scores
from steps.tables.verdicts import FAILS, NOTHING, STANDS, evaluate, of_several_devices, overall, values
from steps.tables.waiting import waited

SOURCES = {"published": "the paper's numbers", "paper": "ours, the paper's settings", "tuned": "ours, tuned"}
OTHER = {"higher": "lower", "lower": "higher"}
NOTE = (
    "A claim is tested by one comparison for each cell that it is about. On the paper's numbers, a comparison "
    "stands or fails. On ours, the 95 % interval (Student's t) of the difference decides: the comparison stands "
    "if the whole interval agrees with the claim, fails if the whole interval contradicts it, and is undecided "
    "otherwise. Differences are taken on the same noise. If both methods have the same list of seeds, they are "
    "taken seed by seed; otherwise between means over the seeds. If a cell has only one or two differences, their"
    " spread is pooled from the cells of the experiment that have several for the same two methods. If there are "
    "none, the comparison is undecided. A claim stands if all its comparisons stand, and fails if one fails. "
    "Otherwise it is undecided. Intervals are not corrected for the number of comparisons."
)

SEVERAL = "So no cell borrows the spread of others, and what differs between cells may be the device's doing."
WAITED = (
    "Some of these recoveries waited for a processor: they took more than twice as long on the clock as processors "
    "worked for them (marked † in tables of time). So what differs may be what else the machine did."
)


def times(claim, experiment, scores):
    """Return what is to be said of a claim's seconds, a list: that some recoveries waited for a processor."""
    if claim["quantity"] != "seconds" or scores is None:
        return []
    about = {*claim["label"], *claim["than"]}
    labels = [label for label, entry in variants.labels(experiment) if about & {label, *published.names(entry)}]
    return [WAITED] * bool(waited(scores[scores["label"].isin(labels)]).any())


def words(claim, published=False):
    """Return in words what is tested; of an experiment with `published` values, in the cells that have one only."""
    margin = f"{claim['by']:g} dB" if claim["quantity"] == "psnr" else f"a factor of {claim['by']:g}"
    what = {"psnr": "PSNR", "seconds": "time", "loss": "last loss"}[claim["quantity"]]
    label, than = ", ".join(claim["label"]), ", ".join(claim["than"])
    if claim["is"] == "flat":
        text = f"the {what} of {label} differs by at most {margin} between any two values of {claim['over']}"
    elif claim["is"] == "close":
        text = f"the {what} of {label} is within {margin} of that of {than}"
    elif claim["quantity"] == "psnr" and claim["by"] < 0:
        text = f"the {what} of {label} is not {OTHER[claim['is']]} than that of {than} by {-claim['by']:g} dB"
    elif claim["quantity"] != "psnr":
        side = "more" if claim["is"] == "higher" else "less"
        factor = claim["by"] if claim["is"] == "higher" else 1 / claim["by"]
        text = f"the {what} of {label} is {side} than {factor:g} times that of {than}"
    else:
        text = f"the {what} of {label} is {claim['is']} than that of {than} by more than {margin}"
    where = "; ".join(f"{name} = {', '.join(map(str, values))}" for name, values in claim["where"].items())
    cells = "every cell that has a published number" if published else "every cell"
    return f"{text}, in {cells}{', with ' * published or ' with '}{where}" if where else f"{text}, in {cells}"


def _count(rows):
    """Return a verdict with the count of the comparisons behind it: "fails (3 of 12)", "undecided (5 of 12 stand)"."""
    verdict, total = overall(rows), len(rows)
    if verdict == NOTHING:
        return "no numbers"
    failed = sum(row["verdict"] == FAILS for row in rows)
    stand = sum(row["verdict"] == STANDS for row in rows)
    missing = sum(row["verdict"] == NOTHING for row in rows)
    texts = [f"{failed} of {total} fail"] if failed else [f"{stand} of {total} stand"]
    texts += [f"{missing} not run"] if missing else []
    return f"**{verdict}** ({', '.join(texts)})"


def _number(claim, row):
    """Return a difference with its interval, or a ratio with its range, as text."""
    mean, half = row["mean"], row["half"]
    if claim["quantity"] != "psnr":
        text = f"{10**mean:.3g}×"
        text += f" ({10 ** (mean - half):.3g} to {10 ** (mean + half):.3g})" if half > 0 else ""
    else:
        text = f"{mean:+.2f}" + (f" ± {half:.2f}" if half > 0 else "")
    return text + (" pooled" if row["pooled"] else "")


def page(claims, results, stand_ins, notes, published=()):
    """Return the page in Markdown: a table of verdicts, then for each claim the numbers behind them.

    published  the experiments that have published values.
    notes  {claim: sentences on the devices that its labels were made on, and on how their times were taken}.
    """
    heads = list(SOURCES.values())
    lines = [
        "# Claims",
        NOTE,
        *filter(None, [escape_markdown(stand_in_note(stand_ins))]),
        "| claim | " + " | ".join(heads) + " |\n| --- | --- | --- | --- |",
    ]
    for name, claim in claims.items():
        verdicts = " | ".join(_count(results[name][source]) for source in SOURCES)
        lines[-1] += f"\n| [{escape_markdown(claim['quote'])}](#{name}) | {verdicts} |"
    for name, claim in claims.items():
        lines.append(f'## <a id="{name}"></a>{name}')
        lines.append(f"> {escape_markdown(claim['quote'])}")
        where = f"Section {claim['section']}" if "section" in claim else "A statement of our own"
        tested = f"{where}. Tested on {claim['experiment']}: {words(claim, claim['experiment'] in published)}."
        lines += [escape_markdown(tested), escape_markdown(claim["note"])]
        lines += map(escape_markdown, notes[name])
        table = "| cell | compared | " + " | ".join(heads) + " |\n| --- | --- | ---: | ---: | ---: |"
        for rows in zip(*(results[name][source] for source in SOURCES)):
            (label, cell), (other, against) = rows[0]["first"], rows[0]["second"]
            compared = f"{label} − {other}" if claim["quantity"] == "psnr" else f"{label} / {other}"
            if claim["is"] == "flat":
                compared = f"{label}, less that at {_spell(against[1:])}"
            numbers = []
            for source, row in zip(SOURCES, rows):
                absent = all(r["n"] == 0 for r in results[name][source])
                nothing = "" if absent else "not run"
                numbers.append(nothing if row["n"] == 0 else f"{_number(claim, row)}, {row['verdict']}")
            names = f"{_spell(cell, stand_ins)} | {escape_markdown(compared)}"
            table += f"\n| {names} | " + " | ".join(numbers) + " |"
        lines.append(table)
    return "\n\n".join(lines) + "\n"


def _spell(cell, stand_ins=()):
    words = [f"{name} = {brief(value)}" if name != "image" else value for name, value in cell]
    return ", ".join(word + (" (stand-in)" if word in stand_ins else "") for word in words)


@click.command(cls=Command, help=__doc__)
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.argument("config")
@click.argument("scores", nargs=-1, type=click.Path(exists=True, dir_okay=False))
@click.argument("output")
def main(file, config, scores, output):
    """FILE (YAML) has claims, SCORES (CSV, of collect) one experiment each. Writes OUTPUT.md and OUTPUT.csv.

    CONFIG is the part of the config that claims are about (published, experiments), as JSON, with stand_ins,
    {image: what it stands for}.
    """
    import pandas

    config = json.loads(config)
    frames = [read_scores(path) for path in scores]
    by_experiment = {frame["experiment"].iloc[0]: frame for frame in frames if len(frame)}
    claims = read(file, config)
    values_of, stand_ins = published.read(config["published"]), config.get("stand_ins", {})
    results, notes, table = {}, {}, []
    for name, claim in claims.items():
        experiment = config["experiments"][claim["experiment"]]
        asked = experiment.get("published", {}).get("table")
        rows = [row for row in values_of if row["table"] == asked]
        ours = by_experiment.get(claim["experiment"])
        found = {source: values(claim, experiment, ours, rows, source) for source in SOURCES}
        pairs = comparisons(claim, expected(experiment, rows))
        several = of_several_devices(claim, experiment, ours)
        results[name] = {source: evaluate(claim, found[source], pairs, several) for source in SOURCES}
        made = [f"{label} was made on {' and '.join(devices)}" for label, devices in several.items()]
        notes[name] = [f"{'; '.join(made)}. {SEVERAL}"] * bool(made) + times(claim, experiment, ours)
        for source, evaluated in results[name].items():
            for row in evaluated:
                (label, cell), (other, against) = row["first"], row["second"]
                place = {
                    "claim": name,
                    "source": source,
                    "label": label,
                    "cell": _spell(cell, stand_ins),
                    "other": other,
                }
                numbers = {key: row[key] for key in ("n", "mean", "half", "pooled", "verdict")}
                table.append(place | {"other cell": _spell(against), **numbers, "claim verdict": overall(evaluated)})
    compared = [name for name, experiment in config["experiments"].items() if "published" in experiment]
    with whole(Path(f"{output}.csv")) as temporary:
        pandas.DataFrame(table).to_csv(temporary, index=False)
    write_text(f"{output}.md", page(claims, results, stand_ins, notes, compared))


if __name__ == "__main__":
    main()
