"""What `make` says while it runs: a line a finished recovery, how many of how many, and the time left."""

import contextlib
import csv
import logging
import sys
import time
from pathlib import Path
from statistics import mean

from steps.base import discover
from steps.base.files import RESULTS, read_json
from steps.base.parameters import NO_PARAMETERS
from steps.base.recoveries import Recovery

NEEDED = ("image", "measured_image", "file", "corrupt")  # rules whose wildcards say of which recoveries
ASKED = "PRIORBENCH_PROGRESS"  # in the environment, asks for these lines in the place of Snakemake's own
SAID = ("Nothing to be done", "Complete log", "Will exit after finishing")  # what else is said of what Snakemake says


class Progress(logging.Handler):
    """Prints a line for each recovery that Snakemake's log says is finished; errors are printed by Snakemake's own."""

    def __init__(self):
        super().__init__(logging.INFO)
        self.waiting, self.running = {}, {}  # {folder: recovery}, {number of the job: (folder, start)}
        self.failed = {}  # as `waiting`; one that is tried again waits again
        self.before_them = {}  # {number of a job that recoveries need: its wildcards}
        self.total = self.done = 0
        self.before, self.took = {}, {}  # {what a time depends on: seconds}, of the last run and of this one
        self.begun, self.worked = None, 0.0  # when the first recovery began; seconds of all that are done

    def start(self, recoveries, jobs):
        """Note the Recoveries that are to be made, and say how many, of how many jobs."""
        self.waiting = {recovery.folder: recovery for recovery in recoveries}
        self.total, self.begun = len(recoveries), None
        with contextlib.suppress(OSError, KeyError, ValueError), open(RESULTS / "scores.csv", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                note(self.before, likeness(row["method"], row["params"], row["image"]), float(row["seconds"]))
        say(f"Recoveries to be made: {self.total}; jobs in all: {jobs}")

    def emit(self, record):
        """Take a record of Snakemake's log."""
        event = getattr(record, "event", None)
        if event == "job_info" and record.rule_name == "recover":
            started = time.time()
            self.begun = self.begun or started
            folder = of_job(record.wildcards).folder
            self.running[record.jobid] = folder, started
            if folder in self.failed:
                self.waiting[folder] = self.failed.pop(folder)
        elif event == "job_info" and record.rule_name in NEEDED:
            self.before_them[record.jobid] = dict(record.wildcards)
            self._move(record.jobid, self.failed, self.waiting)
        elif event == "job_error" and record.jobid in self.before_them:
            self._move(record.jobid, self.waiting, self.failed)
        elif event == "job_error" and record.jobid in self.running:
            self._failed(*self.running.pop(record.jobid))
        elif event == "job_finished" and record.job_id in self.running:
            self._finished(*self.running.pop(record.job_id))
        elif event is None and record.getMessage().startswith(SAID):
            say(record.getMessage())

    def _move(self, job, here, there):
        """Move the recoveries that cannot be made without a job: those of its image, file or measurement."""
        said = self.before_them[job]
        for path, recovery in list(here.items()):
            file = {"file": said.get("file")} if f"={said.get('file')}," in f"{recovery.corruption}," else {}
            if said.items() <= (vars(recovery) | file).items():
                there[path] = here.pop(path)

    def _failed(self, path, started):
        self.worked += time.time() - started
        if path in self.waiting:
            self.failed[path] = self.waiting.pop(path)

    def _finished(self, path, started):
        seconds = time.time() - started
        recovery = self.waiting.pop(path, None)
        if recovery is None:  # made twice
            return
        self.done, self.worked = self.done + 1, self.worked + seconds
        note(self.took, likeness(recovery.method, recovery.params, recovery.image), seconds)
        with contextlib.suppress(OSError, ValueError, KeyError):
            seconds = read_json(Path(path, "run.json"))["seconds"]  # of solving alone
        failed = f" ({len(self.failed)} failed)" * bool(self.failed)
        words = [f"{self.done} of {self.total}{failed}", name(recovery), f"{seconds:.1f} s", self.left(time.time())]
        say("  ".join(filter(None, words)))
        if not self.waiting:
            say("Now what is left of scores, tables, figures and pages")

    def left(self, now):
        """Return about how long the recoveries that wait will take, in words; "" if none waits.

        The seconds of each are the mean of those like it, in this run or the last; they pass at the rate at which they
        have passed so far, whatever the cores. Of a method that has not been seen yet nothing is known: "at least".
        """
        since = {path: now - started for path, started in self.running.values()}
        known = {path: self._seconds(recovery) for path, recovery in self.waiting.items()}
        rest = sum(max(seconds - since.get(path, 0), 0) for path, seconds in known.items() if seconds is not None)
        rate = (self.worked + sum(since.values())) / max(now - self.begun, 1e-3)
        if not known:
            return ""
        return f"{'at least' if None in known.values() else 'about'} {duration(rest / max(rate, 1e-3))} left"

    def _seconds(self, recovery):
        """Return the mean seconds of the recoveries most like this one, None if there are none."""
        for times in (self.took, self.before):
            for key in likeness(recovery.method, recovery.params, recovery.image):
                if key in times:
                    return mean(times[key])
        return None


def likeness(method, params, image):
    """Return what a recovery's seconds depend on, from much to little."""
    return [(method, params, image), (method, image), (method, params), (method,)]


def note(times, keys, seconds):
    """Add a recovery's seconds to those of others that are like it, by the keys of `likeness`."""
    for key in keys:
        times.setdefault(key, []).append(seconds)


def of_job(wildcards):
    """Return the Recovery, without a label, that a job of the rule recover makes, by its wildcards."""
    return Recovery(**wildcards, label="")


def name(recovery):
    """Return a recovery in words: task, image, corruption, and its label in the config, or its parameters."""
    label = recovery.label
    if not label:
        params = "" if recovery.params == NO_PARAMETERS else f" ({recovery.params})"
        label = f"{discover.load('methods', recovery.method).LABEL}{params}"
    return f"{recovery.task} {recovery.image} {recovery.corruption} by {label}"


def duration(seconds):
    """Return seconds in words, such as 40 s, 3 min, 2.5 h."""
    for most, unit, word in ((90, 1, "s"), (90 * 60, 60, "min")):
        if seconds < most:
            return f"{max(seconds / unit, 1):.0f} {word}"
    return f"{seconds / 3600:.1f} h"


def say(words):
    """Print words to stderr, at once."""
    print(words, file=sys.stderr, flush=True)
