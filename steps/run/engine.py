"""The engine room: all that priorbench asks of Snakemake beyond its documented language; `workflow` is Snakemake's own.

Each function says what it buys, and tests/run/test_engine.py asks the installed Snakemake for every private part. What
only a cluster needs is in steps/run/cluster.py.
"""

import asyncio
import contextlib
import functools
import io
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

from steps.run.sources import ROOT
from steps.run.warm import end_with_parent

LEFT_OUT = "PRIORBENCH_LEFT_OUT"  # names, in the second pass, the file of the recoveries that the first could not make
CHOSEN = ("targets", "forceall", "forcerun", "forcetargets", "until", "omit_from")  # what asks for a part of a run


def process(workflow):
    """Return what this process is, while the Snakefile is read:

    main     it plans the run. One that does a job of it takes no lock and writes no note.
    module   another workflow has priorbench as a module: then what surrounds a run is that one's business.
    submits  jobs go to other machines: then groups mean something, and a killed run leaves jobs behind.
    conda    jobs have an environment of conda's (--sdm conda): another Python, which loads its libraries itself.
    cores    how many CPUs the run may use here, for the manifest.
    files    the config's files, relative to here; of a module none, since its config is a part of the other's.
    name     what messages call the config.
    """
    module = not workflow.modifier.is_main_snakefile()
    files = [Path(file).absolute() for file in workflow.configfiles if not module]
    files = [os.path.relpath(file) if file.is_relative_to(Path.cwd()) else str(file) for file in files]
    more = ["--config"] if workflow.config_settings.config else []
    return SimpleNamespace(
        main=workflow.is_main_process,
        module=module,
        submits=workflow.is_main_process and workflow.resource_settings.nodes is not None,
        conda="CONDA" in {method.name for method in workflow.deployment_settings.deployment_method},
        cores=workflow.resource_settings.cores,
        files=files,
        name=f"config of the module {workflow.modifier.namespace}" if module else " + ".join(files + more),
    )


def purpose(workflow):
    """Return "run", "run without lock", "plan" or "read", once the graph is built: only a run takes our lock.

    What reads is all else that Snakemake can do, such as --summary, --list-changes, --report, --unlock.
    """
    if workflow.execution_settings is None:
        return "read"
    return "plan" if workflow.dryrun else "run" if workflow.execution_settings.lock else "run without lock"


def is_chosen(workflow):
    """Return whether a run is of chosen targets, not all: after a failure it leaves tables and figures as they are."""
    return any(getattr(workflow.dag_settings, name) not in ([], set(), False, ["all"]) for name in CHOSEN)


def is_whole(workflow):
    """Return whether a run makes all that the config asks for, and does not only touch it: it ends with a report."""
    return any(job.rule.name == "all" for job in workflow.dag.targetjobs) and not workflow.touch


def force(workflow, paths):
    """Let files be made again though nothing that they are made of has changed: damaged ones, those of a killed run."""
    workflow.dag.forcefiles.update(paths)


def undone(workflow):
    """Return the jobs that a run is to do and has not: at its start all of them, later what a failure has prevented."""
    return list(workflow.dag.needrun_jobs())


def made_of(workflow):
    """Return ({file: the files it is made of}, the files that this run has made), for the manifest."""
    jobs = list(workflow.dag.jobs)
    files = {str(path): list(map(str, job.input)) for job in jobs for path in job.output}
    return files, {str(path) for job in jobs if workflow.dag.finished(job) for path in job.output}


def failed(workflow, before):
    """Return the jobs that failed, to name them and their logs at the end; of a group those that were not made."""
    groups = [getattr(group, "jobs", None) or [group] for group in workflow.scheduler.failed]
    return [job for jobs in groups for job in jobs if len(jobs) == 1 or not made(job, before)]


def made(job, before):
    """Return whether a job's files were all written since `written` gave `before`.

    On a cluster those of a group may have been, while Snakemake knows only that the group failed.
    """
    now = written(job.output)
    return len(now) == len(job.output) and all(time != before.get(path) for path, time in now.items())


def written(paths):
    """Return {path: when it was written, in nanoseconds} of the paths that are there."""
    found = {}
    for path in map(str, paths):
        with contextlib.suppress(OSError):
            found[path] = os.stat(path).st_mtime_ns
    return found


def was_interrupted(workflow):
    """Return whether a run was stopped, by Ctrl-C or SIGTERM: then nothing more is begun."""
    return bool(workflow.scheduler.running or workflow.scheduler._user_kill)


def lift_rate_limit(workflow):
    """Let jobs here start when there is room: to keep to a rate Snakemake starts a timer after every look and job.

    At 200 jobs those took a quarter of a core.
    """
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None


