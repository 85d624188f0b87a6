"""What MkDocs makes the site of: the documents where they lie in the repository, and pages made from the code.

A document has the place in the site that its file has in the repository, so its links are the same in both. The pages
made here say what is there now: the methods of each task, every command's help, every docstring, and what a run of
config/site.yaml drew. `make docs` does that run first, in the folder .site.
"""

import importlib
import inspect
import re
from pathlib import Path

import click
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from steps.__main__ import main as commands
from steps.base import discover

ROOT = Path(__file__).parents[1]
RUN = ROOT / ".site/results"
DOCUMENTS = ("[A-Z]*.md", "docs/**/*.md", "docs/**/*.png", "docs/*.js", "docs/*.css", "config/*.*", "results/README.md")
DOCUMENTS += ("LICENSE", "CITATION.cff")
ROOMS = ("tasks", "noises", "methods", "metrics", "figures", "inverse", "prior", "images", "plan", "tables", "look")
ROOMS += ("base",)
RECORDED = {"vs_paper": "docs/paper/table2-vs_paper.png"}  # the run has no published values to draw
WIDE = "---\nhide: [navigation, toc]\n---\n"  # a page without columns beside it
PAGE = f"""\
{WIDE}# The comparison page

Every experiment of a run has such a page, `results/pages/EXPERIMENT.html`: one file, which can be mailed. This one
shows a small run, on one picture. Choose the noise at its top, zoom with the wheel, and press `?` for the keys.

[Open it alone](comparison.html){{ .md-button }}

<iframe src="comparison.html" title="The comparison page" style="width: 100%; height: 46rem"></iframe>
"""


def on_files(files, config):
    """Return the files of the site: what the theme brings, the documents, and the pages that are made here."""
    if not RUN.is_dir():
        raise PluginError("there is no run to show; make docs")
    paths = {path.relative_to(ROOT).as_posix(): path for some in DOCUMENTS for path in sorted(ROOT.glob(some))}
    paths |= {f"look/{name}.png": path for name, (path, _) in figures().items()}
    pages = {"reference/methods_and_tasks.md": methods_and_tasks(), "reference/commands.md": help_of_commands()}
    pages |= {f"code/{room}.md": docstrings(room) for room in ROOMS}
    pages |= {"look/figures.md": gallery(), "look/page.md": PAGE}
    comparison = (RUN / "pages/denoising.html").read_text(encoding="utf-8")
    pages["look/comparison.html"] = re.sub("<nav>.*?</nav>", "", comparison, count=1)  # its table is not in the site
    found = [file for file in files if file.src_dir != config.docs_dir]  # the theme's
    found += [File.generated(config, name, abs_src_path=str(path)) for name, path in paths.items()]
    return Files(found + [File.generated(config, name, content=text) for name, text in pages.items()])


def methods_and_tasks():
    """Return a page with a row for each method and a column for each task, ticked where it can do it."""
    tasks = discover.available("tasks")
    rows = [["method", "in a config", *(name.replace("_", " ") for name in tasks)]]
    rows += [["---", "---", *[":---:"] * len(tasks)]]
    for name in discover.available("methods"):
        method = discover.load("methods", name)
        ticks = ["✓" if task in getattr(method, "TASKS", tasks) else "" for task in tasks]
        link = f"[{getattr(method, 'LABEL', name)}](../code/methods.md#steps.methods.{name})"
        rows.append([link, f"`{name}`", *ticks])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{WIDE}# Methods and tasks\n\nA tick says that the method can do the task.\n\n{table}\n"


def help_of_commands():
    """Return a page with the help of every command of `python -m steps`."""
    parts = ["# Commands", "What `python -m steps COMMAND --help` prints."]
    with click.Context(commands, info_name="python -m steps") as context:
        for name in commands.list_commands(context):
            command = commands.get_command(context, name)
            with click.Context(command, info_name=name, parent=context, terminal_width=80) as inner:
                parts.append(f"## {name}\n\n```text\n{command.get_help(inner)}\n```")
    return "\n\n".join(parts) + "\n"


def docstrings(room):
    """Return a page with the docstrings of a folder of steps, which mkdocstrings fills in."""
    names = sorted(path.stem for path in (ROOT / "steps" / room).glob("[!_]*.py"))
    parts = [f"# steps/{room}", inspect.getdoc(importlib.import_module(f"steps.{room}"))]
    return "\n\n".join([*parts, *(f"::: steps.{room}.{name}" for name in names)]) + "\n"


def figures():
    """Return {figure: (a drawing of it, its caption)}: one of the run or, if it has none, of the paper's record."""
    found, folder = {}, RUN / "figures/denoising"
    for name in discover.available("figures"):
        drawn = [*folder.glob(f"{name}.png"), *folder.glob(f"{name}/**/*.png")]
        if drawn or name in RECORDED:  # a figure that somebody has added may have neither
            module = discover.load("figures", name)
            caption = getattr(module, "CAPTION", inspect.getdoc(module).splitlines()[0])
            found[name] = (max(drawn, default=ROOT / RECORDED.get(name, "")), caption)
    return found


def gallery():
    """Return a page with a drawing of every figure, and what to look for in it."""
    parts = ["# Every figure", "Each is a file in `steps/figures`. An experiment names those it wants under `figures`."]
    for name, (_, caption) in figures().items():
        parts.append(f"## {name}\n\n{caption.strip()}\n\n![{name}]({name}.png)")
    return "\n\n".join(parts) + "\n"
