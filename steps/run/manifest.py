"""The manifest of a results folder: by what run, on what machine, and of what each file was made, with checksums."""

import contextlib
import json
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from steps.base.errors import BadInput
from steps.base.files import RESULTS, sha256, write_text
from steps.run.sources import ROOT

FILE = "manifest.json"
UNRULED = ("results/code/", "results/report.")
DELETED = "deleted"


def read(results=RESULTS):
    """Return {"runs": {number: facts}, "files": …} of a results folder; without a manifest both are empty.

    files: {path below the folder that holds results: {bytes, sha256, mtime_ns, made_of: [paths], run: number}}. What a
    run was about to make anew, and has not, is as it was: its size and time say so.
    Raises BadInput for a manifest that is no such file.
    """
    path = Path(results, FILE)
    if not path.is_file():
        return {"runs": {}, "files": {}}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        files, planned = found["files"], found.pop("planned", {})
        files |= {name: entry for name, entry in planned.items() if _as_it_was(Path(results, "..", name), entry)}
        assert all({"bytes", "sha256", "mtime_ns", "made_of", "run"} <= set(e) for e in found["files"].values())
        assert all(isinstance(facts, dict) for facts in found["runs"].values())
    except (ValueError, TypeError, KeyError, AttributeError, AssertionError) as error:
        raise BadInput(f"{path} is damaged; delete it: the next run that makes something writes it anew") from error
    return found


def _as_it_was(path, entry):
    """Return whether a file has the size and time that an entry has; False if it is not there."""
    with contextlib.suppress(OSError):
        there = os.stat(path)
        return (there.st_size, there.st_mtime_ns) == (entry["bytes"], entry["mtime_ns"])
    return False


def write(found, results=RESULTS):
    """Write {"runs": …, "files": …, "planned": …} as the manifest, whole or not at all; a line a file."""
    said = f'{{"runs": {json.dumps(found["runs"], indent=2)}'
    for kind in ("files", "planned"):
        files = (f"{json.dumps(path)}: {json.dumps(entry)}" for path, entry in sorted(found.get(kind, {}).items()))
        said += f',\n"{kind}": {{\n' + ",\n".join(files) + "\n}" if kind in found else ""
    write_text(Path(results, FILE), f"{said}}}\n")


def last(found):
    """Return the facts of the last run of a manifest, {} if there is none."""
    return found["runs"][max(found["runs"], key=int)] if found["runs"] else {}


def changed(path, entry):
    """Return what is wrong with a file that an entry of the manifest is about, or None.

    A file of the same size and time is taken to be the same, any other is read. If only its time is another, because it
    was touched or copied, it gets its own back: Snakemake goes by it.
    """
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return DELETED
    if there.st_size != entry["bytes"]:
        return f"{there.st_size} bytes; it was made with {entry['bytes']}"
    if there.st_mtime_ns != entry["mtime_ns"]:
        if sha256(path) != entry["sha256"]:
            return "its content is not what was made"
        with contextlib.suppress(OSError):
            os.utime(path, ns=(there.st_atime_ns, entry["mtime_ns"]))
    return None


def damaged():
    """Return {path: what is wrong with it} of the files that a run made in results and that are not as it made them.

    Those that are not there any more are DELETED.
    Notes of code are no such files: they say what the code is now. But where they say what they did, they, too, get
    their time back. Nor is the report, which no rule makes: the next run that makes something writes it anew.
    """
    wrong = {path: changed(path, entry) for path, entry in read()["files"].items() if _inside(path)}
    return {path: what for path, what in wrong.items() if what and _ruled(path)}


def forget(paths, results=RESULTS, planned=False):
    """Take files out of the manifest: they were deleted on purpose, or, `planned`, are about to be made anew.

    Of those the entries stay beside the others, for who of them is not made after all, see `read`.
    """
    found = read(results)
    kept = {path: entry for path, entry in found["files"].items() if path not in paths}
    if len(kept) < len(found["files"]):
        left = {path: entry for path, entry in found["files"].items() if path in paths} if planned else {}
        write(found | {"files": kept} | ({"planned": left} if planned else {}), results)


