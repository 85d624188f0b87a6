"""Say what the next run would do, and why. Runs nothing."""

import functools
import re
from collections import Counter
from pathlib import Path

import click

from steps.base.errors import Command
from steps.plan.config import read_config
from steps.run import engine, manifest, report
from steps.run.sources import checksums

NAMES = {"image": "image", "file": "file", "corrupt": "measurement", "score": "score"}
NAMES |= {"collect": "scores of an experiment", "combine": "scores of all", "tabulate": "table"}
NAMES |= {"compare": "table beside the published values", "timing": "table of times", "decide": "page of claims"}
NAMES |= {"show": "comparison page", "draw": "figure", "render": "table as a web page", "index": "index of all results"}


def what(job):
    """Return what a job makes, in words, in the singular."""
    if job.rule.name == "recover":
        return f"recovery by {job.wildcards.method}"
    return NAMES.get(job.rule.name, job.rule.name)


def why(job, reason, before):
    """Return why a job has to run, in words; before is {path: checksum} of what the last runs were made of."""
    updated = {str(path) for path in reason.updated_input}
    code = {path for path in updated if path.startswith("results/code/")}
    if any(path in before and not Path(path).exists() for path in job.output):
        return "deleted"
    if reason.missing_output and not reason.updated_input_run and not any(Path(p).exists() for p in job.output):
        return "not made yet"
    if reason.incomplete_output:
        return "was interrupted"
    if code:
        listed = {path: digest for note in code for path, digest in _listed(note).items()}
        names = sorted(path for path, digest in listed.items() if before.get(path, digest) != digest)
        if names or not reason.params_changed:
            other = "its part of the config" if listed.keys() <= before.keys() else "its code"
            return f"{', '.join(names) or other} changed"
        updated -= code
    if updated:
        return f"{', '.join(sorted(updated))} changed"
    if reason.forced:
        return "the report is missing" if report.missing() and job.rule.name == "index" else "damaged"
    if reason.params_changed:
        return "its part of the config changed"
    if reason.input_changed:
        return "is made of other files than before"
    if reason.code_changed or reason.software_stack_changed:
        return "its rule in workflow/rules changed"
    if reason.missing_output:
        return "not made yet"
    return "follows from the above"


@functools.cache
def _listed(note):
    """Return {path: checksum} of the files that a note is of; its lines of code have no path, but say what is there."""
    paths = {digest: path for path, digest in checksums().items()}
    lines = re.findall(r"^([0-9a-f]{64})(?:  (.+)| .*)?$", Path(note).read_text(encoding="utf-8"), re.MULTILINE)
    return {path or paths.get(digest, digest): digest for digest, path in lines}


@click.command(cls=Command, help=__doc__)
@click.argument("config", required=False, type=click.Path(exists=True, dir_okay=False))
def main(config):
    """CONFIG is a YAML file; without it, the embedded default."""
    if config:
        read_config(config)  # whose mistakes are one line; Snakemake's are a traceback
    dag = engine.planned(config, force_incomplete=True).dag
    undone = dag.needrun_jobs(exclude_finished=False)  # a dry run counts as having finished them
    jobs = [job for job in undone if job.rule.name != "all"]
    count = len(list(dag.jobs)) - 1
    made = manifest.read()
    before = {path: entry["sha256"] for path, entry in made["files"].items()} | manifest.last(made).get("code", {})
    order = [*list(NAMES)[:3], "recover", *list(NAMES)[3:]]
    jobs.sort(key=lambda job: (order.index(job.rule.name) if job.rule.name in order else len(order), what(job)))
    found = Counter((what(job), why(job, dag.reason(job), before)) for job in jobs)
    for (name, cause), times in found.items():
        print(f"{times:6} × {name:34} {cause}")
    print(f"{len(jobs)} of {count} jobs would run." if jobs else f"Nothing to do: all {count} jobs are done.")


if __name__ == "__main__":
    main()
