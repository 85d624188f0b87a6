# What happens around a run: one at a time, damaged files made again, the manifest, what failed.

import gc
import shlex
import subprocess
import time

from snakemake.shell import shell

from steps.run import manifest, report as reports
from steps.run.sources import checksums

if not MODULE:
    gc.disable()  # planning makes millions of objects and hardly any garbage: a fifth of its time was spent looking for it
CHOSEN = ("targets", "forceall", "forcerun", "forcetargets", "until", "omit_from")
FACTS = {}


def begin():
    """Before the graph is built: take the lock; return the files that are not as a run made them."""
    if not workflow.is_main_process or MODULE:
        return {}
    dry = workflow.output_settings.dryrun
    if not dry:
        said = lock.begin(sys.argv[1:], local=workflow.resource_settings.nodes is None)
        if said:
            print(said, file=sys.stderr)
    damaged = manifest.damaged()
    for path, what in damaged.items():
        print(f"Damaged, to be made again: {path} ({what})", file=sys.stderr)
    return damaged


DAMAGED = or_exit(begin)()
INTERRUPTED = lock.interrupted() if workflow.is_main_process and not MODULE else set()
if workflow.is_main_process and not MODULE and config["report"] and reports.missing():
    INTERRUPTED.add("results/time.html")  # the report is made after a run, if only of one job
if any(word.split("=")[0] == "--report" for word in sys.argv):
    reports.quote_names()
if not MODULE:
    shell.prefix(lock.job_prefix())
SECOND_PASS = "PRIORBENCH_FAILED" in os.environ
REPORTED = {}  # {path: the files it shows} of the report that this run has made
STARTED = time.time()
CODE = {} if workflow.output_settings.dryrun else checksums()


def note(failed=()):
    """Write results/manifest.json."""
    made_of, finished = {}, set()
    for job in workflow.dag.jobs:
        made_of |= {str(path): list(map(str, job.input)) for path in job.output}
        if workflow.dag.finished(job):
            finished |= set(map(str, job.output))
    if REPORTED:
        made_of |= REPORTED
        finished |= set(REPORTED)
    times = {"started": now(STARTED), "ended": now(), "seconds": round(time.time() - STARTED, 1)}
    manifest.update(times | {"failed": list(failed)} | FACTS, made_of, finished)


def make_report(failed=()):
    """Write results/report.html, if the run was to make everything; the second pass leaves it to the first."""
    whole_run = any(job.rule.name == "all" for job in workflow.dag.targetjobs)
    if not config["report"] or not whole_run or workflow.touch or SECOND_PASS:
        return
    try:
        path, shown = reports.make(workflow, run_facts(failed))
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


def out_of_date():
    """Return the folders of recoveries that this run should have made anew and has not."""
    scores = [job for job in workflow.dag.needrun_jobs(exclude_finished=False) if job.rule.name == "score"]
    return [os.path.dirname(job.output[0]) for job in scores if not workflow.dag.finished(job)]


def withdraw(left):
    """Delete tables and figures of which no recovery is left; they would show what has not been made by this code.

    left  {experiment: its recoveries that are there and up to date}. What the second pass makes anew stays until then.
    """
    entries = config["experiments"]
    kept = {
        f"results/figures/{drawing}.png"
        for name, recoveries in left.items()
        for drawing in drawings(name, entries[name], Index(ASKED[name], recoveries), config["drawn"])
    }
    without = {f"results/{kind}/{name}" for name in left if not left[name] for kind in ("scores", "tables", "pages")}
    without |= {f"{table}_vs_paper" for table in without}
    for job in workflow.dag.jobs:
        paths = [str(path) for path in job.output]
        figure = job.rule.name == "draw" and paths[0] not in kept
        of_none = any(os.path.splitext(path)[0] in without for path in paths)
        summary = job.rule.name in ("combine", "timing", "decide", "render") and not any(left.values())
        for path in paths if figure or of_none or summary else []:
            Path(path).unlink(missing_ok=True)
    if not any(left.values()):
        reports.withdraw()


def second_pass():
    """Make the tables and figures of what there is."""
    for handler in workflow.logger_manager.plugin_handlers:
        handler.close()  # progress bars; those of the second pass would be drawn over them
    print("Some jobs failed; now the tables and figures of what there is.", file=sys.stderr)
    left_out = Path(".snakemake/priorbench.failed")
    left_out.write_text("\n".join(out_of_date()), encoding="utf-8")
    os.environ |= {"PRIORBENCH_FAILED": str(left_out.absolute())}
    given = [f"{key}={json.dumps(value)}" for key, value in workflow.config_settings.config.items()]
    words = [*sys.argv[1:], lock.NO_LOCK, "--config", *given, "missing=skip"]
    # Paths of the command line are relative to where it was given; with --directory this is another folder.
    words += ["--snakefile", workflow.main_snakefile, "--directory", str(HERE)]
    if workflow.config_settings.configfiles:
        words += ["--configfile", *map(str, workflow.config_settings.configfiles)]
    lock.second_pass([sys.executable, "-m", "snakemake", *words])


onstart:
    gc.enable()
    lock.look_once(workflow.scheduler)
    if workflow.local_exec and not workflow.touch:
        lock.warm()
    FACTS.update(
        manifest.facts(config, shlex.join(["snakemake", *sys.argv[1:]]), workflow.resource_settings.cores, CODE)
    )
    # What is about to be made anew is not known any more, nor when its code was noted. The damaged files are, until they
    # have been made.
    jobs = list(workflow.dag.needrun_jobs())
    notes = {str(path) for job in jobs for path in job.input if str(path).startswith("results/code/")}
    outputs = {str(path) for job in jobs for path in job.output}
    manifest.forget(notes | outputs - DAMAGED.keys())
    lock.making(outputs)


onsuccess:
    make_report()
    note()
    lock.making()


onerror:
    failed = [job for group in workflow.scheduler.failed for job in getattr(group, "jobs", [group])]
    lines = sorted(f"{job.message or job.rule.name}: see {', '.join(job.log)}" for job in failed)
    interrupted = workflow.scheduler.running or workflow.scheduler._user_kill
    chosen = any(getattr(workflow.dag_settings, key) for key in CHOSEN)
    nothing = False
    if failed and not interrupted and not chosen and config["missing"] == "run":
        old = set(out_of_date())
        left = {
            name: [r for r in asked if r.folder not in old and Path(r.folder, "score.json").is_file()]
            for name, asked in ASKED.items()
        }
        withdraw(left)
        nothing = not any(left.values())
        if not nothing:
            second_pass()
        lines += [f"no table of {name}: none of its recoveries is there" for name in left if not left[name]]
    if not interrupted and not nothing:
        make_report(lines)
    note(lines)
    if failed:
        print(f"Failed jobs: {len(failed)}", *lines, sep="\n  ", file=sys.stderr)
