"""Files that are parameters: found as images are, read as they are."""

import hashlib
from contextlib import nullcontext

import numpy as np
import pytest
import tifffile
from PIL import Image

from steps.base.errors import BadInput
from steps.images import contents, decode

KERNEL = np.array([[0.0, -0.5, 3.0], [1e-3, 7.0, 0.25]])


def test_numbers_are_as_they_are(tmp_path):
    np.save(tmp_path / "k.npy", KERNEL)
    np.savez(tmp_path / "k.npz", kernel=KERNEL)
    tifffile.imwrite(tmp_path / "k.tif", KERNEL.astype(np.float32))
    for name in ("k.npy", "k.npz", "k.tif"):
        np.testing.assert_allclose(contents.read(tmp_path / name), KERNEL, rtol=1e-7)
    np.save(tmp_path / "whole.npy", np.arange(-3, 5))
    assert contents.read(tmp_path / "whole.npy").tolist() == [-3, -2, -1, 0, 1, 2, 3, 4]
    Image.fromarray(np.array([[0, 51], [255, 102]], np.uint8)).save(tmp_path / "k.png")
    np.testing.assert_allclose(contents.read(tmp_path / "k.png"), [[0, 0.2], [1, 0.4]])


@pytest.mark.parametrize(
    ("name", "write", "words"),
    [
        ("k.npy", lambda path: path.write_bytes(b"none"), "k.npy: not readable"),
        ("k.npz", lambda path: np.savez(path, a=KERNEL, b=KERNEL), "holds the arrays a, b; must hold one"),
        ("k.npy", lambda path: np.save(path, np.array(["a"])), "1 values of type <U1; must be numbers"),
        (
            "k.npy",
            lambda path: np.save(path, np.array([{}]), allow_pickle=True),
            "1 values of type object; must be numbers",
        ),
        ("k.jpg", lambda path: path.write_bytes(b"none"), "suffix '.jpg' is not one of .npy, .npz, .png, .tif, .tiff"),
        ("k.png", lambda path: path.write_bytes(b"none"), "k.png: not a readable image"),
        ("no.npy", lambda path: None, "no.npy: no such file"),
    ],
)
def test_what_holds_no_numbers_is_refused_in_one_line(tmp_path, name, write, words):
    write(tmp_path / name)
    with pytest.raises(BadInput, match=words) as error:
        contents.read(tmp_path / name)
    assert "\n" not in str(error.value)


def test_what_is_too_large_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "k.npy"
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (2**15, 2**14)})
        file.truncate(2**32 + 1000)  # a hole, on the disk of no size
    with pytest.raises(BadInput, match="has 536870912 values of type float64; must be numbers, at most 268435456"):
        contents.read(path)


def test_a_url_s_file_is_found_in_image_dirs_by_its_checksum(tmp_path):
    np.save(tmp_path / "other.npy", KERNEL)
    digest = hashlib.sha256((tmp_path / "other.npy").read_bytes()).hexdigest()
    url = "https://example.org/kernel.npy"
    np.testing.assert_array_equal(contents.load(url, name="k", sums=(digest,), image_dirs=[tmp_path]), KERNEL)
    entry = {"source": url, "sha256": digest}
    assert contents.check(entry, "k", [], "x") is None
    (tmp_path / "other.npy").rename(tmp_path / "k.npy")
    np.testing.assert_array_equal(contents.check(entry, "k", [tmp_path], "x"), KERNEL)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"source": "https://example.org/k.npy"}, "x.sha256: missing; a URL needs the checksum of its file"),
        ({"source": "none.npy"}, "x.source: no file 'none.npy'; must be a URL or a file"),
        ({"source": "-o"}, "x.source: '-o' is not allowed"),
        ({"source": "k.npy", "sha256": "0" * 64}, "x.source: k.npy: checksum mismatch"),
    ],
)
def test_entries_are_checked(tmp_path, monkeypatch, entry, words):
    monkeypatch.chdir(tmp_path)
    np.save("k.npy", KERNEL)
    with pytest.raises(BadInput, match=words):
        contents.check(entry, "k", [], "x")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
@pytest.mark.parametrize("opaque", [True, False])
def test_a_transparent_picture_says_no_numbers(tmp_path, mode, opaque):
    """Laid over white, as an image is, a kernel's stroke on nothing would be darker than what is around it."""
    gray = np.array([[0, 51], [255, 102]], np.uint8)
    alpha = np.array([[255, 255], [255, 255 if opaque else 0]], np.uint8)
    picture = Image.merge("LA", [Image.fromarray(gray), Image.fromarray(alpha)])
    if mode == "P":
        picture = picture.convert("L").convert("P")
        picture.info["transparency"] = bytes([255] * 102 + [255 if opaque else 0] + [255] * 153)
    picture = picture if mode == "P" else picture.convert(mode)
    picture.save(tmp_path / "k.png")
    if opaque:
        np.testing.assert_allclose(contents.read(tmp_path / "k.png").reshape(2, 2, -1)[..., 0], [[0, 0.2], [1, 0.4]])
    else:
        with pytest.raises(BadInput, match="k.png: has transparent pixels; must be opaque"):
            contents.read(tmp_path / "k.png")
        decode.read(tmp_path / "k.png")


@pytest.mark.parametrize("extra", ["unassalpha", "assocalpha"])
def test_a_transparent_tiff_of_16_bits_says_no_numbers(tmp_path, extra):
    pixels = np.full((4, 5, 2), 30_000, np.uint16)
    for alpha, refused in ((65_535, False), (40_000, True)):
        pixels[..., 1] = alpha
        tifffile.imwrite(tmp_path / "k.tif", pixels, photometric="minisblack", extrasamples=[extra])
        with pytest.raises(BadInput, match="transparent") if refused else nullcontext():
            contents.read(tmp_path / "k.tif")
