"""What runs on a cluster ask of Snakemake; tests/test_slurm.py has a whole run through a Slurm."""

import asyncio
import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

from steps.run import cluster
from tests.workflows import ROOT


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

    def report_job_success(self, info):
        pass

    def report_job_error(self, info, msg=None):
        pass

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
    cluster.mend(SimpleNamespace(scheduler=scheduler, local_exec=False))
    for job in "abc":  # a has ended since
        queue.report_job_submission(SimpleNamespace(job=job, external_jobid=f"number of {job}"))
    queue.wait_thread.start()
    assert queue.asked.wait(20) and queue.active_jobs == []
    queue.cancel()
    assert queue.cancelled == ["number of b", "number of c"]


def test_an_interrupt_ends_submitting_and_cancels_what_was_just_submitted(tmp_path, monkeypatch):
    """Slurm's plugin submits in threads, and gives all jobs of a run one name."""
    (tmp_path / "scancel").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/cancelled\n')
    (tmp_path / "scancel").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    queue, begun, go_on = Queue(), threading.Event(), threading.Event()
    queue._job_submission_executor = ThreadPoolExecutor(1)
    cluster.let_interrupts_cancel(queue, SimpleNamespace(running={"a", "b"}))

    def submit(job):
        begun.set()
        go_on.wait(20)
        queue.report_job_submission(SimpleNamespace(job=job, external_jobid=f"number of {job}"))

    waiting = [queue._job_submission_executor.submit(submit, job) for job in "ab"]
    assert begun.wait(20)
    threading.Timer(0.2, go_on.set).start()
    queue.cancel_jobs([])
    assert queue.cancelled == ["number of a"] and waiting[1].cancelled()
    assert not (tmp_path / "cancelled").exists()
    queue.run_uuid = "f91c4587"
    queue.cancel_jobs([])
    assert (tmp_path / "cancelled").read_text() == "--name=f91c4587\n"


def test_jobs_of_which_nothing_was_said_are_asked_about_again():
    """A job tried once more is another one in the queue."""
    a, b, c, d = (SimpleNamespace(job=job) for job in "abcd")
    reported = []

    class Silent:
        report_job_success = report_job_error = staticmethod(lambda info, msg=None: reported.append(info))

        async def check_active_jobs(self, jobs):
            if a in jobs:
                self.report_job_success(a)
                self.report_job_error(b, msg="why")
                yield c

    async def still_running(jobs):
        return [info async for info in queue.check_active_jobs(jobs)]

    queue = Silent()
    cluster.let_silence_pass(queue)
    assert asyncio.run(still_running([a, b, c, d])) == [c, d] and reported == [a, b]
    assert asyncio.run(still_running([b, c])) == [b, c]


def test_why_a_group_failed_is_said():
    said = []
    queue = SimpleNamespace(
        print_job_error=lambda info, message=None, **options: said.append(("", message, options)),
        logger=SimpleNamespace(error=said.append),
    )
    cluster.let_groups_say_why(queue)
    for group in (True, False):
        queue.print_job_error(
            SimpleNamespace(job=SimpleNamespace(is_group=lambda g=group: g)), "invalid partition", n=1
        )
    queue.print_job_error(SimpleNamespace(job=SimpleNamespace(is_group=lambda: True)))
    assert said == ["invalid partition", *[("", "invalid partition", {"n": 1})] * 2, ("", None, {})]


@pytest.mark.parametrize(
    "answer, state",
    [
        ("echo RUNNING", "running"),
        ("echo REQUEUE_HOLD", "running"),
        ("echo COMPLETED", "success"),
        ("echo OUT_OF_MEMORY", "failed"),
        ("true", "failed"),
        ("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1", "failed"),
        ("echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1", "running"),
    ],
)
def test_the_state_of_a_job_by_any_plugin(answer, state, tmp_path):
    """A job that is called failed while it runs would be submitted a second time."""
    squeue = tmp_path / "squeue"
    squeue.write_text(f"#!/bin/sh\n{answer}\n")
    squeue.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    script = ROOT / "profiles/generic/status.sh"
    assert subprocess.check_output([script, "7"], env=environment, text=True) == f"{state}\n"
