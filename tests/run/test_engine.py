"""The contract with Snakemake: each private part that steps/run/engine.py and cluster.py reach for is there, and works.

`make lowest` runs this file with the oldest Snakemake that pyproject.toml allows.
"""

import ast
import importlib
import inspect
import logging
import os
import re
import subprocess
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from steps.run import cluster, engine, warm
from tests.conftest import wait_for
from tests.workflows import ROOT, copy_repository, snakemake

FILES = [Path(module.__file__) for module in (engine, cluster)]
CODE = "\n".join(file.read_text() for file in FILES)
FUNCTIONS = [node for node in ast.parse(CODE).body if isinstance(node, ast.FunctionDef)]
SNAKEFILE = """
import sys
sys.path.insert(0, "{root}")
import logging
from steps.run import engine
class Notes(logging.Handler):
    notes = []
    def emit(self, record):
        self.notes.append(dict(record.__dict__))
workflow.globals["NOTES"] = engine.say_by(workflow, Notes()).notes
BASE = workflow.current_basedir.get_path_or_uri(secret_free=True)
rule all:
    input: "made,a.txt", "made,b.txt"
rule make:
    output: report("made,{{letter}}.txt")
    group: "letters"
    shell: "echo {{wildcards.letter}} > {{output}}"
onstart:
    engine.lift_rate_limit(workflow)
    engine.let_interrupts_through(workflow)
"""


@pytest.fixture(scope="module")
def workflow(tmp_path_factory):
    """Snakemake's workflow after a run of two small jobs by its API, in a folder of its own."""
    from snakemake.api import (
        ConfigSettings,
        OutputSettings,
        ResourceSettings,
        SchedulingSettings,
        SnakemakeApi,
    )
    from snakemake.settings.types import MaxJobsPerTimespan

    folder = tmp_path_factory.mktemp("tiny")
    (folder / "Snakefile").write_text(SNAKEFILE.format(root=ROOT))
    before = logging.root.manager.disable
    with pytest.MonkeyPatch.context() as patch, SnakemakeApi(OutputSettings()) as api:
        patch.chdir(folder)
        found = api.workflow(
            snakefile=folder / "Snakefile",
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(config={"a": 1}),
        )
        limit = SchedulingSettings(max_jobs_per_timespan=MaxJobsPerTimespan(100, "1s"))
        found.dag().execute_workflow(scheduling_settings=limit)
        yield found._workflow
    logging.disable(before)


def reaches(function):
    """Return the dotted names that a function of the engine takes from `workflow`, and what it imports."""
    text = ast.get_source_segment(CODE, function)
    text = text.replace(ast.get_docstring(function, clean=False) or "", "")
    imports = [node for node in ast.walk(function) if isinstance(node, ast.ImportFrom)]
    names = [f"workflow{name}" for name in re.findall(r"\bworkflow((?:\.\w+)+)", text)]
    names += [f"workflow.dag_settings.{name}" for name in engine.CHOSEN if "CHOSEN" in text]
    return names + [f"{node.module} {alias.name}" for node in imports for alias in node.names]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_snakemake_has_every_part_that_is_reached_for(function, workflow):
    buys = ast.get_docstring(function).splitlines()[0]
    for name in reaches(function):
        owner, _, last = name.rpartition(" " if " " in name else ".")
        try:
            found = importlib.import_module(owner) if " " in name else workflow
            for part in owner.split(".")[1:] if found is workflow else ():
                found = getattr(found, part)
            there = hasattr(found, last) or bool(importlib.import_module(f"{owner}.{last}"))
        except (ImportError, AttributeError):
            there = False
        assert there, f"Snakemake {version('snakemake')} has no {name}, so that this breaks: {buys}"


