import numpy as np
import pytest

from steps.look import pictures


@pytest.mark.parametrize(
    ("shape", "shown"),
    [((3, 4, 6), (3, 4, 6)), ((3, 10, 10), (3, 10, 10)), ((3, 10, 12), (3, 4, 4)), ((1, 2, 99), (1, 2, 4))],
)
def test_of_a_large_picture_the_centre_is_shown_and_a_small_one_whole(shape, shown, monkeypatch, tmp_path):
    monkeypatch.setattr(pictures, "WHOLE", 100)
    monkeypatch.setattr(pictures, "SIDE", 4)
    image = np.random.default_rng(0).random(shape)
    np.save(tmp_path / "image.npy", image)
    found = pictures.read(tmp_path / "image.npy")
    top, left = ((n - m) // 2 for n, m in zip(shape[1:], shown[1:]))
    np.testing.assert_array_equal(found, image[:, top : top + shown[1], left : left + shown[2]])
    assert found.shape == shown
