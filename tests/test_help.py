"""--help of every command of `python -m steps`."""

import inspect
import re

import click
import pytest
from click.testing import CliRunner

from steps.__main__ import ORDER, _groups, main
from steps.base.errors import Command
from tests.workflows import ROOT

COMMANDS = {name: main.get_command(None, name) for name in main.list_commands(None)}


def test_the_commands_are_found():
    assert {"image", "corrupt", "recover", "score", "tabulate", "draw", "verify", "status", "try"} <= set(COMMANDS)
    assert set(ORDER) == {path.stem for path in (ROOT / "steps").glob("*.py")} - {"__init__", "__main__"}


def test_without_a_word_the_commands_are_listed_each_with_its_purpose():
    result = CliRunner().invoke(main, ["--help"], terminal_width=10000)
    for name, command in COMMANDS.items():
        purpose = " ".join(inspect.getmodule(command.callback).__doc__.split("\n\n")[0].split())
        assert re.search(rf"^  {name} +{re.escape(purpose)}$", result.output, re.MULTILINE), name


def test_an_unknown_command_is_met_with_the_nearest():
    result = CliRunner().invoke(main, ["tyr"])
    assert result.exit_code == 2 and result.output.count("\n") == 1
    assert result.output.startswith("Error: unknown command 'tyr' (did you mean 'try'?); allowed: adopt, ")
    result = CliRunner().invoke(main, ["frobnicate"])
    assert result.exit_code == 2 and result.output.startswith("Error: unknown command 'frobnicate'; allowed: adopt, ")


def test_an_unknown_option_is_met_with_the_nearest():
    for words, said in {
        ("try", "camera.png", "--methd", "tv"): "unknown option '--methd' (did you mean '--method'?); allowed: ",
        ("lists", "--frobnicate"): "unknown option '--frobnicate'; allowed: --help",
        ("try",): "Missing argument 'PICTURE'.",
    }.items():
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 2 and f"Error: {said}" in result.output and result.output.endswith("\n")
        assert result.output.startswith("Error") == said.startswith("unknown")


def test_every_command_is_in_one_group(tmp_path, monkeypatch):
    names = [name for group in _groups().values() for name in group]
    assert len(names) == len(set(names)) and "More" not in _groups()
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/new_one.py").write_text('"""New."""\nimport click\n\n@click.command()\ndef main(): pass\n')
    monkeypatch.setattr("steps.__main__.HERE", tmp_path)
    assert _groups()["More"] == ["new-one"]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_the_command_its_arguments_and_its_options_are(name):
    command = COMMANDS[name]
    assert isinstance(command, Command)
    result = CliRunner().invoke(command, ["--help"], terminal_width=10000)
    assert result.exit_code == 0
    purpose = inspect.getmodule(command.callback).__doc__.split("\n\n")[0]
    assert " ".join(purpose.split()) in " ".join(result.output.split())
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            shown = parameter.make_metavar(click.Context(command)).strip("[].")
            assert shown in command.help, f"the docstring of steps.{name}.main does not say what {shown} is"
        elif not parameter.hidden:
            assert parameter.help, f"steps.{name} {parameter.opts[0]} has no help"
            number = parameter.type in (click.INT, click.FLOAT)
            assert not number, f"steps.{name} {parameter.opts[0]} has no range; take click.IntRange or FloatRange"


def test_a_command_without_a_docstring_has_the_module_s():
    @click.command(cls=Command, help="What it does.")
    def main():
        pass

    assert main.help == "What it does."


@pytest.mark.parametrize("name", ["try", "image"])
def test_a_size_of_two_numbers_is_said_to_stretch(name):
    result = CliRunner().invoke(COMMANDS[name], ["--help"], terminal_width=10000)
    assert "n, the longer side, or height,width (stretched)" in " ".join(result.output.split())