def test_nothing_else_reaches_into_snakemake():
    """All reaches are in two modules and the one rule file, where these tests see them."""
    rules = {path: path.read_text() for path in [ROOT / "Snakefile", *(ROOT / "workflow/rules").glob("*.smk")]}
    found = {path.name: re.findall(r"\bworkflow((?:\.\w+)+)", text) for path, text in rules.items()}
    assert {name for name, parts in found.items() if parts} == {"Snakefile", "engine.smk"}
    assert found["Snakefile"] == [".rst"]  # of a file's name
    assert set(found["engine.smk"]) == {".current_basedir.get_path_or_uri", ".source_path", ".touch"}
    for path in (ROOT / "steps").rglob("*.py"):
        if path not in FILES:
            assert not re.search(r"^\s*(from|import) snakemake", path.read_text(), re.MULTILINE), path


def test_the_functions_called_take_what_they_are_given(workflow):
    from snakemake.jobs import JobFactory
    from snakemake.report import auto_report, common
    from snakemake.spawn_jobs import SpawnedJobArgsFactory
    from snakemake_interface_executor_plugins.executors import real
    from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
    from snakemake_interface_executor_plugins.utils import TargetSpec

    calls = {
        "jobs on a cluster get no wildcards with commas": [
            (real.encode_target_jobs_cli_args, ["specs"], {}),
            (JobFactory.new, ["factory", "rule", "dag"], {"wildcards_dict": {}}),
        ],
        "a group on a cluster ends at its first failure": [
            (SpawnedJobArgsFactory.general_args, ["factory", "executor"], {})
        ],
        "Ctrl-C leaves jobs in a cluster's queue": [
            (RemoteExecutor.report_job_submission, ["executor", "info"], {"register_job": False}),
            (RemoteExecutor.cancel_jobs, ["executor", "jobs"], {}),
        ],
        "a run waits for ever once its scheduler was silent": [
            (RemoteExecutor.check_active_jobs, ["executor", "jobs"], {}),
            (RemoteExecutor.report_job_success, ["executor", "info"], {}),
            (RemoteExecutor.report_job_error, ["executor", "info"], {"msg": "why"}),
        ],
        "a group's failure has no reason": [(RemoteExecutor.print_job_error, ["executor", "info", "why"], {})],
        "there is no report": [
            (auto_report, ["dag", "plugin", "settings", "more"], {}),
            (common.data_uri, ["data", "name"], {}),
            (workflow.persistence.metadata, ["file"], {}),
        ],
        "after a failure there is no second pass": [(workflow.persistence.unlock, [], {})],
        "all GPU jobs start at once": [(workflow.register_resource, ["gpu", 1], {})],
        "the manifest is not written": [(workflow.dag.finished, ["job"], {}), (workflow.dag.needrun_jobs, [], {})],
        "steps/tools/overhead.py cannot pretend": [(workflow.persistence.finished, ["job"], {})],
    }
    for breaks, functions in calls.items():
        for function, words, options in functions:
            try:
                inspect.signature(function).bind(*words, **options)
            except TypeError as error:
                pytest.fail(f"Snakemake {version('snakemake')}: {function.__qualname__}: {error}, so that {breaks}")
    spec = TargetSpec("make", {"letter": "a,b"})
    assert (spec.rulename, spec.wildcards_dict) == ("make", {"letter": "a,b"})
    assert real.encode_target_jobs_cli_args([spec])[0].replace('"', "") == "make:letter=a,b"


def test_what_they_return_is_what_it_is_taken_for(workflow):
    process = engine.process(workflow)
    assert (process.main, process.module, process.submits, process.conda, process.cores) == (
        True,
        False,
        False,
        False,
        1,
    )
    assert process.files == [] and process.name == "--config"
    assert engine.purpose(workflow) == "run"
    assert engine.is_whole(workflow) and not engine.is_chosen(workflow)
    for chosen in ({"targets": ["all"]}, {"targets": ["all", "made,a.txt"]}, {"until": {"make"}}, {"forceall": True}):
        settings = SimpleNamespace(**dict.fromkeys(engine.CHOSEN, frozenset()) | {"forceall": False} | chosen)
        alone = chosen == {"targets": ["all"]}
        assert engine.is_chosen(SimpleNamespace(dag_settings=settings)) != alone
    assert engine.runs_here(workflow) and not engine.was_interrupted(workflow)
    assert engine.undone(workflow) == [] and engine.failed(workflow, {}) == []
    files, made = engine.made_of(workflow)
    assert files == {"made,a.txt": [], "made,b.txt": []} and made == set(files)
    assert engine.for_report(workflow) == ["made,a.txt", "made,b.txt"]
    engine.force(workflow, ["made,a.txt"])
    assert "made,a.txt" in workflow.dag.forcefiles
    engine.offer_gpus(workflow, 3)
    engine.offer_gpus(workflow, 4)
    assert workflow.global_resources["gpu"].value == 3


