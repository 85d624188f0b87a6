import numpy as np
import pytest
import torch
from skimage.restoration import denoise_tv_chambolle

from steps.base.discover import load
from steps.base.errors import BadInput
from steps.inverse.solvers import gradient
from steps.methods.tv import recover, weight
from tests.conftest import picture


def objective(x, y, A, lam, kind):
    z = gradient(x)
    length = z.abs() if kind == "anisotropic" else z.square().sum((0, 1)).sqrt()
    return float((A.forward(x) - y).square().sum() / 2 + lam * length.sum())


def noisy(height=40, width=40):
    x = picture(1, height, width).double()
    return x + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype)


def test_agrees_with_chambolle_s_algorithm_on_denoising():
    y = noisy()
    # scikit-image's differences end at the border, ours are periodic: reflected, both see the same image
    tiled = np.pad(y[0].numpy(), ((0, 40), (0, 40)), mode="symmetric")
    tiled = torch.from_numpy(tiled)[None]
    ours = recover(tiled, load("tasks", "denoising").Operator(tiled.shape), 0.1, lam=0.1, iterations=600)
    theirs = denoise_tv_chambolle(tiled[0].numpy(), weight=0.1, eps=1e-9, max_num_iter=3000)
    assert np.abs(ours[0].numpy() - theirs).mean() < 5e-4  # at the seams, the corners of |∇x| face the other way
    A = load("tasks", "denoising").Operator(tiled.shape)
    assert objective(ours, tiled, A, 0.1, "isotropic") <= objective(
        torch.from_numpy(theirs)[None], tiled, A, 0.1, "isotropic"
    )


@pytest.mark.parametrize("kind", ["isotropic", "anisotropic"])
@pytest.mark.parametrize(
    "task, settings", [("denoising", {}), ("deconvolution", {"kernel": 5, "blur": 1.0}), ("single_pixel", {})]
)
def test_no_small_change_lowers_the_objective(kind, task, settings):
    y = noisy(12, 12)
    A = load("tasks", task).Operator(y.shape, **settings)
    y = A.forward(y)
    x = recover(y, A, 0.1, lam=0.05, iterations=1500, kind=kind)
    best = objective(x, y, A, 0.05, kind)
    generator = torch.Generator().manual_seed(1)
    for size in (1e-1, 1e-2, 1e-3):
        for _ in range(50):
            step = size * torch.randn(x.shape, generator=generator, dtype=x.dtype)
            assert objective(x + step, y, A, 0.05, kind) > best - 1e-7 * best


def test_inner_steps_come_near_the_exact_ones_and_are_refused_where_the_step_is_exact():
    y = noisy(12, 12)
    A = load("tasks", "single_pixel").Operator(y.shape, compression=2.0)
    exact, few, many = (recover(A.forward(y), A, 0.1, iterations=10, inner=inner) for inner in (None, 1, 200))
    assert (few - exact).norm() / exact.norm() > 1e-3
    assert (many - exact).norm() / exact.norm() < 0.1 * (few - exact).norm() / exact.norm()
    with pytest.raises(BadInput, match="inner: not allowed where A is a convolution"):
        recover(y, load("tasks", "deconvolution").Operator(y.shape, kernel=5), 0.1, inner=3)


def test_the_callback_s_objective_falls():
    y = noisy()
    losses = []
    A = load("tasks", "deconvolution").Operator(y.shape, kernel=9, blur=2.0)
    recover(y, A, 0.1, iterations=60, callback=lambda iteration, x, loss: losses.append(float(loss)))
    assert losses[-1] < losses[5] < losses[0]


@pytest.mark.parametrize(
    "task, settings", [("denoising", {}), ("deconvolution", {"kernel": 9, "blur": 1.5}), ("single_pixel", {})]
)
def test_the_default_weight_is_that_of_the_matrices(task, settings):
    N = 1024
    A = load("tasks", task).Operator((1, 32, 32), **settings)
    images = torch.eye(N, dtype=torch.float64).reshape(N, 1, 32, 32)
    columns = A.forward(images.float()).reshape(N, -1).double()
    D = gradient(images).transpose(0, 1).reshape(N, -1).T
    g = columns.square().sum(1).mean().sqrt()
    h = (torch.linalg.pinv(D.T) @ columns).square().sum().div(N).sqrt()  # of the least w with Dᵀ w = Aᵀ n
    for sigma in (0.01, 0.3):
        expected = 0.85 * sigma * h * g * sigma / (g * sigma + 0.02)
        measured = weight(A, A.forward(torch.zeros(1, 32, 32)), sigma, coupled=True)
        assert measured == pytest.approx(float(expected), rel=0.15)


def test_the_default_weight_is_kept_from_zero_and_counts_coupled_colours():
    A = load("tasks", "denoising").Operator((3, 32, 32))
    y = torch.zeros(3, 32, 32)
    assert weight(A, y, 0.0, coupled=True) == weight(A, y, 0.001, coupled=True) > 0
    assert weight(A, y, 0.1, coupled=True) == pytest.approx(3**0.5 * weight(A, y, 0.1, coupled=False))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sigma", [0.02, 0.1, 0.3])
def test_no_other_weight_is_much_better_than_the_default(channels, sigma):
    from skimage.data import camera, coffee

    x = camera()[60:316:2, 120:376:2, None] if channels == 1 else coffee()[40:360:2, 150:470:2]
    x = torch.from_numpy(x.transpose(2, 0, 1).copy()).float() / 255
    y = x + sigma * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    for task, settings in [("denoising", {}), ("deconvolution", {"kernel": 9, "blur": 1.5})]:
        A = load("tasks", task).Operator(x.shape, **settings)
        seen = A.forward(x) + (y - x)
        lam = weight(A, seen, sigma, coupled=True)
        errors = [float((recover(seen, A, sigma, lam=lam * f) - x).square().mean()) for f in (1, 0.25, 0.5, 2, 4)]
        assert errors[0] < 10**0.05 * min(errors)  # half a decibel


@pytest.mark.parametrize("inner", [None, 20])
def test_where_only_the_mean_is_seen_the_image_is_flat(inner):
    x = picture(1, 16, 16)
    A = load("tasks", "single_pixel").Operator(x.shape, patterns=np.ones((5, 256), np.float32))
    found = recover(A.forward(x), A, 0.01, inner=inner)
    torch.testing.assert_close(found, x.mean().expand(found.shape), atol=1e-3, rtol=0)
