import numpy as np
import pytest

from steps.base.errors import BadInput
from steps.images import load as image


def test_synthetic_images():
    logo = image.load("synthetic:logo")
    assert set(np.unique(logo)) == {0, 1}
    assert 0.2 < logo.mean() < 0.8
    noise = image.load("synthetic:noise")
    assert abs(noise.mean() - 0.5) < 0.01
    assert abs(noise.var() - 1 / 12) < 0.01
    with pytest.raises(BadInput, match="unknown synthetic image 'lego'.*did you mean 'logo'"):
        image.load("synthetic:lego")