def test_its_log_says_what_progress_reads(workflow):
    handlers = {handler.name: handler for handler in workflow.logger_manager.logger.handlers}
    assert handlers["DefaultStreamHandler"].level == logging.WARNING
    notes = workflow.globals["NOTES"]
    begun = {note["jobid"]: note for note in notes if note.get("event") == "job_info"}
    ended = [note["job_id"] for note in notes if note.get("event") == "job_finished"]
    made = {note["wildcards"]["letter"] for note in begun.values() if note["rule_name"] == "make"}
    assert made == {"a", "b"} and set(ended) == set(begun)


def test_no_timer_looks_at_the_jobs_again_and_again(workflow):
    assert workflow.scheduler.job_rate_limiter is None
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


def test_an_interrupt_does_not_wait_for_what_the_code_it_stops_holds(workflow):
    lock = workflow.scheduler._lock
    with lock:  # as while the files of a finished job are noted; the handler is of the same thread
        assert lock.acquire(blocking=False)
        lock.release()


def test_a_report_shows_files_with_commas_in_their_names(workflow, tmp_path, monkeypatch):
    from snakemake.report import common

    monkeypatch.chdir(Path(workflow.overwrite_workdir or workflow.workdir_init))
    monkeypatch.setattr(common, "data_uri", common.data_uri)
    engine.quote_names.cache_clear()
    engine.write_report(workflow, tmp_path / "report.html", {"run": {"Command": "snakemake"}})
    engine.quote_names.cache_clear()
    page = (tmp_path / "report.html").read_text()
    assert "filename=made%2Ca.txt;" in page and "filename=made,a.txt" not in page


def test_a_job_ends_with_the_run_that_started_it(tmp_path):
    if not warm.job_prefix().startswith("exec setpriv"):
        pytest.skip("needs setpriv, of util-linux")
    command = warm.job_prefix() + "sleep 60"  # without $PRIORBENCH_WARM
    script = f"import subprocess; subprocess.run({command!r}, shell=True)"
    parent = subprocess.Popen([sys.executable, "-c", script])
    find = ["pgrep", "-P", str(parent.pid), "-x", "sleep"]
    wait_for(lambda: subprocess.run(find, capture_output=True).stdout)
    child = subprocess.run(find, capture_output=True, text=True).stdout.strip()
    parent.kill()
    parent.wait()
    wait_for(lambda: not os.path.exists(f"/proc/{child}/exe"), seconds=50)  # sleep would end by itself after 60


