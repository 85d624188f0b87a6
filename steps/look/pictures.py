"""Images of a result, for figures: arrays (H, W) or (H, W, 3) in [0, 1], and how to show them."""

from pathlib import Path

import numpy as np

from steps.base.files import read_array, whole
from steps.look.style import DETAIL

WHOLE = 2**22  # pixels of a picture that is shown whole: no browser opens a page of 24 megapixels
FIRST = "Where there are several seeds, pictures and numbers are of the first."
SIDE = 1024  # pixels of the centre that is shown of a larger one


def truth(row):
    """Return the ground truth of a row of scores; None if it is not known, so that there is no PSNR."""
    return None if np.isnan(row["psnr"]) else _load(f"results/images/{row['image']}.npy")


def measured(row):
    """Return what one sees before recovery: the measurement, or its back-projection."""
    return _load(Path(row["folder"]).parent.parent / "picture.npy")


def recovered(row):
    """Return the recovery of a row of scores."""
    return _load(Path(row["folder"]) / "recovered.npy")


def _load(path):
    return display(read(path))


def read(path):
    """Return the picture (C, H, W) in a file as it is shown: of one of more than WHOLE pixels the centre."""
    return shown(read_array(path))


def shown(image):
    """Return (C, H, W), or its centre if it has more than WHOLE pixels."""
    return image if image[0].size <= WHOLE else centre(image).copy()


def centre(image):
    """Return the central SIDE pixels a side of (C, H, W), or as many as it has."""
    rows, columns = (slice(max(n - SIDE, 0) // 2, max(n - SIDE, 0) // 2 + SIDE) for n in image.shape[1:])
    return image[:, rows, columns]


def display(image):
    """Return (C, H, W) as matplotlib wants it: (H, W) or (H, W, 3), clipped to [0, 1]."""
    image = np.clip(image, 0, 1)
    return image[0] if image.shape[0] == 1 else np.moveaxis(image, 0, -1)


def write(path, picture):
    """Write (C, H, W), clipped to [0, 1], as a PNG of 16 bits, gray or RGB."""
    import png

    pixels = np.round(np.clip(picture, 0, 1) * 65535).astype(np.uint16)
    rows = np.moveaxis(pixels, 0, -1).reshape(pixels.shape[1], -1)
    with whole(path) as temporary:
        png.from_array(rows, "L;16" if len(picture) == 1 else "RGB;16").save(temporary)


def detail(image, parts=(4, 4)):
    """Return (top, left, height, width) of the part of an image with the most gradient, 1/parts of its sides.

    It is at least 8 pixels high and wide, where the image is.
    """
    from scipy.ndimage import uniform_filter

    gray = image if image.ndim == 2 else image.mean(-1)
    size = [min(max(8, side // part), side) for side, part in zip(gray.shape, parts)]
    energy = uniform_filter(np.hypot(*np.gradient(gray)), size, mode="constant")
    inner = energy[tuple(slice(n // 2, side - n + n // 2 + 1) for n, side in zip(size, gray.shape))]
    top, left = np.unravel_index(np.argmax(inner), inner.shape)
    return int(top), int(left), *size


def cut(image, part):
    """Return the part (top, left, height, width) of an image."""
    top, left, height, width = part
    return image[top : top + height, left : left + width]


def show(axes, image, title="", frame=None, **settings):
    """Show an image in axes, gray values from 0 to 1, with a box around the part `frame` = (top, left, height, width).

    `settings` are imshow's. Returns what imshow does.
    """
    from matplotlib.patches import Rectangle

    shown = axes.imshow(image, **{"cmap": "gray", "vmin": 0, "vmax": 1, "interpolation": "nearest"} | settings)
    axes.set_title(title, pad=2.5)
    axes.set_axis_off()
    if frame is not None:
        top, left, height, width = frame
        axes.add_patch(Rectangle((left - 0.5, top - 0.5), width, height, fill=False, edgecolor=DETAIL, linewidth=0.8))
    return shown


def frame(axes, colour, width=0.8):
    """Draw a frame around a shown image."""
    axes.set_axis_on()
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set(visible=True, color=colour, linewidth=width)


def caption(axes, text, best=False, line=0):
    """Write a text, such as "29.61 dB", in a line below a shown image, in bold if it is the best."""
    settings = {"ha": "center", "va": "top", "fontsize": 6.5, "weight": "bold" if best else "normal"}
    axes.annotate(text, (0.5, 0), (0, -2 - 8 * line), "axes fraction", "offset points", **settings)
