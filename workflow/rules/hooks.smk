# What happens around a run: one at a time, damaged files made again, the manifest, what failed.

import shlex
import subprocess
import time

from snakemake.shell import shell

from steps import manifest, runs

FORCED = ("forceall", "forcerun", "forcetargets", "until", "omit_from")


def targets():
    return workflow.dag_settings.targets


def begin():
    """Before the graph is built: take the lock, and remove files that are not as a run made them."""
    if not workflow.is_main_process:
        return
    dry = workflow.output_settings.dryrun
    if not dry:
        said = runs.begin(sys.argv[1:], local=workflow.resource_settings.nodes is None)
        if said:
            print(said, file=sys.stderr)
    for path, what in manifest.damaged(save=not dry).items():
        print(f"Damaged, {'to be' if dry else 'and'} made again: {path} ({what})", file=sys.stderr)
        if not dry:
            Path(path).unlink(missing_ok=True)


or_exit(begin)()
shell.prefix(runs.job_prefix())
STARTED = time.time()


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
        run | manifest.facts(config, shlex.join(["snakemake", *sys.argv[1:]]), workflow.resource_settings.cores),
        made_of,
    )


onstart:
    manifest.forget(str(path) for job in workflow.dag.needrun_jobs() for path in job.output)


onsuccess:
    note()


onerror:
    failed = [job for group in workflow.scheduler.failed for job in getattr(group, "jobs", [group])]
    lines = sorted(f"{job.message or job.rule.name}: see {', '.join(job.log)}" for job in failed)
    note(lines)
    if (
        config["missing"] == "run"
        and not targets()
        and not any(getattr(workflow.dag_settings, key) for key in FORCED)
    ):
        print("Some jobs failed; now the tables and figures of what there is.", file=sys.stderr)
        given = [f"{key}={json.dumps(value)}" for key, value in workflow.config_settings.config.items()]
        command = [sys.executable, "-m", "snakemake", *sys.argv[1:], "--nolock", "--config", *given, "missing=skip"]
        subprocess.run(command)
    print(f"Failed jobs: {len(failed)}", *lines, sep="\n  ", file=sys.stderr)
