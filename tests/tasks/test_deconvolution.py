import numpy as np
import pytest
import scipy.ndimage
import torch

from steps.base.errors import BadInput
from steps.tasks.deconvolution import Operator, gaussian


def test_is_scipy_s_circular_convolution(gray):
    kernel = gaussian(9, 2.0).numpy()
    expected = scipy.ndimage.convolve(gray[0].double().numpy(), kernel, mode="wrap")
    found = Operator(gray.shape, blur=2.0, kernel=9).forward(gray.double())[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_wide_kernel_is_scipy_s_gaussian_filter():
    x = torch.rand(1, 64, 64, dtype=torch.float64)
    expected = scipy.ndimage.gaussian_filter(x[0].numpy(), 2.0, mode="wrap", radius=12)
    found = Operator(x.shape, blur=2.0, kernel=25).forward(x)[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("kernel, words", [(8, "8.*odd"), (65, "65.*larger.*40x40.*at most 40")])
def test_kernels_that_do_not_fit_are_refused(gray, kernel, words):
    with pytest.raises(BadInput, match=words):
        Operator(gray.shape, kernel=kernel)
