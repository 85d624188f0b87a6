"""Theorems that every operator must obey; a new file in steps/tasks is tested because it is there.

With its defaults, and with each of the parameters that the list TRIED of its file has.
"""

import pytest
import torch

from steps.base import discover
from steps.base.errors import BadInput
from steps.inverse.operators import LinearOperator

SHAPES = [(1, 48, 48), (3, 37, 41), (1, 64, 64)]


def takes(operator, shape, settings):
    """Return whether an operator with settings is of a shape; some want powers of 2, as the last one has."""
    if operator.channels not in (None, shape[0]):
        return False
    try:
        operator(shape, **settings)
    except BadInput:
        return shape == SHAPES[-1]  # where it fails
    return True


CASES = [
    pytest.param((task, settings, shape), id=f"{task}-{settings}-{'x'.join(map(str, shape))}")
    for task in discover.available("tasks")
    for settings in [{}, *getattr(discover.load("tasks", task), "TRIED", [])]
    for shape in SHAPES
    if takes(discover.load("tasks", task).Operator, shape, settings)
]


@pytest.fixture(params=CASES)
def case(request):
    task, settings, shape = request.param
    generator = torch.Generator().manual_seed(1)
    A = discover.load("tasks", task).Operator(shape, **settings)
    A.said = settings
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    y = torch.randn(A.forward(x).shape, generator=generator, dtype=torch.float64)
    return A, x, y


def close(a, b, tolerance):
    assert (a - b).norm() <= tolerance * b.norm(), f"{a.flatten()[:4]} against {b.flatten()[:4]}"


def test_what_measures_pictures_takes_one_for_its_measurement(case):
    """Of whatever shape: of an image of the shape that the picture is of, A would have measured as much."""
    A, x, _ = case
    assert A.pictures in (True, False)
    if A.pictures:
        channels, height, width = pictured(A, x)
        make, settings = type(A), A.said
        B = make(make.image_shape((channels, height, width), **settings), **settings)
        assert B.measured(torch.zeros(channels, height, width)).shape == B.forward(torch.zeros(B.shape)).shape


def test_what_measures_numbers_takes_them_for_its_measurement(case):
    """They are of a square image, where nothing else is known of it, and `unit` times what A measures of that."""
    A, x, _ = case
    assert A.numbers in (True, False) and not (A.numbers and A.pictures)
    if A.numbers and "patterns" in A.said and x.shape[-2] == x.shape[-1]:
        y = A.forward(x)
        make, given = type(A), A.unit * y[:, None]
        B = make(make.image_shape(given.shape, **A.said), **A.said)
        assert B.shape == A.shape
        close(B.measured(given), y, 1e-12)


def pictured(A, x):
    """Return the shape of a picture that a photo would be of, which A measures."""
    shape = A.forward(x).shape
    return shape if len(shape) == 3 else x.shape


@pytest.mark.parametrize(
    ("task", "pictures", "alike"),
    [
        ("deconvolution", True, True),
        ("demosaicking", True, False),
        ("denoising", True, True),
        ("inpainting", True, False),
        ("single_pixel", False, False),
        ("super_resolution", True, False),
    ],
)
def test_a_photo_can_be_a_measurement_of_all_but_single_pixel_and_two_are_like_the_image(task, pictures, alike):
    A = discover.load("tasks", task).Operator
    assert (A.pictures, A.numbers, A.alike) == (pictures, not pictures, alike)


def test_adjoint_passes_the_dot_test(case):
    A, x, y = case
    left, right = (A.forward(x) * y).sum(), (x * A.adjoint(y)).sum()
    assert abs(left - right) <= 1e-10 * A.forward(x).norm() * y.norm(), f"{left} against {right}"


def test_sees_the_mean(case):
    A, x, _ = case
    flat = torch.ones_like(x)
    assert A.forward(flat).square().mean() > 0.1


def test_constant_images_come_back(case):
    A, x, _ = case
    flat = torch.full_like(x, 0.5)
    back = A.solve(A.adjoint(A.forward(flat)), 1e-6)
    assert abs(back.mean() - 0.5) < 0.5 * 0.95  # something of the mean survives even at the highest compression


def test_is_linear(case):
    A, x, y = case
    other = A.adjoint(y)
    close(A.forward(2 * x - 3 * other), 2 * A.forward(x) - 3 * A.forward(other), 1e-12)


@pytest.mark.parametrize("rho", [1e-2, 10.0])
def test_solve_agrees_with_conjugate_gradients(case, rho):
    A, x, _ = case
    close(A.solve(x, rho), LinearOperator.solve(A, x, rho), 1e-5)
    close(A.adjoint(A.forward(A.solve(x, rho))) + rho * A.solve(x, rho), x, 1e-5)


def test_treats_channels_alike_and_batches(case):
    A, x, y = case
    stacked = torch.stack([x, 2 * x])
    close(A.forward(stacked)[1], 2 * A.forward(x), 1e-12)
    close(A.adjoint(torch.stack([y, -y]))[0], A.adjoint(y), 1e-12)
    close(A.solve(stacked, 0.5)[0], A.solve(x, 0.5), 1e-5)
    if x.shape[0] == 3 and A.channels is None:
        swapped = x[[2, 0, 1]]
        close(A.forward(swapped), A.forward(x)[[2, 0, 1]], 1e-12)


def test_is_differentiable_and_follows_the_dtype(case):
    A, x, _ = case
    x = x.float().requires_grad_()
    y = A.forward(x)
    assert y.dtype == torch.float32
    y.square().sum().backward()
    close(x.grad, 2 * A.adjoint(A.forward(x)).detach(), 1e-4)


def test_backprojection_has_the_image_s_shape(case):
    A, x, y = case
    assert A.backproject(y).shape == x.shape
