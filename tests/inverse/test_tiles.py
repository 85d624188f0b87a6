"""Large pictures by tiles: as good as whole, and without seams."""

import itertools
import types

import numpy as np
import pytest
import torch

from steps.base import discover
from steps.inverse import tiles
from steps.inverse.call import call
from steps.inverse.measurement import Noise
from steps.inverse.noise_level import noise_level
from steps.noises import camera
from steps.tasks import deconvolution, denoising
from tests.inverse.test_noise_level import photograph

LOCAL = [name for name in discover.available("methods") if hasattr(discover.load("methods", name), "LOCAL")]


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(tiles, "SIDE", 128)
    monkeypatch.setattr(tiles, "LARGEST", 128 * 128)


@pytest.mark.parametrize("n", [100, 128, 129, 300, 1000])
@pytest.mark.parametrize("overlap", [12, 64])
def test_tiles_cover_a_side_lie_over_one_another_and_their_weights_sum_to_one(small, n, overlap):
    parts = tiles._axis(n, overlap)
    whole = torch.zeros(n)
    for place, weights in parts:
        assert place.stop - place.start == min(n, 128) == len(weights)
        assert (weights >= 0).all()
        whole[place] += weights
    torch.testing.assert_close(whole, torch.ones(n))
    assert parts[0][0].start == 0 and parts[-1][0].stop == n
    assert all(before.stop - after.start >= overlap for (before, _), (after, _) in itertools.pairwise(parts))
    for _, weights in parts[:-1]:
        assert weights[-1] <= 0.05 and weights.diff().abs().max() < 1.5 / overlap


@pytest.fixture(scope="module")
def case():
    x = photograph("camera")[:, 40:200, 100:320]
    y = camera.add(x, peak=40)
    return torch.from_numpy(y), Noise("camera", noise_level(y), camera.sigma(y))


def steps_at(image, columns):
    """Return the mean absolute difference of neighbours across columns."""
    return torch.stack([(image[..., c] - image[..., c - 1]).abs().mean() for c in columns]).mean()


@pytest.mark.parametrize("method", LOCAL)
def test_a_tiled_picture_is_the_whole_one_but_for_little_and_has_no_seams(case, method, monkeypatch, capsys):
    y, noise = case
    module = discover.load("methods", method)
    params = {"profile": "fast"} if method == "bm3d" else {}

    def recovered():
        return call(module, y, denoising.Operator(y.shape), noise.sigma, params, noise=noise)

    whole = recovered()
    monkeypatch.setattr(tiles, "SIDE", 128)
    monkeypatch.setattr(tiles, "LARGEST", 128 * 128)
    tiled = recovered()
    assert "tile 4/4  0 s left" in capsys.readouterr().out or method != "nlm"
    inner = (slice(None), slice(8, -8), slice(8, -8))  # TV takes borders to be periodic
    difference = (tiled - whole)[inner]
    assert 0 < difference.square().mean().sqrt() < 0.004
    seams = sorted(
        {end for place, _ in tiles._axis(y.shape[2], module.LOCAL) for end in (place.start, place.stop)} - {0, 220}
    )
    assert seams
    others = [c for c in range(9, 211) if min(abs(c - seam) for seam in seams) > 2]
    extra = [steps_at(difference, [c - 8 for c in columns]) for columns in (seams, others)]
    assert extra[0] < 2 * extra[1] + 1e-3


def test_only_what_is_large_local_and_denoised_is_done_by_tiles(small):
    seen = []

    def recover(y, A, sigma):
        seen.append(tuple(y.shape))
        return y

    def sizes(shape, A, **constants):
        seen.clear()
        module = types.SimpleNamespace(recover=recover, __name__="steps.methods.mine", **constants)
        y = torch.rand(shape)
        torch.testing.assert_close(call(module, y, A(shape), 0.1, {}), y)
        return seen

    shape = (3, 130, 250)
    assert sizes(shape, denoising.Operator, LOCAL=16) == [(3, 128, 128)] * 6
    assert sizes((3, 128, 128), denoising.Operator, LOCAL=16) == [(3, 128, 128)]
    assert sizes(shape, denoising.Operator) == [shape]
    assert sizes(shape, deconvolution.Operator, LOCAL=16) == [shape]


def test_a_picture_of_megapixels_is_large_and_a_tile_is_not():
    assert tiles.SIDE**2 <= tiles.LARGEST < 2e6
    assert np.prod((768, 512)) < tiles.LARGEST  # pictures of the literature are recovered whole
