"""What runs on a cluster ask of Snakemake beyond its documented language; `workflow` is Snakemake's own.

As in steps/run/engine.py, each function says what it buys, and tests/run/test_engine.py asks for every private part.
"""


def let_wildcards_have_commas():
    """Let jobs on a cluster have our folders' commas, by %2C: Snakemake splits wildcards at them (its issue 2366)."""
    from snakemake.jobs import JobFactory
    from snakemake_interface_executor_plugins.executors import real
    from snakemake_interface_executor_plugins.utils import TargetSpec

    encode, new = real.encode_target_jobs_cli_args, JobFactory.new

    def replaced(wildcards, old, new):
        return {name: value.replace(old, new) for name, value in wildcards.items()}

    def encode_commas(specs):
        return encode([TargetSpec(spec.rulename, replaced(spec.wildcards_dict, ",", "%2C")) for spec in specs])

    def new_with_commas(factory, rule, dag, wildcards_dict=None, **options):
        return new(factory, rule, dag, wildcards_dict and replaced(wildcards_dict, "%2C", ","), **options)

    real.encode_target_jobs_cli_args, JobFactory.new = encode_commas, new_with_commas


def let_groups_keep_going():
    """Let the others of a group be made when one fails: Snakemake does not hand --keep-going on to jobs elsewhere."""
    from snakemake.spawn_jobs import SpawnedJobArgsFactory as Factory

    general_args = Factory.general_args
    Factory.general_args = lambda *words, **options: f"{general_args(*words, **options)} --keep-going"


def let_interrupts_cancel(workflow):
    """Let Ctrl-C cancel all jobs in the queue: while Snakemake asks how they are, it holds none of them to cancel."""
    if workflow.local_exec:  # as with --touch
        return
    executor, submitted = workflow.scheduler._executor, {}
    report, cancel = executor.report_job_submission, executor.cancel_jobs

    def remember(info, **options):
        submitted[info.job] = info
        report(info, **options)

    def cancel_all(_):
        cancel([info for job, info in submitted.items() if job in workflow.scheduler.running])

    executor.report_job_submission, executor.cancel_jobs = remember, cancel_all
