import numpy as np
import pytest
import torch

from steps.methods import bilinear
from steps.tasks.demosaicking import Operator
from tests.tasks.test_demosaicking import PATTERNS


def slow(mosaic, seen):
    """Return the means of the nearest pixels that have a colour, of those beside one first: mosaic (H, W)."""
    height, width = mosaic.shape
    result = np.zeros(seen.shape)
    for c, i, j in np.ndindex(seen.shape):
        rings = [[(0, 0)], [(-1, 0), (1, 0), (0, -1), (0, 1)], [(-1, -1), (-1, 1), (1, -1), (1, 1)]]
        for ring in rings:
            places = [(i + di, j + dj) for di, dj in ring if 0 <= i + di < height and 0 <= j + dj < width]
            values = [mosaic[place] for place in places if seen[(c, *place)]]
            if values:
                result[c, i, j] = np.mean(values)
                break
    return result


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("size", [(2, 2), (7, 6)])
def test_is_the_mean_of_the_nearest_pixels(pattern, size):
    A = Operator((3, *size), pattern=pattern)
    y = torch.rand(1, *size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = slow(y[0].numpy(), A.adjoint(torch.ones_like(y)).numpy())
    np.testing.assert_allclose(bilinear.recover(y, A, 0.0).numpy(), expected, atol=1e-12)


def test_a_flat_image_comes_back_up_to_its_border():
    x = torch.tensor([0.2, 0.5, 0.9])[:, None, None].expand(3, 9, 8)
    A = Operator(x.shape)
    torch.testing.assert_close(bilinear.recover(A.forward(x), A, 0.0), x)
