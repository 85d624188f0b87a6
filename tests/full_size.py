"""The paper's test images, for the tests of their full size: PNG files in the folder $PRIORBENCH_IMAGES."""

import os
from pathlib import Path

import torch

from steps.images import load as image

IMAGES = os.environ.get("PRIORBENCH_IMAGES")


def load_image(name, **settings):
    """Return a test image by name, (C, H, W), with settings of `steps.images.load.prepare`."""
    return load_file(Path(IMAGES) / f"{name}.png", **settings)


def load_file(path, **settings):
    """Return the image in a file, (C, H, W), with settings of `steps.images.load.prepare`."""
    return torch.from_numpy(image.prepare(image.read(path), **settings))
