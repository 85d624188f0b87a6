"""Write the page of a full run: claims, tables, figures, what was not run; where, when and with what it was made."""

import re
from collections import Counter, defaultdict
from pathlib import Path

import click

from steps.base import discover
from steps.base.errors import BadInput, Command, one_line
from steps.base.files import whole, write_text
from steps.plan.config import read_config
from steps.plan.drawings import Index, drawings
from steps.plan.experiments import recoveries, there
from steps.run import manifest
from steps.tables.markup import escape_markdown
from steps.tables.scores import read_scores


def versions(scores):
    """Return in words the versions that recoveries were made with; several of a package if they differ."""
    columns = [name for name in scores if name.startswith("version_")]
    return ", ".join(
        f"{c.removeprefix('version_')} {' and '.join(sorted(set(scores[c].dropna().astype(str)))) or 'none'}"
        for c in columns
    )


def not_run(config):
    """Return a list in Markdown: how many recoveries of each experiment there are, and which are not."""
    lines = []
    for name, entry in config["experiments"].items():
        asked = recoveries(entry)
        missing = Counter((recovery.label, recovery.image) for recovery in asked if not there(recovery))
        images = defaultdict(list)
        for (label, image), count in missing.items():
            images[label].append(f"{image} ({count})")
        which = escape_markdown("; ".join(f"{label} on {', '.join(some)}" for label, some in images.items()))
        text = f"- {name}: {len(asked) - missing.total()} of {len(asked)} recoveries."
        lines.append(f"{text} Not run: {which}." if which else text)
    return "\n".join(lines)


def publishable(drawing, config):
    """Return whether a drawing shows no picture but ones drawn by code, so that it may be given away."""
    name, figure, *subject = drawing.split("/")
    each = discover.load("figures", figure).EACH
    return "image" not in each or config["images"][subject[0]]["source"].startswith("synthetic:")


def included(path):
    """Return the Markdown file of a table, to be part of a page: its headings are one level lower."""
    return re.sub(r"^#", "##", _made(path).read_text(encoding="utf-8").strip(), flags=re.MULTILINE)


def results(config, folder):
    """Return (parts in Markdown, {file name: PNG}) of a config's claims, tables and figures in results/.

    folder  name of the folder that the pictures will be in. Raises BadInput for a file that has not been made.
    """
    parts = [included("results/claims.md")] if "claims" in config else []
    pictures = {}
    for name, entry in config["experiments"].items():
        asked = recoveries(entry)
        made = list(filter(there, asked))
        if not made:
            continue
        parts.append(included(f"results/tables/{name}.md"))
        if "published" in entry:
            parts.append(included(f"results/tables/{name}_vs_paper.md"))
        for drawing in drawings(name, entry, Index(asked, made), config["drawn"]):
            if publishable(drawing, config):
                picture = f"{drawing.replace('/', '-')}.png"
                pictures[picture] = _made(f"results/figures/{drawing}.png").read_bytes()
                parts.append(f"![{escape_markdown(entry.get('title', name))}: {drawing}]({folder}/{picture})")
    return [*parts, included("results/time.md")], pictures


def _made(path):
    if not Path(path).is_file():
        raise BadInput(f"{path}: no such file; run the workflow first")
    return Path(path)


@click.command(cls=Command, help=__doc__)
@click.argument("config", type=click.Path(exists=True, dir_okay=False))
@click.argument("output", type=click.Path(dir_okay=False))
@click.option("--command", "made_by", required=True, help="what the run was made with, to be repeated")
@click.option("--remark", default="", help="a sentence about the run")
def main(config, output, made_by, remark):
    """Of the results of CONFIG (yaml) in results/, to OUTPUT (.md), with figures in a folder of the same name.

    Pictures of photographs stay out of it: they may not be given away.
    """
    name, output = config, Path(output)
    folder = output.with_suffix("")
    with one_line(name):
        config = read_config(config)
        scores = read_scores(_made("results/scores.csv"))
        run = manifest.last(manifest.read(_made("results/manifest.json").parent))
        found, pictures = results(config, folder.name)
        strange = [path for path in folder.glob("*") if path.suffix != ".png"] if folder.is_dir() else []
        if output.suffix != ".md" or strange:
            raise BadInput(f"{output}: must be a file .md, without a folder {folder} that holds more than its pictures")
    machine = run["machine"]
    words = [machine["processor"], f"{machine['cpus']} CPUs", "; ".join(machine["gpus"]) or "no GPU", machine["system"]]
    facts = {
        "Made by": f"`{made_by}`",
        "Last run": f"{run['ended']}, commit {run['commit'] or 'unknown'}{' with changes' * bool(run['dirty'])}",
        "On": ", ".join(words),
        "Versions": versions(scores),
    }
    facts = {key: " ".join(text.split()).replace("|", r"\|") for key, text in facts.items()}
    parts = [f"# The paper, computed anew: the results of {name}"]
    parts.append("\n".join(["| | |", "| --- | --- |", *(f"| {key} | {text} |" for key, text in facts.items())]))
    parts += [*([remark] if remark else []), f"## What was run\n\n{not_run(config)}", *found]
    for old in folder.glob("*.png"):
        old.unlink()
    for picture, content in pictures.items():
        with whole(folder / picture) as temporary:
            temporary.write_bytes(content)
    write_text(output, "\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
