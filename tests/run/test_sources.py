"""The note of a job's code: what it must see, and what it must not see.

It changes with a number that code computes, and with the module that a name is imported from. It does not change with
comments, docstrings, layout, quotes, help, words of errors and what is printed, constants that only planning and tests
read, the name and the place of a file, the path of the repository, and the version of Python. It ends at the wall: no
number depends on steps/base and steps/run.
"""

import hashlib
import os
import shutil
from pathlib import Path
from unittest import mock

import pytest

from steps.base.discover import available
from steps.run import sources as module
from steps.run.sources import checksums, listing, listing_digest, said, sources
from tests.workflows import ROOT


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
    for kind in ("tasks", "noises", "methods", "metrics", "figures"):
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


SAMPLE = '''
"""What it is for."""

import math
from typing import Annotated

import click

from steps.base.errors import BadInput
from steps.inverse.solvers import admm as solve

LABEL = "A method"
WIDTH, LIMITS = 0.8, {"low": -1e-3, "high": (1, 2j, None, ..., b"x")}


@click.command("run", help="What it does.")
@click.option("--width", default=0.5, help="pixels")
def main(width: Annotated[float, "> 0"] = WIDTH, *rest, key=lambda x, /: -x, **more):
    """Return a number."""
    print(f"width is {width}")
    if not 0 < width <= 1:
        raise BadInput(f"width: {width!r} is not allowed; must be in (0, 1]")
    match rest:
        case [first, *others] if others:
            width += first @ width
        case {"a": 1, **kept} | str(kept):
            del kept
        case _:
            pass
    return f"{width:.{3}f} and {key(width)!r:>10}", rest[:2], rest[:2,], rest[::2, None], [*more], {**more, "b": 1}


class Operator(list, metaclass=type):
    """What it is."""

    async def forward(self, x):
        global WIDTH
        with open(x) as file, open(x):
            total = yield (square := x**2)
        try:
            return [a for a in await x if a for b in a] + sorted({a async for a in x})
        except* (ValueError, OSError) as error:
            raise
        finally:
            assert total is not None, f"{total}" "!"
'''
PIN = "d4a53436ebef5e10af500306b38d11a3f5692224650db71af725e3f8c2b72d90"


def note(text):
    return hashlib.sha256(said(text).encode()).hexdigest()


def test_every_version_of_python_says_the_same_of_it():
    """Else another Python would redo everything. A change of `said` redoes everything, too: pin it anew, knowingly."""
    assert note(SAMPLE) == PIN


SAME = {
    "a comment": ("WIDTH, LIMITS", "# of the kernel\nWIDTH, LIMITS"),
    "a docstring": ("Return a number.", "Return another number."),
    "no docstring": ('    """What it is."""\n', ""),
    "the docstring of the module": ("What it is for.", "What else it is for."),
    "layout": ("WIDTH, LIMITS = 0.8, {", "(WIDTH, LIMITS) = (\\\n    0.8), {"),
    "empty lines": ("    global WIDTH\n", "    global   WIDTH\n\n\n"),
    "quotes": ('"low"', "'low'"),
    "another spelling of a number": ("-1e-3", "-0.001"),
    "help of a command": ("What it does.", "What it does, in other words."),
    "help of an option": ('help="pixels"', 'help="in pixels"'),
    "words of an error": ("is not allowed; must be", "is wrong; must be"),
    "what is printed": ("width is {width}", "the width: {width}"),
    "nothing is printed": ('    print(f"width is {width}")\n', ""),
    "a constant for tables and planning": ('LABEL = "A method"', 'LABEL = "Another"\nGPU = True\nQUICK = {"a": 1}'),
    "a function for planning": ("class Operator", "def needs(image_mb, **_):\n    return 1, 2\n\n\nclass Operator"),
    "a module of ours that a name comes from": ("steps.inverse.solvers", "steps.inverse.moved"),
    "the order of imports": (
        "import math\nfrom typing import Annotated\n",
        "from typing import Annotated\nimport math\n",
    ),
}
ANOTHER = {
    "a constant": ("WIDTH, LIMITS = 0.8", "WIDTH, LIMITS = 0.9"),
    "a sign": ("-1e-3", "1e-3"),
    "a type": ("(1, 2j", "(1.0, 2j"),
    "true for one": ("(1, 2j", "(True, 2j"),
    "bytes for text": ('b"x"', '"x"'),
    "a default": ("default=0.5", "default=0.6"),
    "a range": ('"> 0"', '">= 0"'),
    "a comparison": ("0 < width <= 1", "0 < width < 1"),
    "the type of an error": ("raise BadInput", "raise ValueError"),
    "an error that is not raised": ("        raise\n", "        return 0\n"),
    "a format": (":.{3}f}", ":.{4}f}"),
    "a slice": ("rest[:2],", "rest[2],"),
    "a slice in a tuple": ("rest[:2,]", "rest[:2]"),
    "a guard": (" if others:", ":"),
    "another library": ("import math", "import cmath"),
    "a decorator": ('@click.command("run"', '@click.group("run"'),
    "a positional parameter": ("lambda x, /: -x", "lambda x: -x"),
    "what LABEL is elsewhere": ("    global WIDTH\n", '    global WIDTH\n        LABEL = "x"\n'),
    "text that is no docstring": ("    match rest:", '    width = "Return a number."\n    match rest:'),
}


