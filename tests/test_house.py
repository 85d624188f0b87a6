"""The house: which room may import from which, no circle, the wall, files that fit a screen or two."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter

import pytest

from steps.run import sources

STEPS = sources.ROOT / "steps"
FILES = sorted(STEPS.rglob("*.py"))
LOW = {"base", "images", "inverse", "prior", "tasks", "noises", "metrics", "methods"}
MIDDLE = LOW | {"plan", "tables", "look", "run"}
MAY = {  # what a room's files may import from, beside their own room
    "base": set(),
    "images": {"base"},
    "inverse": {"base"},
    "prior": {"base", "inverse"},
    "tasks": {"base", "inverse"},
    "noises": {"base", "inverse"},
    "metrics": {"base", "inverse"},
    "methods": {"base", "inverse", "prior", "tasks"},
    "plan": {"base", "images", "inverse"},
    "tables": {"base", "plan"},
    "look": {"base", "tables"},
    "run": {"base"},
    "figures": {"base", "plan", "prior", "tables", "look"},
    "rules": MIDDLE | {"figures"},
    "benchmarks": LOW | {"run"},
    "tools": MIDDLE | {"figures", "rules"},
}
WALLED = {"methods", "tasks", "noises", "metrics", "inverse", "prior"}
THROUGH_THE_WALL = {"steps.base.errors": {"BadInput"}, "steps.base.files": {"read_array", "read_arrays", "whole"}}


def room(path):
    """Return the room of a file of steps; the files that stand in none are the rules."""
    return path.parent.name if path.parent != STEPS else "tools" if path.stem == "__main__" else "rules"


def imports(path):
    """Return [(module, name)] of all that a file imports from steps, wherever its lines stand; a module has no name."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                found.append((module, None) if sources._is_module(module) else (node.module, alias.name))
    return [(module, name) for module, name in found if module.split(".")[0] == "steps"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(STEPS).as_posix())
def test_imports_go_down(path):
    for module, _ in imports(path):
        other = room(sources._path(module))
        assert other in MAY[room(path)] | {room(path)}, f"{room(path)} must not import from {other}: {module}"


@pytest.mark.parametrize("path", [path for path in FILES if room(path) in WALLED], ids=lambda path: path.stem)
def test_no_number_depends_on_what_is_around_a_recovery(path):
    """`sources` counts neither base nor run: what makes a number takes only errors and the reading of files there."""
    for module, name in imports(path):
        if module.startswith(sources.UNCOUNTED):
            assert name in THROUGH_THE_WALL.get(module, ()), f"{module}: {name}"


def test_no_module_imports_itself_by_a_detour():
    graph = {path: {sources._path(module) for module, _ in imports(path)} for path in FILES}
    assert len(list(TopologicalSorter(graph).static_order())) == len(FILES)


def test_every_room_says_what_it_is_and_no_file_is_long():
    for path in FILES:
        text = path.read_text()
        assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"
        assert len(text.splitlines()) <= 250, f"{path} is too long"
    for path in (STEPS.parent / "workflow").rglob("*.smk"):
        assert len(path.read_text().splitlines()) <= 250, f"{path} is too long"


def test_planning_loads_neither_torch_nor_skimage_nor_matplotlib():
    """Each job of Snakemake's, and each command, would pay for them."""
    heavy = {"torch", "skimage", "matplotlib", "pandas"}
    code = f"import sys; from steps.plan import config; print(*{heavy} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], cwd=STEPS.parent, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
