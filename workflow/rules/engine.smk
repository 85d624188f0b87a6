# What surrounds a run: one at a time, damaged files made again, the manifest, the report, what failed. All that reaches
# into Snakemake's private parts stands here, in steps/run/engine.py and cluster.py, where each has a name and a reason.

import atexit
import functools
import gc
import inspect
import os
import shlex
import sys
import time
import traceback
from pathlib import Path

# The repository, also where this is a module of another workflow; workflow.source_path would give a copy in a cache.
ROOT = str(Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent.parent)
sys.path.insert(0, ROOT)

from steps.base.errors import BadInput
from steps.run import cluster, engine, lock, manifest, progress, report as reports, warm
from steps.run.sources import checksums, leave_notes, restore
from steps.tables.markup import some

PROCESS = engine.process(workflow)
SECOND_PASS = engine.LEFT_OUT in os.environ
CLUSTER = PROCESS.submits or not PROCESS.main
MAKERS = ("image", "file", "corrupt", "recover", "score")  # the rules that make results; the others show them
DAMAGED = {}  # {path: what is wrong with it} of the files that are not as a run made them
FACTS = {}  # of this run, for the manifest
REPORTED = {}  # {path: the files it shows} of the report that this run has made
BEFORE = {}  # {path: when it was written} of the files that were there already of those that the run is to make
STARTED = time.time()
CODE = {}  # {file of steps: checksum} when the run began

os.environ |= {
    "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait for others sleep; spinning, they would slow down those
    # `python -m steps.x` is of this folder and by the Python that runs this, in any working directory; conda's
    # environments have their own. What else is in PYTHONPATH stays: executor plugins, which jobs on a cluster need, too.
    "PYTHONPATH": os.pathsep.join(
        dict.fromkeys([ROOT, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))])
    ),
    "PATH": os.pathsep.join([*[str(Path(sys.executable).parent)] * (not PROCESS.conda), *os.get_exec_path()]),
}
if not PROCESS.module:  # whose commands a prefix would cut short at their first &&
    shell.prefix(warm.job_prefix(PROCESS.conda).replace("{", "{{").replace("}", "}}"))
    gc.disable()  # planning makes millions of objects and hardly any garbage: a fifth of its time was spent looking for it
PROGRESS = None
if PROCESS.main:
    PROGRESS = engine.say_by(workflow, progress.Progress() if progress.ASKED in os.environ else None)
if CLUSTER:
    cluster.let_wildcards_have_commas()
    cluster.let_groups_keep_going()


def or_exit(function):
    """Return the function, its BadInput or OSError turned into one line on stderr and exit status 1.

    A bug ends the process, too, with its traceback: of an input function that fails Snakemake takes a file that is
    there for one that nothing makes, and so for up to date.
    """

    @functools.wraps(function)
    def checked(*arguments, **options):
        try:
            return function(*arguments, **options)
        except (BadInput, OSError) as error:
            words = f"Error: {error}"
        except Exception:
            words = traceback.format_exc()
        if not FACTS:  # nothing has been begun: notes go on to say of what results are made
            restore()
        sys.exit(words)

    checked.__signature__ = inspect.signature(function)  # which Snakemake asks for at each call
    return checked


@functools.cache
@or_exit
def begin():
    """Once, when the first input function is called: take the lock, and let what a run left damaged be made again.

    Return whether this process may write notes of what results are to be made of. Beside a run that is at work only new
    ones, since what that has begun is made by what its notes say; and the new are left, since it may need them by now.
    """
    if not PROCESS.main:
        return False
    purpose = engine.purpose(workflow)
    if purpose in ("plan", "read"):
        atexit.register(lambda: lock.busy() or restore())
    if purpose == "read":
        engine.quote_names()
    if PROCESS.module:
        return True
    if purpose == "run" and not SECOND_PASS:
        said = lock.begin(local=not PROCESS.submits)
        if said:
            print(said, file=sys.stderr)
    if purpose.startswith("run"):
        CODE.update(checksums())
    DAMAGED.update(manifest.damaged())
    for path, what in DAMAGED.items():
        if what != manifest.DELETED:  # of which there may be thousands, of other configs, too
            print(f"Damaged, to be made again: {path} ({what})", file=sys.stderr)
    engine.force(workflow, lock.interrupted().union(DAMAGED))
    if config["report"] and reports.missing():
        engine.force(workflow, ["results/index.html"])  # the report is made after a run, if only of one job
    if lock.busy() and not SECOND_PASS:
        print("A run is at work here; what was edited since it began is not looked at.", file=sys.stderr)
        leave_notes()
    return True


def note(failed=()):
    """Write results/manifest.json."""
    made_of, finished = engine.made_of(workflow)
    if workflow.touch:  # nothing was made: only times are others
        return manifest.retime(finished)
    times = {"started": now(STARTED), "ended": now(), "seconds": round(time.time() - STARTED, 1)}
    manifest.update(times | {"failed": list(failed)} | FACTS, made_of | REPORTED, finished.union(REPORTED))


