"""Prepare a ground-truth image: read, crop, turn gray, resize; float32 in [0, 1], (C, H, W)."""

import hashlib
from pathlib import Path
from urllib.parse import urlparse

import click
import numpy as np

from steps import synthetic
from steps.errors import BadInput, Command, one_line
from steps.files import whole
from steps.grid import unknown

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".npy", ".npz")


def read(path):
    """Return the image in a file as float64 (H, W) or (H, W, 3) in [0, 1].

    PNG, JPEG, TIFF, BMP: integers are divided by their type's largest value, transparency is laid over white, a photo
    is turned as its EXIF tag says. NPY, NPZ (of one array): also (C, H, W); floats are taken as they are.
    Raises BadInput for a file that is missing, not an image, of another shape, or with floats outside [0, 1].
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"{path}: no such file")
    if path.suffix.lower() not in SUFFIXES:
        raise BadInput(f"{path}: suffix {path.suffix!r} is not one of {', '.join(SUFFIXES)}")
    try:
        pixels = _load_array(path) if path.suffix.lower() in (".npy", ".npz") else _load_picture(path)
    except BadInput:
        raise
    except Exception as error:  # each reader has its own errors; to the user they all mean this
        raise BadInput(f"{path}: not a readable image ({' '.join(str(error).split())[:120]})") from error
    return as_float(pixels, path)


def as_float(pixels, where):
    """Return pixels of any shape and type that `read` allows as float64 (H, W) or (H, W, 3) in [0, 1]."""
    if pixels.ndim == 3 and pixels.shape[-1] > 4 and pixels.shape[0] in (1, 3):
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[-1] > 4) or 0 in pixels.shape:
        raise BadInput(
            f"{where}: shape {pixels.shape} is not an image; must be (H, W), (H, W, 1 to 4) or (1 or 3, H, W)"
        )
    if pixels.dtype in (np.uint8, np.uint16):
        pixels = pixels / np.iinfo(pixels.dtype).max
    elif pixels.dtype.kind in "fb":
        pixels = pixels.astype(np.float64)
    else:
        raise BadInput(f"{where}: pixels of type {pixels.dtype}; must be uint8, uint16, float or boolean")
    if not (pixels.min() >= 0 and pixels.max() <= 1):
        raise BadInput(f"{where}: values from {pixels.min():.4g} to {pixels.max():.4g}; floats must lie in [0, 1]")
    if pixels.ndim == 3 and pixels.shape[-1] in (2, 4):
        alpha = pixels[..., -1:]
        pixels = alpha * pixels[..., :-1] + (1 - alpha)
    return pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels


def prepare(pixels, *, gray=False, size=None, crop=None, where="image"):
    """Return float32 (C, H, W) in [0, 1]: cropped, then gray (luma of ITU-R BT.709), then resized with anti-aliasing.

    crop is [n] for the central n × n pixels or [top, left, height, width]; size is [n] or [height, width].
    """
    from skimage.color import rgb2gray
    from skimage.transform import resize

    if crop:
        height, width = pixels.shape[:2]
        rows, columns = crop[-2:] if len(crop) == 4 else crop * 2
        top, left = crop[:2] if len(crop) == 4 else ((height - rows) // 2, (width - columns) // 2)
        if top < 0 or left < 0 or top + rows > height or left + columns > width:
            raise BadInput(f"{where}: crop {list(crop)} does not lie inside the {height}x{width} image")
        pixels = pixels[top : top + rows, left : left + columns]
    if gray and pixels.ndim == 3:
        pixels = rgb2gray(pixels)
    if size:
        pixels = resize(pixels, (size[0], size[-1]), anti_aliasing=True)
    pixels = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    return np.ascontiguousarray(np.clip(pixels, 0, 1), dtype=np.float32)


def load(source, *, name="image", sha256=(), image_dirs=()):
    """Return the image of a source as `read` does: skimage:NAME, synthetic:NAME, an http(s) URL, or a file's path.

    A URL's file is looked for in `image_dirs`: as its own name, as `name` with any suffix, as any file with the right
    checksum; else downloaded, once, to the user's cache. `sha256` lists the checksums that a file may have; a URL needs
    one.
    """
    kind, _, rest = source.partition(":")
    if kind == "synthetic":
        return synthetic.draw(rest, "source")
    if kind == "skimage":
        return _load_skimage(rest)
    if kind in ("http", "https"):
        return read(_locate(source, name, sha256, image_dirs))
    if sha256 and Path(source).is_file():
        _verify(source, sha256)
    return read(source)


def _load_skimage(name):
    from skimage import data

    images = [image for image in data.__all__ if image not in ("download_all", "data_dir", "file_hash")]
    if name not in images:
        raise BadInput(f"source: {unknown('scikit-image image', name, images)}")
    try:
        return as_float(np.asarray(getattr(data, name)()), f"skimage:{name}")
    except BadInput:
        raise
    except Exception as error:
        raise BadInput(f"source: skimage:{name} cannot be had ({' '.join(str(error).split())[:120]})") from error


def _load_array(path):
    content = np.load(path, allow_pickle=False)
    if path.suffix.lower() == ".npy":
        return content
    with content:
        if len(content.files) != 1:
            raise BadInput(f"{path}: holds the arrays {', '.join(content.files)}; must hold one")
        return content[content.files[0]]


def _load_picture(path):
    if path.suffix.lower() in (".tif", ".tiff"):
        import tifffile

        with tifffile.TiffFile(path) as file:
            page = file.pages[0]
            if len(file.pages) > 1:
                raise BadInput(f"{path}: has {len(file.pages)} pages; must have one")
            if page.bitspersample > 8:  # what Pillow reads less well
                if page.photometric.name not in ("MINISBLACK", "RGB"):
                    raise BadInput(f"{path}: colours are {page.photometric.name}; must be MINISBLACK or RGB")
                return page.asarray()
    from PIL import Image, ImageOps

    with Image.open(path) as picture:
        if path.suffix.lower() == ".png" and _png_depth(path) == 16 and picture.mode not in ("I", "I;16"):
            return _load_deep_png(path)  # Pillow would keep 8 of the 16 bits
        picture = ImageOps.exif_transpose(picture)
        opaque, transparent = {"P": ("RGB", "RGBA"), "RGB": ("RGB", "RGBA"), "L": ("L", "LA")}.get(
            picture.mode, ("RGB", "RGB") if picture.mode == "CMYK" else (picture.mode, picture.mode)
        )
        picture = picture.convert(transparent if "transparency" in picture.info else opaque)
        pixels = np.asarray(picture)
    return pixels.astype(np.uint16) if pixels.dtype == np.int32 else pixels


def _png_depth(path):
    with open(path, "rb") as file:
        return file.read(25)[24]


def _load_deep_png(path):
    import png

    width, height, rows, info = png.Reader(filename=str(path)).read()
    return np.vstack([np.asarray(row, dtype=np.uint16) for row in rows]).reshape(height, width, info["planes"])


def _locate(url, name, sha256, image_dirs):
    import pooch

    file = Path(urlparse(url).path).name
    wrong = []
    for folder in map(Path, image_dirs):
        named = sorted(path for path in folder.glob(f"{name}.*") if path.suffix.lower() in SUFFIXES)
        there = [path for path in dict.fromkeys([folder / file, *named]) if path.is_file()]
        others = sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        for path in [*there, *others]:
            if _checksum(path) in sha256:
                return path
        wrong += there  # one of them is meant, and it is another file
    if wrong:
        _verify(wrong[0], sha256)
    try:
        path = Path(pooch.retrieve(url, known_hash=None, fname=f"{name}-{file}", path=pooch.os_cache("priorbench")))
    except Exception as error:
        folders = ", ".join(map(str, image_dirs)) or "none given"
        raise BadInput(
            f"{url}: cannot be downloaded, and neither {file} nor {name}.* is in image_dirs ({folders})"
        ) from error
    try:
        _verify(path, sha256)
    except BadInput as error:
        path.unlink()
        raise BadInput(f"{url}: {error}") from error
    return path


def _checksum(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _verify(path, sha256):
    actual = _checksum(path)
    if actual not in sha256:
        raise BadInput(f"{path}: checksum mismatch: sha256 is {actual}; must be {' or '.join(sha256)}")


def _numbers(context, parameter, value):
    return [int(number) for number in value.split(",")] if value else None


@click.command(cls=Command, help=__doc__)
@click.argument("source")
@click.argument("output", type=click.Path(dir_okay=False))
@click.option("--name", default="image", show_default=True, help="name under which image_dirs may hold it")
@click.option("--sha256", multiple=True, help="checksum that the file may have; a URL needs one")
@click.option(
    "--image-dir",
    "image_dirs",
    type=click.Path(),
    multiple=True,
    envvar="PRIORBENCH_IMAGE_DIRS",
    help="folder to look in before downloading a URL",
)
@click.option("--gray", is_flag=True, help="one channel: luma of ITU-R BT.709")
@click.option("--size", callback=_numbers, help="pixels after resizing: n or height,width")
@click.option("--crop", callback=_numbers, help="central n, or top,left,height,width, before resizing")
def main(source, output, name, sha256, image_dirs, gray, size, crop):
    """SOURCE (skimage:NAME, synthetic:NAME, URL or file) to OUTPUT (npy)."""
    with one_line(f"images.{name}"):
        image = prepare(
            load(source, name=name, sha256=sha256, image_dirs=image_dirs), gray=gray, size=size, crop=crop, where=source
        )
    with whole(output) as temporary:
        np.save(temporary, image)


if __name__ == "__main__":
    main()
