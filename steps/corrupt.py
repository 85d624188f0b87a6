"""Simulate a measurement y = noise(A x), drawn once and shared by every method; or take a picture as one."""

import math
from pathlib import Path

import click
import numpy as np

from steps.base import discover
from steps.base.errors import BadInput, Command, one_line
from steps.base.files import read_array, whole
from steps.base.parameters import keywords, parse_parameters
from steps.plan import corruptions


@click.command(cls=Command, help=__doc__)
@click.argument("image", type=click.Path(exists=True, dir_okay=False))
@click.argument("task")
@click.argument("corruption")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--measured", is_flag=True, help="IMAGE is the measurement: nothing is simulated")
@click.option("--file", "files", type=click.Path(exists=True), multiple=True, help="NAME.npy, the file NAME")
def main(image, task, corruption, folder, measured, files):
    """IMAGE (NPY) is measured by TASK with CORRUPTION, such as blur=5,sigma=0.01,seed=0.

    Writes two files to FOLDER: measurement.npz is all that a method gets, and picture.npy is what one sees before any
    recovery. That is the measurement if it is an image, else its back-projection Aᵀ y, (C, H, W).

    With --measured, IMAGE is the measurement, and the picture, too, if it has the image's shape. The measurement's
    borders are tapered for a circular convolution. Numbers that are no picture, (C, 1, M), are divided by the
    operator's `unit`, and so is sigma.
    """
    with one_line(folder):
        simulate(
            read_array(image), task, corruption, folder, measured, {Path(file).stem: read_array(file) for file in files}
        )


def simulate(image, task, corruption, folder, measured=False, numbers=None):
    """Write measurement.npz and picture.npy of an image (C, H, W) to a folder, as `main` says.

    numbers  {name: content} of the files that are parameters. Raises BadInput for a task or corruption not allowed.
    """
    import torch

    from steps.inverse import measurement

    said = parse_parameters(corruption)
    x = torch.from_numpy(image)
    operator, noise = corruptions.parameters(task, said, task, measured)
    if measured:
        shape, contents = corruptions.fitted(task, said, numbers or {}, x.shape)
    else:
        shape, contents = x.shape, corruptions.contents(task, said, numbers or {}, x.shape[-2:])
    A = discover.load("tasks", task).Operator(shape, **operator | contents)
    module = corruptions.noise_of(said)
    if measured:
        y, seen = A.measured(x), x
    else:
        clean = A.forward(x)
        if not isinstance(clean, torch.Tensor):
            raise BadInput(f"steps/tasks/{task}.py: forward gives a {type(clean).__name__}; must be a torch tensor")
        clean = clean.numpy()
        y = seen = torch.from_numpy(_checked(module.add(clean, **noise), clean, module))
        if hasattr(module, "settle"):
            noise |= module.settle(clean, **_named(module.settle, noise))
    sigma = module.sigma(seen.numpy().copy(), **_named(module.sigma, noise))
    if sigma is None:
        raise BadInput(f"{_file(module)}: sigma gives None; must be a number >= 0")
    sigma = float(sigma)
    if not 0 <= sigma < math.inf:
        raise BadInput(f"{_file(module)}: sigma gives {sigma:g}; must be a number >= 0")
    if hasattr(module, "estimate"):  # all that methods are told of the noise is found in y
        noise, sentence = module.estimate(seen.numpy())
        print(sentence)
    if said.get("sigma", 0) != sigma:
        print(f"sigma is {'estimated to be ' * measured}{sigma:.4g}")
    noise |= {"sigma": sigma} if noise.get("sigma") == corruptions.ESTIMATE else {}
    if A.blind:
        print("the measurement says nothing of the image's mean brightness: that of a recovery is a guess")
    if measured and A.unit != 1:
        sigma /= A.unit
        noise |= {"sigma": sigma}
        print(f"y and sigma are divided by {A.unit:.4g}: sigma is {sigma:.4g} for images in [0, 1]")
    noise.pop("seed", None)
    known = measurement.Noise(module.__name__.rpartition(".")[2], noise, sigma)
    with whole(Path(folder, "picture.npy")) as temporary:
        np.save(temporary, (seen if seen.shape == A.shape else A.backproject(y)).numpy())
    measurement.save(Path(folder, "measurement.npz"), y, task, A.shape, operator, known, contents)


def _checked(noisy, clean, module):
    """Return what a noise gave of `clean` as float32. Raises BadInput unless it is an array like that, of numbers."""
    if not isinstance(noisy, np.ndarray) or noisy.shape != clean.shape or noisy.dtype.kind not in "fiu":
        found = f"{noisy.dtype} of shape {noisy.shape}" if isinstance(noisy, np.ndarray) else type(noisy).__name__
        raise BadInput(f"{_file(module)}: add gives {found}; must be an array of numbers of shape {clean.shape}")
    if not np.isfinite(noisy).all():
        raise BadInput(f"{_file(module)}: add gives values that are not finite")
    return noisy.astype(np.float32, copy=False)


def _file(module):
    return f"{module.__name__.replace('.', '/')}.py"


def _named(function, parameters):
    return {name: parameters[name] for name in keywords(function) if name in parameters}


if __name__ == "__main__":
    main()
