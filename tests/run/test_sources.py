import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from steps.base.discover import available
from steps.run import sources as module
from steps.run.sources import sources

ROOT = Path(__file__).parents[2]


def names(*modules):
    return {str(Path(path)) for path in sources(*modules)}


def test_follows_imports_wherever_they_stand():
    found = names("steps.methods.tv")  # its import of solvers stands inside the function
    assert {"steps/methods/tv.py", "steps/inverse/solvers.py", "steps/inverse/operators.py"} <= found
    assert "steps/methods/dip.py" not in found and "steps/prior/networks.py" not in found


def test_a_package_import_means_its_modules():
    assert {"steps/prior/networks.py", "steps/base/errors.py"} <= names("steps.methods.dip")


def test_no_method_or_task_is_a_source_of_the_command_that_loads_it():
    found = names("steps.recover")
    assert not [
        path for path in found if path.startswith(("steps/methods/", "steps/tasks/")) and "__init__" not in path
    ]


def test_every_step_task_method_and_figure_has_sources():
    for kind in ("tasks", "methods", "figures"):
        for name in available(kind):
            assert f"steps/{kind}/{name}.py" in names(f"steps.{kind}.{name}")


def test_ground_truth_is_out_of_reach_of_recovery():
    for method in available("methods"):
        found = names("steps.recover", f"steps.methods.{method}")
        assert not {"steps/score.py", "steps/images/load.py", "steps/look/pictures.py"} & found


def test_missing_module_is_an_error():
    with pytest.raises(ValueError, match="no_such"):
        sources("steps.no_such")


def test_a_relative_import_is_refused(tmp_path):
    (tmp_path / "mine.py").write_text("def f():\n    from .solvers import admm\n")
    with pytest.raises(ValueError, match=r"mine.py, line 2: a relative import; must be absolute"):
        module._imports(tmp_path / "mine.py")


def test_paths_are_absolute_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sources("steps.base.parameters")[0] == str(module.ROOT / "steps/base/errors.py")


def digest(folder, *modules, cwd=None):
    """Return what `digest` says of modules in the copy of the repository in a folder."""
    code = "import sys; from steps.run.sources import digest; print(digest(*sys.argv[1:]))"
    environment = os.environ | {"PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", code, *modules]
    found = subprocess.run(command, cwd=cwd or folder, env=environment, capture_output=True, text=True, check=True)
    return found.stdout.strip()


@pytest.fixture
def copied(tmp_path):
    shutil.copytree(ROOT / "steps", tmp_path / "copy/steps", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "copy"


def test_the_digest_is_that_of_the_code_a_job_is_made_of(copied, tmp_path):
    modules = ("steps.recover", "steps.methods.tv")
    before = digest(copied, *modules)
    assert len(before) == 64 and before == digest(copied, *reversed(modules)) == module.digest(*modules)
    assert before == digest(copied, *modules, cwd=tmp_path)  # wherever it runs
    assert before != digest(copied, "steps.recover", "steps.methods.dip")
    with open(copied / "steps/methods/dip.py", "a") as file:
        file.write("# not of TV\n")
    assert digest(copied, *modules) == before
    with open(copied / "steps/inverse/solvers.py", "a") as file:  # imported by TV, inside a function
        file.write("# of TV\n")
    after = digest(copied, *modules)
    assert after != before
    (copied / "steps/methods/tv.py").rename(copied / "steps/methods/tw.py")
    assert digest(copied, "steps.recover", "steps.methods.tw") != after  # the same lines in a file of another name


def test_the_digest_is_the_same_through_a_link_to_the_repository(copied, tmp_path):
    (tmp_path / "link").symlink_to(copied)
    assert digest(tmp_path / "link", "steps.base.parameters", cwd=tmp_path) == digest(copied, "steps.base.parameters")
