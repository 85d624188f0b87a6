"""One run at a time in a folder; what a killed run left behind is cleared, so that the next one just goes on."""

import fcntl
import json
import os
import socket
import time
from pathlib import Path

from steps.base.errors import BadInput
from steps.base.files import write_json

LOCK = Path(".snakemake/priorbench.lock")
MAKING = Path(".snakemake/priorbench.making")
_held = []  # the open lock file of this process: the kernel frees the lock when the process ends, however it does


def begin(local):
    """Let this process be the run in the working directory; return a sentence on what a killed run has left, or None.

    local  whether the jobs run on this machine, so that none is left when it has been killed.
    Snakemake's own lock outlives a killed run. It is cleared if this is certain: the run that wrote it was on this
    machine, with local jobs, and no process holds our lock. Raises BadInput if another run is at work, or if the
    folder cannot be written to.
    """
    for folder in (LOCK.parent, Path("results")):
        _check_writable(folder)
    file = open(LOCK, "a+", encoding="utf-8")  # noqa: SIM115 held until the process ends
    try:
        _take(file)
    except BlockingIOError:
        other = _read(file)
        where = f"process {other.get('process', '?')} on {other.get('host', '?')}, since {other.get('since', '?')}"
        alternative = "wait for it, or run in a folder of its own (--directory)"
        raise BadInput(f"another run is at work in {Path.cwd()} ({where}); {alternative}") from None
    except OSError:  # a file system without locks: Snakemake's own lock has to do
        return None
    _held.append(file)
    before, host = _read(file), socket.gethostname()
    locks = list(LOCK.parent.glob("locks/*.lock"))
    certain = before.get("host") == host and before.get("local")
    if locks and not certain:  # Snakemake refuses, now and until the lock is taken away by hand
        if before.get("host") != host or before.get("local") is None:
            return None
        killed = f"The run of {before['since']} (process {before['process']}) was killed. "
        return killed + "Its jobs may still be in the queue: cancel them before you start again (docs/cluster.md)."
    for lock in locks:
        lock.unlink(missing_ok=True)
    file.truncate(0)
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    json.dump({"process": os.getpid(), "host": host, "local": local, "since": since}, file)
    file.flush()
    if locks:
        return f"The run of {before['since']} (process {before['process']}) was killed; this one goes on where it was."
    return None


def busy():
    """Return whether another process is the run in the working directory."""
    try:
        with open(LOCK, encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return not _held
    except OSError:
        return False
    return False


def making(paths=()):
    """Note the files that this run sets out to make, and keep those that earlier ones set out to make and did not."""
    write_json(MAKING, sorted(interrupted().union(paths)))


def interrupted():
    """Return the files that a run set out to make and that are not there: it was killed, or their jobs failed.

    Snakemake deletes what a job will make before it begins, and makes it again if something needs it. When the change
    that began it was taken back nothing does, and it would be missing from the results.
    """
    try:
        return {path for path in json.loads(MAKING.read_text(encoding="utf-8")) if not os.path.exists(path)}
    except (OSError, ValueError):
        return set()


def held():
    """Return the file numbers of the locks that this process holds, so that a part of its run can hold them, too."""
    return [file.fileno() for file in _held]


def _take(file, seconds=0.5):
    """Take the lock; who only asks whether another is at work holds it for an instant, and is waited for."""
    end = time.monotonic() + seconds
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


def _read(file):
    file.seek(0)
    try:
        return json.loads(file.read())
    except ValueError:
        return {}


def _check_writable(folder):
    probe = folder / f".writable.{os.getpid()}"
    try:
        folder.mkdir(exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise BadInput(f"{folder.absolute()} cannot be written to: {error.strerror}") from error