def edited(pair):
    before, after = pair
    assert SAMPLE.count(before) >= 1
    return SAMPLE.replace(before, after)


@pytest.mark.parametrize("case", SAME)
def test_what_changes_no_number_is_not_said(case):
    assert said(edited(SAME[case])) == said(SAMPLE)


@pytest.mark.parametrize("case", ANOTHER)
def test_what_may_change_a_number_is_said(case):
    assert said(edited(ANOTHER[case])) != said(SAMPLE)


def test_a_constant_for_tables_that_the_code_reads_is_said():
    code = "DECIMALS = 3\n\n\ndef measure(truth, estimate):\n    return round(truth - estimate, {})\n"
    first, second = code.format("DECIMALS"), code.format("3")
    assert said(first) != said(first.replace("= 3", "= 2"))
    assert said(second) == said(second.replace("= 3", "= 2"))


def test_the_words_are_said_of_what_is_no_error():
    """A figure shows those of NothingToDraw; others may carry a result to who catches them."""
    for name in ("NothingToDraw", "errors.NothingToDraw", "Stop"):
        assert said(f"raise {name}('one')") != said(f"raise {name}('two')")
    for name in ("BadInput", "ValueError", "click.BadParameter"):
        assert said(f"raise {name}('one')") == said(f"raise {name}('two')") == said(f"raise {name}()")


@pytest.fixture
def copied(tmp_path):
    shutil.copytree(ROOT / "steps", tmp_path / "copy/steps", ignore=shutil.ignore_patterns("__pycache__"))
    yield tmp_path / "copy"
    forget()


def forget():
    for function in (module.digest, module._parsed, module._imports, module._path):
        function.cache_clear()


def digest(folder, *modules):
    """Return the digest of the note of modules in the copy of the repository in a folder, as it is now."""
    forget()
    with mock.patch.object(module, "ROOT", folder):
        return listing_digest(*modules)


def change(path, *pair):
    text = path.read_text()
    path.write_text(text.replace(*pair) if pair else text + "\nEDITED = 1\n")
    assert path.read_text() != text


TV = ("steps.recover", "steps.methods.tv")


def test_the_note_is_of_the_code_a_job_is_made_of(copied, tmp_path, monkeypatch):
    before = digest(copied, *TV)
    assert len(before) == 64 and before == digest(copied, *reversed(TV)) == digest(ROOT, *TV)
    monkeypatch.chdir(tmp_path)  # wherever it runs
    assert before == digest(copied, *TV)
    (tmp_path / "link").symlink_to(copied)
    assert before == digest(tmp_path / "link", *TV)
    assert before != digest(copied, "steps.recover", "steps.methods.dip")
    change(copied / "steps/methods/dip.py")
    assert digest(copied, *TV) == before
    change(copied / "steps/inverse/solvers.py")  # imported by TV, inside a function
    assert digest(copied, *TV) != before


