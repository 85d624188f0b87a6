import pytest

from tests import walkthrough

PAGE = """\
# A page

Text, and a file:

```yaml
# my.yaml
a: 1
```

    cat my.yaml
    echo one

    echo two; echo three 3.14 s

It prints

```text
a: 1
…
three … s
```

```sh
touch made
```
"""


def test_blocks_are_found_in_their_order():
    assert walkthrough.blocks(PAGE) == [
        ("my.yaml", "# my.yaml\na: 1\n"),
        ("sh", "cat my.yaml\necho one\n\necho two; echo three 3.14 s\n"),
        ("text", "a: 1\n…\nthree … s\n"),
        ("sh", "touch made\n"),
    ]
    with pytest.raises(AssertionError, match="neither a file, sh nor text"):
        walkthrough.blocks("```python\nx = 1\n```\n")


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.setattr(walkthrough, "ROOT", tmp_path)
    monkeypatch.setattr(walkthrough, "copy_repository", lambda folder: folder.mkdir())

    def run(text):
        (tmp_path / "page.md").write_text(text)
        return walkthrough.run("page.md", tmp_path / "copy")

    return run


def test_a_page_is_done_as_it_says(page, tmp_path):
    assert page(PAGE) == "# my.yaml\na: 1\none\ntwo\nthree 3.14 s\n"
    assert (tmp_path / "copy/made").is_file()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("three … s", "four … s"), "not printed, or not here: four"),
        (("…\nthree … s", "one\na: 1"), "not printed, or not here: a: 1"),
        (("echo one", "false"), "exit status 1 of"),
        (("echo one", "none-such 2>&1"), "none-such: command not found"),
    ],
)
def test_a_page_that_is_not_true_fails(page, change, words):
    with pytest.raises(AssertionError, match=words):
        page(PAGE.replace(*change))


def test_a_page_without_commands_fails(page):
    with pytest.raises(AssertionError, match="has no command"):
        page("Text.\n")
