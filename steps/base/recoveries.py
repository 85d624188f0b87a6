"""One recovery, and the list of an experiment's that is a file: what planning hands to the steps after it."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from steps.base.files import reading


@dataclass(frozen=True)
class Recovery:
    """One recovery: an image, corrupted for a task, recovered by a method; `label` is its column in a table."""

    task: str
    image: str
    corruption: str
    method: str
    params: str
    label: str

    @property
    def case(self):
        """The folder of its measurement, relative to the working directory."""
        return f"results/{self.task}/{self.image}/{self.corruption}"

    @property
    def folder(self):
        """The folder of its results, relative to the working directory."""
        return f"{self.case}/{self.method}/{self.params}"


def listing(recoveries, made):
    """Return recoveries as text: a line of csv for each, with 1 if it is one of those `made`, a set, else 0."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([*vars(recovery).values(), int(recovery in made)] for recovery in recoveries)
    return text.getvalue()


def read_listing(path):
    """Return (all recoveries, those that are made) of a file of `listing`. Raises BadInput if it is damaged."""
    with reading(path), Path(path).open(encoding="utf-8", newline="") as file:
        rows = [(Recovery(*fields), made == "1") for *fields, made in csv.reader(file)]
    return [recovery for recovery, _ in rows], [recovery for recovery, made in rows if made]
