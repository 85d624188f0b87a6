"""What the entries under images mean: finding their files, checking, reading, cropping, resizing them."""

import os
from pathlib import Path
from urllib.parse import urlparse

import numpy as np

from steps.base import files
from steps.base.errors import BadInput
from steps.base.text import check_path, no_file
from steps.images import decode, detector, packaged, synthetic
from steps.images.arrays import BYTES
from steps.images.decode import PIXELS, SUFFIXES, read

URL = ("http://", "https://")  # how one begins
REACH = 1  # how far outside of [0, 1] noise may take a measured picture: what lies beyond is on another scale


def prepare(pixels, *, gray=False, size=None, crop=None, measured=False, where="image"):
    """Return float32 (C, H, W) in [0, 1]: cropped, then gray (luma of ITU-R BT.709), then resized with anti-aliasing.

    crop is [n] for the central n × n pixels or [top, left, height, width]; size is [n], the longer side, or [height,
    width], to which it is stretched. What was `measured` is not clipped to [0, 1]; numbers of a detector, see `load`,
    become (C, 1, M). Raises BadInput for a crop that is not inside, for less than 2 x 2 pixels, and for numbers of a
    detector that would be changed.
    """
    from skimage.color import rgb2gray
    from skimage.transform import resize

    detected = measured and len(pixels) == 1
    if detected:
        detector.check_kept({"gray": gray, "size": size, "crop": crop}, where)
    if crop:
        pixels = pixels[box(pixels.shape, crop, where)]
    if gray and pixels.ndim == 3:
        pixels = rgb2gray(pixels)
    if size:
        pixels = resize(pixels, resized(pixels.shape, size), anti_aliasing=True)
    if not detected:
        check_sides(*pixels.shape[:2], where)
    pixels = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    image = np.array(pixels, dtype=np.float32, order="C")
    return image if measured else np.clip(image, 0, 1, out=image)


def resized(shape, size):
    """Return (height, width) of an image of shape (H, W, …) at a size: [height, width], or [n], its longer side."""
    if len(size) == 2:
        return tuple(size)
    return tuple(max(1, round(side * size[0] / max(shape[:2]))) for side in shape[:2])


def check_sides(height, width, where):
    """Raise BadInput, naming `where`, for an image that has less than 2 x 2 pixels, and so neither edges nor noise."""
    if min(height, width) < 2:
        raise BadInput(f"{where}: {height}x{width} pixels are not allowed; must be at least 2x2")


