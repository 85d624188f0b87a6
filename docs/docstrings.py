"""Docstrings as Markdown, for the pages of the site that show the code: an extension of Griffe.

Our docstrings are plain text. Two things in them are more: an indented block, such as an equation, and a list of names,
each followed by what it means, after two spaces or in indented lines below.
"""

import inspect
import re

import griffe

ENTRY = re.compile(r"(?P<name>[\w*][\w*, ]*?(?: ?\([^)]*\))?)  +(?P<meaning>\S.*)", re.DOTALL)


def markdown(text):
    """Return a docstring in Markdown."""
    return "\n\n".join(map(_block, re.split(r"\n\s*\n", inspect.cleandoc(text))))


def _block(text):
    """Return a paragraph, an indented block or a list of names in Markdown."""
    if text.startswith("    "):
        return text
    entries = re.split(r"\n(?! )", text)
    if not ENTRY.match(entries[0]) and "\n    " not in entries[0]:
        return _escaped(text)
    found = []
    for entry in entries:
        said = ENTRY.match(entry.replace("\n", " ")) if ENTRY.match(entry.split("\n")[0]) else None
        name, meaning = said.groups() if said else entry.partition("\n")[::2]
        found.append(f"**{_escaped(name)}**\n:   {_escaped(' '.join(meaning.split()))}")
    return "\n\n".join(found)


def _escaped(text):
    """Return text of which nothing but what stands in backticks is special to Markdown."""
    parts = re.split("(`[^`\n]+`)", text)
    return "".join(part if i % 2 else re.sub(r"[\[\]*<>_#|]", r"\\\g<0>", part) for i, part in enumerate(parts))


class Docstrings(griffe.Extension):
    """Turns every docstring into Markdown as it is read."""

    def on_object(self, *, obj, **_):
        if obj.docstring:
            obj.docstring.value = markdown(obj.docstring.value)
