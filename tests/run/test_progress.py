import logging
import os
import re
import signal
import subprocess
from dataclasses import replace

import pytest
import yaml

from steps.base.recoveries import Recovery
from steps.run import progress
from tests.conftest import wait_for
from tests.workflows import command, copy_repository, python

CONFIG = {
    "device": "cpu",
    "report": False,
    "images": {"logo": {"source": "synthetic:logo", "size": 32}},
    "experiments": {
        "tiny": {
            "task": "denoising",
            "images": ["logo"],
            "corruption": {"sigma": [0.1, 0.2]},
            "methods": [{"method": "wiener"}, {"method": "tv", "params": {"iterations": 5}}],
            "figures": [],
        },
    },
}
ASKED = os.environ | {progress.ASKED: "1"}
LINE = r"(\d) of (\d)  denoising logo sigma=0\.\d by (Wiener|TV)  \d+\.\d s"
LINE += r"(?:  (?:about|at least) \d+ (?:s|min) left)?"

BROKEN = '''"""Breaks."""

LABEL = "Broken"


def recover(y, A, sigma, *, callback=None):
    raise ValueError("so it is")
'''


def recovery(method, params="default", image="house"):
    return Recovery("denoising", image, "sigma=0.1", method, params, "")


def wildcards(recovery):
    return {name: value for name, value in vars(recovery).items() if name != "label"}


@pytest.fixture
def told(monkeypatch, tmp_path):
    """A handler at work in an empty folder, what it says, and a clock: told(event, …) hands it a record of the log."""
    monkeypatch.chdir(tmp_path)
    said, now = [], [1000.0]
    monkeypatch.setattr(progress, "say", said.append)
    monkeypatch.setattr(progress.time, "time", lambda: now[0])
    handler = progress.Progress()

    def tell(event, **facts):
        record = logging.LogRecord("snakemake", logging.INFO, "", 0, "what Snakemake says", None, None)
        record.__dict__ |= {"event": event, **facts}
        handler.handle(record)

    tell.handler, tell.said, tell.now = handler, said, now
    return tell


def made(told, job, recovery, seconds):
    told("job_info", rule_name="recover", jobid=job, wildcards=wildcards(recovery))
    told.now[0] += seconds
    told("job_finished", job_id=job)


@pytest.mark.parametrize(
    ("rule", "said", "lost"),
    [
        ("image", {"image": "hill"}, 3),
        ("measured_image", {"image": "hill"}, 3),
        ("corrupt", {"task": "deconvolution", "image": "hill", "corruption": "psf=mine,sigma=0.1"}, 1),
        ("file", {"file": "mine"}, 1),
        ("file", {"file": "min"}, 0),
    ],
    ids=str,
)
def test_what_cannot_be_made_any_more_is_not_waited_for(told, rule, said, lost):
    """As its image could not be loaded; if that is tried again, it waits again."""
    blurred = Recovery("deconvolution", "hill", "psf=mine,sigma=0.1", "tv", "default", "")
    every = [recovery("wiener"), blurred, *(recovery("tv", f"lam={i}", "hill") for i in range(2))]
    told.handler.start(every, 9)
    for _ in range(2):
        told("job_info", rule_name=rule, jobid=7, wildcards=said)
        assert len(told.handler.waiting) == 4 and not told.handler.failed
        told("job_error", jobid=7)
        assert len(told.handler.waiting) == 4 - lost and len(told.handler.failed) == lost
    made(told, 1, every[0], 2)
    line, *_ = (words for words in told.said if words.startswith("1 of 4"))
    assert line.startswith(f"1 of 4{f' ({lost} failed)' * bool(lost)}  denoising house")
    assert (told.said[-1] == "Now what is left of scores, tables, figures and pages") == (lost == 3)


def test_time_left_is_that_of_others_like_it_at_the_rate_so_far(told):
    waiting = [recovery("tv", f"lam={i}", image) for image in ("house", "hill") for i in range(4)]
    told.handler.start([*waiting, recovery("wiener")], 40)
    made(told, 1, waiting[0], 10)
    assert "1 of 9" in told.said[-1] and told.said[-1].endswith("at least 70 s left")  # Wiener's is not known
    made(told, 2, recovery("wiener"), 2)
    assert told.said[-1].endswith("about 70 s left")
    made(told, 3, waiting[4], 40)  # hill takes longer
    assert told.said[-1].endswith("about 2 min left")  # 3 · 10 + 3 · 40 s
    for job, some in enumerate(waiting[1:4] + waiting[5:], 4):
        told("job_info", rule_name="recover", jobid=job, wildcards=wildcards(some))
    told.now[0] += 5  # all six at work: six times the rate of before, and 5 s of each are done
    assert told.handler.left(told.now[0]) == f"about {(3 * 5 + 3 * 35) / ((52 + 30) / 57):.0f} s left"
    told("job_finished", job_id=4)
    assert told.said[-1].startswith("4 of 9  denoising house sigma=0.1 by TV (lam=1)  5.0 s  about ")


