"""Runs of the whole workflow in a copy of the repository, for the tests that need them."""

import functools
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.conftest import wait_for

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


@functools.cache
def loaded():
    """Start the process that has all libraries loaded, tests/loaded.py; it ends with this one. Return its socket."""
    path = Path(tempfile.mkdtemp(prefix="priorbench-tests-"), "socket")
    words = [sys.executable, str(ROOT / "tests/loaded.py"), str(path), str(os.getpid())]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    wait_for(lambda: path.exists() or server.poll() is not None)
    assert path.exists(), "tests/loaded.py has ended"
    return str(path)


def python(folder, *words, environment=os.environ):
    """Run `python -m WORDS` in a folder, as a process of its own; return it finished, with its text.

    The jobs of a run are done by the process that has all libraries loaded, if `environment` has no PRIORBENCH_WARM.
    """
    words = [sys.executable, "-m", *map(str, words)]
    variables = [f"{name}={value}" for name, value in ({"PRIORBENCH_WARM": loaded()} | environment).items()]
    request = "\0".join([str(folder), str(len(words)), *words, *variables]).encode(errors="surrogateescape")
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, socket.socket(socket.AF_UNIX) as server:
        server.connect(loaded())
        socket.send_fds(server, [len(request).to_bytes(8, "big")], [out.fileno(), err.fileno()])
        server.sendall(request)
        answer = server.recv(1)
        server.recv(1)  # nothing: it has ended, and holds no lock any more
        texts = [(file.seek(0), file.read().decode(errors="replace"))[1] for file in (out, err)]
    assert answer, f"{words} ended without saying how:\n" + "\n".join(texts)
    return subprocess.CompletedProcess(words, answer[0], *texts)


@functools.cache
def commands():
    """Return a folder with the commands python and snakemake, which are done where all libraries are loaded already."""
    folder = Path(tempfile.mkdtemp(prefix="priorbench-commands-"))
    ask = shlex.join([sys.executable, "-I", "-S", str(ROOT / "steps/run/ask.py"), sys.executable])
    python = f'test "$1" = -m && exec {ask} "$@"\nexec {shlex.quote(sys.executable)} "$@"\n'
    for name, text in {"python": python, "snakemake": f'exec {ask} -m snakemake "$@"\n'}.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}")
        (folder / name).chmod(0o755)
    return str(folder)


def command(*arguments, config="config/smoke.yaml", cores=2):
    """Return the words of a call of Snakemake by this Python."""
    return [sys.executable, "-m", "snakemake", "--cores", str(cores), *arguments, "--configfile", config]


def snakemake(folder, *arguments, config="config/smoke.yaml", cores=2):
    """Run Snakemake in a folder; return the finished process with its text."""
    return python(folder, *command(*arguments, config=config, cores=cores)[2:])


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
