"""Whether a picture has colours, as its file's header says; no pixels are read."""

from steps.images import arrays, decode

GRAY = ("1", "L", "LA", "I", "I;16")  # Pillow's modes


def has_colours(path):
    """Return whether `decode.read` gives three channels of a file, which `decode.size` must allow."""
    if arrays.is_array(path):
        shape, _ = arrays.header(path)
        return len(shape) == 3 and (shape[-1] in (3, 4) or (shape[-1] > 4 and shape[0] == 3))
    with open(path, "rb") as file:
        is_tiff = file.read(2) in (b"II", b"MM")
    if is_tiff:
        import tifffile

        with tifffile.TiffFile(path) as file:
            return file.pages[0].photometric.name not in ("MINISBLACK", "MINISWHITE")
    from PIL import Image

    with Image.open(path, formats=decode.FORMATS) as picture:
        return picture.mode not in GRAY
