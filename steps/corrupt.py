"""Simulate a measurement y = A x + n, drawn once and shared by every method; or take a picture as one."""

from pathlib import Path
from typing import Annotated, Literal

import click
import numpy as np

from steps import discover, grid, measured
from steps.errors import BadInput, Command, one_line
from steps.files import read_array, whole


def add_noise(
    y,
    *,
    sigma: Annotated[float | Literal["estimate"], ">= 0"] = 0.0,
    clip: bool = False,
    seed: Annotated[int, ">= 0"] = 0,
):
    """Return y + sigma · N(0, 1), float32, clipped to [0, 1] if `clip` (as in Anderson's denoising), not quantised.

    y is an array on the image's scale [0, 1]; the draw depends on `seed` and the shape of y alone. sigma is a number
    here: "estimate" is for pictures that were measured, to which nothing is added.
    """
    noise = np.random.default_rng([seed, 0]).standard_normal(y.shape, dtype=np.float32)
    noisy = y.astype(np.float32) + np.float32(sigma) * noise
    return np.clip(noisy, 0, 1) if clip else noisy


def parameters(task, corruption, where, given=False):
    """Return (operator's, noise's) parameters of a corruption, as dicts of the types the two signatures state.

    The operator has a seed of its own only if its signature says so; then it is the noise's. Of a picture that
    is `given` the noise has a sigma, a number or "estimate", and nothing else. Raises BadInput for unknown names and
    values that are not allowed.
    """
    operator_class = discover.load("tasks", task).Operator
    operator = grid.signature(operator_class)
    noise = grid.signature(add_noise)
    checked = grid.check_parameters(corruption, allowed(task), where)
    if given:
        measured.check(task, operator_class, checked, where)
        noise = {"sigma": noise["sigma"]}
    elif checked.get("sigma") == measured.ESTIMATE:
        raise BadInput(f"{where}.sigma: 'estimate' is for images that are measured; must be a number")
    return (
        {name: value for name, value in checked.items() if name in operator},
        {name: parameter.default for name, parameter in noise.items()}
        | {name: value for name, value in checked.items() if name in noise},
    )


def allowed(task):
    """Return the signature of a corruption: the parameters of the task's operator, then those of the noise."""
    return grid.signature(discover.load("tasks", task).Operator, add_noise)


def filled(task, corruption):
    """Return the parameters of a corruption of a task, in a dict; those that it does not spell at their defaults."""
    defaults = {name: parameter.default for name, parameter in allowed(task).items()}
    return defaults | grid.parse_parameters(corruption)


@click.command(cls=Command, help=__doc__)
@click.argument("image", type=click.Path(exists=True, dir_okay=False))
@click.argument("task")
@click.argument("corruption")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--measured", "given", is_flag=True, help="IMAGE is the measurement: nothing is simulated")
def main(image, task, corruption, folder, given):
    """IMAGE (npy) through TASK with CORRUPTION, such as blur=5,sigma=0.01,seed=0, to FOLDER.

    Writes measurement.npz, which is all that a method gets, and picture.npy, what one sees before any recovery: the
    measurement itself if it is an image, else its back-projection Aᵀ y, (C, H, W). With --measured, IMAGE is the
    measurement, its borders tapered for a circular convolution, and the picture is IMAGE.
    """
    import torch

    from steps import measurement

    with one_line(folder):
        x = torch.from_numpy(read_array(image))
        operator, noise = parameters(task, grid.parse_parameters(corruption), task, given)
        A = discover.load("tasks", task).Operator(x.shape, **operator)
        if noise["sigma"] == measured.ESTIMATE:
            noise["sigma"] = measured.estimate_sigma(x.numpy())
            print(f"sigma is estimated to be {noise['sigma']:.4g}")
    y = measured.taper(x, A) if given else torch.from_numpy(add_noise(A.forward(x).numpy(), **noise))
    with whole(Path(folder, "picture.npy")) as temporary:
        np.save(temporary, (x if given else A.backproject(y)).numpy())
    measurement.save(Path(folder, "measurement.npz"), y, task, x.shape, operator, noise)


if __name__ == "__main__":
    main()
