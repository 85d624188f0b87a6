"""What runs on a cluster ask of Snakemake beyond its documented language; `workflow` is Snakemake's own.

As in steps/run/engine.py, each function says what it buys, and tests/run/test_engine.py asks for every private part.
"""

import contextlib
import subprocess


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


def mend(workflow):
    """Let a run through a scheduler end when it is told to, go on when the scheduler is silent, and say what failed."""
    if workflow.local_exec:  # as with --touch
        return
    executor = workflow.scheduler._executor
    let_interrupts_cancel(executor, workflow.scheduler)
    let_silence_pass(executor)
    let_groups_say_why(executor)


def let_interrupts_cancel(executor, scheduler):
    """Let Ctrl-C cancel all jobs in the queue, and send no more there.

    While Snakemake asks how its jobs are, it holds none of them to cancel. Slurm's plugin goes on submitting, and does
    not learn the number of a job whose sbatch the Ctrl-C has ended, but all jobs of a run have one name.
    """
    submitted, report, cancel = {}, executor.report_job_submission, executor.cancel_jobs

    def remember(info, **options):
        submitted[info.job] = info
        report(info, **options)

    def cancel_all(_):
        with contextlib.suppress(AttributeError):  # other plugins submit at once
            executor._job_submission_executor.shutdown(wait=True, cancel_futures=True)
        cancel([info for job, info in submitted.items() if job in scheduler.running])
        if name := getattr(executor, "run_uuid", None):
            subprocess.run(["scancel", f"--name={name}"], check=False)

    executor.report_job_submission, executor.cancel_jobs = remember, cancel_all


def let_silence_pass(executor):
    """Let Snakemake ask again about jobs of which it heard nothing: when Slurm is silent, its plugin forgets them."""
    check, ended = executor.check_active_jobs, []

    def note(report):
        def noted(info, *more, **options):
            ended.append(info)
            report(info, *more, **options)

        return noted

    async def check_all(jobs):
        ended.clear()
        running = []
        async for info in check(jobs):
            running.append(info)
            yield info
        known = {id(info) for info in [*running, *ended]}
        for info in jobs:
            if id(info) not in known:
                yield info

    executor.report_job_success, executor.report_job_error = map(
        note, (executor.report_job_success, executor.report_job_error)
    )
    executor.check_active_jobs = check_all


def let_groups_say_why(executor):
    """Let the scheduler's word on a group that failed be read, such as why it was refused: Snakemake drops it."""
    say = executor.print_job_error

    def say_all(info, message=None, **options):
        if message and info.job.is_group():
            executor.logger.error(message)
        say(info, message, **options)

    executor.print_job_error = say_all
