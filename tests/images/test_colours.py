import numpy as np
import pytest
import tifffile
from PIL import Image

from steps.base.errors import BadInput
from steps.images import decode
from steps.images.colours import has_colours
from steps.plan.config import check_config
from tests.configs import changed

RAMP = np.arange(48, dtype=np.uint8).reshape(6, 8)
PILLOW = [("1", "a.png"), ("L", "a.png"), ("LA", "a.png"), ("P", "a.png"), ("RGB", "a.png"), ("RGBA", "a.png")]
PILLOW += [("I;16", "a.png"), ("L", "a.jpg"), ("RGB", "a.jpg"), ("CMYK", "a.jpg"), ("L", "a.bmp"), ("RGB", "a.bmp")]
PILLOW += [("1", "a.tif"), ("L", "a.tif"), ("RGB", "a.tif"), ("P", "a.tif"), ("CMYK", "a.tif")]
SHAPES = [(6, 8), (6, 8, 1), (6, 8, 2), (6, 8, 3), (6, 8, 4), (3, 6, 8), (1, 6, 8), (3, 8, 2), (3, 3, 3)]


@pytest.mark.parametrize(("mode", "name"), PILLOW)
def test_pictures_of_every_mode_are_what_reading_them_gives(mode, name, tmp_path):
    Image.fromarray(RAMP).convert(mode).save(tmp_path / name)
    assert has_colours(tmp_path / name) == (decode.read(tmp_path / name).ndim == 3)


@pytest.mark.parametrize("shape", SHAPES)
def test_arrays_of_every_shape_are_what_reading_them_gives(shape, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(shape))
    assert has_colours(tmp_path / "a.npy") == (decode.read(tmp_path / "a.npy").ndim == 3)


@pytest.mark.parametrize("shape", [(6, 8), (6, 8, 3)])
def test_deep_tiff(shape, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros(shape, np.uint16), photometric="rgb" if len(shape) == 3 else None)
    assert has_colours(tmp_path / "a.tif") == (len(shape) == 3)


def test_a_mosaic_that_is_measured_and_has_colours_is_refused_when_the_config_is_checked(tmp_path):
    def check(**settings):
        config = changed("images.logo", {"source": str(tmp_path / "a.png"), "measured": True, **settings})
        config["experiments"]["first"] = {
            "task": "demosaicking",
            "images": ["logo"],
            "corruption": {"sigma": 0.01},
            "methods": [{"method": "bilinear"}],
        }
        check_config(config, "my.yaml")

    Image.fromarray(RAMP).convert("RGB").save(tmp_path / "a.png")
    with pytest.raises(BadInput, match="^my.yaml: experiments.first.images: logo has colours; must be gray, one value"):
        check()
    check(gray=True)
    Image.fromarray(RAMP).save(tmp_path / "a.png")
    check()
