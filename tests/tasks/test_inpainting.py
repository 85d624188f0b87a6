"""Inpainting: what each mask sees, masks from files, and a scratched photo through `try` and a config."""

import hashlib
import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from steps.base.errors import BadInput
from steps.images import contents
from steps.inverse import measurement
from steps.inverse.solvers import smoothest
from steps.methods import biharmonic, wiener
from steps.plan import corruptions
from steps.tasks.inpainting import GLYPHS, TEXT, Operator, as_mask, stroke
from tests.conftest import picture
from tests.workflows import ROOT, snakemake


def seen(shape=(1, 40, 50), **parameters):
    """Return the mask of an operator as an array of 0 and 1."""
    return Operator(shape, **parameters).mask.numpy()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.73, 1.0])
def test_a_random_mask_sees_its_share(share):
    assert seen(seen=share).sum() == round(share * 2000)
    assert seen((1, 2, 3), seen=1e-9).sum() == 1  # never none
    assert seen((1, 3, 3), seen=0.99).sum() == 9  # the nearest number


def test_a_random_mask_is_random_everywhere():
    quarters = seen((1, 128, 128), seen=0.3).reshape(2, 64, 2, 64).mean((1, 3))
    assert np.abs(quarters - 0.3).max() < 0.03


@pytest.mark.parametrize("mask", ["random", "scratches"])
def test_what_is_drawn_follows_the_seed(mask):
    assert (seen(mask=mask, seed=3) == seen(mask=mask, seed=3)).all()
    assert (seen(mask=mask, seed=3) != seen(mask=mask, seed=4)).any()


@pytest.mark.parametrize("mask", ["text", "rectangle"])
def test_what_is_not_drawn_does_not(mask):
    assert (seen(mask=mask, seed=3) == seen(mask=mask, seed=4)).all()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "bfd56f306e2e"),
        ({"seen": 0.25, "seed": 3}, "51b3d54ef4b6"),
        ({"mask": "scratches"}, "3dd9d97081ce"),
        ({"mask": "scratches", "seed": 3}, "00eecbe7a958"),
    ],
)
def test_the_masks_of_what_is_published_stay_the_same_to_the_last_pixel(settings, expected):
    mask = seen((1, 120, 90), **settings) > 0.5
    assert hashlib.sha256(np.packbits(mask).tobytes()).hexdigest()[:12] == expected


def test_the_hole_is_in_the_centre():
    expected = np.ones((40, 50))
    expected[15:25, 19:31] = 0
    assert (seen(mask="rectangle", hole=0.25) == expected).all()
    assert (seen(mask="rectangle", hole=1e-9) == 0).sum() == 1
    assert seen((1, 2, 2), mask="rectangle", hole=0.999).sum() == 3


