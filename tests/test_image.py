import hashlib

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from steps import image

GRAY8 = np.random.default_rng(0).integers(0, 256, (9, 7), dtype=np.uint8)


@pytest.mark.parametrize("option", ["--size=x", "--size=1,2,3", "--size=0", "--crop=1,2", "--crop=-1,0,2,2", "--crop="])
def test_command_says_what_an_option_may_be(option, tmp_path):
    result = CliRunner().invoke(image.main, ["synthetic:logo", str(tmp_path / "a.npy"), option])
    assert result.exit_code == 2 and "is not allowed; must be 1 or" in result.output
    assert "positive" in result.output


def test_command_looks_in_the_folders_of_the_environment(tmp_path, monkeypatch):
    file = tmp_path / "a folder/mine.png"
    file.parent.mkdir()
    Image.fromarray(GRAY8).save(file)
    monkeypatch.setenv("PRIORBENCH_IMAGE_DIRS", f"{tmp_path / 'none'}:{tmp_path / 'a folder'}")
    url, checksum = "https://host.invalid/x.png", hashlib.sha256(file.read_bytes()).hexdigest()
    output = str(tmp_path / "out.npy")
    result = CliRunner().invoke(image.main, [url, output, "--name=mine", f"--sha256={checksum}"])
    assert result.exit_code == 0, result.output
    np.testing.assert_allclose(np.load(output)[0], GRAY8 / 255, atol=1e-7)


def test_command_writes_the_image_or_nothing(tmp_path):
    good = CliRunner().invoke(image.main, ["synthetic:logo", str(tmp_path / "logo.npy"), "--size", "32"])
    assert good.exit_code == 0, good.output
    assert np.load(tmp_path / "logo.npy").shape == (1, 32, 32)
    bad = CliRunner().invoke(image.main, ["synthetic:logo", str(tmp_path / "bad.npy"), "--crop", "300", "--name", "x"])
    assert bad.exit_code == 1
    assert "images.x: synthetic:logo: crop [300] does not lie inside the 256x256 image" in bad.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logo.npy"]
