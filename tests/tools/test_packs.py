import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from steps.base.errors import BadInput
from steps.tools import bundles, packs
from tests.conftest import picture

CELLS = [f"results/denoising/logo/sigma=0.1,seed={seed}/tv/default" for seed in range(3)]
TRACE = {
    "losses": np.array([0.5, 0.25, 0.1]),
    "penalties": np.zeros(3),
    "iterations": np.arange(1, 4),
    "estimates": np.random.default_rng(0).random((3, 2, 5, 7)).astype(np.float16),
}


@pytest.mark.parametrize("dtype", [np.uint16, np.float16])
def test_planes_are_undone_to_the_last_bit(dtype):
    array = np.random.default_rng(0).integers(0, 2**16, (3, 5, 7), dtype=np.uint16).view(dtype)
    pair = packs.planes(array)
    assert pair.dtype == np.uint8 and pair.shape == (2, 3, 5, 7)
    np.testing.assert_array_equal(packs.unplaned(pair, dtype).view(np.uint16), array.view(np.uint16), strict=True)


@pytest.mark.parametrize(("shift", "error"), [(0, 7.8e-6), (0.5, 1.2e-5), (-0.5, 1.2e-5), (0.1, 9e-6)])
def test_a_picture_comes_back_in_16_bits_of_its_range(shift, error):
    estimate = picture(3).numpy() + np.float32(shift)
    back, _ = packs.arrays(packs.pieces(estimate, TRACE, False))
    assert back.dtype == np.float32 and np.abs(back - estimate).max() <= error


def test_losses_come_back_to_the_last_bit_and_iterates_if_asked_for():
    estimate = picture().numpy()
    for iterates in (True, False):
        found = packs.pieces(estimate, TRACE, iterates)
        assert (packs.ITERATES in found) == iterates
        _, trace = packs.arrays(found)
        np.testing.assert_array_equal(trace["losses"], TRACE["losses"], strict=True)
        np.testing.assert_array_equal(trace["penalties"], TRACE["penalties"], strict=True)
        for name in ("iterations", "estimates"):
            wanted = TRACE[name] if iterates else np.zeros(0, TRACE[name].dtype)
            np.testing.assert_array_equal(trace[name], wanted, strict=True)


def test_neighbours_alike_are_smaller_in_planes():
    rounded = (picture(3, 128, 128).numpy() * 65535).astype(np.uint16)
    assert len(packs._saved(np.savez_compressed, a=packs.planes(rounded))) < 0.8 * len(
        packs._saved(np.savez_compressed, a=rounded)
    )


@pytest.fixture
def box(tmp_path, monkeypatch):
    """A bundle's folder, its cells made: numbers of 100 to 300 bytes, pictures of 4000, iterates of 3000."""
    monkeypatch.setattr(bundles, "settings", lambda recovery: {})
    cases = {Path(cell).parent.parent.as_posix(): {} for cell in CELLS}
    facts = {"metrics": ["psnr"], "traces": [], "truths": [], "measurements": cases}
    (tmp_path / "bundle.json").write_text(json.dumps(facts))
    (tmp_path / "cells.txt").write_text("\n".join(CELLS))
    for cell in CELLS:
        for name in packs.TEXTS:
            write(tmp_path / cell / name, json.dumps({"psnr": 20, "cell": cell}).encode())
        write(tmp_path / cell / packs.LOSSES, bytes(100))
        write(tmp_path / cell / packs.PICTURE, bytes(4000))
    write(tmp_path / CELLS[0] / packs.ITERATES, bytes(3000))
    return tmp_path


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def packed(folder):
    """Return the names in the packs of a folder, pack by pack, and what the first says was left out."""
    found = [zipfile.ZipFile(path).namelist() for path in packs.there(folder)]
    left_out = zipfile.ZipFile(packs.there(folder)[0]).read("left_out.txt").decode().splitlines()
    return [[name for name in names if name.startswith("results/")] for names in found], left_out


def test_numbers_come_first_then_pictures_then_iterates(box):
    assert packs.write(box, box / "out")["left_out"] == []
    (names,), left_out = packed(box / "out")
    numbers = [f"{cell}/{name}" for cell in CELLS for name in (*packs.TEXTS, packs.LOSSES)]
    assert names == [*numbers, *(f"{cell}/{packs.PICTURE}" for cell in CELLS), f"{CELLS[0]}/{packs.ITERATES}"]
    assert left_out == []


def test_a_cell_that_is_being_finished_is_not_packed(box):
    """Its score, the last file, is not there: who adopts the pack would be told that something is missing.

    Its log is, as that of a cell that failed.
    """
    (box / CELLS[1] / "score.json").unlink()
    packs.write(box, box / "out")
    (names,), left_out = packed(box / "out")
    assert names and [name for name in names + left_out if name.startswith(CELLS[1])] == [f"{CELLS[1]}/recover.log"]


