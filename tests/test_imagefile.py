"""What a file says about its own pixels: how they are turned, what of them is transparent, how they are stored."""

import struct
import zlib

import numpy as np
import png
import pytest
import tifffile
from PIL import Image

from steps import imagefile
from steps.errors import BadInput

RANDOM = np.random.default_rng(0)
GRAY = RANDOM.integers(0, 65536, (4, 7), dtype=np.uint16)
RGB = RANDOM.integers(0, 65536, (4, 7, 3), dtype=np.uint16)
# EXIF 2.32, table of the tag Orientation: where the 0th row and the 0th column of what is stored are to be seen.
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: np.rot90(a, 2),
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


def exif(orientation):
    tag = Image.Exif()
    tag[0x0112] = orientation
    return tag


def tag_png(path, orientation, late):
    """Put the tag before or after the pixels of a PNG; both are allowed (PNG, third edition, 5.6)."""
    content, tag = path.read_bytes(), exif(orientation).tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(tag)) + b"eXIf" + tag + struct.pack(">I", zlib.crc32(b"eXIf" + tag))
    spot = content.index(b"IEND" if late else b"IDAT") - 4
    path.write_bytes(content[:spot] + chunk + content[spot:])


def write_png(path, pixels, **settings):
    depth = 8 * pixels.dtype.itemsize
    settings = {"bitdepth": depth, "greyscale": pixels.ndim == 2, "alpha": pixels.shape[2:] == (4,)} | settings
    with open(path, "wb") as file:
        png.Writer(pixels.shape[1], pixels.shape[0], **settings).write(file, pixels.reshape(len(pixels), -1).tolist())


def write_turned(path, pixels, orientation):
    if path.name.endswith(".png"):
        write_png(path, pixels)
        return tag_png(path, orientation, late="late" in path.name)
    settings = {"extratags": [(0x0112, 3, 1, orientation, True)]}
    if "packed" in path.name:
        settings["compression"] = "zlib"
    if "planes" in path.name:
        pixels, settings["planarconfig"] = np.moveaxis(pixels, -1, 0), "separate"
    return tifffile.imwrite(path, pixels, photometric="rgb" if pixels.ndim == 3 else "minisblack", **settings)


ALPHA = np.concatenate([RGB, GRAY[..., None]], axis=-1)
BYTES = [pixels.astype(np.uint8) for pixels in (GRAY, RGB)]
PIXELS = {"gray16": GRAY, "rgb16": RGB, "rgba16": ALPHA, "gray8": BYTES[0], "rgb8": BYTES[1]}
TURNED = [f"{kind}{end}" for kind in PIXELS for end in (".png", "_late.png", ".tif", "_packed.tif", "_planes.tif")]
TURNED = [name for name in TURNED if not ("gray" in name and "planes" in name)]


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("name", TURNED)
def test_a_picture_is_turned_as_its_tag_says_and_its_header_says_so_too(name, orientation, tmp_path):
    pixels = PIXELS[name.split(".")[0].split("_")[0]]
    write_turned(tmp_path / name, pixels, orientation)
    found = imagefile.read(tmp_path / name)
    np.testing.assert_allclose(found, UPRIGHT[orientation](imagefile.as_float(pixels, name)))
    assert imagefile.size(tmp_path / name) == found.shape[:2]


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_float_is_turned_too(orientation, tmp_path):
    pixels = (RGB / 65535).astype(np.float32)
    write_turned(tmp_path / "a.tif", pixels, orientation)
    np.testing.assert_array_equal(imagefile.read(tmp_path / "a.tif"), UPRIGHT[orientation](pixels))
    assert imagefile.size(tmp_path / "a.tif") == UPRIGHT[orientation](pixels).shape[:2]


def test_a_tag_is_not_looked_for_after_the_end_of_a_png(tmp_path):
    write_png(tmp_path / "a.png", GRAY)
    plain = (tmp_path / "a.png").read_bytes()
    tag_png(tmp_path / "a.png", 6, late=True)
    (tmp_path / "a.png").write_bytes(plain + (tmp_path / "a.png").read_bytes()[8:])
    assert imagefile.size(tmp_path / "a.png") == imagefile.read(tmp_path / "a.png").shape == (4, 7)


def test_a_header_that_its_pixels_contradict_is_refused(tmp_path, monkeypatch):
    write_png(tmp_path / "a.png", GRAY)
    monkeypatch.setattr(imagefile, "size", lambda path: (7, 4))
    with pytest.raises(BadInput, match=r"a.png: has 4x7 pixels; its header says 7x4"):
        imagefile.read(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["deep.png", "shallow.png", "picture.tif"])
def test_the_content_and_not_the_suffix_says_what_a_file_is(name, tmp_path):
    if name == "picture.tif":
        write_png(tmp_path / name, RGB)
    else:
        tifffile.imwrite(tmp_path / name, RGB if name == "deep.png" else BYTES[1])
    expected = BYTES[1] / 255 if name == "shallow.png" else RGB / 65535
    np.testing.assert_allclose(imagefile.read(tmp_path / name), expected)


def test_planes_of_a_narrow_tiff_are_not_taken_for_pixels(tmp_path):
    narrow = RGB[:, :3]
    tifffile.imwrite(tmp_path / "a.tif", np.moveaxis(narrow, -1, 0), photometric="rgb", planarconfig="separate")
    np.testing.assert_allclose(imagefile.read(tmp_path / "a.tif"), narrow / 65535)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_volume_is_refused(kind, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 8, 8), kind), volumetric=True, photometric="minisblack")
    with pytest.raises(BadInput, match=r"a.tif: has 3 pages; must have one"):
        imagefile.size(tmp_path / "a.tif")
