"""Take a file that is a parameter, such as a blur kernel, from where it lies: its numbers, float64."""

import click
import numpy as np

from steps.base.errors import Command, one_line
from steps.base.files import whole
from steps.images.contents import load
from steps.images.options import source_options


@click.command(cls=Command, help=__doc__)
@click.argument("source")
@click.argument("output", type=click.Path(dir_okay=False))
@source_options("file")
def main(source, output, name, sha256, image_dirs):
    """SOURCE is a URL or a file (NPY, NPZ, PNG, TIFF). Writes OUTPUT (NPY)."""
    with one_line(f"files.{name}"):
        content = load(source, name=name, sums=sha256, image_dirs=image_dirs)
    with whole(output) as temporary:
        np.save(temporary, content)


if __name__ == "__main__":
    main()