TINY = {
    "device": "cpu",
    "images": {"logo": {"source": "synthetic:logo", "size": 32}},
    "experiments": {
        "tiny": {
            "task": "denoising",
            "images": ["logo"],
            "corruption": {"sigma": 0.1},
            "methods": [{"method": "wiener"}],
            "figures": [],
        }
    },
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A copy of the repository in which the smallest config has been run."""
    folder = tmp_path_factory.mktemp("repository")
    copy_repository(folder)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(TINY))
    result = snakemake(folder, config="tiny.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def test_a_run_makes_everything_and_its_report_and_is_done(run):
    assert (run / "results/report.html").is_file() and (run / "results/tables/tiny.md").is_file()
    assert "Nothing to be done" in snakemake(run, config="tiny.yaml").stderr


READING = ["--summary", "--list-untracked", "--list-changes=code", "--rulegraph"]
HOLD = "from steps.run import lock; lock.begin(local=True); print('held', flush=True); input()"


def test_what_only_reads_goes_on_beside_a_run_and_writes_nothing(run):
    """That a second run is refused meanwhile shows that one is at work."""
    command = [sys.executable, "-c", HOLD]
    holder = subprocess.Popen(command, cwd=run, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    path = run / "steps/methods/wiener.py"
    text = path.read_text()
    notes = {path: path.stat().st_mtime_ns for path in (run / "results/code").iterdir()}
    try:
        assert holder.stdout.readline() == "held\n"
        path.write_text(text + "\nEDITED = True\n")
        for option in READING:
            result = snakemake(run, option, config="tiny.yaml")
            assert result.returncode == 0, option + result.stdout + result.stderr
        assert "another run is at work" in snakemake(run, config="tiny.yaml").stderr
    finally:
        holder.kill()
        holder.wait()
    result = snakemake(run, "--summary", config="tiny.yaml")
    path.write_text(text)
    assert re.search(r"wiener/default/recovered.npy\t.*update pending", result.stdout)
    assert notes == {path: path.stat().st_mtime_ns for path in (run / "results/code").iterdir()}


CONDA = """#!/bin/sh
case "$1" in
  info) echo '{{"conda_prefix": "{folder}", "platform": "linux-64"}}' ;;
  config) echo '{{"get": {{"channel_priority": "strict"}}}}' ;;
  --version) echo conda 25.1.0 ;;
  env)
    while [ "$1" != --prefix ]; do shift; done
    {python} -m venv --without-pip "$2"
    for folder in "$2"/lib/python*/site-packages; do echo {packages} > "$folder"/packages.pth; done ;;
esac
"""


def test_with_conda_jobs_are_done_in_its_environment(run, tmp_path, monkeypatch):
    """By a pretend conda, whose environments are virtual ones with our packages and stand behind it in PATH."""
    packages = Path(yaml.__file__).parents[1]
    (tmp_path / "bin").mkdir()
    conda = tmp_path / "bin/conda"
    conda.write_text(CONDA.format(folder=tmp_path, python=sys.executable, packages=packages))
    conda.chmod(0o755)
    (tmp_path / "bin/activate").write_text('export PATH="${PATH%%:*}:$1/bin:${PATH#*:}" CONDA_PREFIX="$1"\n')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    method = run / "steps/methods/where.py"
    method.write_text(
        '"""Says by which Python it is done."""\n\nimport os\nimport sys\n\n\n'
        "def recover(y, A, sigma, *, callback=None):\n"
        "    print(sys.prefix, os.environ['CONDA_PREFIX'], flush=True)\n    return A.adjoint(y)\n"
    )
    target = "results/denoising/logo/sigma=0.1/where/default/recovered.npy"
    result = snakemake(run, target, "--sdm", "conda", "--directory", str(tmp_path), config="tiny.yaml")
    method.unlink()
    assert result.returncode == 0, result.stdout + result.stderr
    python, environment = (tmp_path / target).with_name("recover.log").read_text().splitlines()[0].split()
    assert python == environment and Path(environment).parent == tmp_path / ".snakemake/conda"


def test_of_a_group_that_failed_what_was_not_made_has_failed(tmp_path):
    """Snakemake knows of the group only."""
    names = ["made", "made again", "old", "half", "other half"]
    paths = {name: str(tmp_path / name) for name in names}
    for name in ("made again", "old"):
        Path(paths[name]).write_text("before")
        os.utime(paths[name], (1, 1))
    before = engine.written(paths.values())
    for name in ("made", "made again", "half"):
        Path(paths[name]).write_text("now")
    jobs = [SimpleNamespace(output=[paths[name]]) for name in ("made", "made again", "old")]
    jobs.append(SimpleNamespace(output=[paths["half"], paths["other half"]]))
    alone = SimpleNamespace(output=[paths["made"]])
    scheduler = SimpleNamespace(failed=[SimpleNamespace(jobs=jobs), alone])
    assert engine.failed(SimpleNamespace(scheduler=scheduler), before) == [*jobs[2:], alone]