def test_a_moved_file_leaves_the_note_as_it_is(copied):
    before = digest(copied, *TV)
    (copied / "steps/methods/tv.py").rename(copied / "steps/methods/tw.py")
    assert digest(copied, "steps.recover", "steps.methods.tw") == before
    (copied / "steps/inverse/solvers.py").rename(copied / "steps/prior/another.py")
    change(copied / "steps/methods/tw.py", "steps.inverse.solvers", "steps.prior.another")
    assert digest(copied, "steps.recover", "steps.methods.tw") == before


BEFORE = "from steps.prior.one import WEIGHT\nfrom steps.prior.two import WEIGHT as OTHER\n"
IMPORTED = {
    "from the other module": "from steps.prior.two import WEIGHT\nfrom steps.prior.one import WEIGHT as OTHER\n",
    "another name of the module": BEFORE.replace("one import WEIGHT", "one import HEIGHT as WEIGHT"),
    "one name less": "from steps.prior.one import WEIGHT\nfrom steps.prior import two\n",
}


@pytest.mark.parametrize("case", IMPORTED)
def test_what_a_name_is_imported_from_is_noted(copied, case):
    """Both modules are in the closure, before and after: only the import lines of the third differ."""
    for name, number in (("one", 1), ("two", 2)):
        (copied / f"steps/prior/{name}.py").write_text(f"WEIGHT = {number}\nHEIGHT = 3\n")
    mine = copied / "steps/methods/mine.py"
    mine.write_text(BEFORE)
    before = digest(copied, "steps.methods.mine")
    mine.write_text("".join(reversed(BEFORE.splitlines(keepends=True))))
    assert digest(copied, "steps.methods.mine") == before
    mine.write_text(IMPORTED[case])
    assert digest(copied, "steps.methods.mine") != before


def test_what_lies_beyond_the_wall_is_not_noted(copied):
    before = digest(copied, *TV)
    for room in ("base", "run"):
        for path in (copied / "steps" / room).glob("*.py"):
            change(path)
    assert digest(copied, *TV) == before


def test_a_line_of_a_note_begins_with_the_checksum_of_a_file_and_has_no_path():
    """By which `python -m steps status` names what has changed."""
    digests, found = [line.split()[0] for line in listing("steps.methods.tv").splitlines()], checksums()
    for path in ("steps/methods/tv.py", "steps/inverse/solvers.py"):
        assert found[path] in digests
    assert "steps" not in listing("steps.methods.tv")


def test_a_file_that_is_no_python_is_nothing_to_those_that_do_not_use_it(copied):
    (copied / "steps/methods/mine.py").write_text("def recover(y, A")
    forget()
    with mock.patch.object(module, "ROOT", copied):
        assert len(checksums()["steps/methods/mine.py"]) == 64


def test_beside_a_run_only_new_notes_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_left", [])
    monkeypatch.setattr(module, "_replaced", {})
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    old.write_text("made by this")
    module.leave_notes()
    for path in (old, new):
        module.write_note(path, "what there is now")
    assert (old.read_text(), new.read_text()) == ("made by this", "what there is now")


def test_planning_leaves_notes_as_they_were_with_their_times(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "_replaced", {})
    monkeypatch.setattr(module, "_left", [])
    old = tmp_path / "results/code/old.txt"
    module.write_note("results/code/old.txt", "what results are made of")
    module._replaced.clear()
    os.utime(old, ns=(10**18, 10**18))
    for text in ("an edit", "another"):
        module.write_note("results/code/old.txt", text)
        module.write_note("results/code/new.txt", text)
    assert old.read_text() == "another"
    module.restore()
    assert old.read_text() == "what results are made of" and old.stat().st_mtime_ns == 10**18
    assert [path.name for path in old.parent.iterdir()] == ["old.txt"]


def test_what_cannot_be_taken_back_is_left(tmp_path, monkeypatch):
    """As in a folder that cannot be written to: why is told by who noted, in one line."""
    note = tmp_path / "note.txt"
    note.write_text("before")
    monkeypatch.setattr(module, "_replaced", {})
    monkeypatch.setattr(module, "_left", [])
    monkeypatch.setattr(module, "write_text", mock.Mock(side_effect=OSError(30, "Read-only file system")))
    with pytest.raises(OSError):
        module.write_note(note, "after")
    module.restore()
    assert note.read_text() == "before" and not module._replaced
