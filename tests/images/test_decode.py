"""What a file says about its own pixels: how they are turned, what of them is transparent, how they are stored."""

import struct
import zlib

import numpy as np
import png
import pytest
import tifffile
from PIL import Image

from steps.base.errors import BadInput
from steps.images import decode as imagefile

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


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_gray_that_stands_for_transparent_is_white_at_any_depth(depth, late, tmp_path):
    most = 2**depth - 1
    pixels = np.array([[0, 1, most], [most // 2, most - 1, 0]])
    for key in (0, 1, most):
        path = tmp_path / f"{key}.png"
        write_png(path, pixels.astype(np.uint16), bitdepth=depth, transparent=int(key))
        tag_png(path, 6, late)
        expected = UPRIGHT[6](np.where(pixels == key, 1, pixels / most))
        np.testing.assert_allclose(imagefile.read(path), expected)
        assert imagefile.size(path) == (3, 2)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_colour_that_stands_for_transparent_is_white(kind, tmp_path):
    most = int(np.iinfo(kind).max)
    pixels = np.array([[[1, 2, 3], [1, 2, 4]], [[0, 2, 3], [most, most, 0]]], kind)
    write_png(tmp_path / "a.png", pixels, transparent=(1, 2, 3))
    expected = pixels / most
    expected[0, 0] = 1
    np.testing.assert_allclose(imagefile.read(tmp_path / "a.png"), expected)
    assert imagefile.largest(tmp_path / "a.png") == (most if kind == np.uint16 else None)


KINDS = {"uint8": 255, "uint16": 65535, "float32": 1}


@pytest.mark.parametrize("kind, separate", [*((kind, False) for kind in KINDS), ("uint16", True), ("float32", True)])
@pytest.mark.parametrize("extra", ["assocalpha", "unassalpha", "unspecified"])
def test_a_fourth_channel_is_what_its_tag_says_at_any_depth(extra, kind, separate, tmp_path):
    """TIFF 6.0, p. 31: associated alpha is multiplied into the colours already, an unspecified channel is no alpha."""
    colour, alpha = RANDOM.random((9, 8, 3)), RANDOM.uniform(0.5, 1, (9, 8, 1))
    stored = np.concatenate([colour * alpha if extra == "assocalpha" else colour, alpha], axis=-1)
    stored = (np.round(stored * KINDS[kind]) if kind != "float32" else stored).astype(kind)
    planes = {"planarconfig": "separate"} if separate else {}
    pixels = np.moveaxis(stored, -1, 0) if separate else stored
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", extrasamples=[extra], **planes)
    expected = colour if extra == "unspecified" else alpha * colour + 1 - alpha
    atol = 1e-6 if kind == "float32" else 2 / KINDS[kind]
    np.testing.assert_allclose(imagefile.read(tmp_path / "a.tif"), expected, atol=atol)


@pytest.mark.parametrize("extra", ["assocalpha", "unassalpha", "unspecified"])
def test_a_gray_s_second_channel_is_what_its_tag_says(extra, tmp_path):
    stored = np.stack([GRAY // 2, np.full_like(GRAY, 45875)], axis=-1)  # alpha 0.7
    settings = {"photometric": "minisblack", "planarconfig": "contig", "extrasamples": [extra]}
    tifffile.imwrite(tmp_path / "a.tif", stored, **settings)
    colour, alpha = stored[..., 0] / 65535, 45875 / 65535
    expected = {"assocalpha": colour + 1 - alpha, "unassalpha": alpha * colour + 1 - alpha, "unspecified": colour}
    np.testing.assert_allclose(imagefile.read(tmp_path / "a.tif"), expected[extra])


def test_premultiplied_colours_above_their_alpha_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.full((3, 3, 4), (9, 9, 9, 8), np.uint16), extrasamples=["assocalpha"])
    with pytest.raises(BadInput, match=r"has premultiplied colours above their alpha; must be"):
        imagefile.read(tmp_path / "a.tif")


def test_channels_that_are_no_colours_are_refused(tmp_path):
    settings = {"photometric": "minisblack", "planarconfig": "contig"}
    tifffile.imwrite(tmp_path / "a.tif", RGB, **settings)  # of a microscope, say
    words = "a.tif: has 3 channels, 2 of them tagged as no colour; must have 1, and at most one tagged so"
    with pytest.raises(BadInput, match=words):
        imagefile.size(tmp_path / "a.tif")


def test_twelve_bits_of_a_file_are_not_taken_for_sixteen(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GRAY)
    content = bytearray((tmp_path / "a.tif").read_bytes())
    spot = content.index(struct.pack("<HHI", 258, 3, 1))  # bits per sample
    content[spot + 8 : spot + 10] = struct.pack("<H", 12)
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(BadInput, match=r"a.tif: pixels of 12 bits; must be of at most 8, of 16 or float"):
        imagefile.size(tmp_path / "a.tif")


def test_signed_bytes_are_not_taken_for_unsigned(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.full((3, 3), -1, np.int8))
    with pytest.raises(BadInput, match=r"a.tif: pixels of type int8; must be uint8, uint16, float or boolean"):
        imagefile.size(tmp_path / "a.tif")


def test_an_error_names_the_file_once(tmp_path):
    (tmp_path / "a.png").write_text("no image")
    with pytest.raises(BadInput, match=r"a.png: not a readable image \(cannot identify image file\)$"):
        imagefile.size(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("order", "<>")
def test_an_array_s_bytes_may_be_in_any_order(order, suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    save = np.save if suffix == ".npy" else np.savez
    for pixels in (RGB.astype(f"{order}u2"), (RGB / 65535).astype(f"{order}f4")):
        save(path, pixels)
        assert imagefile.size(path) == (4, 7)
        np.testing.assert_allclose(imagefile.read(path), RGB / 65535, atol=1e-7)
    save(path, RGB.astype(f"{order}u2"))
    assert imagefile.largest(path) == RGB.max()
    save(path, RGB.astype(f"{order}u4"))
    with pytest.raises(BadInput, match="u4|uint32"):
        imagefile.size(path)


def test_inks_above_8_bits_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 6, 4), np.uint16), photometric="separated")
    with pytest.raises(BadInput, match="a.tif: colours are SEPARATED; must be MINISBLACK or RGB above 8 bits"):
        imagefile.size(tmp_path / "a.tif")


def test_a_width_that_is_two_numbers_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GRAY)
    content = (tmp_path / "a.tif").read_bytes()
    spot = content.index(struct.pack("<H", 256))
    (tmp_path / "a.tif").write_bytes(content[:spot] + struct.pack("<HHIHH", 256, 3, 2, 7, 7) + content[spot + 12 :])
    with pytest.raises(BadInput, match="a.tif: not a readable image"):
        imagefile.size(tmp_path / "a.tif")
