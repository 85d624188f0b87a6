"""List the recoveries that are not made yet, or bundle them for another machine (docs/elsewhere.md)."""

import gzip
import io
import shlex
import tarfile
from pathlib import Path

import click

from steps.base.errors import BadInput, Command, no_such, one_line
from steps.base.files import whole
from steps.base.parameters import parse_parameters
from steps.plan import corruptions, drawings, experiments
from steps.plan.config import read_config
from steps.run import manifest
from steps.run.sources import ROOT, sources
from steps.tools import bundles, packs, recorded

DATE = 946684800  # of every file in a bundle, 2000-01-01, so that the same files make the same bytes


def distinct(config, **wanted):
    """Return the Recoveries of a config, one a folder, which several experiments may share, in its order.

    wanted  values of experiment, image, method, label or seed (the corruption's) to choose by; an empty list takes all.
            Experiments come in the order in which they are given here.
            Raises BadInput, with the nearest match, for a value that no recovery of the config has.
    """
    chosen, known = {}, {kind: set() for kind in wanted}
    first = [name for name in dict.fromkeys(wanted.get("experiment", ())) if name in config["experiments"]]
    for name in dict.fromkeys([*first, *config["experiments"]]):
        for recovery in experiments.recoveries(config["experiments"][name]):
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
    scored = manifest.scores_alone()
    return [r for r in recoveries if not experiments.there(r, scored) and r.folder not in current]


def measurement(recovery):
    """Return the path of the measurement that a recovery is of, relative to the working directory."""
    return f"{recovery.case}/measurement.npz"


def traces(config, recoveries):
    """Return the folders of those Recoveries of a config whose kept iterates a figure shows."""
    needed = set()
    for name, entry in config["experiments"].items():
        asked = experiments.recoveries(entry)
        index = drawings.Index(asked, asked)
        for drawing in drawings.drawings(name, entry, index):
            needed.update(drawings.inputs(name, drawing.removeprefix(f"{name}/"), index))
    return [r.folder for r in recoveries if f"{r.folder}/trace.npz" in needed]


def bundle(path, config, recoveries):
    """Write a tar.gz, whole or not at all: cells.txt, measurements or the truths to make them of, and the code.

    Raises BadInput for an image that is missing.
    """
    packages = ("", "methods.", "tasks.", "noises.", "metrics.", "tools.")
    modules = {f"steps.{package}__init__" for package in packages} | {"steps.__main__", "steps.tools.run_cells"}
    for r in recoveries:
        noise = corruptions.noise_of(parse_parameters(r.corruption)).__name__
        modules |= {f"steps.methods.{r.method}", f"steps.tasks.{r.task}", noise}
    metrics = sorted({"psnr", *config["metrics"]})
    modules |= {f"steps.metrics.{name}" for name in metrics}
    code = {Path(file).resolve().relative_to(ROOT.resolve()).as_posix(): Path(file) for file in sources(*modules)}
    measured = {name for name, image in config["images"].items() if image.get("measured")}
    pairs = [name for name in measured if "truth" in config["images"][name]]
    if pairs:
        raise BadInput(f"images.{min(pairs)}.truth: a measured picture with a truth cannot be recovered elsewhere")
    files = bundles.contents(recoveries, metrics, traces(config, recoveries), measured)
    files |= {name: file.read_bytes() for name, file in code.items()}
    with (
        whole(path) as temporary,
        open(temporary, "wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=DATE) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(files[name]), DATE
            tar.addfile(member, io.BytesIO(files[name]))


@click.command(cls=Command, help=__doc__)
@click.argument("config", type=click.Path(exists=True, dir_okay=False))
@click.argument("output", default="-")
@click.option("--experiment", multiple=True, help="only of this experiment; this and the next may be given repeatedly")
@click.option("--image", multiple=True, help="only of this image")
@click.option("--method", multiple=True, help="only by this method")
@click.option("--label", multiple=True, help="only with this label")
@click.option("--seed", type=click.IntRange(0), multiple=True, help="only with this seed of the corruption")
@click.option("--all", "everything", is_flag=True, help="also those that are there already, or recorded")
@click.option(
    "--without", type=click.Path(exists=True, file_okay=False), help="folder of packs whose cells are left out"
)
@click.option("--measurements", is_flag=True, help="print the measurements that they are of")
def main(config, output, everything, without, measurements, **wanted):
    """CONFIG is a YAML file. Prints the paths of the scores to make, one a line, or writes a bundle, OUTPUT.

    What the config's record has counts as made, if it is current. If nothing is to be made, a note on stderr says so,
    and nothing is printed, since Snakemake without targets would make everything. An empty bundle is an error.
    """
    with one_line("cells"):
        if output != "-" and (measurements or not output.endswith(".tar.gz")):
            allowed = "none with --measurements" if measurements else "a file .tar.gz, or - to print paths"
            raise BadInput(f"output: {output!r} is not allowed; must be {allowed}")
        read = read_config(config)
        known = {folder for folder, _ in packs.numbers(without)} if without else set()
        found = [r for r in distinct(read, **wanted) if r.folder not in known]
        found = sorted(found if everything else left(read, found), key=bundles.rank)
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
            options += [f"--without={without}"] if without else []
            again = shlex.join(["python", "-m", "steps", "cells", config, *options, *["--all"] * everything])
            raise BadInput(
                f"{len(missing)} of {len(needed)} measurements are missing, such as {missing[0]}; to make them: "
                f"snakemake --cores 2 $({again} --measurements) --configfile {shlex.quote(config)}"
            )
        else:
            bundle(output, read, found)
            size = Path(output).stat().st_size / 1e6
            print(f"{output}: {len(found)} recoveries from {len(needed)} measurements, {size:.1f} MB")


if __name__ == "__main__":
    main()
