"""Verify that a folder of results is as the run made it, or list what a file was made of."""

import sys
from collections import Counter
from pathlib import Path

import click

from steps.base.errors import BadInput, Command
from steps.base.files import sha256
from steps.run import manifest

MISSING = "missing"


def differences(results):
    """Return [(path, what is wrong)] of the files of a manifest, each read: missing, or with another content.

    Files outside of results, such as a photograph, are only compared if they are there.
    """
    root, wrong = Path(results).absolute().parent, []
    for path, entry in manifest.read(results)["files"].items():
        file = root / path
        if not file.is_file():
            if Path(path).parts[0] == "results":
                wrong.append((path, MISSING))
        elif file.stat().st_size != entry["bytes"]:
            wrong.append((path, f"{file.stat().st_size} bytes; it was made with {entry['bytes']}"))
        elif sha256(file) != entry["sha256"]:
            wrong.append((path, "its content is not what was made"))
    return wrong


def ancestors(files, path):
    """Return {path: entry} of a file and of all it was made of, directly or not, each after what it was made of."""
    found = {}

    def visit(name):
        if name not in found and name in files:
            found[name] = None  # so that a circle, which no run makes, would end
            for before in files[name]["made_of"]:
                visit(before)
            found[name] = found.pop(name) or files[name]

    visit(path)
    return found


@click.command(cls=Command, help=__doc__)
@click.argument("results", type=click.Path(exists=True, file_okay=False), default="results")
@click.option("--of", "path", help="list what this file was made of, with checksums, in place of verifying")
@click.option("--forget", is_flag=True, help="then forget those that are missing: they were deleted on purpose")
def main(results, path, forget):
    """RESULTS is the folder; exit status 1 if a file is missing or is not as the run made it."""
    found = manifest.read(results)
    files = found["files"]
    if not files:
        raise BadInput(f"{results} has no {manifest.FILE}; a finished run writes it")
    if path:
        if path not in files:
            raise BadInput(f"{path!r} is no file that a run made; must be one of those in {results}/{manifest.FILE}")
        for name, entry in ancestors(files, path).items():
            print(f"{entry['sha256']}  {name}")
        return
    wrong = differences(results)
    for name, what in wrong:
        print(f"{name}: {what}")
    print(f"{len(files) - len(wrong)} of {len(files)} files are as they were made.")
    made = Counter(entry["run"] for entry in files.values())
    for number in sorted(made, key=int):
        run = found["runs"][number]
        commit = f"commit {run.get('commit')}{' with uncommitted changes' if run.get('dirty') else ''}"
        print(f"{made[number]} by the run of {run.get('started')} on {run['machine']['host']}, {commit}")
    if forget:
        missing = {name for name, what in wrong if what == MISSING}
        manifest.forget(missing, results)
        print(f"Missing and forgotten: {len(missing)}.")
        wrong = [name for name, _ in wrong if name not in missing]
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
