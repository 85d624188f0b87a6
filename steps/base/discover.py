"""The folders are the registry: a task, method or figure exists because its file does."""

import contextlib
import functools
import importlib
import importlib.util
from pathlib import Path

from steps.base.errors import BadInput, no_such

ROOT = Path(__file__).parent.parent
NEEDED = {"methods": ["recover"], "tasks": ["Operator"], "noises": ["add", "sigma"], "metrics": ["measure"]}
NEEDED |= {"figures": ["draw"]}  # what a file of each folder must have
EACH = (), ("image",), ("image", "corruption")  # of what an experiment has one figure each


@functools.cache
def available(kind):
    """Return the sorted names of the modules in steps/{kind}; kind is "tasks", "methods" or "figures"."""
    return sorted(path.stem for path in (ROOT / kind).glob("*.py") if not path.stem.startswith("_"))


@functools.cache
def load(kind, name, where=""):
    """Return the module steps/{kind}/{name}.py.

    Raises BadInput naming the missing file and those there are; for a file that cannot be imported, and for one that
    lacks what those of its folder must have.
    """
    if name not in available(kind):
        prefix = f"{where}: " if where else ""
        raise BadInput(f"{prefix}{no_such(kind[:-1], name, available(kind))} (no file steps/{kind}/{name}.py)")
    file = f"steps/{kind}/{name}.py"
    try:
        module = importlib.import_module(f"steps.{kind}.{name}")
    except SyntaxError as error:
        raise BadInput(f"{error.filename}, line {error.lineno}: no Python ({error.msg})") from error
    except ModuleNotFoundError as error:
        better = "; import it inside the function, and say PACKAGE" if kind in ("methods", "metrics") else ""
        raise BadInput(f"{file}: the package {error.name} is not installed{better}") from error
    except ImportError as error:
        raise BadInput(f"{file}: {error}") from error
    for needed in NEEDED.get(kind, []):
        if not callable(getattr(module, needed, None)):
            raise BadInput(f"{file}: has no {needed}; must have {' and '.join(NEEDED[kind])}")
    if kind == "figures" and getattr(module, "EACH", None) not in EACH:
        said = repr(module.EACH) if hasattr(module, "EACH") else "missing"
        raise BadInput(f"{file}: EACH: {said}; must be one of {', '.join(map(str, EACH))}")
    return module


def missing_package(module):
    """Return the package that a module of the registry says it needs, PACKAGE, if it is not installed, else None."""
    package = getattr(module, "PACKAGE", None)
    with contextlib.suppress(ModuleNotFoundError):  # of what the package is in
        return package if package and importlib.util.find_spec(package) is None else None
    return package