def let_interrupts_through(workflow):
    """Let Ctrl-C end a run at any moment: Snakemake's handler would wait for ever for what the code it stops holds."""
    workflow.scheduler._lock = threading.RLock()


def offer_gpus(workflow, slots):
    """Let so many jobs that take a GPU run at once, unless --resources gpu=N says how many."""
    if "gpu" not in workflow.global_resources:
        workflow.register_resource("gpu", slots)


def runs_here(workflow):
    """Return whether jobs are done on this machine, not only touched: a process with the libraries loaded pays."""
    return workflow.local_exec and not workflow.touch


def say_by(workflow, handler):
    """Let a log handler, if there is one, say what happens, and Snakemake errors only; its log file has all as ever.

    Return the handler; None for a dry run, whose messages are what it is for, and with --quiet, when errors are all
    that is said: it takes the place of the profile's `quiet`, so that Snakemake would say more about itself.
    """
    manager = workflow.logger_manager
    quiet = not {"ALL", "PROGRESS"}.isdisjoint(what.name for what in manager.settings.quiet or ())
    if manager.settings.dryrun or not (handler or quiet):
        return None
    for other in manager.logger.handlers:
        if other.name == "DefaultStreamHandler":
            other.setLevel(logging.WARNING)
    if not quiet:
        manager.logger.addHandler(handler)
    return None if quiet else handler


def second_pass(workflow, left_out, locks):
    """Run this run's command once more, for the tables and figures of what there is; it ends with this process (Linux).

    $PRIORBENCH_LEFT_OUT names a file of the recoveries to go without. locks: numbers of our open lock files, which it
    holds, too. Snakemake's own lock is given to it.
    """
    workflow.persistence.unlock()
    listing = Path(".snakemake/priorbench.left_out").absolute()
    listing.write_text("\n".join(left_out), encoding="utf-8")
    command = [*end_with_parent(), sys.executable, "-m", "snakemake", *sys.argv[1:]]
    subprocess.run(command, cwd=workflow.rundir, env=os.environ | {LEFT_OUT: str(listing)}, pass_fds=locks)


def for_report(workflow):
    """Return the files marked for the report that are there; those that are not lose their mark, else it would fail."""
    marked = [path for job in workflow.dag.jobs for path in job.output if "report" in path.flags]
    shown = [path for path in marked if os.path.isfile(path)]
    for path in set(marked).difference(shown):
        del path.flags["report"]
    return shown


def write_report(workflow, path, facts):
    """Write Snakemake's report of what is marked, by this process, which knows what failed; its --report plans anew.

    path   ends with .html or .zip.  facts  a dict, which the template of the first page reads beside the config's keys.
    Each job's note has environment.yml in it, whether it was used or not: it is left out, as reading it takes 7 ms a
    job. What Snakemake says of each file, and docutils of each caption, is kept from the terminal.
    """
    from snakemake.report import auto_report
    from snakemake.settings.types import GlobalReportSettings
    from snakemake_interface_report_plugins.registry import ReportPluginRegistry

    quote_names()
    plugin = ReportPluginRegistry().get_plugin("html")
    settings = plugin.settings_cls(path=path)
    config, notes, before = workflow.config, workflow.persistence, logging.root.manager.disable
    workflow.globals["config"] = config | facts
    notes.metadata = lambda file: {**(type(notes).metadata(notes, file) or {}), "conda_env": None}
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            workflow.async_run(auto_report(workflow.dag, plugin, settings, GlobalReportSettings()))
    finally:
        logging.disable(before)
        workflow.globals["config"] = config
        del notes.metadata


@functools.cache
def quote_names():
    """Let Snakemake's reports show files whose names have commas, as ours do: it begins the data at the first comma."""
    from snakemake.report import common

    data_uri = common.data_uri
    common.data_uri = lambda data, filename, *more, **options: data_uri(data, quote(filename), *more, **options)


def planned(config=None, **settings):
    """Return the workflow after a silent dry run of a config file, None for the default; settings are DAGSettings'."""
    from snakemake.api import ConfigSettings, DAGSettings, OutputSettings, ResourceSettings, SnakemakeApi

    logging.disable(logging.INFO)
    with SnakemakeApi(OutputSettings(dryrun=True)) as api:
        found = api.workflow(
            snakefile=ROOT / "Snakefile",
            resource_settings=ResourceSettings(cores=1, resources={}),
            config_settings=ConfigSettings(configfiles=[Path(config).absolute()] if config else []),
        )
        found.dag(DAGSettings(**settings)).execute_workflow(executor="dryrun")
        return found._workflow


def note_as_made(workflow):
    """Let Snakemake note all files as made by their jobs, to measure what a finished run costs without making it."""

    async def note():
        for job in (job for job in workflow.dag.jobs if job.output):
            await workflow.persistence.finished(job)

    asyncio.run(note())  # the runner of the workflow is closed by now
