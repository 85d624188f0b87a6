"""Runs of the whole workflow in a copy of the repository, for the tests that need them."""

import re
import shutil
import subprocess
import sys
from collections import Counter
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


def jobs(folder, *arguments, config="config/smoke.yaml"):
    """Return what a dry run would do: Counter of rules, but recoveries and scores by method, drawings by name."""
    result = snakemake(folder, "--dry-run", *arguments, config=config)
    assert result.returncode == 0, result.stdout + result.stderr
    found = Counter()
    for line in re.findall(r"^Job \d+: (.*)$", result.stdout + result.stderr, re.MULTILINE):
        rule = line.split()[0]
        by = re.search(r"\) by (\w+):", line)
        found[f"{rule} {by[1]}" if by else f"draw {line.split()[1].split('/')[0]}" if rule == "draw" else rule] += 1
    return found
