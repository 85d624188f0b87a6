import click
import pytest

from steps.base.errors import BadInput, one_line


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (BadInput("missing key 'record'"), "my.yaml: missing key 'record'"),
        (BadInput("my.yaml: missing key 'images'"), "my.yaml: missing key 'images'"),
        (OSError(28, "No space left on device", "a.npy"), "my.yaml: No space left on device: a.npy"),
    ],
    ids=str,
)
def test_a_command_says_once_where_its_error_is(error, said):
    with pytest.raises(click.ClickException) as caught, one_line("my.yaml"):
        raise error
    assert caught.value.message == said
