import numpy as np
import pytest
import torch
from PIL import Image
from skimage.measure import block_reduce

from steps.tasks.super_resolution import Operator, box, cubic, lanczos, resizing


def keys(t):
    """Return Keys' kernel as his paper writes it, a = −1/2."""
    t = abs(t)
    if t < 1:
        return 1.5 * t**3 - 2.5 * t**2 + 1
    return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0


def sinc(t):
    return np.sinc(t) * np.sinc(t / 2) if abs(t) < 2 else 0


def half(t):
    return float(-0.5 <= t < 0.5)


SLOW = {"bicubic": keys, "lanczos": sinc, "box": half}


def slowly(line, count, scale, kernel):
    """Return a line resized by MATLAB's imresize: contributions() with its indices from 1, in loops."""
    size, widened = len(line), min(scale, 1)
    mirrored = [*range(size), *reversed(range(size))]
    found = []
    for i in range(1, count + 1):
        u = i / scale + 0.5 * (1 - 1 / scale)
        left = int(np.floor(u - 2 / widened))
        near = range(left, left + int(np.ceil(4 / widened)) + 2)
        weights = [widened * kernel(widened * (u - j)) for j in near]
        values = [line[mirrored[(j - 1) % (2 * size)]] for j in near]
        found.append(np.dot(weights, values) / sum(weights))
    return np.array(found)


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize("factor", [2, 3, 4, 8])
@pytest.mark.parametrize("size", [5, 24, 37])
def test_it_is_imresize_in_loops(name, factor, size):
    x = torch.from_numpy(np.random.default_rng(size).random((1, size, size + 3)))
    A = Operator(x.shape, factor=factor, filter=name)
    height, width = -(-size // factor), -(-(size + 3) // factor)
    rows = np.stack([slowly(line, height, 1 / factor, SLOW[name]) for line in x[0].numpy().T], 1)
    expected = np.stack([slowly(line, width, 1 / factor, SLOW[name]) for line in rows])
    assert A.forward(x).shape == (1, height, width)
    np.testing.assert_allclose(A.forward(x)[0].numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("kernel, slow", [(cubic, keys), (lanczos, sinc), (box, half)])
@pytest.mark.parametrize("count", [36, 33])
def test_enlarging_is_imresize_in_loops_too(kernel, slow, count):
    line = np.random.default_rng(0).random(9)
    found = resizing(9, count, 4, kernel) @ torch.from_numpy(line)
    np.testing.assert_allclose(found.numpy(), slowly(line, count, 4, slow), atol=1e-12)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_bicubic_is_pillow_s_but_for_borders(factor):
    x = np.random.default_rng(0).random((16 * factor, 20 * factor)).astype(np.float32)
    expected = np.asarray(Image.fromarray(x).resize((20, 16), Image.Resampling.BICUBIC))
    found = Operator((1, *x.shape), factor=factor).forward(torch.from_numpy(x)[None])[0].numpy()
    np.testing.assert_allclose(found[2:-2, 2:-2], expected[2:-2, 2:-2], atol=1e-6)


@pytest.mark.parametrize("size", [(24, 36), (22, 35)])
def test_the_box_is_the_mean_of_blocks(size):
    x = np.random.default_rng(0).random(size)
    whole = np.pad(x, [(0, -side % 4) for side in size], mode="symmetric")
    found = Operator((1, *size), filter="box").forward(torch.from_numpy(x)[None])[0].numpy()
    np.testing.assert_allclose(found, block_reduce(whole, (4, 4), np.mean), atol=1e-12)


@pytest.mark.parametrize("filter", SLOW)
@pytest.mark.parametrize("shape", [(1, 2, 3), (1, 32, 32), (3, 41, 30)])
def test_a_constant_stays_what_it_is(filter, shape):
    A = Operator(shape, filter=filter)
    flat = torch.full(shape, 0.3)
    assert A.forward(flat).numpy() == pytest.approx(0.3, abs=1e-6)
    assert A.backproject(A.forward(flat)).numpy() == pytest.approx(0.3, abs=1e-6)


@pytest.mark.parametrize("rho", [1e-6, 1e-2, 3.0])
@pytest.mark.parametrize("settings", [{}, {"factor": 3, "filter": "box"}, {"factor": 2, "filter": "lanczos"}])
def test_solve_is_a_dense_solve(rho, settings):
    A = Operator((1, 13, 10), **settings)
    matrix = torch.kron(A.rows, A.columns)
    b = torch.randn(1, 13, 10, generator=torch.Generator().manual_seed(0))
    expected = torch.linalg.solve(matrix.T @ matrix + rho * torch.eye(130, dtype=torch.float64), b.double().flatten())
    found = A.solve(b, rho)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.flatten().numpy(), expected.numpy(), rtol=1e-5, atol=1e-6 * expected.abs().max())
    np.testing.assert_allclose(A.solve(b.double(), rho).flatten(), expected, atol=1e-9 * expected.abs().max())


def test_solve_in_float32_does_not_cancel():
    """Of what y sees: (b − …) / rho is a millionth of b / rho."""
    A = Operator((1, 13, 10), factor=2)
    b = A.adjoint(A.forward(torch.rand(1, 13, 10, generator=torch.Generator().manual_seed(0))))
    expected = A.solve(b.double(), 1e-6)
    assert (A.solve(b, 1e-6).double() - expected).norm() < 2e-2 * expected.norm()


def test_a_picture_is_of_an_image_factor_times_as_large():
    assert Operator.image_shape((3, 5, 7)) == (3, 20, 28)
    assert Operator.image_shape((1, 5, 7), factor=2, filter="box") == (1, 10, 14)
    picture = torch.rand(3, 5, 7)
    A = Operator(Operator.image_shape(picture.shape))
    assert A.measured(picture) is picture
    seen = A.backproject(picture)
    assert (
        seen.shape == A.shape and torch.equal(seen[:, ::4, ::4], picture) and torch.equal(seen[:, 3::4, 3::4], picture)
    )


def test_what_one_sees_begins_at_the_upper_left_and_is_cut_at_the_lower_right():
    seen = Operator((1, 13, 13)).backproject(torch.arange(16.0).reshape(1, 4, 4))[0]
    assert (seen[:4, :4] == 0).all() and (seen[:4, 4:8] == 1).all() and seen[12, 12] == 15
