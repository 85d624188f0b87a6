"""Simulate a measurement y = A x + n, drawn once and shared by every method; or take a picture as one."""

from pathlib import Path

import click
import numpy as np

from steps.base import discover
from steps.base.errors import Command, one_line
from steps.base.files import read_array, whole
from steps.base.parameters import parse_parameters
from steps.plan import corruptions


@click.command(cls=Command, help=__doc__)
@click.argument("image", type=click.Path(exists=True, dir_okay=False))
@click.argument("task")
@click.argument("corruption")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--measured", "measured", is_flag=True, help="IMAGE is the measurement: nothing is simulated")
def main(image, task, corruption, folder, measured):
    """IMAGE (npy) through TASK with CORRUPTION, such as blur=5,sigma=0.01,seed=0, to FOLDER.

    Writes measurement.npz, which is all that a method gets, and picture.npy, what one sees before any recovery: the
    measurement itself if it is an image, else its back-projection Aᵀ y, (C, H, W). With --measured, IMAGE is the
    measurement, its borders tapered for a circular convolution, and the picture is IMAGE.
    """
    import torch

    from steps.inverse import measurement
    from steps.inverse.photograph import estimate_sigma, taper
    from steps.noises.gaussian import add

    with one_line(folder):
        x = torch.from_numpy(read_array(image))
        operator, noise = corruptions.parameters(task, parse_parameters(corruption), task, measured)
        A = discover.load("tasks", task).Operator(x.shape, **operator)
        if noise["sigma"] == corruptions.ESTIMATE:
            noise["sigma"] = estimate_sigma(x.numpy())
            print(f"sigma is estimated to be {noise['sigma']:.4g}")
    y = taper(x, A) if measured else torch.from_numpy(add(A.forward(x).numpy(), **noise))
    with whole(Path(folder, "picture.npy")) as temporary:
        np.save(temporary, (x if measured else A.backproject(y)).numpy())
    measurement.save(Path(folder, "measurement.npz"), y, task, x.shape, operator, noise)


if __name__ == "__main__":
    main()