def test_packs_keep_to_their_limits_and_say_what_is_left_out(box, monkeypatch):
    monkeypatch.setattr(packs, "FILE", 9000)
    found = packs.write(box, box / "out")
    names, left_out = packed(box / "out")
    assert len(names) == found["files"] == 3 and left_out == []
    assert all(path.stat().st_size < 10000 for path in packs.there(box / "out"))
    monkeypatch.setattr(packs, "FILES", 2)
    found = packs.write(box, box / "two")
    names, left_out = packed(box / "two")
    last = [f"{CELLS[2]}/{packs.PICTURE}", f"{CELLS[0]}/{packs.ITERATES}"]
    assert len(names) == 2 and left_out == found["left_out"] == last
    monkeypatch.setattr(packs, "ALL", 16000)
    found = packs.write(box, box / "few")
    assert found["bytes"] < 16000
    assert found["left_out"] == [f"{cell}/{packs.PICTURE}" for cell in CELLS[1:]]  # iterates are smaller


def test_what_is_written_while_cells_are_added_loses_nothing_wherever_it_is_killed(box, monkeypatch):
    """Numbers of a further cell push a picture to the next pack, which must be written first."""
    monkeypatch.setattr(packs, "FILE", 9000)
    for name in packs.TEXTS:
        (box / CELLS[0] / name).unlink()
    packs.write(box, box / "out")
    before = set().union(*packed(box / "out")[0])
    for name in packs.TEXTS:
        write(box / CELLS[0] / name, np.random.default_rng(0).bytes(1500))
    order = []
    real = packs._add

    def killed(pack, name, content):
        if name == packs.FACTS:
            order.append(pack.filename)
        if len(order) == 3:
            raise KeyboardInterrupt
        real(pack, name, content)

    monkeypatch.setattr(packs, "_add", killed)
    with pytest.raises(KeyboardInterrupt):
        packs.write(box, box / "out")
    assert before <= set().union(*packed(box / "out")[0])
    assert not list((box / "out").glob(".*"))


def test_reads_all_cells_and_yields_the_numbers_of_those_without_a_picture_too(box):
    (box / CELLS[1] / packs.PICTURE).unlink()
    (box / CELLS[2] / "score.json").unlink()
    packs.write(box, box / "out")
    found, facts = packs.read(box / "out")
    assert (
        list(found) == CELLS
        and list(found[CELLS[2]]) == ["recover.log"]
        and facts == {"metrics": ["psnr"], "scores": bundles.score_code(["psnr"])}
    )
    assert packs.PICTURE not in found[CELLS[1]] and packs.ITERATES in found[CELLS[0]]
    numbers = dict(packs.numbers(box / "out"))
    assert list(numbers) == CELLS[:2]
    assert numbers[CELLS[1]]["score.json"] == {"psnr": 20, "cell": CELLS[1]}
    assert numbers[CELLS[1]]["curve.csv"] == json.dumps({"psnr": 20, "cell": CELLS[1]})


def other(name, content, facts='{"metrics": ["psnr"], "scores": "0"}'):
    def change(path):
        with zipfile.ZipFile(path, "w") as pack:
            pack.writestr(packs.FACTS, facts)
            pack.writestr(name, content)

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: path.write_bytes(b"nonsense"), "not a pack of cells (File is not a zip file)"),
        (lambda path: path.write_bytes(path.read_bytes()[:2000]), "not a pack of cells (File is not a zip file)"),
        (other("../../run.json", "{}"), "'../..' is no cell; must be results/TASK/IMAGE/CORRUPTION/METHOD/PARAMS"),
        (other("results/a/b/../d/e/run.json", "{}"), "is no cell; must be results/"),
        (other("/results/a/b/c/d/e/run.json", "{}"), "is no cell; must be results/"),
        (other(f"{CELLS[0]}/more.py", ""), f"{CELLS[0]}/more.py is no file of a cell"),
        (other(f"{CELLS[0]}/run.json", "", facts="[]"), "pack.json is another than that of the packs beside it"),
        (other(f"{CELLS[0]}/run.json", "", facts="["), "not a pack of cells ("),
    ],
)
def test_a_pack_that_is_none_is_one_line(box, change, words):
    packs.write(box, box / "out")
    change(box / "out/pack-1.zip")
    with pytest.raises(BadInput) as error:
        packs.read(box / "out")
    assert words in str(error.value) and "\n" not in str(error.value)
    assert "pack-1.zip" in str(error.value) or "is no cell" in str(error.value)


def test_packs_of_two_runs_by_other_code_are_not_mixed(box):
    packs.write(box, box / "out")
    other(f"{CELLS[0]}/run.json", "{}")(box / "out/pack-2.zip")
    with pytest.raises(BadInput, match=r"pack-2.zip: pack.json is another than that of the packs beside it"):
        packs.read(box / "out")
