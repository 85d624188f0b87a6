"""The code a job is made of, noted in one file that a rule has as its input.

Snakemake does not notice a change in an imported module. `sources` follows the import lines of the modules named,
wherever they stand in a file, so editing steps/methods/tv.py reruns the recoveries by TV and nothing else. A rule's
input is the note of them, results/code/{names}.txt: a line for each file, with the checksum of what its code says. It
is written anew only when what it says changes, so neither a touched file nor a fresh clone over old results reruns
anything, and a job has one input for its code in place of some fifteen, which more than halves the time Snakemake needs
for ten thousand.

What code says, see `said`, leaves out all that changes no number: comments, docstrings, layout, names of files, words
for people. And there is a wall: no number depends on the rooms of UNCOUNTED.
"""

import ast
import contextlib
import functools
import hashlib
import os
from pathlib import Path

from steps.base.errors import BadInput
from steps.base.files import sha256, write_text

ROOT = Path(__file__).parents[2]
UNCOUNTED = ("steps.base", "steps.run")  # errors, files, spelling; lock, GPUs, records: what is around a job
FACTS = {"LABEL", "LOOK", "SYMBOLS", "CAPTION"}  # for people; figures note LOOK and SYMBOLS of what they show
FACTS |= {"UNIT", "DECIMALS", "BETTER"}  # of metrics; who shows them is told
FACTS |= {"GPU", "ALONE", "THREADS", "TASKS", "ONLY", "WITH", "needs", "memory_mb"}  # for planning
FACTS |= {"PACKAGE", "QUICK", "ENOUGH", "EXACT", "REPEATABLE", "TRIED"}  # for tests
ERRORS = ("Error", "BadInput", "BadParameter")  # so end their names; NothingToDraw is none: its words are drawn
IMPORTS = (ast.Import, ast.ImportFrom)
_replaced = {}  # {note: (its text before, None if there was none; its time)} of this process
_left = []  # not empty once `leave_notes` has been called


def sources(*modules):
    """Return the sorted paths of the named modules (such as "steps.methods.tv") and of all they import from steps.

    Paths are relative to the working directory when the code lies below it, as in a usual run; else absolute.
    Raises ValueError if a module has no file, BadInput if one of them imports relatively.
    """
    return sorted(_from_here(_path(module)) for module in _reached(modules))


def beside(pattern):
    """Return the paths of the files below steps that match a pattern and are no modules, as `sources` gives them."""
    return tuple(sorted(map(_from_here, (ROOT / "steps").glob(pattern))))


def listing(*modules):
    """Return the note of modules: a line for each file beyond the wall, sorted, with two checksums.

    That of what it says, and that of what the names which it imports from steps stand for: so neither the name nor the
    place of a file counts, nor the order of import lines, but which file a name is imported from does.
    """
    lines = []
    for module in _reached(modules, _counted):
        names = sorted(f"{name} {digest(_path(other))}" for name, other in _imports(_path(module)) if _counted(other))
        lines.append(f"{digest(_path(module))} {hashlib.sha256(' '.join(names).encode()).hexdigest()[:16]}\n")
    return "".join(sorted(lines))


@functools.cache
def digest(path):
    """Return the SHA-256 of what the code of a file says."""
    return hashlib.sha256(_said(_counting(_parsed(path).body)).encode()).hexdigest()


@functools.cache
def _parsed(path):
    return ast.parse(Path(path).read_text(encoding="utf-8"), str(path))


def said(code):
    """Return what Python code says, as text: the same under every Python that can read it, and whatever its layout.

    Left out are comments, docstrings, what is printed, the words of errors and of a command's help, the FACTS that only
    planning and tests read, and import lines of steps, which are followed instead. Other imports may be in any order.
    """
    return _said(_counting(ast.parse(code).body))


def _counting(body):
    """Return the statements of a module without its FACTS, but for those that it reads itself."""
    names = {node: _assigned(node) for node in body}
    facts = {node for node in body if FACTS.issuperset(names[node])}
    inner = (inner for node in body if node not in facts for inner in ast.walk(node))
    read = {node.id for node in inner if isinstance(node, ast.Name)}
    return [node for node in body if node not in facts or read.intersection(names[node])]


