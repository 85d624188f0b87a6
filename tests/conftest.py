"""Small pictures that all tests share."""

import signal
import time

import numpy as np
import png
import pytest
import torch

from tests.browser import browser  # noqa: F401
from tests.claimed import claimed  # noqa: F401

torch.set_num_threads(1)  # the tests themselves run side by side
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started with & in a script; tests interrupt what inherits it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def picture(channels=1, height=40, width=40):
    """Return a (C, H, W) float32 image with smooth parts, edges and texture."""
    row, column = np.mgrid[:height, :width] / max(height, width)
    planes = []
    for channel in range(channels):
        plane = 0.3 + 0.4 * row + 0.1 * channel * column
        plane += 0.25 * (np.hypot(row - 0.5, column - 0.45) < 0.25) - 0.2 * ((column > 0.7) & (row > 0.3))
        planes.append(np.clip(plane + 0.05 * np.sin(40 * row) * (column < 0.2), 0, 1))
    return torch.from_numpy(np.array(planes, dtype=np.float32))


def save_png16(path, pixels):
    """Write a PNG of 16 bits: gray (H, W), or (H, W, 3), or with transparency (H, W, 4)."""
    rows = pixels.reshape(pixels.shape[0], -1).tolist()
    kind = {"greyscale": pixels.ndim == 2, "alpha": pixels.shape[2:] == (4,)}
    writer = png.Writer(pixels.shape[1], pixels.shape[0], bitdepth=16, **kind)
    with open(path, "wb") as file:
        writer.write(file, rows)


def wait_for(condition, seconds=600):
    """Wait until a condition holds; the limit is for what hangs, not for what is slow on a busy machine."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def gray():
    return picture()


@pytest.fixture
def colour():
    return picture(3)
