# Jobs on a cluster: which small ones go together, which stay here, and a way for commas in wildcards.

import snakemake.jobs
import snakemake.spawn_jobs
from snakemake_interface_executor_plugins.executors import real
from snakemake_interface_executor_plugins.utils import TargetSpec

SUBMITS = workflow.is_main_process and workflow.resource_settings.nodes is not None
CLUSTER = SUBMITS or not workflow.is_main_process


def together(name):
    """Return the name as a group where jobs are submitted: as many as `group-components` says are one job there."""
    return name if SUBMITS else None


def alone(wildcards):
    """Return whether a recovery is a job of its own: it is long, or holds a GPU."""
    method = method_module(wildcards)
    return getattr(method, "ALONE", getattr(method, "GPU", False))


def recovery_group(wildcards):
    return None if alone(wildcards) else together("recover")


def replaced(wildcards, old, new):
    return {name: value.replace(old, new) for name, value in wildcards.items()}


if CLUSTER:
    # Snakemake hands a job's wildcards to the process that runs it with commas between them, and there splits at those in
    # them, too (its issue 2366): they travel as %2C. And when one of a group fails, the others are still made.
    encode, general_args = real.encode_target_jobs_cli_args, snakemake.spawn_jobs.SpawnedJobArgsFactory.general_args
    new_job = snakemake.jobs.JobFactory.new

    def encode_commas(specs):
        return encode([TargetSpec(spec.rulename, replaced(spec.wildcards_dict, ",", "%2C")) for spec in specs])

    def new_job_with_commas(factory, rule, dag, wildcards_dict=None, **options):
        return new_job(factory, rule, dag, wildcards_dict and replaced(wildcards_dict, "%2C", ","), **options)

    def keep_going_too(factory, *arguments, **options):
        return f"{general_args(factory, *arguments, **options)} --keep-going"

    real.encode_target_jobs_cli_args = encode_commas
    snakemake.spawn_jobs.SpawnedJobArgsFactory.general_args = keep_going_too
    snakemake.jobs.JobFactory.new = new_job_with_commas
