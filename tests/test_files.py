import json

import pytest

from steps.files import read_json, whole, write_json


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep" / "a.json"
    write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), whole(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert read_json(path) == {"a": 1}
    assert list(path.parent.iterdir()) == [path]


def test_the_temporary_file_keeps_the_suffix_of_names_with_dots(tmp_path):
    with whole(tmp_path / "sigma=0.1.png") as temporary:
        assert temporary.suffix == ".png"
        assert temporary.parent == tmp_path
        temporary.write_text("x")
    assert (tmp_path / "sigma=0.1.png").read_text() == "x"


def test_json_is_readable(tmp_path):
    write_json(tmp_path / "a.json", {"psnr": float("inf")})
    assert json.loads((tmp_path / "a.json").read_text())["psnr"] == float("inf")