def _said(node):
    if isinstance(node, list):
        if any(isinstance(item, IMPORTS) for item in node):  # which come first, in one order
            node = sorted(node, key=lambda item: ast.unparse(item) if isinstance(item, IMPORTS) else "~")
        return f"[{' '.join(filter(None, map(_said, node)))}]"
    if not isinstance(node, ast.AST):
        return ascii(node)
    if _is_for_people(node):
        return ""
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "steps":
        return ""
    if isinstance(node, ast.Raise):  # the type of an error, for who catches it; all of others, which carry what is used
        called = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        if called is node.exc or ast.unparse(called).endswith(ERRORS):
            return f"(Raise {_said(called)})"
    if isinstance(node, ast.JoinedStr):  # whose empty pieces differ between versions of Python
        node = ast.JoinedStr([value for value in node.values if getattr(value, "value", None) != ""])
    fields = {name: getattr(node, name, None) for name in node._fields if name not in ("ctx", "kind", "type_comment")}
    words = [f"{name}={_said(value)}" for name, value in fields.items() if value not in (None, [])]
    return f"({' '.join([type(node).__name__, *words])})"


def _is_for_people(node):
    """Return whether a statement is a docstring or prints, or a keyword is a help text."""
    if isinstance(node, ast.Expr):
        value = node.value
        text = isinstance(value, ast.Constant) and isinstance(value.value, str)
        return text or (isinstance(value, ast.Call) and getattr(value.func, "id", "") == "print")
    return isinstance(node, ast.keyword) and node.arg == "help"


def _assigned(node):
    """Return the names that a statement gives a value, "" for what is no name."""
    return [getattr(target, "id", "") for target in getattr(node, "targets", [])] or [getattr(node, "name", "")]


def look_again():
    """Forget what files say: a process that lives longer than an edit must read them anew."""
    for known in (digest, _parsed, _path, _imports):
        known.cache_clear()


def checksums():
    """Return {path in the repository: checksum} of all code of steps: of what Python says, of other files' content.

    A file in which somebody is in the middle of a line is no Python, and another method's run must not mind.
    """
    found = {path: sha256(path) for suffix in ("html", "css", "js") for path in (ROOT / "steps").rglob(f"*.{suffix}")}
    for path in (ROOT / "steps").rglob("*.py"):
        try:
            found[path] = digest(path)
        except (SyntaxError, ValueError):
            found[path] = sha256(path)
    return {path.relative_to(ROOT).as_posix(): found[path] for path in sorted(found)}


def listing_digest(*modules):
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
    path = f"results/code/{name or '-'.join(module.split('.')[-1] for module in modules)}.txt"
    if write:
        text = listing(*modules) + "".join(f"{sha256(file)}  {file}\n" for file in data)
        write_note(path, text + (f"{said}\n" if said else ""))
    return path


def write_note(path, text):
    """Write a note, unless it says so already or is to be left; `restore` takes it back."""
    path = Path(path)
    before = path.read_text(encoding="utf-8") if path.is_file() else None
    if before is None:  # plainly: `whole` looks through the folder and waits for the disk, thousands of times
        _replaced.setdefault(path.absolute(), (None, 0))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    elif before != text and not _left:
        _replaced.setdefault(path.absolute(), (before, path.stat().st_mtime_ns))
        write_text(path, text)


def leave_notes():
    """From now on leave notes that are there as they are: a run is at work that is made by what they say."""
    _left.append(True)


def restore():
    """Take back what this process has noted: after planning without a run notes say of what results are made."""
    while _replaced:
        path, (before, time) = _replaced.popitem()
        with contextlib.suppress(OSError):  # of a folder that nothing can be written to nothing was replaced
            if before is None:
                path.unlink(missing_ok=True)
            else:
                write_text(path, before)
                os.utime(path, ns=(time, time))


def _reached(modules, follow=lambda module: True):
    """Return the named modules and all that they import from steps, as far as `follow(module)` is true."""
    found, queue = {}, list(modules)
    while queue:
        module = queue.pop()
        if module not in found and follow(module):
            found[module] = None
            queue += [other for _, other in _imports(_path(module))]
    return list(found)


def _counted(module):
    return not f"{module}.".startswith(tuple(f"{room}." for room in UNCOUNTED))


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
    """Return [(name, module)] of what a file imports from steps; a name that a module has is "name here=name there"."""
    found = []
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.Import):
            found += [(alias.asname or alias.name, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise BadInput(f"{path}, line {node.lineno}: a relative import; must be absolute (from steps import …)")
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                name = alias.asname or alias.name
                found.append((name, inner) if _is_module(inner) else (f"{name}={alias.name}", node.module))
    return [pair for pair in found if pair[1].split(".")[0] == "steps" and _is_module(pair[1])]


def _is_module(module):
    base = ROOT.joinpath(*module.split("."))
    return base.with_suffix(".py").is_file() or (base / "__init__.py").is_file()
