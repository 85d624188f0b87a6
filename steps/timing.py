"""What recoveries cost: seconds and peak memory of each method, by task, size and device."""

import math
from pathlib import Path

import click

from steps.base import discover
from steps.base.errors import Command
from steps.base.files import whole, write_text
from steps.base.parameters import settings, spell
from steps.tables.columns import TIME
from steps.tables.markup import to_latex, to_markdown
from steps.tables.scores import read_scores
from steps.tables.waiting import MARK, RULE, waited

KEYS = ["task", "pixels", "channels", "device", "threads", "method", "label"]
NOTE = (
    "Seconds: wall-clock time of solving, without imports and files; median, minimum and maximum over the "
    "recoveries. CPU seconds: processor time of all threads, median; empty if not measured. Memory: the highest "
    "peak, of torch's tensors on a GPU, otherwise of the whole process. A recovery that several experiments share"
    " counts once."
)


def labels(scores):
    """Return the label of each of the scores; where variants of one task share it, with what they differ in behind it.

    Labels are one variant's within an experiment only: another may have "TV" with other iterations, and then they are
    "TV (iterations=5)" and "TV (iterations=50)". What no variant spells is at its default; seeds tell none apart.
    """
    rows, methods, variants = [], {}, {}
    for task, label, method, params in scores[["task", "label", "method", "params"]].itertuples(index=False):
        said = settings(discover.load("methods", method).recover, params)
        said.pop("seed", None)
        rows.append((task, label, method, said))
        methods.setdefault((task, label), set()).add(method)
        variants.setdefault((task, label, method), {})[tuple(said.values())] = said
    found = []
    for task, label, method, said in rows:
        others = variants[task, label, method].values()
        differ = {name: value for name, value in said.items() if any(other[name] != value for other in others)}
        words = [method] if len(methods[task, label]) > 1 else []
        words += [f"{name}={'default' if value is None else spell(value)}" for name, value in differ.items()]
        found.append(f"{label} ({', '.join(words)})" if words else label)
    return found


def table(scores):
    """Return a DataFrame of what recoveries cost, one row a group.

    KEYS, n, median, least and most seconds, median CPU seconds, how many `waited`, iterations and peak memory in MB.
    A group's recoveries have the same settings but for the corruption and seeds, since its label tells them (`labels`).
    """
    scores = scores.drop_duplicates("folder")
    scores = scores.assign(cpu_seconds=scores.get("cpu_seconds", math.nan), waited=waited(scores))
    groups = scores.assign(label=labels(scores)).groupby(KEYS, sort=False, dropna=False)
    found = groups.agg(
        n=("seconds", "size"),
        seconds=("seconds", "median"),
        least=("seconds", "min"),
        most=("seconds", "max"),
        cpu_seconds=("cpu_seconds", "median"),
        waited=("waited", "sum"),
        iterations=("iterations", "median"),
        memory_mb=("peak_memory_mb", "max"),
    )
    return found.reset_index().sort_values(["task", "pixels", "channels", "seconds"], kind="stable", ignore_index=True)


def rows(frame):
    """Return (header, rows of text) of a `table`."""
    found = []
    for row in frame.itertuples():
        texts = [row.task, row.pixels, str(row.channels), row.device, str(row.threads), row.label, str(row.n)]
        seconds, least, most, cpu = map(TIME.digits, (row.seconds, row.least, row.most, row.cpu_seconds))
        texts += [seconds + MARK * bool(row.waited), f"{least} to {most}" if row.n > 1 else "", cpu.replace("nan", "")]
        texts += ["" if row.iterations != row.iterations else f"{row.iterations:.0f}", f"{row.memory_mb:.0f}"]
        found.append(texts)
    return [*KEYS[:6], "n", "seconds", "range", "CPU seconds", "iterations", "peak MB"], found


@click.command(cls=Command, help=__doc__)
@click.argument("scores", type=click.Path(exists=True, dir_okay=False))
@click.argument("output")
def main(scores, output):
    """SCORES (csv of all experiments) to OUTPUT.csv, OUTPUT.md and OUTPUT.tex."""
    frame = table(read_scores(scores))
    header, texts = rows(frame)
    with whole(Path(f"{output}.csv")) as temporary:
        frame.to_csv(temporary, index=False)
    rule = RULE if frame["waited"].any() else ""
    parts = ["# Time and memory", NOTE, to_markdown(header, texts, 6), rule]
    write_text(f"{output}.md", "\n\n".join(filter(None, parts)) + "\n")
    caption = f"Seconds of solving and peak memory. {rule}".strip()
    write_text(f"{output}.tex", to_latex(header, texts, 6, caption) + "\n")


if __name__ == "__main__":
    main()
