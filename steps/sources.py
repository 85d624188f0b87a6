"""The files of code a job is made of, noted in one file that a rule has as its input.

Snakemake does not notice a change in an imported module. `sources` follows the import lines of the modules named,
wherever they stand in a file, so editing steps/methods/tv.py reruns the recoveries by TV and nothing else. A rule's
input is the note of them, results/code/{names}.txt: a line "SHA-256  path" for each. It is written anew only when
what it says changes, so neither a touched file nor a fresh clone over old results reruns anything, and a job has one
input for its code in place of some fifteen, which more than halves the time Snakemake needs for ten thousand.
"""

import ast
import functools
import hashlib
import os
from pathlib import Path

from steps.files import sha256, write_text

ROOT = Path(__file__).parent.parent
_replaced = {}  # {note: (its text before, None if there was none; its time)} of this process


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
    return sorted(map(_from_here, found))


def beside(pattern):
    """Return the paths of the files below steps that match a pattern and are no modules, as `sources` gives them."""
    return tuple(sorted(map(_from_here, (ROOT / "steps").glob(pattern))))


def listing(*modules):
    """Return a line "SHA-256  path in the repository" for each file that `sources` lists."""
    lines = []
    for path in map(Path, sources(*modules)):
        name = path.resolve().relative_to(ROOT.resolve()).as_posix()
        lines.append(f"{sha256(path)}  {name}\n")
    return "".join(lines)


def checksums():
    """Return {path in the repository: SHA-256} of all code of steps, that of its pages included."""
    files = [path for suffix in ("py", "html", "css", "js") for path in (ROOT / "steps").rglob(f"*.{suffix}")]
    return {path.relative_to(ROOT).as_posix(): sha256(path) for path in sorted(files)}


def digest(*modules):
    """Return the SHA-256 of `listing`, which is that of the file that `noted` returns."""
    return hashlib.sha256(listing(*modules).encode()).hexdigest()


@functools.cache
def noted(*modules, data=(), said="", name="", write=True):
    """Return the path of the note of the modules' files; with `write`, the note says what the files are now.

    data  further files that the job reads, such as a photograph: Snakemake takes no checksum of those above 1 MB, and
          without its own notes (a fresh clone) of none.
    said  what else decides the result and is in no path, such as the size of an image: a line of text.
    name  the name of the note; by default those of the modules.
    """
    path = Path("results/code", f"{name or '-'.join(module.split('.')[-1] for module in modules)}.txt")
    if write:
        text = listing(*modules) + "".join(f"{sha256(file)}  {file}\n" for file in data)
        text += f"{said}\n" if said else ""
        before = path.read_text(encoding="utf-8") if path.is_file() else None
        if before != text:
            _replaced.setdefault(path.absolute(), (before, path.stat().st_mtime_ns if before is not None else 0))
            write_text(path, text)
    return str(path)


def restore():
    """Take back what this process has noted: after planning without a run notes say of what results are made."""
    while _replaced:
        path, (before, time) = _replaced.popitem()
        if before is None:
            path.unlink(missing_ok=True)
        else:
            write_text(path, before)
            os.utime(path, ns=(time, time))


def _from_here(path):
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


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
