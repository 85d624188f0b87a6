from click.testing import CliRunner

from steps.tools import status


def test_a_file_that_is_no_config_is_one_line(tmp_path):
    (tmp_path / "list.yaml").write_text("- a\n- b\n")
    result = CliRunner().invoke(status.main, [str(tmp_path / "list.yaml")])
    assert result.exit_code == 1
    assert result.output.startswith("Error: ") and result.output.count("\n") == 1
