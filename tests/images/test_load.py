import hashlib
import threading
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler

import numpy as np
import pytest
import skimage
import tifffile
from PIL import Image

from steps.base.errors import BadInput
from steps.images import decode as imagefile
from steps.images import load as image
from tests.conftest import save_png16

RANDOM = np.random.default_rng(0)
GRAY8 = RANDOM.integers(0, 256, (9, 7), dtype=np.uint8)
COLOUR8 = RANDOM.integers(0, 256, (9, 7, 3), dtype=np.uint8)
GRAY16 = RANDOM.integers(0, 65536, (9, 7), dtype=np.uint16)
COLOUR16 = RANDOM.integers(0, 65536, (9, 7, 3), dtype=np.uint16)
FLOAT = RANDOM.random((9, 7, 3)).astype(np.float32)


def pillow(path, pixels):
    Image.fromarray(pixels).save(path)


def tifffile_rgba(path, pixels):
    tifffile.imwrite(path, pixels, photometric="rgb", extrasamples=["unassalpha"])


DEEP_ALPHA = RANDOM.integers(0, 65536, (9, 7, 4), dtype=np.uint16)
ALPHA = DEEP_ALPHA[..., 3:] / 65535
LAID_OVER_WHITE = ALPHA * DEEP_ALPHA[..., :3] / 65535 + 1 - ALPHA

FILES = {
    "gray.png": (pillow, GRAY8, GRAY8 / 255),
    "colour.png": (pillow, COLOUR8, COLOUR8 / 255),
    "gray16.png": (save_png16, GRAY16, GRAY16 / 65535),
    "colour16.png": (save_png16, COLOUR16, COLOUR16 / 65535),
    "gray.bmp": (pillow, GRAY8, GRAY8 / 255),
    "colour.bmp": (pillow, COLOUR8, COLOUR8 / 255),
    "colour.tif": (tifffile.imwrite, COLOUR8, COLOUR8 / 255),
    "colour16.tiff": (tifffile.imwrite, COLOUR16, COLOUR16 / 65535),
    "gray16.tif": (tifffile.imwrite, GRAY16, GRAY16 / 65535),
    "deflated16.tif": (lambda path, a: tifffile.imwrite(path, a, compression="zlib"), COLOUR16, COLOUR16 / 65535),
    "lzw16.tif": (
        lambda path, a: tifffile.imwrite(path, a, compression="lzw", predictor=True),
        COLOUR16,
        COLOUR16 / 65535,
    ),
    "large_endian16.tif": (lambda path, a: tifffile.imwrite(path, a, byteorder=">"), GRAY16, GRAY16 / 65535),
    "transparent16.tif": (tifffile_rgba, DEEP_ALPHA, LAID_OVER_WHITE),
    "transparent16.png": (save_png16, DEEP_ALPHA, LAID_OVER_WHITE),
    "gray_float.tif": (tifffile.imwrite, FLOAT[..., 0], FLOAT[..., 0]),
    "gray_float64.tif": (tifffile.imwrite, FLOAT[..., 0].astype(np.float64), FLOAT[..., 0]),
    "float.tif": (lambda path, a: tifffile.imwrite(path, a, photometric="rgb"), FLOAT, FLOAT),
    "colour.npy": (np.save, COLOUR8, COLOUR8 / 255),
    "float.npy": (np.save, FLOAT, FLOAT),
    "channels_first.npy": (np.save, np.moveaxis(FLOAT, -1, 0), FLOAT),
    "one_channel.npy": (np.save, GRAY8[..., None], GRAY8 / 255),
    "boolean.npy": (np.save, GRAY8 > 100, GRAY8 > 100),
    "gray.npz": (np.savez, GRAY16, GRAY16 / 65535),
}


