"""The report of a run, results/report.html: every table and figure in one file, made by Snakemake's own reporter."""

import os
import shutil
import tempfile
from pathlib import Path

from steps.base.files import RESULTS, whole
from steps.run import engine

LARGEST = 30e6  # bytes of tables and figures in one page, which grows by a third of them; beyond, it is a zip
PAGE, ARCHIVE = RESULTS / "report.html", RESULTS / "report.zip"
INDEX = RESULTS / "index.html"
PROMISED = "PRIORBENCH_PROMISED"  # in the environment of jobs, names the files in results that follow when all are done


def missing():
    """Return whether a whole run has been made here, but its report is not there."""
    return INDEX.is_file() and not PAGE.is_file() and not ARCHIVE.is_file()


def withdraw():
    """Delete the report: nothing that it shows is there any more."""
    PAGE.unlink(missing_ok=True)
    ARCHIVE.unlink(missing_ok=True)


def place(files):
    """Return the path of a report that shows these files: PAGE, or ARCHIVE if they have more than LARGEST bytes."""
    return PAGE if sum(map(os.path.getsize, files)) <= LARGEST else ARCHIVE


def make(workflow, facts):
    """Write the report of what a Snakemake workflow has made; return (its path, the files it shows).

    facts  of its first page: run, {name: text} of facts about the run; headline, what it shows of the results (HTML).
    Files that are marked for the report but are not there, because their jobs failed, are left out. Above LARGEST it is
    ARCHIVE, a zip with the page and the files beside it, else PAGE; the other is removed.
    """
    shown = engine.for_report(workflow)
    path = place(shown)
    other = ARCHIVE if path == PAGE else PAGE
    with whole(path) as temporary, tempfile.TemporaryDirectory() as folder:
        facts = facts | {"home": os.path.relpath(INDEX, path.parent if path == PAGE else path.with_suffix(""))}
        engine.write_report(workflow, Path(folder, path.name), facts)  # of which a zip takes its folder's name
        shutil.move(Path(folder, path.name), temporary)
    other.unlink(missing_ok=True)
    return path, sorted(map(str, shown))
