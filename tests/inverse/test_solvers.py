import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from steps.base.discover import load
from steps.base.errors import BadInput
from steps.inverse import solvers
from steps.inverse.operators import LinearOperator, conjugate_gradient
from steps.inverse.solvers import (
    admm,
    denoise_or_plug_in,
    first_guess,
    gradient,
    gradient_adjoint,
    half_quadratic_splitting,
    nearest,
    plug_and_play,
    smoothest,
)
from steps.methods.tv import length, shrink


def drawn(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


@pytest.mark.parametrize("shape", [(1, 7, 5), (3, 4, 9)])
def test_gradient_and_its_adjoint(shape):
    x, z = drawn(*shape), drawn(2, *shape, seed=1)
    assert float((gradient(x) * z).sum()) == pytest.approx(float((x * gradient_adjoint(z)).sum()))
    assert gradient(x)[0, 0, 2, 3] == x[0, 2, 4] - x[0, 2, 3]
    assert gradient(x)[1, 0, 2, 3] == x[0, 3, 3] - x[0, 2, 3]


@pytest.mark.parametrize("kind", ["isotropic", "anisotropic"])
def test_shrink_is_the_minimum_that_scipy_finds(kind):
    v = drawn(2, 3, 1, 2)
    for threshold in (0.2, 1.0, 5.0):

        def objective(z, threshold=threshold):
            z = torch.from_numpy(z).reshape(v.shape)
            return float((z - v).square().sum() / 2 + threshold * length(z, kind).sum())

        found = shrink(v, threshold, kind)
        best = min((minimize(objective, start, tol=1e-10) for start in (v.ravel(), found.ravel())), key=lambda r: r.fun)
        assert objective(found.numpy().ravel()) == pytest.approx(best.fun, abs=1e-6)
        np.testing.assert_allclose(found.numpy().ravel(), best.x, atol=1e-3)


STEPS = [
    ("deconvolution", {"blur": 1.0, "kernel": 5}),
    ("single_pixel", {"compression": 2.0}),
    ("single_pixel", {"patterns": "hadamard"}),
]


@pytest.mark.parametrize(("task", "settings"), STEPS)
def test_steps_towards_the_measurement_solve_their_equations(task, settings):
    A = load("tasks", task).Operator((1, 8, 12), **settings)
    y, v, g = A.forward(drawn(1, 8, 12)), drawn(1, 8, 12, seed=1), drawn(2, 1, 8, 12, seed=2)
    x, seen = nearest(A, y, 0.3)(v, A.forward(v))
    torch.testing.assert_close(A.adjoint(A.forward(x) - y) + 0.3 * (x - v), 0 * x, atol=1e-5, rtol=0)
    torch.testing.assert_close(seen, A.forward(x))
    for exact in (True, False):
        x, seen = smoothest(A, y, 0.3, exact, tolerance=1e-12)(g, 0 * v)
        left = A.adjoint(A.forward(x) - y) + 0.3 * gradient_adjoint(gradient(x) - g)
        torch.testing.assert_close(left, 0 * x, atol=1e-5, rtol=0)
        torch.testing.assert_close(seen, A.forward(x))


def test_conjugate_gradients_need_about_as_many_steps_as_there_are_unknowns_however_they_are_scaled():
    Q = torch.linalg.qr(drawn(8, 8))[0]
    M, b = Q @ torch.diag(10.0 ** torch.arange(8, dtype=torch.float64) / 1e3) @ Q.T, drawn(8, seed=1)
    x = conjugate_gradient(lambda v: M @ v, b, iterations=16, tolerance=1e-12)
    assert (M @ x - b).norm() < 1e-5 * b.norm()


def test_admm_finds_the_lasso_s_solution():
    """min ½‖x − b‖² + lam ‖D x‖₁ for an orthogonal D is soft thresholding of D b."""
    D = torch.linalg.qr(drawn(6, 6))[0]
    b, lam, rho = drawn(6, seed=1), 0.4, 0.7
    losses = []
    x, z = admm(
        lambda v, _: (b + rho * D.T @ v) / (1 + rho),
        lambda v: v.sign() * (v.abs() - lam / rho).clamp(min=0),
        lambda x: D @ x,
        torch.zeros(6, dtype=torch.float64),
        300,
        lambda iteration, x, loss: losses.append(float(loss)),
        lambda x, z: (x, (x - b).square().sum() / 2 + lam * (D @ x).abs().sum()),
    )
    expected = D.T @ ((D @ b).sign() * ((D @ b).abs() - lam).clamp(min=0))
    np.testing.assert_allclose(x.numpy(), expected.numpy(), atol=1e-8)
    np.testing.assert_allclose(z.numpy(), (D @ expected).numpy(), atol=1e-8)
    assert len(losses) == 300
    assert losses[-1] < losses[0]


def test_plug_and_play_with_a_quadratic_prior_is_tikhonov_s_solution(gray):
    """denoise = prox of ½‖x‖² / (rho · s²⁻¹): the fixed point minimises ½‖A x − y‖² + ½ lam ‖x‖², lam = rho · s²."""
    A = load("tasks", "deconvolution").Operator(gray.shape, blur=1.0, kernel=9)
    y = A.forward(gray)
    strength, rho = 0.5, 0.2
    seen = []
    estimate = plug_and_play(
        y, A, lambda v, s: v / (1 + s**2), [strength] * 400, rho, lambda i, z, loss: seen.append((i, float(loss)))
    )
    expected = A.solve(A.adjoint(y), rho * strength**2)
    np.testing.assert_allclose(estimate.numpy(), expected.numpy(), atol=1e-5)
    assert [i for i, _ in seen] == list(range(1, 401))
    assert seen[-1][1] == pytest.approx(float((A.forward(estimate) - y).square().sum() / 2))


def test_plug_and_play_is_its_three_lines_and_applies_a_dense_operator_once_an_iteration(gray, monkeypatch):
    A = load("tasks", "single_pixel").Operator(gray.shape, compression=2.0)
    y, rho, losses, forward = A.forward(gray), 0.05, [], A.forward
    applied = []
    monkeypatch.setattr(A, "forward", lambda x: applied.append(1) or forward(x))
    found = plug_and_play(y, A, lambda v, s: s * v.clamp(0, 1), [0.9] * 60, rho, lambda i, z, loss: losses.append(loss))
    assert len(applied) == 60
    solve = lambda v: A.solve(A.adjoint(y.double()) + rho * v, rho)  # noqa: E731
    x = solve(0)
    z, u = x, 0 * x
    for _ in range(60):
        x = solve(z - u)
        z = 0.9 * (x + u).clamp(0, 1)
        u = u + x - z
    torch.testing.assert_close(found.double(), z, atol=1e-5, rtol=0)
    assert float(losses[-1]) == pytest.approx(float((forward(z) - y).square().sum() / 2), rel=1e-3)


def test_half_quadratic_splitting_is_its_two_lines(gray):
    A = load("tasks", "deconvolution").Operator(gray.shape, blur=1.0, kernel=9, boundary="valid")
    y, strengths, penalties, reports = A.forward(gray), [0.9, 0.8, 0.7], [0.1, 0.2, 0.4], []
    z = 0.8 * gray
    found = half_quadratic_splitting(
        y,
        A,
        lambda v, s: s * v.clamp(0, 1),
        z,
        strengths,
        penalties,
        lambda i, z, loss: reports.append((i, float(loss))),
    )
    for strength, rho in zip(strengths, penalties):
        x = LinearOperator.solve(A, A.adjoint(y) + rho * z, rho)
        z = strength * x.clamp(0, 1)
    torch.testing.assert_close(found, z, atol=1e-5, rtol=0)
    assert [i for i, _ in reports] == [1, 2, 3]
    assert reports[-1][1] == pytest.approx(float((A.forward(z) - y).square().sum() / 2), rel=1e-3)


def test_plug_and_play_begins_with_the_first_guess_where_pixels_are_not_seen(gray):
    A = load("tasks", "inpainting").Operator(gray.shape)
    y = A.forward(gray)
    found = plug_and_play(y, A, lambda v, strength: v, [1.0], 0.5)
    hole = A.mask == 0
    torch.testing.assert_close(found[:, hole], first_guess(A, y)[0][:, hole])


@pytest.mark.parametrize("name", ["start", "strength", "rho"])
def test_in_denoising_a_schedule_would_do_nothing_and_is_refused(gray, name):
    A = load("tasks", "denoising").Operator(gray.shape)
    with pytest.raises(BadInput, match=f"{name}: not allowed in denoising, where nothing is plugged in"):
        denoise_or_plug_in(gray, A, 0.1, lambda y, sigma: y, **{name: 0.3})


def test_where_pictures_are_measured_the_penalty_rises_as_the_strength_falls(gray, monkeypatch):
    used = []
    monkeypatch.setattr(solvers, "half_quadratic_splitting", lambda *given: used.append(("splitting", *given[4:6])))
    monkeypatch.setattr(solvers, "plug_and_play", lambda *given: used.append(("admm", *given[3:5])))
    for task, rho in (("deconvolution", None), ("deconvolution", 0.5), ("single_pixel", None)):
        A = load("tasks", task).Operator(gray.shape, **({"kernel": 9} if task == "deconvolution" else {}))
        denoise_or_plug_in(A.forward(gray), A, 0.1, None, start=0.4, strength=0.1, rho=rho, iterations=3)
    splitting, given, single_pixel = used
    assert splitting[0] == "splitting" and given[0] == single_pixel[0] == "admm"
    for _, strengths, _ in used:
        assert strengths == pytest.approx([0.4, 0.2, 0.1])
    assert splitting[2] == pytest.approx([solvers.PENALTY * f for f in (1 / 16, 1 / 4, 1)])
    assert given[2] == 0.5 and single_pixel[2] == pytest.approx(1)
    denoise_or_plug_in(A.forward(gray), A, 0.01, None, admm=(0.6, 0.15, 3))  # not below the least, which sigma is
    assert used[-1][1] == pytest.approx([0.6, 0.3, 0.15]) and used[-1][2] == pytest.approx((0.01 / 0.15) ** 2)
    denoise_or_plug_in(A.forward(gray), A, 0.01, None, strength=0.9, admm=(0.6, 0.15, 3))  # nor does it rise
    assert used[-1][1] == pytest.approx([0.9] * 3)


@pytest.mark.parametrize("task", ["deconvolution", "single_pixel"])
def test_a_single_iteration_is_of_the_last_strength(task, gray):
    A, used = load("tasks", task).Operator(gray.shape), []
    denoise = lambda v, strength: used.append(strength) or v  # noqa: E731
    denoise_or_plug_in(A.forward(gray), A, 0.1, denoise, start=0.4, strength=0.1, iterations=1)
    assert used == [0.1]


def test_the_first_guess_is_the_operator_s_or_the_smoothest_image(gray):
    A = load("tasks", "inpainting").Operator(gray.shape)
    y = A.forward(gray)
    x, error = first_guess(A, y)
    assert error == solvers.ERROR
    torch.testing.assert_close(x, smoothest(A, y, 1e-2)(gradient(0 * gray), 0 * gray)[0])
    A.guess = lambda y: (0.5 * gray, 0.05)
    assert first_guess(A, y)[1] == 0.05
    A = load("tasks", "super_resolution").Operator((1, 12, 12), factor=2)
    y, seen = A.forward(torch.full((1, 12, 12), 0.5)), []
    A.guess = lambda y: (torch.full((1, 12, 12), 0.5), 0.05)
    denoise_or_plug_in(y, A, 0.0, lambda v, strength: seen.append((v, strength)) or v)
    torch.testing.assert_close(seen[0][0], torch.full((1, 12, 12), 0.5))  # explains y, so the first step keeps it
    assert [seen[0][1], seen[-1][1], len(seen)] == pytest.approx([0.05, solvers.LEAST, solvers.ITERATIONS])


@pytest.mark.parametrize("task", ["deconvolution", "single_pixel"])
def test_the_callback_is_told_how_many_iterations_there_are_if_nobody_said_it(task, gray):
    A = load("tasks", task).Operator(gray.shape)
    y, told = A.forward(gray), []
    for iterations in (None, 3):
        denoise_or_plug_in(
            *(y, A, 0.1, lambda v, strength: v),
            iterations=iterations,
            callback=lambda i, x, loss, **total: told.append((i, total)),
        )
    count = {"deconvolution": solvers.ITERATIONS, "single_pixel": 30}[task]
    assert told == [(i + 1, {"total": count}) for i in range(count)] + [(i + 1, {}) for i in range(3)]


def test_identity_is_denoised_once(gray):
    used = []
    A = load("tasks", "denoising").Operator(gray.shape)
    denoise_or_plug_in(gray, A, 0.1, lambda v, strength: used.append(strength) or v)
    assert used == [0.1]
