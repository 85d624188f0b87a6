# What happens around a run: one at a time, damaged files made again, the manifest, what failed.

import gc
import shlex
import subprocess
import time

from snakemake.shell import shell

from steps import manifest, runs
from steps.sources import checksums

gc.disable()  # planning makes millions of objects and hardly any garbage: a fifth of its time was spent looking for it
FORCED = ("forceall", "forcerun", "forcetargets", "until", "omit_from")


def begin():
    """Before the graph is built: take the lock; return the files that are not as a run made them."""
    if not workflow.is_main_process:
        return {}
    dry = workflow.output_settings.dryrun
    if not dry:
        said = runs.begin(sys.argv[1:], local=workflow.resource_settings.nodes is None)
        if said:
            print(said, file=sys.stderr)
    damaged = manifest.damaged()
    for path, what in damaged.items():
        print(f"Damaged, to be made again: {path} ({what})", file=sys.stderr)
    return damaged


DAMAGED = or_exit(begin)()
shell.prefix(runs.job_prefix())
STARTED = time.time()
CODE = checksums()


def note(failed=()):
    """Write results/manifest.json."""
    made_of = {}
    for job in workflow.dag.jobs:
        made_of |= {str(path): list(map(str, job.input)) for path in job.output}
    ended = time.time()
    times = {
        key: time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(t))
        for key, t in [("started", STARTED), ("ended", ended)]
    }
    run = times | {"seconds": round(ended - STARTED, 1), "failed": list(failed)}
    manifest.update(
        run | manifest.facts(config, shlex.join(["snakemake", *sys.argv[1:]]), workflow.resource_settings.cores, CODE),
        made_of,
    )


onstart:
    gc.enable()
    if workflow.local_exec and not workflow.touch:
        runs.warm()
    # What is about to be made anew is not known any more. Only the damaged files are, until they have been made.
    manifest.forget({str(path) for job in workflow.dag.needrun_jobs() for path in job.output} - DAMAGED.keys())


onsuccess:
    note()


onerror:
    failed = [job for group in workflow.scheduler.failed for job in getattr(group, "jobs", [group])]
    lines = sorted(f"{job.message or job.rule.name}: see {', '.join(job.log)}" for job in failed)
    note(lines)
    forced = any(getattr(workflow.dag_settings, key) for key in FORCED)
    if config["missing"] == "run" and not workflow.dag_settings.targets and not forced:
        print("Some jobs failed; now the tables and figures of what there is.", file=sys.stderr)
        given = [f"{key}={json.dumps(value)}" for key, value in workflow.config_settings.config.items()]
        command = [sys.executable, "-m", "snakemake", *sys.argv[1:], "--nolock", "--config", *given, "missing=skip"]
        subprocess.run(command)
        lines += [
            f"no table of {name}: none of its recoveries is there"
            for name in ASKED
            if not any(map(experiments.there, ASKED[name]))
        ]
    print(f"Failed jobs: {len(failed)}", *lines, sep="\n  ", file=sys.stderr)
