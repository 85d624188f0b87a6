"""Numbers that were measured and are no picture: read as they are, and of nothing that is not measured."""

import numpy as np
import pytest

from steps.base.errors import BadInput
from steps.images.load import check_image, load, prepare

NUMBERS = np.array([-5.0, 0.0, 1e6, 3.5])


@pytest.mark.parametrize(("shape", "channels"), [((4,), 1), ((1, 4), 1), ((3, 4), 3)])
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_they_are_read_as_they_are(tmp_path, shape, channels, kind):
    path = tmp_path / f"y.{kind}"
    numbers = np.broadcast_to(NUMBERS, shape) * np.arange(1, channels + 1).reshape(-1, *[1] * (len(shape) - 1))
    (np.save if kind == "npy" else np.savez)(path, numbers)
    found = prepare(load(str(path), measured=True), measured=True)
    assert found.shape == (channels, 1, 4) and found.dtype == np.float32
    np.testing.assert_array_equal(found[:, 0], np.atleast_2d(numbers))
    assert check_image({"source": str(path), "measured": True}, "x") == (1, 4)


def test_a_detector_s_whole_numbers_are_no_gray_values(tmp_path):
    np.save(tmp_path / "y.npy", np.array([1, 2, 65535], np.uint16))
    assert load(str(tmp_path / "y.npy"), measured=True).tolist() == [[1, 2, 65535]]


BAD = {
    "nan": (np.array([1.0, np.nan]), {}, "has values that are not finite"),
    "empty": (np.array([]), {}, "is empty; must have a number for each pattern"),
    "zero": (np.zeros(5), {}, "all values are 0"),
    "words": (np.array(["a", "b"]), {}, "has 2 values of type <U1; must be numbers"),
    "crop": (NUMBERS, {"crop": 2}, "crop is of pictures; what was measured here are numbers"),
    "gray": (NUMBERS, {"gray": True}, "gray is of pictures"),
    "no measurement": (NUMBERS, {"measured": False}, r"shape \(4,\) is not an image"),
    "beyond": (np.full((4, 4), 5.0), {}, None),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_with_them_is_seen_in_the_config(tmp_path, case):
    numbers, settings, words = BAD[case]
    path = str(tmp_path / "y.npy")
    np.save(path, numbers)
    if words:
        with pytest.raises(BadInput, match=words) as caught:
            check_image({"source": path, "measured": True} | settings, "images.y")
        assert "\n" not in str(caught.value)
    else:  # of a picture the header says nothing of that
        with pytest.raises(BadInput, match=r"floats must lie in \[-1, 2\]"):
            load(path, measured=True)


def test_a_picture_of_one_row_is_none_of_them(tmp_path):
    from PIL import Image

    Image.fromarray(np.full((1, 9), 50, np.uint8)).save(tmp_path / "y.png")
    with pytest.raises(BadInput, match="1x9 pixels are not allowed"):
        load(str(tmp_path / "y.png"), measured=True)
    with pytest.raises(BadInput, match="1x9 pixels are not allowed"):
        check_image({"source": str(tmp_path / "y.png"), "measured": True}, "x")
