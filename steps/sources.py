"""The files of code a job is made of, so that a rule can list them as input.

Snakemake does not notice a change in an imported module. `sources` follows the import lines of the modules named,
wherever they stand in a file, so editing steps/methods/tv.py reruns the recoveries by TV and nothing else.
"""

import ast
import functools
import hashlib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def sources(*modules):
    """Return the sorted paths of the named modules (such as "steps.methods.tv") and of all they import from steps.

    Paths are relative to the working directory when the code lies below it, as in a usual run; else absolute.
    Raises ValueError if a module has no file, or if one of them imports relatively.
    """
    found, queue = set(), list(modules)
    while queue:
        path = _path(queue.pop())
        if path not in found:
            found.add(path)
            queue += _imports(path)
    here = Path.cwd()
    return sorted(str(path.relative_to(here) if path.is_relative_to(here) else path) for path in found)


def digest(*modules):
    """Return the SHA-256 of the files that `sources` lists, their paths in the repository included."""
    found = hashlib.sha256()
    for path in map(Path, sources(*modules)):
        found.update(path.resolve().relative_to(ROOT.resolve()).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


@functools.cache
def _path(module):
    base = ROOT.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    raise ValueError(f"no module {module}: {base.with_suffix('.py')} does not exist")


@functools.cache
def _imports(path):
    modules = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise ValueError(f"{path}, line {node.lineno}: a relative import; must be absolute (from steps import …)")
        elif isinstance(node, ast.ImportFrom):
            modules.append(node.module)
            if node.module == "steps" or (ROOT / node.module.replace(".", "/")).is_dir():
                modules += [f"{node.module}.{alias.name}" for alias in node.names]
    return [module for module in modules if module.split(".")[0] == "steps" and _is_module(module)]


def _is_module(module):
    base = ROOT.joinpath(*module.split("."))
    return base.with_suffix(".py").is_file() or (base / "__init__.py").is_file()
