"""The report of a run, results/report.html: every table and figure in one file, made by Snakemake's own reporter."""

import os
import shutil
import tempfile
from pathlib import Path

from steps.base.files import RESULTS, whole
from steps.run import engine

LARGEST = 30e6  # bytes of tables and figures in one page, which grows by a third of them; beyond, it is a zip
PAGE, ARCHIVE = RESULTS / "report.html", RESULTS / "report.zip"


def missing():
    """Return whether a whole run has been made here, but its report is not there."""
    return (RESULTS / "time.html").is_file() and not PAGE.is_file() and not ARCHIVE.is_file()


def withdraw():
    """Delete the report: nothing that it shows is there any more."""
    PAGE.unlink(missing_ok=True)
    ARCHIVE.unlink(missing_ok=True)


def make(workflow, run):
    """Write the report of what a Snakemake workflow has made; return (its path, the files it shows).

    run  {name: text} of facts about the run, which its first page lists.
    Files that are marked for the report but are not there, because their jobs failed, are left out. Above LARGEST it is
    ARCHIVE, a zip with the page and the files beside it, else PAGE; the other is removed.
    """
    shown = engine.for_report(workflow)
    path, other = (PAGE, ARCHIVE) if sum(map(os.path.getsize, shown)) <= LARGEST else (ARCHIVE, PAGE)
    with whole(path) as temporary, tempfile.TemporaryDirectory() as folder:
        engine.write_report(workflow, Path(folder, path.name), run)  # of which a zip takes its folder's name
        shutil.move(Path(folder, path.name), temporary)
    other.unlink(missing_ok=True)
    return path, sorted(map(str, shown))
