"""Prepare an image, a truth or a measured picture: read, crop, turn gray, resize; float32 in [0, 1], (C, H, W)."""

import click
import numpy as np

from steps.base.errors import Command, one_line
from steps.base.files import whole
from steps.images.load import REACH, load, prepare


def numbers(context, parameter, value):
    """Return the list of whole numbers that an option --size or --crop has as text, "256" or "40,30"; for click."""
    counts, words = {
        "size": ((1, 2), "1 or 2 positive whole numbers"),
        "crop": ((1, 4), "1 or 4 whole numbers, height and width positive"),
    }[parameter.name]
    if value is None:
        return None
    try:
        given = [int(number) for number in value.split(",")]
        good = len(given) in counts and min(given) >= 0 and min(given[-2:]) > 0
    except ValueError:
        good = False
    if not good:
        raise click.BadParameter(f"{value!r} is not allowed; must be {words}")
    return given


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
@click.option("--size", callback=numbers, help="pixels after resizing: n, the longer side, or height,width (stretched)")
@click.option("--crop", callback=numbers, help="central n, or top,left,height,width, before resizing")
@click.option("--measured", is_flag=True, help="a measurement, not a truth: noise may take floats outside of [0, 1]")
def main(source, output, name, sha256, image_dirs, gray, size, crop, measured):
    """SOURCE (skimage:NAME, synthetic:NAME, URL or file) to OUTPUT (npy)."""
    with one_line(f"images.{name}"):
        pixels = load(source, name=name, sha256=sha256, image_dirs=image_dirs, reach=REACH if measured else 0)
        image = prepare(pixels, gray=gray, size=size, crop=crop, measured=measured, where=source)
    with whole(output) as temporary:
        np.save(temporary, image)


if __name__ == "__main__":
    main()
