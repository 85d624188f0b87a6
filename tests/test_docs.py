"""The walk-throughs of docs/ do what they say, as written."""

import re

import pytest
from markdown_it import MarkdownIt

from tests import walkthrough
from tests.workflows import ROOT

PAGES = ["try", "own_images", "own_measurements", "inpainting", "own_method", "own_metric"]
PAGES += ["own_task", "own_noise", "own_figure"]

MADE = ("paper.md", "literature.md", "through.md")  # by a command, of a record
WORDS = 38  # of a sentence, or of what stands between two colons or semicolons; some 15 is what one should aim at


@pytest.mark.parametrize("page", PAGES)
def test_a_walkthrough_does_what_it_says(page, tmp_path):
    walkthrough.run(f"docs/{page}.md", tmp_path)


def sentences(text):
    """Return the sentences of a document's paragraphs, lists and tables, each a list of words."""
    found = []
    for token in MarkdownIt().enable("table").parse(text):
        if token.type == "inline":
            shown = "".join("x" if child.type == "code_inline" else child.content or " " for child in token.children)
            found += [part.split() for part in re.split(r"(?<=[.:;!?])\s", shown)]
    return found


def test_sentences_are_short():
    assert sentences("One `a b` two:\nthree.\n\n| four |\n| --- |") == [["One", "x", "two:"], ["three."], ["four"]]
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "config/README.md", ROOT / "results/README.md"]
    for document in documents:
        if document.name not in MADE:
            for words in sentences(document.read_text(encoding="utf-8")):
                assert len(words) <= WORDS, f"{document.name}: {' '.join(words)}"
