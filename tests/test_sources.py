from pathlib import Path

import pytest

from steps import sources as module
from steps.discover import available
from steps.sources import sources

ROOT = Path(__file__).parent.parent


def names(*modules):
    return {str(Path(path)) for path in sources(*modules)}


def test_follows_imports_wherever_they_stand():
    found = names("steps.methods.tv")  # its import of solvers stands inside the function
    assert {"steps/methods/tv.py", "steps/solvers.py", "steps/operators.py"} <= found
    assert "steps/methods/dip.py" not in found and "steps/networks.py" not in found


def test_a_package_import_means_its_modules():
    assert {"steps/networks.py", "steps/errors.py"} <= names("steps.methods.dip")


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
        assert not {"steps/score.py", "steps/image.py", "steps/pictures.py"} & found


def test_missing_module_is_an_error():
    with pytest.raises(ValueError, match="no_such"):
        sources("steps.no_such")


def test_a_relative_import_is_refused(tmp_path):
    (tmp_path / "mine.py").write_text("def f():\n    from .solvers import admm\n")
    with pytest.raises(ValueError, match=r"mine.py, line 2: a relative import; must be absolute"):
        module._imports(tmp_path / "mine.py")


def test_paths_are_absolute_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sources("steps.grid")[0] == str(module.ROOT / "steps/errors.py")
