import inspect

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import torch

from steps.base.errors import BadInput
from steps.inverse.kernels import gaussian, response
from steps.methods import richardson_lucy, tv, wiener
from steps.noises.gaussian import add
from steps.tasks.deconvolution import Operator, kernel_of
from tests.conftest import picture


def test_is_scipy_s_circular_convolution(gray):
    kernel = gaussian(9, 2.0)
    expected = scipy.ndimage.convolve(gray[0].double().numpy(), kernel, mode="wrap")
    found = Operator(gray.shape, blur=2.0, kernel=9).forward(gray.double())[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_wide_kernel_is_scipy_s_gaussian_filter():
    x = torch.rand(1, 64, 64, dtype=torch.float64)
    expected = scipy.ndimage.gaussian_filter(x[0].numpy(), 2.0, mode="wrap", radius=12)
    found = Operator(x.shape, blur=2.0, kernel=25).forward(x)[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_the_default_is_the_blur_of_anderson_s_section_5_1_also_of_a_measured_picture(gray):
    torch.testing.assert_close(Operator(gray.shape).transfer, response(gaussian(35, 5.0), gray.shape[1:]))
    operator, kernel = (inspect.signature(made).parameters for made in (Operator, kernel_of))
    assert {name: p.default for name, p in kernel.items()} == {name: operator[name].default for name in kernel}


@pytest.mark.parametrize("kernel, words", [(8, "8.*odd"), (65, "65x65 kernel is larger than the 40x40")])
def test_kernels_that_do_not_fit_are_refused(gray, kernel, words):
    with pytest.raises(BadInput, match=words):
        Operator(gray.shape, kernel=kernel)


KERNELS = [
    pytest.param({"psf": np.arange(1.0, 1 + h * w).reshape(h, w)}, id=f"{h}x{w}") for h, w in [(5, 7), (4, 6), (1, 3)]
]


@pytest.mark.parametrize("settings", KERNELS)
def test_reflect_mirrors_the_image(gray, settings):
    tall, wide = settings["psf"].shape
    x = np.pad(gray[0].double().numpy(), ((tall, tall), (wide, wide)), mode="symmetric")
    A = Operator((1, *x.shape), **settings)
    expected = A.forward(torch.from_numpy(x[None]))[0, tall:-tall, wide:-wide]
    found = Operator(gray.shape, **settings, boundary="reflect").forward(gray.double())[0]
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)
    if tall % 2:
        k = settings["psf"] / settings["psf"].sum()
        scipys = scipy.ndimage.convolve(gray[0].double().numpy(), k, mode="reflect")
        np.testing.assert_allclose(found.numpy(), scipys, atol=1e-12)


@pytest.mark.parametrize("settings", KERNELS)
def test_valid_is_scipy_s_and_what_of_the_circular_one_needs_no_other_side(gray, settings):
    k = settings["psf"]
    expected = scipy.signal.convolve2d(gray[0].double().numpy(), k / k.sum(), mode="valid")
    A = Operator(gray.shape, **settings, boundary="valid")
    found = A.forward(gray.double())
    np.testing.assert_allclose(found[0].numpy(), expected, atol=1e-12)
    assert A.image_shape(found.shape, **settings, boundary="valid") == gray.shape
    seen = A.backproject(found)
    assert seen.shape == gray.shape and A._margins() != (0, 0, 0, 0)
    torch.testing.assert_close(seen, Operator(gray.shape, **settings).forward(gray.double()), atol=0.6, rtol=0)


@pytest.mark.parametrize(("boundary", "tapered"), [("circular", True), ("reflect", False), ("valid", False)])
def test_a_measured_picture_is_tapered_for_a_circular_convolution_only(gray, boundary, tapered):
    A = Operator(gray.shape, kernel=9, boundary=boundary)
    assert torch.equal(A.measured(gray), gray) is not tapered


def test_no_ringing_enters_from_an_unknown_border():
    """A scene goes on beyond what is seen; a circular convolution, even of a tapered picture, takes it for wrong."""
    scene = picture(1, 160, 160)
    motion = {"psf": "motion", "length": 21.0, "angle": 30.0}
    y = Operator(scene.shape, **motion, boundary="valid").forward(scene)
    y = torch.from_numpy(add(y.numpy(), sigma=0.005))
    errors = {}
    for boundary in ("circular", "valid"):
        A = Operator(Operator.image_shape(y.shape, **motion, boundary=boundary), **motion, boundary=boundary)
        for method in (wiener, tv):
            found = method.recover(A.measured(y), A, 0.005)
            errors[boundary, method.LABEL] = float((centre(found) - centre(scene)).square().mean().sqrt())
    for label in ("Wiener", "TV"):
        assert errors["valid", label] < 0.9 * errors["circular", label], errors


def centre(x, side=120):
    return x[:, (x.shape[1] - side) // 2 :, (x.shape[2] - side) // 2 :][:, :side, :side]


@pytest.mark.parametrize("boundary", ["reflect", "valid"])
def test_richardson_lucy_keeps_a_constant_up_to_an_unknown_border(boundary):
    """A pixel that y hardly sees stays as it is: divided by what it gives, it would be rounding."""
    A = Operator((1, 64, 64), blur=5.0, kernel=35, boundary=boundary)
    flat = torch.full((1, 64, 64), 0.5)
    torch.testing.assert_close(richardson_lucy.recover(A.forward(flat), A, 0.0), flat, atol=1e-3, rtol=0)
