"""A file among the methods, tasks, … that cannot be used is named in one line."""

import sys
import types

import pytest

from steps.base import discover
from steps.base.errors import BadInput


@pytest.fixture
def dropped(tmp_path, monkeypatch):
    """Return a function that puts a file of code among the modules of a kind: dropped("methods", "…")."""

    def put(kind, code):
        package = __import__(f"steps.{kind}", fromlist=["__path__"])
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
        monkeypatch.setattr(discover, "available", lambda kind: ["mine_dropped"])
        monkeypatch.delitem(sys.modules, f"steps.{kind}.mine_dropped", raising=False)
        (tmp_path / "mine_dropped.py").write_text(code)
        discover.load.cache_clear()
        return tmp_path / "mine_dropped.py"

    yield put
    discover.load.cache_clear()


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        (
            "methods",
            "import not_there_at_all",
            "methods/mine_dropped.py: the package not_there_at_all is not installed",
        ),
        ("metrics", "from not_there import x", "the package not_there is not installed; import it inside the function"),
        ("methods", "from math import nothing", "cannot import name 'nothing' from 'math'"),
        ("methods", "\n\ndef recover(:", "mine_dropped.py, line 3: no Python (invalid syntax)"),
        ("methods", "recovers = 1", "steps/methods/mine_dropped.py: has no recover; must have recover"),
        ("tasks", "Operator = 3", "steps/tasks/mine_dropped.py: has no Operator; must have Operator"),
        ("noises", "def add(clean): return clean", "has no sigma; must have add and sigma"),
        ("figures", "", "has no draw; must have draw"),
        ("figures", "def draw(scores): pass", "EACH: missing; must be one of (), ('image',), ('image', 'corruption')"),
        ("figures", "EACH = ('image')\ndef draw(scores): pass", "EACH: 'image'; must be one of (), ('image',), ('ima"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(dropped, kind, code, words):
    dropped(kind, code)
    with pytest.raises(BadInput) as error:
        discover.load(kind, "mine_dropped")
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("package", ["not_there", "not_there.part", "numpy.not_there"])
def test_a_package_that_is_missing_with_what_it_is_in(package):
    assert discover.missing_package(types.SimpleNamespace(PACKAGE=package)) == package
    assert discover.missing_package(types.SimpleNamespace(PACKAGE="numpy.random")) is None


@pytest.mark.parametrize("kind", list(discover.NEEDED))
def test_every_file_there_is_can_be_loaded(kind):
    for name in discover.available(kind):
        assert discover.load(kind, name).__name__ == f"steps.{kind}.{name}"