def test_a_label_stands_for_the_parameters(told):
    told.handler.start([replace(recovery("tv", "lam=1"), label="weak")], 3)
    made(told, 1, recovery("tv", "lam=1"), 4)
    assert told.said[-1] == "Now what is left of scores, tables, figures and pages"
    assert told.said[-2] == "1 of 1  denoising house sigma=0.1 by weak  4.0 s"


def test_seconds_of_the_last_run_are_taken_before_a_method_is_seen(told, tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results/scores.csv").write_text("method,params,image,seconds\ntv,lam=1,house,100\ntv,lam=1,hill,30\n")
    told.handler.start([recovery("tv", "lam=1"), recovery("tv", "lam=2", "hill"), recovery("wiener")], 9)
    made(told, 1, recovery("wiener"), 1)
    assert told.said[-1].endswith("about 2 min left")


def test_a_failed_recovery_is_no_longer_at_work_and_one_made_again_counts_once(told):
    told.handler.start([recovery("tv"), recovery("wiener")], 9)
    told("job_info", rule_name="recover", jobid=1, wildcards=wildcards(recovery("tv")))
    told("job_error", jobid=1)
    assert not told.handler.running
    made(told, 1, recovery("tv"), 1)
    made(told, 1, recovery("tv"), 1)
    told("job_info", rule_name="score", jobid=2, wildcards=wildcards(recovery("tv")))
    told("job_finished", job_id=2)
    assert told.handler.done == 1 and len(told.said) == 2


def test_what_failed_is_waited_for_no_more(told):
    told.handler.start([recovery("tv"), recovery("wiener"), recovery("nlm")], 9)
    made(told, 1, recovery("tv"), 10)
    told("job_info", rule_name="recover", jobid=2, wildcards=wildcards(recovery("wiener")))
    told("job_error", jobid=2)
    made(told, 3, recovery("nlm"), 10)
    assert told.said[-2].startswith("2 of 3 (1 failed)") and "left" not in told.said[-2]
    assert told.said[-1].startswith("Now what is left of scores")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (89, "89 s"), (100, "2 min"), (5000, "83 min"), (9000, "2.5 h")]
)
def test_durations_are_rough(seconds, words):
    assert progress.duration(seconds) == words


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository")
    copy_repository(folder)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(CONFIG))
    failing = yaml.safe_load(yaml.safe_dump(CONFIG))
    failing["experiments"]["failing"] = failing["experiments"].pop("tiny")
    failing["experiments"]["failing"]["methods"].append({"method": "broken"})
    (folder / "failing.yaml").write_text(yaml.safe_dump(failing))
    (folder / "steps/methods/broken.py").write_text(BROKEN)
    return folder


def run(folder, *arguments, config="tiny.yaml"):
    return python(folder, *command(*arguments, config=config)[2:], environment=ASKED)


def test_a_run_says_a_line_for_each_recovery_and_its_log_file_the_rest(folder):
    result = run(folder)
    assert result.returncode == 0, result.stderr
    assert "Recoveries to be made: 4; " in result.stderr and "\x1b" not in result.stderr and "\r" not in result.stderr
    found = re.findall(f"^{LINE}$", result.stderr, re.MULTILINE)
    assert [line[:2] for line in found] == [(str(i), "4") for i in range(1, 5)], result.stderr
    assert sorted(line[2] for line in found) == ["TV"] * 2 + ["Wiener"] * 2
    assert "Finished jobid" not in result.stderr and "rule recover" not in result.stderr
    (log,) = re.findall(r"Complete log\(s\): (.*)", result.stderr)
    with open(log) as file:
        text = file.read()
    assert "Finished jobid" in text and "recover logo (denoising, sigma=0.1) by wiener" in text
    assert "Nothing to be done" in run(folder).stderr


def test_a_dry_run_and_one_that_is_not_asked_for_say_what_snakemake_says(folder):
    assert "recover logo" in run(folder, "--dry-run", "--forceall").stdout
    result = python(folder, *command("--forceall", "results/scores.csv", config="tiny.yaml")[2:])
    assert "recover logo" in result.stderr and "Recoveries to be made" not in result.stderr


def test_a_failed_recovery_is_named_with_its_log(folder):
    result = run(folder, config="failing.yaml")
    assert result.returncode == 1
    assert result.stderr.count("so it is") >= 1, result.stderr
    assert "results/denoising/logo/sigma=0.1/broken/default/recover.log" in result.stderr
    assert "Failed jobs: 2" in result.stderr and "Some jobs failed; now the tables" in result.stderr


def test_an_interrupt_ends_it(folder):
    at = "results/denoising/logo/sigma=0.1/dip/iterations=1000000,channels=8,scales=2,discrepancy=0"
    words = command(f"{at}/score.json", config="tiny.yaml")
    process = subprocess.Popen(words, cwd=folder, env=ASKED, stderr=subprocess.PIPE, text=True, start_new_session=True)
    log = folder / at / "recover.log"
    wait_for(lambda: log.exists() and "parameters" in log.read_text())  # not while Python still starts
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 1 and "Recoveries to be made: 1; " in said and "progress.py" not in said
