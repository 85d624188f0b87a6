"""Prepare an image, a truth or a measured picture: read, crop, turn gray, resize; float32 in [0, 1], (C, H, W)."""

import click
import numpy as np

from steps.base.errors import Command, one_line
from steps.base.files import whole
from steps.images.load import load, prepare
from steps.images.options import numbers, source_options


@click.command(cls=Command, help=__doc__)
@click.argument("source")
@click.argument("output", type=click.Path(dir_okay=False))
@source_options("image")
@click.option("--gray", is_flag=True, help="one channel: luma of ITU-R BT.709")
@click.option("--size", callback=numbers, help="pixels after resizing: n, the longer side, or height,width (stretched)")
@click.option("--crop", callback=numbers, help="central n, or top,left,height,width, before resizing")
@click.option("--measured", is_flag=True, help="a measurement, not a truth: noise may take floats outside of [0, 1]")
def main(source, output, name, sha256, image_dirs, gray, size, crop, measured):
    """SOURCE is skimage:NAME, synthetic:NAME, a URL or a file. Writes OUTPUT (NPY)."""
    with one_line(f"images.{name}"):
        pixels = load(source, name=name, sha256=sha256, image_dirs=image_dirs, measured=measured)
        image = prepare(pixels, gray=gray, size=size, crop=crop, measured=measured, where=source)
    with whole(output) as temporary:
        np.save(temporary, image)


if __name__ == "__main__":
    main()
