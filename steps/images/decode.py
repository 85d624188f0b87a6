"""Reading an image file, which may be anything: of known kinds, the header first, and none that is too large."""

import math
import os
import struct

import numpy as np

from steps.base.errors import BadInput
from steps.images import arrays
from steps.images.arrays import BYTES, is_array, limit, understanding

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".npy", ".npz")
FORMATS = ("PNG", "JPEG", "TIFF", "BMP")  # all that Pillow may take a file for
MODES = {"P": "RGBA", "CMYK": "RGB", "YCbCr": "RGB"}  # what Pillow's are read as
MODES |= {mode: mode for mode in ("1", "L", "LA", "RGB", "RGBA", "I", "I;16")}
PIXELS = 2**28  # of an image: 16384 x 16384
SIDEWAYS = (5, 6, 7, 8)  # EXIF's orientations that swap height and width


def read(path, reach=0, opaque=False):
    """Return the image in a file as float64 (H, W) or (H, W, 3) in [0, 1], floats in [-reach, 1 + reach].

    PNG, JPEG, TIFF, BMP: integers are divided by their type's largest value, transparency is laid over white, a picture
    of any depth is turned as its EXIF tag says. NPY, NPZ (of one array): also (C, H, W); floats are taken as they are.
    Raises BadInput for what `size` refuses, for a file that is damaged, for floats outside of that, and, if it must be
    `opaque`, for transparent pixels.
    """
    said = size(path)
    pixels = as_float(_pixels(path, opaque), path, reach, opaque)
    if pixels.shape[:2] != said:  # of a damaged file: a crop that `size` allowed would be of another part
        raise BadInput(f"{path}: has {pixels.shape[0]}x{pixels.shape[1]} pixels; its header says {said[0]}x{said[1]}")
    return pixels


def size(path):
    """Return (height, width) of the image in a file, turned, as its header says; no pixels are read.

    Raises BadInput for a file that is missing, not an image, of another shape or type, or of more than PIXELS or BYTES.
    """
    arrays.check_file(path, SUFFIXES)
    limit(path, os.path.getsize(path), BYTES, "bytes")
    with understanding(path):
        height, width = _array_size(path) if is_array(path) else _picture(path, header=True)
    limit(path, height * width, PIXELS, f"pixels ({height}x{width})")
    return height, width


def as_float(pixels, where, reach=0, opaque=False):
    """Return pixels of any shape and type that `read` allows as `read` does."""
    _check_array(pixels.shape, pixels.dtype, where)
    if _channels_first(pixels.shape):
        pixels = np.moveaxis(pixels, 0, -1)
    pixels = pixels / np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else pixels.astype(np.float64)
    low, high = pixels.min(), pixels.max()
    if not (low >= -reach and high <= 1 + reach):
        raise BadInput(f"{where}: values from {low:.4g} to {high:.4g}; floats must lie in [{0 - reach}, {1 + reach}]")
    if pixels.ndim == 3 and pixels.shape[-1] in (2, 4):
        alpha = pixels[..., -1:]
        _check_opaque(alpha.min() < 1 and opaque, where)
        pixels = alpha * pixels[..., :-1] + (1 - alpha)
    return pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels


def largest(path):
    """Return the largest colour value in a file of 16-bit integers, as it stands there; None for any other file."""
    size(path)
    pixels = _pixels(path)
    if pixels.dtype.kind != "u" or pixels.dtype.itemsize != 2:
        return None
    if pixels.ndim == 3 and pixels.shape[-1] in (2, 4):
        pixels = pixels[..., :-1]  # without transparency
    return int(pixels.max())


def _check_opaque(transparent, where):
    if transparent:
        raise BadInput(f"{where}: has transparent pixels; must be opaque, since they say no number")


def _pixels(path, opaque=False):
    with understanding(path):
        return arrays.array(path) if is_array(path) else _picture(path, opaque=opaque)


def _channels_first(shape):
    return len(shape) == 3 and shape[-1] > 4 and shape[0] in (1, 3)


def _check_array(shape, dtype, where):
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[-1] > 4 and not _channels_first(shape)) or 0 in shape:
        raise BadInput(f"{where}: shape {shape} is not an image; must be (H, W), (H, W, 1 to 4) or (1 or 3, H, W)")
    if not (dtype.kind in "fb" or (dtype.kind == "u" and dtype.itemsize <= 2)):  # in any order of bytes
        raise BadInput(f"{where}: pixels of type {dtype}; must be uint8, uint16, float or boolean")


def _array_size(path):
    shape, dtype = arrays.header(path)
    _check_array(shape, dtype, path)
    limit(path, math.prod(shape) * dtype.itemsize, BYTES, f"bytes (shape {shape}, {dtype})")
    return shape[1:] if _channels_first(shape) else shape[:2]


