import copy
import re

import pytest
import yaml

from steps.base.errors import BadInput
from steps.base.parameters import LARGEST, LONGEST_NAME, MOST_COMBINATIONS
from steps.base.text import BYTES, CHARACTERS
from steps.images import decode as imagefile
from steps.plan.schema import DEPTH, SCHEMAS, validate
from tests.configs import GOOD
from tests.workflows import ROOT


def test_a_good_config_gets_the_defaults_of_the_schema():
    config = copy.deepcopy(GOOD)
    validate(config, "config")
    assert config["device"] == "auto"
    assert config["image_dirs"] == []
    assert validate({**config, "device": "cpu"}, "config") is None


def test_the_first_mistake_is_one_line_that_names_the_file():
    with pytest.raises(BadInput, match=r"^my.yaml: device: 'gpu' is not allowed; must be one of auto, cpu, cuda$"):
        validate(copy.deepcopy(GOOD) | {"device": "gpu"}, "my.yaml")


def test_a_number_below_the_least_is_told_the_least():
    with pytest.raises(BadInput, match="^my.yaml: needs.tv.minutes: 0 is not allowed; must be >= 1$"):
        validate(copy.deepcopy(GOOD) | {"needs": {"tv": {"minutes": 0}}}, "my.yaml")


def test_the_readme_of_the_config_describes_every_key():
    schema = yaml.safe_load((SCHEMAS / "config.schema.yaml").read_text())
    text = (ROOT / "config/README.md").read_text()
    keys = set()

    def walk(node):
        assert "description" in node or "properties" not in node
        for key, value in node.get("properties", {}).items():
            keys.add(key)
            assert value.get("description"), f"{key} has no description in the schema"
            walk(value)
        for inner in ("additionalProperties", "items"):
            if isinstance(node.get(inner), dict):
                walk(node[inner])

    walk(schema)
    missing = {key for key in keys if not re.search(rf"`{key}`", text)}
    assert not missing
    told = set(re.findall(r"^\| `(\w+)`", text, re.MULTILINE))
    assert told == keys


def test_the_readme_of_the_config_has_the_limits():
    text = (ROOT / "config/README.md").read_text()
    assert (imagefile.PIXELS, imagefile.BYTES, BYTES, MOST_COMBINATIONS) == (2**28, 2**31, 2**24, 100_000)
    for words in ("2^28 pixels", "| 2 GiB |", "16 MiB", f"{DEPTH} deep", f"of {CHARACTERS} characters", "| 100 000 |"):
        assert words in text
    assert f"| {LONGEST_NAME} characters |" in text and f"at most {LARGEST:g}".replace("+", "") in text
