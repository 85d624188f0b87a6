import pytest
import torch

from steps.errors import BadInput
from steps.networks import Hourglass, build, smallest_side


def test_has_the_reference_s_number_of_parameters():
    """5 × 128 without skips, 2 inputs, 3 outputs, as in the deep-image-prior notebooks."""
    assert sum(p.numel() for p in Hourglass(2, 3, 128, 5).parameters()) == 2_157_955


@pytest.mark.parametrize("size", [(32, 32), (33, 50), (9, 9), (9, 64), (40, 31)])
def test_any_size_comes_back(size):
    image = Hourglass(4, 3, 8, 3)(torch.rand(1, 4, *size))
    assert image.shape == (1, 3, *size) and image.min() > 0 and image.max() < 1


def test_smallest_side_is_the_smallest():
    for scales in (1, 2, 3, 4, 5):
        side = smallest_side(scales)
        network = Hourglass(2, 1, 4, scales)
        assert torch.isfinite(network(torch.rand(1, 2, side, side))).all()
        with pytest.raises(BadInput, match=f"scales={scales}, which needs {side}"):
            network(torch.rand(1, 2, side - 1, side))


def test_build_draws_from_the_seed_and_leaves_the_global_state():
    state = torch.random.get_rng_state()
    weights = [next(build(lambda: Hourglass(2, 1, 4, 2), seed).parameters()) for seed in (0, 0, 1)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.random.get_rng_state(), state)