@pytest.mark.parametrize(("size", "wide"), [(40, 1), (130, 1), (256, 3), (512, 5)])
def test_text_can_be_read_and_grows_with_the_image(size, wide):
    """Letter by letter, the lines one after the other; each bit is a square as wide as a stroke."""
    hidden = 1 - seen((1, size, size), mask="text")
    read, (rows, columns) = "", (size // (9 * wide), -(-size // (6 * wide)))
    letters = {rows: letter for letter, rows in GLYPHS.items()}
    for row in range(rows):
        for column in range(columns):
            top, left = (9 * row + 1) * wide, (6 * column + 1) * wide
            box = hidden[top : top + 7 * wide, left : left + 5 * wide]
            if box.shape == (7 * wide, 5 * wide):
                bits = box.reshape(7, wide, 5, wide)
                assert (bits == bits[:, :1, :, :1]).all()
                read += letters[tuple((bits[:, 0, :, 0] @ (16, 8, 4, 2, 1)).astype(int).tolist())]
            else:
                read += TEXT[len(read) % len(TEXT)]  # cut by the border
    assert len(read) > 20 and read == (TEXT * len(read))[: len(read)]
    assert 0.6 < 1 - hidden.mean() < 0.8


@pytest.mark.parametrize("size", [64, 256, 512])
def test_scratches_are_few_and_thin(size):
    mask = seen((1, size, size), mask="scratches")
    assert 0.75 < mask.mean() < 0.95
    assert (mask[:, 0] == 0).any() and (mask[0] == 0).any()  # from the left and from the top


@pytest.mark.parametrize(("height", "width", "wide"), [(100, 1000, 1), (1000, 100, 1), (300, 400, 3)])
def test_a_line_is_as_wide_as_a_hundredth_of_the_shorter_side(height, width, wide):
    assert stroke(height, width) == wide


def test_scratches_that_hide_all_of_an_image_are_refused():
    with pytest.raises(BadInput, match="mask: scratches hides all of the 2x2 image"):
        seen((1, 2, 2), mask="scratches")


def test_y_is_what_is_seen_in_the_order_of_rows_in_every_channel(colour):
    A = Operator(colour.shape, seen=0.3)
    expected = colour.numpy()[:, A.mask.numpy() == 1]
    assert torch.equal(A.forward(colour), torch.from_numpy(expected)) and expected.shape == (3, 480)
    assert torch.equal(A.measured(colour), A.forward(colour))
    assert torch.equal(A.backproject(A.forward(colour)), A.mask.float() * colour)


def test_conjugate_gradients_are_preconditioned_and_find_the_same(gray):
    A, counted = Operator(gray.shape), []
    y, forward = A.forward(gray.double()), A.forward
    A.forward = lambda x: counted.append(1) or forward(x)
    found = []
    for nearly in (A.nearly, None):
        A.nearly = nearly
        found.append(smoothest(A, y, 1.0)(torch.zeros(2, *gray.shape, dtype=torch.float64), A.adjoint(y))[0])
        found.append(len(counted))
        counted.clear()
    torch.testing.assert_close(found[0], found[2], atol=1e-4, rtol=0)
    assert found[1] < 0.5 * found[3]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (np.array([[0, 0.5, 0.51], [1, 255, -1]]), [[0, 0, 1], [1, 1, 0]]),
        (np.array([[0, 1], [1, 0]])[..., None], [[0, 1], [1, 0]]),
        (np.array([[0, 1], [1, 0]])[None], [[0, 1], [1, 0]]),
        (np.array([[0, 1], [1, 0]])[..., None].repeat(3, -1), [[0, 1], [1, 0]]),
        (np.array([[True, False], [True, True]]), [[1, 0], [1, 1]]),
    ],
)
def test_white_is_seen(numbers, expected):
    found = as_mask(numbers)
    assert found.dtype == bool and found.tolist() == np.array(expected, dtype=bool).tolist()
    assert (as_mask(found, found.shape) == found).all()


@pytest.mark.parametrize(
    ("numbers", "size", "words"),
    [
        (np.ones((4, 5)), (5, 4), "the mask has 4x5 pixels; the image has 5x4"),
        (np.array([[1, np.nan]]), None, "values that are not finite"),
        (np.array([[1, np.inf]]), None, "values that are not finite"),
        (np.zeros((4, 5)), None, "the mask sees no pixel; must be above 0.5, such as white, where a pixel is seen"),
        (np.full((4, 5), 0.5), None, "the mask sees no pixel"),
        (
            np.eye(3).reshape(1, 3, 3).repeat(2, 0),
            None,
            r"shape \(2, 3, 3\) is no mask; must be \(height, width\), gray",
        ),
        (np.ones(5), None, r"shape \(5,\) is no mask"),
        (np.ones((0, 3)), None, r"shape \(0, 3\) is no mask"),
        (np.float64(1), None, r"shape \(\) is no mask"),
    ],
)
def test_what_is_no_mask_is_refused(numbers, size, words):
    with pytest.raises(BadInput, match=words) as caught:
        as_mask(numbers, size)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"mask": "text", "seen": 0.5}, "x.seen: is for mask: random, and mask is text"),
        ({"hole": 0.5}, "x.hole: is for mask: rectangle, and mask is random"),
        ({"mask": "mine", "seen": 0.5}, "x.seen: is for mask: random, and mask is mine"),
        ({"seen": 0.0}, "x.seen: 0 is not allowed; must be > 0 and <= 1"),
        ({"mask": "rectangle", "hole": 1}, "x.hole: 1 is not allowed; must be > 0 and < 1"),
    ],
)
def test_parameters_go_with_their_mask(said, words):
    with pytest.raises(BadInput, match=words):
        corruptions.parameters("inpainting", said, "x")


def test_defaults_are_those_of_the_mask():
    assert corruptions.filled("inpainting", "mask=rectangle")["hole"] == 0.25
    assert "seen" not in corruptions.filled("inpainting", "mask=rectangle")
    assert corruptions.filled("inpainting", "sigma=0.1")["seen"] == 0.5


