import json
import math
import os
import subprocess

import pytest

from steps.base.errors import BadInput
from steps.base.files import read_array, read_arrays, read_json, whole, write_json


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
    content = {"psnr": math.inf, "more": [1.5, -math.inf, {"n": math.nan}], "text": "ü", "none": None, "yes": True}
    write_json(tmp_path / "a.json", content)
    text = (tmp_path / "a.json").read_text()
    found = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert found == content | {"psnr": "inf", "more": [1.5, "-inf", {"n": "nan"}]}


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    left = tmp_path / f".sigma=0.{gone.pid}.part.png"
    others = [
        tmp_path / f".sigma=0.{os.getppid()}.part.png",  # of a process that is there
        tmp_path / f".sigma=0.1,seed=0.{gone.pid}.part.png",  # of another file
        tmp_path / "sigma=0.1.png",
    ]
    for path in [left, *others]:
        path.touch()
    with whole(tmp_path / "sigma=0.png") as temporary:
        temporary.touch()
    assert not left.exists()
    assert all(path.exists() for path in others)


DAMAGED = {"a.json": b'{"a": ', "a.npy": b"\x93NUMPY\x01\x00v", "a.npz": b"PK\x03\x04"}
READERS = {"a.json": read_json, "a.npy": read_array, "a.npz": read_arrays}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_in_results_is_named_and_removed(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for folder in ("results", "mine"):
        path = tmp_path / folder / name
        path.parent.mkdir()
        path.write_bytes(DAMAGED[name])
    with pytest.raises(BadInput, match=rf"results/{name} was damaged \(.*\) and is removed; run again to make it anew"):
        READERS[name](f"results/{name}")
    with pytest.raises(BadInput, match=rf"mine/{name} cannot be read"):
        READERS[name](f"mine/{name}")
    assert not (tmp_path / "results" / name).exists()
    assert (tmp_path / "mine" / name).exists()
    with pytest.raises(FileNotFoundError):
        READERS[name](f"results/{name}")


def test_a_file_that_cannot_be_read_just_now_is_not_removed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_json("results/a.json", {})

    def fail(*_, **__):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("pathlib.Path.read_text", fail)
    with pytest.raises(OSError, match="Input/output"):
        read_json("results/a.json")
    assert os.path.exists("results/a.json")