def make_report(failed=()):
    """Write results/report.html, if the run was to make everything; the second pass leaves it to the first."""
    if not config["report"] or not engine.is_whole(workflow) or SECOND_PASS:
        return
    try:
        path, shown = reports.make(workflow, {"run": run_facts(failed), "headline": headline()})
    except Exception as error:  # Snakemake's or docutils' own: the results are there all the same
        print(f"The report could not be made: {' '.join(str(error).split())}", file=sys.stderr)
        return
    REPORTED[str(path)] = shown
    print(f"Report: {path} ({path.stat().st_size / 1e6:.1f} MB)", file=sys.stderr)


def run_facts(failed):
    """Return {name: text} of the run that made the results, for people."""
    machine, versions = FACTS["machine"], FACTS["versions"]
    names = ["snakemake", "torch", "numpy", "scipy", "scikit-image", "bm3d", "matplotlib"]
    changed = {True: ", files differed from it", False: "", None: ""}[FACTS["dirty"]]
    return {
        "Command": FACTS["command"],
        "Config": NAME,
        "Ended": now(),
        "Commit": f"{FACTS['commit'] or 'no repository'}{changed}",
        "Machine": f"{machine['processor']}, {machine['cpus']} CPUs, {FACTS['cores'] or 'no'} cores used; {machine['system']}",
        "GPUs": "; ".join(machine["gpus"]) or "none",
        "Versions": ", ".join([f"Python {FACTS['python']}", *(f"{n} {versions[n]}" for n in names if n in versions)]),
        **({"Failed": "; ".join(failed)} if failed else {}),
    }


def now(seconds=None):
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(seconds))


def what_is_left():
    """After a failure, delete tables and figures that were to be made anew; return what they can be made of now.

    Return {experiment: its recoveries that are there and up to date}, and make of them what can be made.
    """
    undone = engine.undone(workflow)
    for path in (path for job in undone if job.rule.name not in MAKERS for path in job.output):
        Path(path).unlink(missing_ok=True)
    lost = [job for job in undone if job.rule.name == "score" and not engine.made(job, BEFORE)]
    old = {os.path.dirname(job.output[0]) for job in lost}
    left = {
        name: [r for r in asked if r.folder not in old and Path(r.folder, "score.json").is_file()]
        for name, asked in ASKED.items()
    }
    if any(left.values()):
        print("Some jobs failed; now the tables and figures of what there is.", file=sys.stderr)
        engine.second_pass(workflow, old, lock.held())
    else:
        reports.withdraw()
    return left


onstart:
    gc.enable()
    engine.lift_rate_limit(workflow)
    engine.let_interrupts_through(workflow)
    cluster.mend(workflow)
    if engine.runs_here(workflow) and not PROCESS.conda:
        warm.start()
    FACTS.update(manifest.facts(config, shlex.join(["snakemake", *sys.argv[1:]]), PROCESS.cores, CODE))
    # What is about to be made anew is not known any more, nor when its code was noted. The damaged files are, until they
    # have been made.
    jobs = engine.undone(workflow)
    notes = {str(path) for job in jobs for path in job.input if str(path).startswith("results/code/")}
    outputs = {str(path) for job in jobs for path in job.output}
    BEFORE.update(engine.written(outputs))
    if deleted := sorted(path for path in outputs if DAMAGED.get(path) == manifest.DELETED):
        print(f"Deleted, to be made again: {some(deleted, 3)}", file=sys.stderr)
    if PROGRESS:
        asked = {recovery.folder: recovery for some in ASKED.values() for recovery in some}
        made = [progress.of_job(job.wildcards_dict) for job in jobs if job.rule.name == "recover"]
        PROGRESS.start([asked.get(one.folder, one) for one in made], len(jobs))
    follow = ["manifest.json", *["report.html"] * (config["report"] and engine.is_whole(workflow))]
    os.environ[reports.PROMISED] = " ".join(follow)
    if not workflow.touch:
        manifest.forget(notes | outputs - DAMAGED.keys(), planned=True)
    lock.making(outputs)


onsuccess:
    make_report()
    note()
    lock.making()


onerror:
    failed = engine.failed(workflow, BEFORE)
    lines = sorted(f"{job.message or job.rule.name}: see {', '.join(job.log)}" for job in failed)
    interrupted, left = engine.was_interrupted(workflow), {}
    if failed and not interrupted and not engine.is_chosen(workflow) and config["missing"] == "run":
        left = what_is_left()
        lines += [f"no table of {name}: none of its recoveries is there" for name in left if not left[name]]
    if not interrupted and (any(left.values()) or not left):
        make_report(lines)
    if failed:
        print(f"Failed jobs: {len(failed)}", *lines, sep="\n  ", file=sys.stderr)
    try:
        note(lines)
    except OSError as error:  # as on a full disk
        print(f"Error: the run could not be noted: {error.strerror}: {error.filename}", file=sys.stderr)
