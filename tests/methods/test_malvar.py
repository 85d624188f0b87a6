import pytest
import torch

from steps.methods import bilinear, malvar
from steps.tasks.demosaicking import Operator
from tests.tasks.test_demosaicking import PATTERNS


def random(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def recovered(x, pattern="RGGB", method=malvar):
    A = Operator(x.shape, pattern=pattern)
    return method.recover(A.forward(x), A, 0.0)


def test_is_the_paper_s_formula_at_inner_pixels():
    A = Operator((3, 12, 12))
    y = random(1, 12, 12)
    x, m = malvar.recover(y, A, 0.0), y[0]
    i, j = 4, 6  # red, of RGGB
    around = m[i - 2, j] + m[i + 2, j] + m[i, j - 2] + m[i, j + 2]
    laplacian = m[i, j] - around / 4
    cross = (m[i - 1, j] + m[i + 1, j] + m[i, j - 1] + m[i, j + 1]) / 4
    corners = (m[i - 1, j - 1] + m[i - 1, j + 1] + m[i + 1, j - 1] + m[i + 1, j + 1]) / 4
    expected = torch.stack((m[i, j], cross + laplacian / 2, corners + 3 / 4 * laplacian))
    torch.testing.assert_close(x[:, i, j], expected)
    i, j = 4, 5  # green, its row red
    corners = m[i - 1, j - 1] + m[i - 1, j + 1] + m[i + 1, j - 1] + m[i + 1, j + 1]
    along, up = m[i, j - 2] + m[i, j + 2], m[i - 2, j] + m[i + 2, j]
    red = (m[i, j - 1] + m[i, j + 1]) / 2 + (5 * m[i, j] - corners - along + up / 2) / 8
    blue = (m[i - 1, j] + m[i + 1, j]) / 2 + (5 * m[i, j] - corners - up + along / 2) / 8
    torch.testing.assert_close(x[:, i, j], torch.stack((red, m[i, j], blue)))


def test_a_gray_ramp_comes_back():
    row, column = torch.meshgrid(torch.arange(12.0), torch.arange(14.0), indexing="ij")
    x = (0.1 + 0.02 * row + 0.03 * column).expand(3, 12, 14)
    torch.testing.assert_close(recovered(x)[:, 2:-2, 2:-2], x[:, 2:-2, 2:-2])


def test_flat_colours_come_back_up_to_the_border():
    x = torch.full((3, 7, 6), 0.3)
    torch.testing.assert_close(recovered(x), x)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("method", [bilinear, malvar])
def test_the_patterns_are_one_shifted_by_a_pixel(method, pattern):
    x = random(3, 20, 20)
    di, dj = divmod(pattern.index("R"), 2)  # from there on the mosaic is RGGB
    shifted, expected = recovered(x, pattern, method)[:, di:, dj:], recovered(x[:, di:, dj:], "RGGB", method)
    torch.testing.assert_close(shifted[:, 2:-2, 2:-2], expected[:, 2:-2, 2:-2])


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_mirror_keeps_each_pixel_s_colour(pattern):
    """So a scene that is its own mirror image is recovered alike at a border and inside."""
    x = random(3, 9, 9)
    mirrored = torch.nn.functional.pad(x[None], (4, 4, 4, 4), mode="reflect")[0]
    torch.testing.assert_close(recovered(x, pattern), recovered(mirrored, pattern)[:, 4:-4, 4:-4])


@pytest.mark.parametrize("size", [(2, 2), (2, 7), (3, 2)])
def test_small_mosaics_are_recovered(size):
    assert torch.isfinite(recovered(random(3, *size))).all()


def test_is_better_than_bilinear_where_colours_change_alike():
    """By 5 dB on Kodak's images (Malvar, He, Cutler 2004); here on smooth textures, colours unlike in contrast."""
    texture = torch.nn.functional.avg_pool2d(random(1, 200, 200), 5, 1)
    x = torch.cat([0.2 + contrast * texture for contrast in (0.9, 1.0, 0.8)])
    errors = [(recovered(x, method=method) - x).square().mean() for method in (bilinear, malvar)]
    assert errors[0] > 2 * errors[1]