def retime(paths):
    """Note the present times of files that were touched, if they have the content that they had."""
    found = read()
    for path, entry in found["files"].items():
        if path in paths and os.path.isfile(path) and sha256(path) == entry["sha256"]:
            entry["mtime_ns"] = os.stat(path).st_mtime_ns
    write(found)


def scores_alone():
    """Return the folders of recoveries of which the score is there and the image was forgotten: none is to be made."""
    files = read()["files"]
    folders = {os.path.dirname(path) for path in files if path.endswith("/score.json") and os.path.isfile(path)}
    return {folder for folder in folders if f"{folder}/recovered.npy" not in files}


def update(facts, made_of, finished):
    """Write the manifest after a run: its facts, and an entry for each file that there is.

    made_of   {path: [paths it is made of]} of all files that the run is about.
    finished  the paths that it has made. Only they, what is new, and what no run makes (code, images) are read; the
              entries of other files stay as they were, so that a damaged or deleted one stays so. Only of what no rule
              makes, such as a photograph, they go with the file.
    """
    found = read()
    number = str(1 + max(map(int, found["runs"]), default=0))
    files = {path: e for path, e in found["files"].items() if os.path.exists(path) or _ruled(path)}
    leaves = {path: [] for inputs in made_of.values() for path in inputs if path not in made_of}
    for path, inputs in (leaves | made_of).items():
        if not os.path.isfile(path):
            continue
        if path not in files or path in finished or path in leaves:
            there, entry = os.stat(path), files.get(path, {})
            if (there.st_size, there.st_mtime_ns) != (entry.get("bytes"), entry.get("mtime_ns")):
                size, time = there.st_size, there.st_mtime_ns
                files[path] = {"bytes": size, "sha256": sha256(path), "mtime_ns": time, "run": number}
        files[path]["made_of"] = sorted(inputs)
    used = {entry["run"] for entry in files.values()} | {number}
    runs = {key: facts for key, facts in found["runs"].items() if key in used} | {number: facts}
    write({"runs": runs, "files": files})


def facts(config, command, cores, code):
    """Return what a run is made by: commit, versions, machine …; code is {path: SHA-256} at its start."""
    return {
        "commit": _git("rev-parse", "HEAD"),
        "dirty": _dirty(),
        "command": command,
        "cores": cores,
        "machine": {
            "host": platform.node(),
            "system": platform.platform(),
            "processor": processor(),
            "cpus": os.cpu_count(),
            "gpus": _lines("nvidia-smi", "-L"),
        },
        "python": sys.version.split()[0],
        "lock": {"requirements.lock": sha256(ROOT / "requirements.lock")},
        "versions": {line: metadata.version(line) for line in sorted(_packages())},
        "config": {key: value for key, value in config.items() if key != "captions"},
        "code": code,
    }


def _inside(path):
    """Return whether a path is below results; links are not followed, and no file of anybody else is ever meant."""
    return Path(path).parts[:1] == RESULTS.parts and ".." not in Path(path).parts


def _ruled(path):
    """Return whether a rule makes a file: not so notes of code, the report, and all that lies outside of results."""
    return _inside(path) and not path.startswith(UNRULED)


def _packages():
    found = {name for d in metadata.distributions() if (name := d.metadata["Name"])}
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return {line.split("==")[0] for line in text.splitlines() if "==" in line} & found


def _dirty():
    """Return whether files of the repository differ from the commit, results excepted; None if it is no repository."""
    status = _git("status", "--porcelain", "--untracked-files=all")
    return None if status is None else bool(status)


def _git(*arguments):
    """Return what git says of the repository that this folder is, None if it is none; it may lie in another's."""
    top = _run("git", "-C", str(ROOT), "rev-parse", "--show-toplevel")
    if top is None or not os.path.samefile(top.strip(), ROOT):
        return None
    result = _run("git", "-C", str(ROOT), *arguments)
    return None if result is None else result.strip()


def _lines(*command):
    return (_run(*command) or "").splitlines()


def _run(*command):
    """Return what a command prints, or None if it is not there or fails."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}  # of another repository
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL, env=own)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout if result.returncode == 0 else None


def processor():
    """Return the name of this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