def _deep_tiff(path, header, opaque):
    """Return what `_picture` does, for a TIFF of more than 8 bits, of which Pillow would keep 8; None for any other."""
    import tifffile

    with open(path, "rb") as file:
        if file.read(2) not in (b"II", b"MM"):
            return None
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        if (pages := len(file.pages) * page.imagedepth) > 1:
            raise BadInput(f"{path}: has {pages} pages; must have one")
        shape, dtype, bits = (int(page.imagelength), int(page.imagewidth)), np.dtype(page.dtype), page.bitspersample
        _check_array(shape, dtype, path)
        if bits <= 8:
            return None
        if not (colours := {"MINISBLACK": 1, "RGB": 3}.get(page.photometric.name)):
            raise BadInput(f"{path}: colours are {page.photometric.name}; must be MINISBLACK or RGB above 8 bits")
        if dtype.kind == "u" and bits != 16:
            raise BadInput(f"{path}: pixels of {bits} bits; must be of at most 8, of 16 or float")
        extra = [sample.name for sample in page.extrasamples]
        if len(extra) > 1 or page.samplesperpixel != colours + len(extra):
            found = f"{page.samplesperpixel} channels, {len(extra)} of them tagged as no colour"
            raise BadInput(f"{path}: has {found}; must have {colours}, and at most one tagged so")
        orientation = page.tags.valueof(0x0112, 1)
        if header:
            return shape[::-1] if orientation in SIDEWAYS else shape
        pixels = np.moveaxis(page.asarray(), 0, -1) if page.axes == "SYX" else page.asarray()
    if extra and extra != ["UNASSALPHA"]:
        pixels, alpha = pixels[..., :-1], pixels[..., -1:]
    if extra == ["ASSOCALPHA"]:  # which is multiplied into the colours already
        if not (pixels <= alpha).all():
            raise BadInput(f"{path}: has premultiplied colours above their alpha; must be at most alpha")
        full = 65535 if bits == 16 and dtype.kind == "u" else 1
        _check_opaque(opaque and (alpha < full).any(), path)
        pixels = pixels + (full - alpha)
    return _turned(pixels, orientation)


def _picture(path, header=False, opaque=False):
    """Return the pixels of a picture, turned, or (height, width) from its header."""
    from PIL import Image

    if (found := _deep_tiff(path, header, opaque)) is not None:
        return found
    Image.MAX_IMAGE_PIXELS = None  # `size` has the limit, in words that say so
    # Of an open file: by its name Pillow maps a TIFF into memory as if it were turned already, and mixes up its rows.
    with open(path, "rb") as file, Image.open(file, formats=FORMATS) as picture:
        if picture.format == "PNG" and picture.n_frames > 1:  # a phone's JPEG may have a second, smaller picture
            raise BadInput(f"{path}: has {picture.n_frames} frames; must have one")
        if picture.mode not in MODES:
            raise BadInput(f"{path}: colours are {picture.mode}; must be gray, RGB, CMYK or a palette")
        orientation = _orientation(picture, path)
        if header:
            return picture.size if orientation in SIDEWAYS else picture.size[::-1]
        # Of a PNG Pillow would keep 8 of the 16 bits of colours, and mistake a gray that stands for transparent.
        deep = picture.format == "PNG" and picture.tile[0][3] in ("RGB;16B", "LA;16B", "RGBA;16B")
        if deep or (picture.mode != "P" and "transparency" in picture.info):
            pixels = _load_png(path)
        else:
            pixels = np.asarray(picture.convert(MODES[picture.mode]))
    return _turned(pixels.astype(np.uint16) if pixels.dtype == np.int32 else pixels, orientation)


def _orientation(picture, path):
    """Return how the pixels that will be read lie, 1 to 8 as in EXIF; a TIFF, its size too, is turned by Pillow."""
    from PIL import Image

    if picture.format == "TIFF":
        return 1
    if picture.format == "PNG" and "exif" not in picture.info and (late := _png_exif(path)):
        picture.info["exif"] = late
    return Image.Image.getexif(picture).get(0x0112, 1)  # a PNG's own method would read the pixels


def _turned(pixels, orientation):
    """Return pixels (H, W, ...) as they are to be seen; any number but 2 to 8 means: as they are."""
    if orientation in SIDEWAYS:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels[::-1] if orientation in (3, 4, 7, 8) else pixels


def _png_exif(path):
    """Return the EXIF chunk of a PNG, None if it has none; it may come after the pixels, which are skipped."""
    with open(path, "rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8 and not head.endswith(b"IEND"):
            length, kind = struct.unpack(">I4s", head)
            if kind == b"eXIf":
                return file.read(length)
            file.seek(length + 4, os.SEEK_CUR)  # and its checksum
    return None


def _load_png(path):
    """Return the pixels of a PNG without a palette, with alpha of 0 where they have its transparent colour."""
    import png

    reader = png.Reader(filename=str(path))
    width, height, rows, info = reader.read()
    kind, most = np.uint16 if info["bitdepth"] == 16 else np.uint8, 2 ** info["bitdepth"] - 1
    pixels = np.vstack([np.asarray(row, dtype=np.uint16) for row in rows]).reshape(height, width, info["planes"])
    if reader.transparent is not None:
        opaque = (pixels != reader.transparent).any(axis=-1, keepdims=True)
        pixels = np.concatenate([pixels, opaque * np.uint16(most)], axis=-1)
    return (pixels * (np.iinfo(kind).max // most)).astype(kind)
