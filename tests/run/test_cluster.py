"""What runs on a cluster ask of Snakemake; tests/test_slurm.py has a whole run through a Slurm."""

import asyncio
import threading
from types import SimpleNamespace

from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

from steps.run import cluster


def test_a_group_keeps_going(monkeypatch):
    from snakemake.spawn_jobs import SpawnedJobArgsFactory

    monkeypatch.setattr(SpawnedJobArgsFactory, "general_args", lambda *words, **options: "--cores 1")
    cluster.let_groups_keep_going()
    assert SpawnedJobArgsFactory(None).general_args() == "--cores 1 --keep-going"


def test_wildcards_travel_with_their_commas(monkeypatch):
    from snakemake.jobs import JobFactory
    from snakemake_interface_executor_plugins.executors import real
    from snakemake_interface_executor_plugins.utils import TargetSpec

    monkeypatch.setattr(real, "encode_target_jobs_cli_args", real.encode_target_jobs_cli_args)
    monkeypatch.setattr(JobFactory, "new", lambda factory, rule, dag, wildcards_dict=None: wildcards_dict)
    cluster.let_wildcards_have_commas()
    (word,) = real.encode_target_jobs_cli_args([TargetSpec("make", {"letter": "a,b"})])
    assert word == "make:letter=a%2Cb"
    assert JobFactory.new("factory", "rule", "dag", {"letter": "a%2Cb"}) == {"letter": "a,b"}


class Queue(RemoteExecutor):
    """Snakemake's part of an executor for a cluster, without a cluster: jobs run for ever, and asking takes a while."""

    def __init__(self):
        self.lock, self.active_jobs, self.wait = threading.Lock(), [], True
        self.asked, self.answered, self.cancelled = threading.Event(), threading.Event(), []
        self.workflow = SimpleNamespace(
            executor_plugin=SimpleNamespace(common_settings=SimpleNamespace(init_seconds_before_status_checks=0)),
            remote_execution_settings=SimpleNamespace(immediate_submit=True),
        )
        self.wait_thread = threading.Thread(target=self._wait_thread, daemon=True)

    def report_job_submission(self, info, register_job=True):
        self.active_jobs.append(info)

    def run_job(self, job):
        pass

    async def check_active_jobs(self, jobs):
        self.asked.set()
        await asyncio.to_thread(self.answered.wait)
        for job in jobs:
            yield job

    async def sleep(self):
        await asyncio.sleep(0.01)

    def cancel_jobs(self, jobs):
        self.cancelled += [info.external_jobid for info in jobs]
        self.answered.set()


def test_an_interrupt_cancels_jobs_that_are_just_being_asked_about():
    queue = Queue()
    scheduler = SimpleNamespace(_executor=queue, running={"b", "c", "not submitted yet"})
    cluster.let_interrupts_cancel(SimpleNamespace(scheduler=scheduler, local_exec=False))
    for job in "abc":  # a has ended since
        queue.report_job_submission(SimpleNamespace(job=job, external_jobid=f"number of {job}"))
    queue.wait_thread.start()
    assert queue.asked.wait(20) and queue.active_jobs == []
    queue.cancel()
    assert queue.cancelled == ["number of b", "number of c"]
