import numpy as np
import pytest
import torch

from steps.inverse.matching import SIDE, match, smallest, tiles
from tests.conftest import picture


def slow(levels, reach, size, row, column):
    """Return the positions of the blocks nearest to one, by loops: its own, then by distance, then in reading order."""
    rows, columns = (n - SIDE + 1 for n in levels.shape)
    block = levels[row : row + SIDE, column : column + SIDE]
    found = []
    for y in range(max(row - reach, 0), min(row + reach + 1, rows)):
        for x in range(max(column - reach, 0), min(column + reach + 1, columns)):
            distance = np.square(levels[y : y + SIDE, x : x + SIDE] - block).sum(dtype=np.float32)
            cut = int(distance.view(np.int32)) >> 11  # 13 significant bits
            found.append(((y, x) != (row, column), cut, y * columns + x))
    return [position for _, _, position in sorted(found)[:size]]


@pytest.mark.parametrize("shape", [(16, 16), (17, 41), (40, 23), (61, 60)])
@pytest.mark.parametrize(("reach", "step"), [(12, 3), (19, 4), (22, 2)])
@pytest.mark.parametrize("noise", [0, 0.1])
def test_groups_are_those_that_loops_find(shape, reach, step, noise):
    x = picture(1, *shape)[0]
    x += noise * torch.randn(shape, generator=torch.Generator().manual_seed(0))
    low, high = x.min(), x.max()
    levels = ((x - (low + high) / 2) * (510 / (high - low))).round().numpy()
    groups = match(x, reach, 16, step).T.tolist()
    columns = shape[1] - SIDE + 1
    for group in groups[:: max(1, len(groups) // 40)] + groups[-1:]:
        assert group == slow(levels, reach, 16, group[0] // columns, group[0] % columns)


@pytest.mark.parametrize("shape", [(16, 16), (17, 41), (64, 50)])
@pytest.mark.parametrize("step", [2, 3, 4])
def test_references_leave_no_pixel_out(shape, step):
    first = match(torch.rand(shape, generator=torch.Generator().manual_seed(0)), 12, 16, step)[0]
    rows, columns = (n - SIDE + 1 for n in shape)
    seen = np.zeros(shape)
    for position in first.tolist():
        y, x = divmod(position, columns)
        seen[y : y + SIDE, x : x + SIDE] = 1
    assert seen.all() and int(first.max()) == rows * columns - 1


def test_groups_do_not_depend_on_the_contrast():
    x = picture(1, 40, 41)[0] + 0.1 * torch.randn(40, 41, generator=torch.Generator().manual_seed(0))
    assert torch.equal(match(x / 1024, 12, 16, 3), match(x, 12, 16, 3))


def test_a_reference_is_in_its_group_however_many_are_equal():
    groups = match(torch.full((40, 40), 0.3), 12, 16, 3)
    assert {0, 33 * 33 - 1} < set(groups[0].tolist()) and (groups[1:] != groups[0]).all()


@pytest.mark.parametrize("step", [2, 3, 4])
@pytest.mark.parametrize("n", range(9, 60))
def test_tiles_stand_in_the_grid_and_end_at_the_edge(n, step):
    references, starts = tiles(n, step)
    places = {start + step * i for start in starts for i in range(references)}
    assert set(range(0, n, step)) - places <= {*range(starts[-1], n)} and max(places) == n - 1


def test_the_smallest_are_those_of_a_sort():
    key = torch.randint(2**31, (50, 88), dtype=torch.int32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(smallest(key, 8), key.sort(1).values[:, :8])


@pytest.mark.parametrize("row", [0, 16, 32])
@pytest.mark.parametrize("column", [0, 15, 31])
@pytest.mark.parametrize("value", [0.9, -0.9])
def test_a_small_bright_or_dark_object_at_the_border_has_no_neighbours_beyond_it(row, column, value):
    x = 0.01 * torch.randn((40, 39), generator=torch.Generator().manual_seed(0))
    x[row : row + SIDE, column : column + SIDE] += value
    groups = match(x, 19, 32, 1)
    low, high = x.min(), x.max()
    levels = ((x - (low + high) / 2) * (510 / (high - low))).round().numpy()
    assert groups.min() >= 0 and groups.max() < 33 * 32
    [group] = [group for group in groups.T.tolist() if group[0] == row * 32 + column][:1]
    assert group == slow(levels, 19, 32, row, column)


@pytest.mark.parametrize("value", [0.3, 0.7, 1.0])
def test_a_constant_with_rounding_errors_has_groups(value):
    """The middle of two neighbouring floats is one of them."""
    x = torch.full((20, 24), value)
    x[3:9, 5:20] = torch.nextafter(x[0, 0], torch.tensor(2.0))
    groups = match(x, 12, 32, 1)
    assert groups.min() >= 0 and groups.max() < 13 * 17
    corner = groups[:, groups[0] == 0][:, 0] // 17, groups[:, groups[0] == 0][:, 0] % 17
    assert corner[0].max() <= 12 and corner[1].max() <= 12
