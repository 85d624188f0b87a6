"""Recoveries to make on another machine: list them as targets of Snakemake, or bundle them (docs/elsewhere.md)."""

import gzip
import io
import shlex
import tarfile
from pathlib import Path

import click

from steps.base import discover
from steps.base.errors import BadInput, Command, one_line
from steps.base.files import whole
from steps.base.parameters import no_such, parse_parameters
from steps.plan import corruptions, experiments
from steps.plan.config import read_config
from steps.run.sources import ROOT, sources
from steps.tools import recorded

DATE = 946684800  # of every file in a bundle, 2000-01-01, so that the same files make the same bytes
SCRIPT = """\
# sh cells.sh makes the recoveries of this folder that are not there; it can be interrupted and run again.
# PYTHON is the Python to use (python3 by default), PRIORBENCH_DEVICE auto, cpu or cuda.
cd "$(dirname "$0")" || exit 1
trap 'exit 130' INT
number=0 failed=
cell() { # measurement, method, params, folder, threads
    number=$((number + 1))
    if [ -f "$4/run.json" ]; then echo "[$number/$all] $4: is there already"; return; fi
    echo "[$number/$all] $4"
    mkdir -p "$4"
    "${PYTHON:-python3}" -m steps.recover "$1" "$2" "$3" "$4" --threads "$5" > "$4/recover.log" 2>&1 && return
    failed="$failed
failed: $4/recover.log"
}
"""


def distinct(config, **wanted):
    """Return the Recoveries of a config, one a folder, which several experiments may share, in its order.

    wanted  values of experiment, image, method, label or seed (the corruption's) to choose by; an empty list takes all.
            Raises BadInput, with the nearest match, for a value that no recovery of the config has.
    """
    chosen, known = {}, {kind: set() for kind in wanted}
    for name, entry in config["experiments"].items():
        for recovery in experiments.recoveries(entry):
            seed = parse_parameters(recovery.corruption).get("seed", 0)
            traits = vars(recovery) | {"experiment": name, "seed": seed}
            for kind, values in known.items():
                values.add(traits[kind])
            if all(not values or traits[kind] in values for kind, values in wanted.items()):
                chosen.setdefault(recovery.folder, recovery)
    for kind, values in wanted.items():
        for value in values:
            if value not in known[kind]:
                raise BadInput(f"--{kind}: {no_such(kind, value, known[kind])}")
    return list(chosen.values())


def left(config, recoveries):
    """Return those of some Recoveries that are neither there nor, as the code here would make them, in the record."""
    known = recorded.read(config["record"]) if "record" in config else {}
    current, _ = recorded.split(config, recoveries, known)
    return [r for r in recoveries if not experiments.there(r) and r.folder not in current]


def measurement(recovery):
    """Return the path of the measurement that a recovery is of, relative to the working directory."""
    return f"{recovery.case}/measurement.npz"


def script(recoveries):
    """Return cells.sh, which makes the recoveries, each with the threads that the workflow gives its method."""
    lines = [f"all={len(recoveries)}"]
    for r in recoveries:
        threads = getattr(discover.load("methods", r.method), "THREADS", 1)
        lines.append(shlex.join(["cell", measurement(r), r.method, r.params, r.folder, str(threads)]))
    return "#!/bin/sh\n" + SCRIPT + "\n".join([*lines, '[ -z "$failed" ] || { echo "$failed"; exit 1; }', ""])


def bundle(path, recoveries):
    """Write a tar.gz, whole or not at all: cells.sh, the measurements, and the code, which is what `sources` lists."""
    modules = {f"steps.{kind}" for kind in ("recover", "methods.__init__", "tasks.__init__", "noises.__init__")}
    for r in recoveries:
        noise = corruptions.noise_of(parse_parameters(r.corruption)).__name__
        modules |= {f"steps.methods.{r.method}", f"steps.tasks.{r.task}", noise}
    code = [Path(file).resolve().relative_to(ROOT.resolve()).as_posix() for file in sources("steps.__init__", *modules)]
    files = {name: ROOT / name for name in code} | {measurement(r): Path(measurement(r)) for r in recoveries}
    with (
        whole(path) as temporary,
        open(temporary, "wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=DATE) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for name in ["cells.sh", *sorted(files)]:
            content = files[name].read_bytes() if name in files else script(recoveries).encode()
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), DATE
            tar.addfile(member, io.BytesIO(content))


@click.command(cls=Command, help=__doc__)
@click.argument("config", type=click.Path(exists=True, dir_okay=False))
@click.argument("output", default="-")
@click.option("--experiment", multiple=True, help="only of this experiment; this and the next may be given repeatedly")
@click.option("--image", multiple=True, help="only of this image")
@click.option("--method", multiple=True, help="only by this method")
@click.option("--label", multiple=True, help="only with this label")
@click.option("--seed", type=click.IntRange(0), multiple=True, help="only with this seed of the corruption")
@click.option("--all", "everything", is_flag=True, help="also those that are there already, or recorded")
@click.option("--measurements", is_flag=True, help="print the measurements that they are of")
def main(config, output, everything, measurements, **wanted):
    """Of CONFIG (yaml) the recoveries that are not there: the paths of their scores, one a line, or a bundle OUTPUT.

    Counted as there is what the config's record has, as far as it is current. If there are none, nothing is printed but
    a note on stderr (Snakemake without targets makes everything); a bundle of none is an error.
    """
    with one_line("cells"):
        if output != "-" and (measurements or not output.endswith(".tar.gz")):
            allowed = "none with --measurements" if measurements else "a file .tar.gz, or - to print paths"
            raise BadInput(f"output: {output!r} is not allowed; must be {allowed}")
        read = read_config(config)
        found = distinct(read, **wanted)
        found = found if everything else left(read, found)
        nothing = "no recovery is left to make; --all takes also those that are there already, or recorded"
        if not found and output != "-":
            raise BadInput(nothing)
        needed = list(dict.fromkeys(map(measurement, found)))
        missing = [path for path in needed if not Path(path).is_file()]
        if output == "-":
            for path in needed if measurements else [f"{r.folder}/score.json" for r in found]:
                print(path)
            if not found:
                click.echo(f"cells: {nothing}", err=True)
        elif missing:
            options = [f"--{kind}={value}" for kind, values in wanted.items() for value in values]
            again = shlex.join(["python", "-m", "steps", "cells", config, *options, *["--all"] * everything])
            raise BadInput(
                f"{len(missing)} of {len(needed)} measurements are missing, such as {missing[0]}; to make them: "
                f"snakemake --cores 2 $({again} --measurements) --configfile {shlex.quote(config)}"
            )
        else:
            bundle(output, found)
            print(f"{output}: {len(found)} recoveries from {len(needed)} measurements")


if __name__ == "__main__":
    main()
