"""The report of a run, results/report.html: every table and figure in one file, made by Snakemake's own reporter."""

import contextlib
import io
import logging
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

from steps.base.files import RESULTS, whole

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
    from snakemake.report import auto_report
    from snakemake.settings.types import GlobalReportSettings
    from snakemake_interface_report_plugins.registry import ReportPluginRegistry

    quote_names()
    marked = [path for job in workflow.dag.jobs for path in job.output if "report" in path.flags]
    shown = [path for path in marked if os.path.isfile(path)]
    for path in set(marked).difference(shown):
        del path.flags["report"]
    path, other = (PAGE, ARCHIVE) if sum(map(os.path.getsize, shown)) <= LARGEST else (ARCHIVE, PAGE)
    plugin = ReportPluginRegistry().get_plugin("html")
    config, notes = workflow.config, workflow.persistence
    with whole(path) as temporary, tempfile.TemporaryDirectory() as folder, _silent():
        settings = plugin.settings_cls(path=Path(folder, path.name))  # of which a zip takes its folder's name
        workflow.globals["config"] = config | {"run": run}
        # Each job's note has environment.yml in it, whether it was used or not; reading it takes 7 ms a job.
        notes.metadata = lambda file: {**(type(notes).metadata(notes, file) or {}), "conda_env": None}
        try:
            workflow.async_run(auto_report(workflow.dag, plugin, settings, GlobalReportSettings()))
        finally:
            workflow.globals["config"] = config
            del notes.metadata
        shutil.move(settings.path, temporary)
    other.unlink(missing_ok=True)
    return path, sorted(map(str, shown))


def quote_names():
    """Let Snakemake's reports show files whose names have commas, as ours do: it begins the data at the first comma."""
    from snakemake.report import common

    original = getattr(common.data_uri, "original", common.data_uri)

    def data_uri(data, filename, *arguments, **options):
        return original(data, quote(filename), *arguments, **options)

    data_uri.original = original
    common.data_uri = data_uri


@contextlib.contextmanager
def _silent():
    """Keep what Snakemake says of each file, and docutils of each caption, from the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(before)
