"""Runs of the whole workflow in a copy of the repository, for the tests that need them."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def copy_repository(folder):
    """Copy what git has, or would have, of the repository to a folder."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listing.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def command(*arguments, config="config/smoke.yaml", cores=2):
    """Return the words of a call of Snakemake by this Python."""
    return [sys.executable, "-m", "snakemake", "--cores", str(cores), *arguments, "--configfile", config]


def snakemake(folder, *arguments, config="config/smoke.yaml", cores=2):
    """Run Snakemake in a folder; return the finished process with its text."""
    words = command(*arguments, config=config, cores=cores)
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
