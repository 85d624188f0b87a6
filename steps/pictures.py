"""Images of a result, for figures: arrays (H, W) or (H, W, 3) in [0, 1], and how to show them."""

from pathlib import Path

import numpy as np

from steps.files import read_array, whole


def truth(row):
    """Return the ground truth of a row of scores; None if it is not known, so that there is no PSNR."""
    return None if np.isnan(row["psnr"]) else _load(f"results/images/{row['image']}.npy")


def measured(row):
    """Return what one sees before recovery: the measurement, or its back-projection."""
    return _load(Path(row["folder"]).parent.parent / "picture.npy")


def recovered(row):
    """Return the recovery of a row of scores."""
    return _load(Path(row["folder"]) / "recovered.npy")


def title(name, psnr):
    """Return the title of a picture: its name and its PSNR, if there is one."""
    return name if np.isnan(psnr) else f"{name}  {psnr:.2f} dB"


def _load(path):
    return display(read_array(path))


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


def detail(image, part=4):
    """Return (top, left, side) of the square with the most gradient, 1/part of the image's smaller side."""
    from scipy.ndimage import uniform_filter

    gray = image if image.ndim == 2 else image.mean(-1)
    side = max(8, min(gray.shape) // part)
    side = min(side, *gray.shape)
    energy = uniform_filter(np.hypot(*np.gradient(gray)), side, mode="constant")
    half = side // 2
    inner = energy[half : gray.shape[0] - side + half + 1, half : gray.shape[1] - side + half + 1]
    top, left = np.unravel_index(np.argmax(inner), inner.shape)
    return int(top), int(left), side


def show(axes, image, title="", zoom=None):
    """Show an image in axes, gray values from 0 to 1, with `zoom` = (top, left, side) enlarged in a corner of it."""
    settings = {"cmap": "gray", "vmin": 0, "vmax": 1, "interpolation": "nearest"}
    axes.imshow(image, **settings)
    axes.set_title(title, pad=3)
    axes.set_axis_off()
    if zoom is None:
        return
    from matplotlib.patches import Rectangle

    top, left, side = zoom
    height, width = image.shape[:2]
    corner = 0.57 if left + side / 2 < width / 2 else 0.01
    inset = axes.inset_axes((corner, 0.01, 0.42, 0.42 * width / height))
    inset.imshow(image[top : top + side, left : left + side], **settings)
    inset.set(xticks=[], yticks=[])
    inset.grid(False)
    for spine in inset.spines.values():
        spine.set(visible=True, color="#E69F00", linewidth=1.2)
    axes.add_patch(Rectangle((left - 0.5, top - 0.5), side, side, fill=False, edgecolor="#E69F00", linewidth=1))
