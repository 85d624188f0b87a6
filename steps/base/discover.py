"""The folders are the registry: a task, method or figure exists because its file does."""

import functools
import importlib
import importlib.util
from pathlib import Path

from steps.base.errors import BadInput, no_such

ROOT = Path(__file__).parent.parent


@functools.cache
def available(kind):
    """Return the sorted names of the modules in steps/{kind}; kind is "tasks", "methods" or "figures"."""
    return sorted(path.stem for path in (ROOT / kind).glob("*.py") if not path.stem.startswith("_"))


@functools.cache
def load(kind, name, where=""):
    """Return the module steps/{kind}/{name}.py. Raises BadInput naming the missing file and those there are."""
    if name not in available(kind):
        prefix = f"{where}: " if where else ""
        raise BadInput(f"{prefix}{no_such(kind[:-1], name, available(kind))} (no file steps/{kind}/{name}.py)")
    return importlib.import_module(f"steps.{kind}.{name}")


def missing_package(module):
    """Return the package that a module of the registry says it needs, PACKAGE, if it is not installed, else None."""
    package = getattr(module, "PACKAGE", None)
    return package if package and importlib.util.find_spec(package) is None else None