@pytest.mark.parametrize("name", FILES)
def test_reads_exactly(name, tmp_path):
    write, pixels, expected = FILES[name]
    write(tmp_path / name, pixels)
    found = image.read(tmp_path / name)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_reads_jpeg_upright(tmp_path):
    smooth = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (32, 1))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=95, exif=exif)
    found = image.read(tmp_path / "a.jpg")
    assert found.shape == (64, 32)
    np.testing.assert_allclose(found, np.rot90(smooth, -1) / 255, atol=0.02)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_laid_over_white(mode, tmp_path):
    if mode == "P":
        picture = Image.fromarray(COLOUR8).convert("P")
        expected = np.asarray(picture.convert("RGB")) / 255
    else:
        base = COLOUR8 if mode == "RGBA" else GRAY8[..., None]
        alpha = np.full((9, 7, 1), 51, np.uint8)
        picture = Image.fromarray(np.concatenate([base, alpha], -1), mode)
        expected = (0.2 * base / 255 + 0.8).squeeze()
    picture.save(tmp_path / "a.png")
    np.testing.assert_allclose(image.read(tmp_path / "a.png"), expected, atol=1e-7)


def write_text(path, text):
    path.write_text(text)


BAD_FILES = {
    "text.png": (write_text, "not an image", "not a readable image"),
    "text.tif": (write_text, "not an image", "not a readable image"),
    "text.npy": (write_text, "not an image", "not a readable image"),
    "photo.gif": (write_text, "GIF89a", r"'\.gif' is not one of \.png"),
    "line.npy": (np.save, np.zeros(5), r"shape \(5,\) is not an image"),
    "many.npy": (np.save, np.zeros((5, 5, 7)), r"shape \(5, 5, 7\) is not an image"),
    "empty.npy": (np.save, np.zeros((0, 5)), "is not an image"),
    "loud.npy": (np.save, np.full((5, 5), 255.0), r"values from 255 to 255; floats must lie in \[0, 1\]"),
    "nan.npy": (np.save, np.full((5, 5), np.nan), r"floats must lie in \[0, 1\]"),
    "int64.npy": (np.save, np.zeros((5, 5), np.int64), "pixels of type int64; must be uint8, uint16, float or boolean"),
    "complex.npy": (np.save, np.zeros((5, 5), complex), "type complex128"),
    "object.npy": (np.save, np.array([[None]]), "pixels of type object; must be"),
    "two.npz": (lambda path, _: np.savez(path, a=GRAY8, b=GRAY8), None, "holds the arrays a, b; must hold one"),
    "loud.tif": (tifffile.imwrite, np.full((5, 5), 255, np.float32), r"255 to 255; floats must lie in \[0, 1\]"),
    "noisy.tif": (tifffile.imwrite, np.linspace(-0.1, 1, 25, dtype=np.float32).reshape(5, 5), "values from -0.1 to 1;"),
    "int32.tif": (tifffile.imwrite, np.zeros((5, 5), np.int32), "pixels of type int32; must be uint8, uint16, float"),
    "pages16.tif": (tifffile.imwrite, np.zeros((6, 5, 5), np.uint16), "has 6 pages; must have one"),
    "pages.tif": (tifffile.imwrite, np.zeros((6, 5, 5, 3), np.uint8), "has 6 pages; must have one"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_what_is_no_image_is_refused_in_one_line(name, tmp_path):
    write, content, words = BAD_FILES[name]
    write(tmp_path / name, content)
    with pytest.raises(BadInput, match=words) as caught:
        image.read(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_tiffs_of_every_kind_of_colour(tmp_path):
    """8-bit: a palette, inverted gray, four inks; Pillow writes them, and its own conversion is what we expect."""
    palette = Image.fromarray(COLOUR8).convert("P")
    palette.save(tmp_path / "palette.tif")
    np.testing.assert_allclose(image.read(tmp_path / "palette.tif"), np.asarray(palette.convert("RGB")) / 255)
    tifffile.imwrite(tmp_path / "inverted.tif", 255 - GRAY8, photometric="miniswhite")
    np.testing.assert_allclose(image.read(tmp_path / "inverted.tif"), GRAY8 / 255)
    inks = Image.fromarray(COLOUR8).convert("CMYK")
    inks.save(tmp_path / "inks.tif")
    np.testing.assert_allclose(image.read(tmp_path / "inks.tif"), np.asarray(inks.convert("RGB")) / 255)
    tifffile.imwrite(tmp_path / "deep.tif", np.zeros((5, 5), np.uint16), photometric="miniswhite")
    with pytest.raises(BadInput, match="deep.tif: colours are MINISWHITE; must be MINISBLACK or RGB"):
        image.read(tmp_path / "deep.tif")


def test_a_colour_key_is_transparent(tmp_path):
    pixels = np.full((4, 4, 3), 10, np.uint8)
    pixels[1, 2] = (200, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "key.png", transparency=(200, 0, 0))
    expected = pixels / 255
    expected[1, 2] = 1
    np.testing.assert_allclose(image.read(tmp_path / "key.png"), expected)


def test_crop_gray_and_size_are_applied_in_this_order():
    pixels = RANDOM.random((20, 30, 3))
    middle = image.prepare(pixels, crop=[10])
    np.testing.assert_allclose(middle, np.moveaxis(pixels[5:15, 10:20], -1, 0), atol=1e-7)
    place = image.prepare(pixels, crop=[1, 2, 8, 6], gray=True)
    np.testing.assert_allclose(place[0], pixels[1:9, 2:8] @ [0.2125, 0.7154, 0.0721], atol=1e-6)
    assert image.prepare(pixels, size=[6]).shape == (3, 4, 6)  # the longer side, proportions kept
    assert image.prepare(pixels, size=[5, 5]).shape == (3, 5, 5)
    fine = np.random.default_rng(0).random((64, 64))
    assert image.prepare(fine, size=[8]).std() < 0.05  # the mean of many pixels: no alias is left
    small = image.prepare(np.full((20, 30), 0.25), size=[4, 7], crop=[20])
    assert small.shape == (1, 4, 7)
    assert small.dtype == np.float32
    np.testing.assert_allclose(small, 0.25, atol=1e-6)


@pytest.mark.parametrize("crop", [[21], [15, 0, 6, 5], [0, 26, 5, 5], [-1, 0, 5, 5]])
def test_crop_must_lie_inside(crop):
    with pytest.raises(BadInput, match="does not lie inside the 20x30 image"):
        image.prepare(np.zeros((20, 30)), crop=crop)


@pytest.mark.parametrize("settings", [{"crop": [1]}, {"size": [1, 9]}, {"size": [9, 1]}, {"crop": [0, 0, 1, 5]}])
def test_less_than_two_pixels_a_side_are_refused(settings, tmp_path):
    with pytest.raises(BadInput, match=r"a.png: \d+x\d+ pixels are not allowed; must be at least 2x2"):
        image.prepare(np.zeros((20, 30)), **settings, where="a.png")
    pillow(tmp_path / "a.png", GRAY8)
    with pytest.raises(BadInput, match=r"images.a: \d+x\d+ pixels are not allowed; must be at least 2x2"):
        image.check_image({"source": str(tmp_path / "a.png")} | settings, "images.a")
    assert image.prepare(np.zeros((1, 1)), size=[2]).shape == (1, 2, 2)
    with pytest.raises(BadInput, match=r"1x9 pixels are not allowed"):
        image.prepare(np.zeros((100, 900)), size=[9])


def test_scikit_image_s_pictures():
    np.testing.assert_array_equal(image.load("skimage:camera"), skimage.data.camera() / 255)
    with pytest.raises(BadInput, match="unknown scikit-image image 'camra'.*did you mean 'camera'"):
        image.load("skimage:camra")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_checksum_of_a_local_file(tmp_path):
    pillow(tmp_path / "a.png", GRAY8)
    path = str(tmp_path / "a.png")
    assert image.load(path, sha256=["0" * 64, digest(tmp_path / "a.png")]).shape == (9, 7)
    with pytest.raises(BadInput, match=f"a.png: checksum mismatch: sha256 is {digest(tmp_path / 'a.png')}; must be 00"):
        image.load(path, sha256=["0" * 64])


@pytest.mark.parametrize("file", ["picture.png", "mine.bmp"])
def test_a_url_s_file_is_looked_for_by_name_first(file, tmp_path):
    pillow(tmp_path / file, GRAY8)
    settings = {"name": "mine", "image_dirs": [tmp_path / "none", tmp_path]}
    url = "https://host.invalid/some/picture.png?raw=true"
    np.testing.assert_allclose(image.load(url, sha256=[digest(tmp_path / file)], **settings), GRAY8 / 255)
    with pytest.raises(BadInput, match=f"{file}: checksum mismatch"):
        image.load(url, sha256=["0" * 64], **settings)


def test_a_url_s_file_is_found_by_its_checksum_under_any_name(tmp_path):
    pillow(tmp_path / "a.png", GRAY8[::-1])
    pillow(tmp_path / "standard_test_image.bmp", GRAY8)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "folder.png").mkdir()
    settings = {"name": "mine", "image_dirs": [tmp_path / "none", tmp_path]}
    checksums = ["0" * 64, digest(tmp_path / "standard_test_image.bmp")]
    found = image.load("https://host.invalid/picture.png", sha256=checksums, **settings)
    np.testing.assert_allclose(found, GRAY8 / 255)
    with pytest.raises(BadInput, match="picture.png: cannot be downloaded"):  # none is meant
        image.load("https://host.invalid/picture.png", sha256=["0" * 64], **settings)


@pytest.mark.parametrize("place", ["one", "two"])
def test_a_file_of_the_right_name_is_refused_only_if_no_other_has_the_right_checksum(place, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    pillow(tmp_path / "one/picture.png", GRAY8[::-1])
    settings = {"name": "mine", "image_dirs": [tmp_path / "one", tmp_path / "two"]}
    url, other = "https://host.invalid/picture.png", tmp_path / place / "other.png"
    pillow(other, GRAY8)
    np.testing.assert_allclose(image.load(url, sha256=[digest(other)], **settings), GRAY8 / 255)
    checksum = digest(other)
    other.unlink()
    with pytest.raises(BadInput, match="one/picture.png: checksum mismatch"):
        image.load(url, sha256=[checksum], **settings)


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    pillow(folder / "a.png", GRAY8)
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    handler.func.log_message = lambda *_: None
    with HTTPServer(("127.0.0.1", 0), handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}", folder
        http.shutdown()


def test_a_url_is_downloaded_once_and_checked(server, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    url, folder = server
    right = digest(folder / "a.png")
    np.testing.assert_allclose(image.load(f"{url}/a.png", sha256=["0" * 64, right]), GRAY8 / 255)
    (folder / "a.png").unlink()
    np.testing.assert_allclose(image.load(f"{url}/a.png", sha256=[right]), GRAY8 / 255)
    pillow(folder / "b.png", GRAY8)
    whole = (folder / "b.png").read_bytes()
    (folder / "b.png").write_bytes(whole[:40])
    with pytest.raises(BadInput, match="b.png: checksum mismatch"):
        image.load(f"{url}/b.png", sha256=[right])
    (folder / "b.png").write_bytes(whole)
    np.testing.assert_allclose(image.load(f"{url}/b.png", sha256=[right]), GRAY8 / 255)  # what was cut off is not kept
    with pytest.raises(BadInput, match="none.png: cannot be downloaded.*image_dirs"):
        image.load(f"{url}/none.png", sha256=[right])


def test_a_download_ends_at_the_limit(server, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(image, "BYTES", 10**5)
    url, folder = server
    (folder / "large.png").write_bytes(bytes(10**6))
    with pytest.raises(BadInput, match="large.png: has more than 100000 bytes"):
        image.load(f"{url}/large.png", sha256=["0" * 64])
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_the_largest_value_of_sixteen_bits_is_that_of_the_colours(tmp_path):
    pixels = np.concatenate([COLOUR16 % 4096, np.full((9, 7, 1), 65535, np.uint16)], axis=-1)
    save_png16(tmp_path / "a.png", pixels)
    tifffile.imwrite(tmp_path / "a.tif", pixels[..., 0])
    assert imagefile.largest(tmp_path / "a.png") == pixels[..., :3].max() < 4096
    assert imagefile.largest(tmp_path / "a.tif") == pixels[..., 0].max()
    pillow(tmp_path / "b.png", GRAY8)
    assert imagefile.largest(tmp_path / "b.png") is None
