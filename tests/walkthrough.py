"""Does what a page of docs/ tells its readers to do, block by block, in a copy of the repository.

    walkthrough.run("docs/own_images.md", tmp_path)

A page has three kinds of blocks, and no other:

- one that is fenced and begins with a comment of nothing but a file's name (`# my.yaml`,
  `# steps/methods/mine.py`), is written to that file, whatever its language;
- one that is indented by four spaces, or fenced as `sh`, is run by bash, which stops at the first command that fails;
- one that is fenced as `text` is what the command before it prints, among other lines: its lines must be there, in
  this order. `…` stands for any characters of a line, and alone on a line for any lines.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.workflows import ROOT, commands, copy_repository, loaded

FENCED = re.compile(r"^```(?P<language>\w*)\n(?P<fenced>.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:\A|(?<=\n\n))(?P<indented> {4}.*?\n)(?=\n[^ ]|\n*\Z)", re.DOTALL)
FILE = re.compile(r"# (?P<name>[\w./-]+\.\w+)\n")
PIPES = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
SECONDS = 3600  # for one block: a limit for what hangs, not for what is slow on a busy machine


def blocks(text):
    """Return [(kind, content)] of a page's blocks in their order; kind is "sh", "text" or the name of a file."""
    found = []
    for block in re.finditer(f"{FENCED.pattern}|{INDENTED.pattern}", text, re.MULTILINE | re.DOTALL):
        if block["indented"]:
            found.append(("sh", re.sub("^ {4}", "", block["indented"], flags=re.MULTILINE)))
            continue
        named = FILE.match(block["fenced"])
        kind = named["name"] if named else block["language"]
        assert named or kind in ("sh", "text"), f"neither a file, sh nor text: ```{kind}\n{block['fenced']}"
        found.append((kind, block["fenced"]))
    return found


def run(page, folder):
    """Copy the repository to a folder and do there what a page (path from the root) says; return all that was printed.

    Raises AssertionError, with what was printed, for a command that fails and for a text that was not printed.
    """
    folder, said = Path(folder), []
    copy_repository(folder)
    path = os.pathsep.join([commands(), str(Path(sys.executable).parent), *os.get_exec_path()])
    environment = os.environ | {"PATH": path, "PRIORBENCH_WARM": loaded()}
    found = blocks((ROOT / page).read_text(encoding="utf-8"))
    assert any(kind == "sh" for kind, _ in found), f"{page} has no command"
    for kind, content in found:
        if kind == "text":
            _compare(content, said[-1])
        elif kind != "sh":
            (folder / kind).parent.mkdir(parents=True, exist_ok=True)
            (folder / kind).write_text(content, encoding="utf-8")
        else:
            result = subprocess.run(
                ["bash", "-e", "-c", content], cwd=folder, env=environment, timeout=SECONDS, **PIPES
            )
            assert result.returncode == 0, f"{page}: exit status {result.returncode} of\n{content}\n{result.stdout}"
            said.append(result.stdout)
    return "".join(said)


def _compare(text, said):
    """Raise AssertionError unless the lines of a text are among those of what was said, in order."""
    lines = iter(line.rstrip() for line in said.splitlines())
    for wanted in text.splitlines():
        if wanted.strip() == "…":
            continue
        pattern = ".*".join(map(re.escape, wanted.rstrip().split("…")))
        assert any(re.fullmatch(pattern, line) for line in lines), f"not printed, or not here: {wanted}\n{said}"
