"""--help of every command in steps/."""

import importlib
import inspect

import click
import pytest
from click.testing import CliRunner

from steps.base.errors import Command
from tests.workflows import ROOT

COMMANDS = {
    path.stem: importlib.import_module(f"steps.{path.stem}").main
    for path in sorted(ROOT.glob("steps/*.py"))
    if "@click.command" in path.read_text() and path.stem != "errors"
}


def test_the_commands_are_found():
    assert {"image", "corrupt", "recover", "score", "tabulate", "draw", "verify", "status"} <= set(COMMANDS)


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
