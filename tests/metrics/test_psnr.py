import math

import numpy as np
import pytest

from steps.metrics import psnr


def test_psnr_is_its_formula(colour):
    truth = colour.double().numpy()
    estimate = truth + np.random.default_rng(0).normal(0, 0.1, truth.shape)
    assert psnr.measure(truth, estimate) == pytest.approx(-10 * math.log10(np.mean((estimate - truth) ** 2)))
    assert psnr.measure(truth, truth) == math.inf