def box(shape, crop, where):
    """Return the two slices of a crop, [n] or [top, left, height, width], of an image of shape (H, W, …)."""
    height, width = shape[:2]
    rows, columns = crop[-2:] if len(crop) == 4 else crop * 2
    top, left = crop[:2] if len(crop) == 4 else ((height - rows) // 2, (width - columns) // 2)
    if top < 0 or left < 0 or top + rows > height or left + columns > width:
        raise BadInput(f"{where}: crop {list(crop)} does not lie inside the {height}x{width} image")
    return slice(top, top + rows), slice(left, left + columns)


def load(source, *, name="image", sha256=(), image_dirs=(), measured=False):
    """Return the image of a source as `read` does: skimage:NAME, synthetic:NAME, or a file, see `locate`.

    If it is `measured`, floats may lie REACH outside of [0, 1], and an array of numbers that are no picture is one row
    of pixels, see steps/images/detector.py.
    """
    kind, _, rest = source.partition(":")
    if kind == "synthetic":
        return synthetic.draw(rest, "source")
    if kind == "skimage":
        return packaged.load(rest)
    path = locate(source, name, sha256, image_dirs)
    if not measured:
        return read(path)
    if detector.is_detector(path):
        return detector.read(path)
    pixels = read(path, REACH)
    check_sides(*pixels.shape[:2], source)
    return pixels


def check_image(image, where):
    """Return (height, width) of an entry under images, as far as can be seen without reading pixels: else (0, 0).

    If only the longer side is known, both are that. Of M measured numbers that are no picture it is (1, M). Raises
    BadInput, naming `where`, for an entry that can be seen to be wrong. A file is opened for its header: whether it is
    an image, not too large, and its crop inside of it.
    """
    source, (height, width) = image["source"], (0, 0)
    kind, _, rest = source.partition(":")
    if kind == "synthetic":
        synthetic.check(rest, f"{where}.source")
        height, width = synthetic.SIDE, synthetic.SIDE
    elif kind == "skimage":
        packaged.check(rest, f"{where}.source")
    elif source.startswith(URL):
        if "sha256" not in image:
            raise BadInput(f"{where}.sha256: missing; a URL needs the checksum of its file")
    elif check_path(source, f"{where}.source") or not os.path.isfile(source):
        allowed = "must be skimage:NAME, synthetic:NAME, a URL or a file"
        raise BadInput(f"{where}.source: {no_file(source, allowed)}")
    else:
        try:
            if image.get("measured") and detector.is_detector(source):
                detector.check_kept({key: image.get(key) for key in ("gray", "size", "crop")}, source)
                return detector.read(source).shape[:2]
            height, width = decode.size(source)
        except BadInput as error:
            raise BadInput(f"{where}.source: {error}") from error
    if "crop" in image:
        crop = listed(image["crop"])
        if height:
            box((height, width), crop, f"{where}.crop")
        height, width = (crop * 2)[-2:]
    if "size" in image:
        height, width = resized((height, width) if height else (1, 1), listed(image["size"]))
        if height * width > PIXELS:
            raise BadInput(f"{where}.size: {height}x{width} is not allowed; must be at most {PIXELS} pixels")
    if height:
        check_sides(height, width, where)
    return height, width


def at_hand(url, name, image_dirs):
    """Return the path of a file that is called as a URL's, among those that `locate` looks at; None of no URL.

    Its checksum is not looked at.
    """
    if not url.startswith(URL):
        return None
    return next((path for path in [*_named(url, name, image_dirs), _cache(url, name)] if path.is_file()), None)


def listed(value):
    """Return a list; of one number, if it is one."""
    return value if isinstance(value, list) else [value]


def locate(source, name, sha256, image_dirs):
    """Return the path of the file of a source: its path, or an http(s) URL.

    A URL's file is looked for in `image_dirs`: as its own name, as `name` with any suffix, as any file with the right
    checksum; else downloaded, once, to the user's cache. `sha256` lists the checksums that a file may have; a URL needs
    one. Raises BadInput for a file that has none of them, and for one that cannot be downloaded.
    """
    if source.startswith(URL):
        return _of_url(source, name, sha256, image_dirs)
    if sha256 and os.path.isfile(source):
        _verify(source, sha256)
    return source


def _of_url(url, name, sha256, image_dirs):
    import pooch

    named = _named(url, name, image_dirs)
    others = [path for folder in map(Path, image_dirs) for path in sorted(folder.glob("*")) if _is_image(path)]
    for path in [*named, *others]:
        if _checksum(path) in sha256:
            return path
    if named:  # one of them is meant, and it is another file
        _verify(named[0], sha256)
    try:
        cache = _cache(url, name)
        path = Path(pooch.retrieve(url, known_hash=None, downloader=_download, fname=cache.name, path=cache.parent))
    except BadInput:
        raise
    except Exception as error:
        wanted, folders = f"{_file(url)} nor {name}.*", ", ".join(map(str, image_dirs)) or "none given"
        raise BadInput(f"{url}: cannot be downloaded, and neither {wanted} is in image_dirs ({folders})") from error
    try:
        _verify(path, sha256)
    except BadInput as error:
        path.unlink()
        raise BadInput(f"{url}: {error}") from error
    return path


def _file(url):
    return Path(urlparse(url).path).name


def _named(url, name, image_dirs):
    """Return the files in folders that are called as a URL's file, or as the image with any suffix."""
    found = {}
    for folder in map(Path, image_dirs):
        found |= dict.fromkeys([folder / _file(url), *filter(_is_image, sorted(folder.glob(f"{name}.*")))])
    return [path for path in found if path.is_file()]


def _is_image(path):
    return path.suffix.lower() in SUFFIXES and path.is_file()


def _cache(url, name):
    """Return the path in the user's cache to which a URL's file is downloaded."""
    import pooch

    return Path(pooch.os_cache("priorbench"), f"{name}-{_file(url)}"[-100:])


def _download(url, path, _):
    """Download a URL to a path as pooch does, but no more than BYTES."""
    import pooch

    class Limited:
        size = 0

        def write(self, chunk):
            self.size += file.write(chunk)
            if self.size > BYTES:
                raise BadInput(f"{url}: has more than {BYTES} bytes")

        def flush(self):
            pass

    with open(path, "wb") as file:
        pooch.HTTPDownloader(chunk_size=2**16)(url, Limited(), None)


def _checksum(path):
    try:
        return files.sha256(path)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from error


def _verify(path, sha256):
    actual = _checksum(path)
    if actual not in sha256:
        raise BadInput(f"{path}: checksum mismatch: sha256 is {actual}; must be {' or '.join(sha256)}")