def test_an_unknown_mask_is_told_the_words_and_the_files():
    with pytest.raises(BadInput, match="mask: unknown file 'txt'.*text.*mine"):
        corruptions.contents("inpainting", {"mask": "txt"}, {"mine": np.ones((2, 2))})


def test_the_mask_travels_in_the_measurement(gray, tmp_path):
    mask = np.arange(1600).reshape(40, 40) % 5 > 0
    A = Operator(gray.shape, mask=mask)
    noise = measurement.Noise("gaussian", {"sigma": 0.01}, 0.01)
    y, words = A.forward(gray), {"mask": "mine"}
    measurement.save(tmp_path / "m.npz", y, "inpainting", gray.shape, words, noise, {"mask": as_mask(mask)})
    y, B, sigma, _ = measurement.load(tmp_path / "m.npz")
    assert torch.equal(B.mask, A.mask)
    assert (wiener.recover(y, B, sigma) - gray).square().mean() < 1e-3


@pytest.mark.parametrize("channels", [1, 3])
def test_biharmonic_keeps_what_is_seen_and_bends_least(channels):
    """A plane bends nowhere, so its holes are filled exactly."""
    row, column = np.mgrid[:30, :40] / 60
    plane = torch.from_numpy(np.stack([0.1 + row / (k + 1) + 0.5 * column for k in range(channels)]))
    for parameters in ({"seen": 0.3}, {"mask": "rectangle"}, {"seen": 1.0}):
        A = Operator(plane.shape, **parameters)
        y = A.forward(plane)
        found = biharmonic.recover(y, A, 0.0)
        assert torch.equal(A.forward(found), y)
        inside = found[:, 5:-5, 5:-5] - plane[:, 5:-5, 5:-5]
        assert inside.abs().max() < (0.05 if parameters == {"seen": 0.3} else 1e-9)


def scratched(folder):
    """Write photo.png, a picture with black scratches, and mask.png, colours, white where it is whole; return both."""
    mask = seen((1, 48, 60), mask="scratches").astype(bool)
    photo = np.where(mask, picture(1, 48, 60)[0].numpy(), 0)
    Image.fromarray((255 * photo).round().astype(np.uint8)).save(folder / "photo.png")
    Image.fromarray((255 * mask).astype(np.uint8)).convert("RGB").save(folder / "mask.png")
    return mask, contents.read(folder / "photo.png")


def test_a_scratched_photo_is_mended_by_try_and_by_its_config(tmp_path, monkeypatch):
    from steps.tools.try_ import main

    monkeypatch.chdir(tmp_path)
    mask, photo = scratched(tmp_path)
    words = [
        "photo.png",
        "--measured",
        "--task",
        "inpainting",
        "--file",
        "holes=mask.png",
        "--corruption",
        "mask=holes",
    ]
    words += ["--sigma", "0.002", "--method", "biharmonic", "--method", "tv", "-o", "mine"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    case = tmp_path / "mine/results/inpainting/photo/mask=holes,sigma=0.002"
    np.testing.assert_allclose(np.load(case / "picture.npy")[0], photo, atol=1e-6)
    found = np.load(case / "biharmonic/default/recovered.npy")[0]
    np.testing.assert_allclose(found[mask], photo[mask], atol=1e-6)
    clean = picture(1, 48, 60)[0].numpy()
    assert np.square(found - clean).mean() < 0.02 * np.square(photo - clean).mean()
    assert json.loads((case / "biharmonic/default/score.json").read_text())["psnr"] is None
    made = snakemake(tmp_path, "--snakefile", str(ROOT / "Snakefile"), config="mine/config.yaml")
    assert made.returncode == 0, made.stderr
    again = tmp_path / "results/inpainting/try_photo/mask=holes,sigma=0.002/biharmonic/default/recovered.npy"
    assert (np.load(again)[0] == found).all()


def test_a_mask_of_another_size_is_refused_in_one_line(tmp_path, monkeypatch):
    from steps.tools.try_ import main

    monkeypatch.chdir(tmp_path)
    scratched(tmp_path)
    words = ["photo.png", "--size", "24", "--task", "inpainting", "--file", "holes=mask.png"]
    result = CliRunner().invoke(main, [*words, "--corruption", "mask=holes", "--method", "tv"])
    assert result.exit_code != 0 and "Traceback" not in result.output
    assert "the mask has 48x60 pixels; the image has 19x24" in result.output
