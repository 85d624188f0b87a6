"""Record the numbers of a config's finished recoveries in one file, which outlives results (docs/paper_in_full.md)."""

import time
from pathlib import Path

import click

from steps.base.errors import BadInput, Command, one_line
from steps.base.files import read_json, sha256
from steps.base.text import read_text
from steps.plan.config import read_config
from steps.run import engine, manifest
from steps.tools import bundles, cells, packs, recorded


def undone(name):
    """Return the paths of all that the next run with the config file `name` would make, or make anew."""
    dag = engine.planned(name, force_incomplete=True).dag
    return {str(path) for job in dag.needrun_jobs(exclude_finished=False) for path in job.output}


def finished(config, left):
    """Yield (folder, files) of the recoveries in results/ whose scores are none of those `left` to make.

    files  {"score.json": dict, "run.json": dict, "curve.csv": text, "machine": text or None}.
    """
    made = manifest.read()
    for recovery in cells.distinct(config):
        folder = recovery.folder
        if f"{folder}/score.json" not in left and Path(folder, "score.json").is_file():
            files = {name: read_json(f"{folder}/{name}") for name in ("score.json", "run.json")}
            machine = _machine(made, f"{folder}/run.json") if files["run.json"]["device"] == "cpu" else None
            yield folder, files | {"curve.csv": read_text(f"{folder}/curve.csv"), "machine": machine}


def _machine(made, path):
    """Return the processor that made a file, by the manifest; None if it was brought here, or that is not known."""
    run = made["runs"].get(made["files"].get(path, {}).get("run"), {})
    if "--touch" in run.get("command", "--touch"):
        return None
    return f"{run['machine']['processor']}, {run['machine']['cpus']} CPUs"


def _packed(config, source, left):
    """Return (folder, files) of the packs in a folder, files being a reason instead for what may not be of here.

    left  the files that are still to be made here. Raises BadInput if other code than is here made their scores.
    """
    _, facts = packs.read(source)
    if facts is None:
        raise BadInput(f"{source}: has no pack-1.zip; must be a folder of packs, as run-cells writes them")
    if facts["scores"] != bundles.score_code(sorted({"psnr", *config["metrics"]})):
        raise BadInput(f"{source}: its scores are by other metrics, or other code, than are here")
    asked = {recovery.folder: recovery for recovery in cells.distinct(config)}
    return [(folder, _of_here(asked.get(folder), files, left)) for folder, files in packs.numbers(source)]


def _of_here(recovery, files, left):
    """Return the files of a cell, or in words why they may be of another measurement than is here."""
    path = recovery and cells.measurement(recovery)
    if path is None:
        return files
    if path in left or not Path(path).is_file():
        return f"{path} is not here, to compare it; make cells makes it"
    run = files["run.json"]
    origin = run.get("origin") if isinstance(run, dict) else None
    drawn = origin.get("measurement") if isinstance(origin, dict) else None
    return files if sha256(path) == drawn else f"made of another measurement than {path}"


def merge(config, before, found, day, left=()):
    """Return ({folder: cell}, lines): a record with the cells that were found, and what was not taken or not kept.

    before  the record until now;  found  (folder, files) pairs as `finished` gives them, which take the place of what
    was recorded;  left  the files that are still to be made. A cell whose numbers are as they were keeps its day; one
    that the config no longer asks for is dropped.
    """
    asked = {recovery.folder: recovery for recovery in cells.distinct(config)}
    after, lines = {}, []
    for folder, cell in before.items():
        if folder not in asked:
            lines.append(f"{folder}: dropped, the config no longer asks for it")
            continue
        known = cells.measurement(asked[folder]) not in left
        after[folder] = _renewed(cell, asked[folder], recorded.codes(config, asked[folder])) if known else cell
    for folder, files in found:
        if folder not in asked:
            lines.append(f"{folder}: not taken, the config does not ask for it")
            continue
        if isinstance(files, str):
            lines.append(f"{folder}: not taken: {files}")
            continue
        try:
            code = recorded.codes(config, asked[folder])
            cell = recorded.cell(asked[folder], files, code, day, files.get("machine"))
        except BadInput as error:
            lines.append(f"not taken: {error}")
            continue
        known = after.get(folder, cell)
        if all(cell[key] == known[key] for key in ("code", "score", "curve")):
            cell |= {"day": known["day"], "machine": cell["machine"] or known["machine"]}
        after[folder] = cell
    return after, lines


def _renewed(cell, recovery, code):
    """Return a cell whose measurement the code here makes bit for bit, though it says something else, as current."""
    path, drawn = Path(cells.measurement(recovery)), cell["score"]["origin"]["measurement"]
    if recorded.changed(cell, code) == "measurement" and path.is_file() and sha256(path) == drawn:
        return cell | {"code": cell["code"] | {"measurement": code["measurement"]}}
    return cell


@click.command(cls=Command, help=__doc__)
@click.argument("config", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--from",
    "sources",
    type=click.Path(exists=True, file_okay=False),
    multiple=True,
    help="folder of packs to take, too",
)
def main(config, sources):
    """CONFIG is a YAML file, whose key `record` names the file to write to.

    Takes the numbers of all its recoveries in results, except those that the next run would redo. What only the file
    has stays in it.
    """
    name = config
    with one_line(name):
        config = read_config(config)
        before = recorded.read(recorded.file_of(config))
        left = undone(name)
        found = [pair for source in sources for pair in _packed(config, source, left)] + list(finished(config, left))
        after, lines = merge(config, before, found, time.strftime("%Y-%m-%d"), left)
        if before and not set(before) & set(after):
            raise BadInput(f"{config['record']} is of another config than {name}; name another file by the key record")
        recorded.write(config["record"], after)
    print(*lines, sep="\n", end="\n" * bool(lines))
    asked = cells.distinct(config)
    current, old = recorded.split(config, asked, after)
    new = sum(before.get(folder) != cell for folder, cell in after.items())
    counts = f"{len(current)} of {len(asked)} cells are recorded and current, {len(old)} are old"
    print(f"{config['record']}: {counts}; new or changed: {new}")


if __name__ == "__main__":
    main()
