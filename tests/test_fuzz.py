"""Configs and parameters that chance makes: each is accepted, and then safe, or refused in one line.

PRIORBENCH_FUZZ=10000 python -m pytest tests/test_fuzz.py tries more, and others each time.
"""

import copy
import os
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from steps.base import discover
from steps.base.errors import BadInput, quoted
from steps.base.parameters import check_parameters, format_parameters, keywords
from steps.base.text import NOT_ONE_LINE
from steps.images import decode as imagefile
from steps.plan import claims, corruptions, published, schema, variants
from steps.plan.config import check_config
from steps.plan.drawings import Index, drawings
from steps.plan.experiments import recoveries
from tests.conftest import save_png16
from tests.workflows import ROOT

MANY = int(os.environ.get("PRIORBENCH_FUZZ", 0))
SMOKE = schema.read(ROOT / "config/smoke.yaml")
SMOKE["image_dirs"] = ["a folder"]
SMOKE["images"]["camera"]["stand_in"] = "for another"
SMOKE["experiments"]["denoising"]["title"] = "A title"
SMOKE["experiments"]["denoising"]["methods"][0] |= {"remark": "A remark", "label": "Wiener {K}", "params": {"K": 0.1}}
SMOKE["experiments"]["single_pixel"]["corruption"] = [{"compression": 1, "seed": [0, 1]}, {"compression": 4}]
SMOKE["images"]["photo"] = {"source": "skimage:coins", "measured": True}
SMOKE["experiments"]["photo"] = SMOKE["experiments"]["denoising"] | {"images": ["photo"], "figures": ["comparison"]}
SMOKE["experiments"]["photo"]["corruption"] = {"sigma": ["estimate", 0.1]}
SMOKE["experiments"]["photo"]["methods"] = [{"method": "tv"}]
SMOKE["experiments"]["photo"].pop("published")
CLAIMS = schema.read(ROOT / "tests/claims.yaml")
HOSTILE = ["$(touch pwned)", "`id`", "'", '"; ls', "../..", "..", "/etc/passwd", "a\nb", "{wildcards}", "{lam}", "%s"]
HOSTILE += ["", " ", "\0", "\x1b[31m", "\u2028", "\ud800", "é", "_x", "-h", "a" * 300, "1e-3", "no", "1_0", "١"]
HOSTILE += ["corruption", "wiener", "dip", "deconvolution", "input", "camera", "skimage:cat", "synthetic:logo"]
HOSTILE += ["estimate", "*", "config/*", "steps/*.png", "https://*"]
HOSTILE += ["https://host.invalid/a.png", "config/smoke.yaml"]
large = st.sampled_from([10**400, 10**4000, 2**63, 1e308])
numbers = st.one_of(st.integers(-3, 300), st.integers(), st.floats(), large)
leaves = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=8), st.sampled_from(HOSTILE))
leaves |= st.dates() | st.binary(max_size=3)
keys = st.one_of(st.text(max_size=5), st.sampled_from(HOSTILE), st.integers(), st.none(), st.booleans())
trees = st.recursive(leaves, lambda t: st.lists(t, max_size=3) | st.dictionaries(keys, t, max_size=3), max_leaves=6)

ALIKE = {str: st.text(max_size=8) | st.sampled_from(HOSTILE), bool: st.booleans(), float: st.floats(0, 10)}
ALIKE |= {int: st.integers(0, 200), list: st.lists(st.floats(0.5, 9), min_size=1, max_size=3)}


def tried(examples):
    health = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(max_examples=MANY or examples, derandomize=not MANY, deadline=None, suppress_health_check=health)


@pytest.fixture(autouse=True, scope="module")
def here():
    before = Path.cwd()
    os.chdir(ROOT)
    yield
    os.chdir(before)


def places(tree):
    """Return [(container, key)] of all values in lists and mappings of a tree."""
    found = []
    for key, inner in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
        found.append((tree, key))
        if isinstance(inner, (dict, list)):
            found += places(inner)
    return found


@st.composite
def mutated(draw, tree):
    """Return a copy of a tree with some values taken out, put in, replaced, or moved to where another was."""
    tree = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, 2))):
        there = places(tree)
        if not there:
            break
        container, key = draw(st.sampled_from(there))
        kind = draw(st.sampled_from(["alike", "alike", "alike", "replace", "delete", "insert", "copy", "rename"]))
        other, name = draw(st.sampled_from(there))
        if kind == "delete":
            del container[key]
        elif kind == "alike" and type(container[key]) in ALIKE:
            container[key] = draw(ALIKE[type(container[key])])
        elif kind == "copy":
            container[key] = copy.deepcopy(other[name])
        elif kind == "insert" and isinstance(container, list):
            container.insert(key, draw(trees))
        elif kind == "insert":
            container[draw(keys | st.sampled_from([k for c, k in there if isinstance(c, dict)]))] = draw(trees)
        elif kind == "rename" and isinstance(container, dict):
            container[draw(keys)] = container.pop(key)
        else:
            container[key] = draw(trees)
    return tree


def refused(function, *arguments):
    """Return whether a call raises BadInput, of one short line; False if it raises nothing."""
    try:
        function(*arguments)
    except BadInput as error:
        message = str(error)
        assert message and not NOT_ONE_LINE.search(message) and len(message) < 2000, message
        return True
    return False


def check_folders(config):
    below = Path("results").resolve()
    for name, entry in config["experiments"].items():
        found = recoveries(entry, config["images"])
        assert found
        for recovery in found:
            path = Path(recovery.folder)
            assert path.resolve().is_relative_to(below) and len(path.parts) == 6 and recovery.folder.isascii()
            assert all(0 < len(piece.encode()) <= 250 for piece in path.parts)
            given = config["images"][recovery.image].get("measured", False)
            assert corruptions.spelled(recovery.task, recovery.corruption, given) == recovery.corruption
            assert variants.spelled(recovery.method, recovery.params) == recovery.params
            assert recovery.label.strip() and not NOT_ONE_LINE.search(recovery.label)
        for drawing in drawings(name, entry, Index(found, found)):
            assert Path("results/figures", drawing).resolve().is_relative_to(below / "figures" / name)


@tried(150)
@given(mutated(SMOKE))
def test_a_config_is_refused_in_one_line_or_its_results_stay_in_their_folder(config):
    if not refused(check_config, config, "my.yaml"):
        check_folders(config)


@tried(150)
@given(mutated(SMOKE["experiments"]["denoising"]))
def test_an_experiment(entry):
    config = copy.deepcopy(SMOKE) | {"experiments": {"denoising": entry}}
    config.pop("claims")
    if not refused(check_config, config, "my.yaml"):
        check_folders(config)


@tried(100)
@given(mutated(CLAIMS))
def test_claims(content):
    config = copy.deepcopy(SMOKE)
    with mock.patch.object(schema, "read", lambda file: content):
        refused(claims.read, "tests/claims.yaml", config)


METHODS = discover.available("methods")
SIGNATURES = [("methods", name, keywords(discover.load("methods", name).recover)) for name in METHODS]
SIGNATURES += [("tasks", name, corruptions.allowed(name)) for name in discover.available("tasks")]
WORDS = sorted({name for _, _, allowed in SIGNATURES for name in allowed})
scalars = leaves | st.sampled_from(["isotropic", "white", "bilinear", 0, 1, 0.5, True, "false", "1e2"])


def one_way(kind, name, text):
    return corruptions.spelled(name, text) if kind == "tasks" else variants.spelled(name, text)


@tried(300)
@given(st.sampled_from(SIGNATURES), st.data())
def test_parameters_that_are_allowed_are_spelled_in_one_way(signature, data):
    kind, name, allowed = signature
    given = data.draw(st.dictionaries(st.sampled_from(list(allowed) or WORDS), scalars, max_size=4))
    found = []
    if not refused(lambda: found.append(format_parameters(check_parameters(given, allowed, name)))):
        if not refused(lambda: found.append(one_way(kind, name, found[0]))):  # for what may not stand together
            assert found[1] == found[0]
        assert found[0].isascii() and "/" not in found[0] and not found[0].startswith((".", "-"))


texts = st.sampled_from(HOSTILE) | st.text() | numbers.map(quoted)
pieces = st.tuples(st.sampled_from(WORDS) | st.text(max_size=4), texts).map("=".join)
lists = st.lists(pieces, max_size=4).map(",".join)


@tried(300)
@given(st.sampled_from(SIGNATURES), lists | st.text())
def test_any_text_is_a_folder_or_refused(signature, text):
    kind, name, _ = signature
    found = []
    if not refused(lambda: found.append(one_way(kind, name, text))):
        assert one_way(kind, name, found[0]) == found[0]


def damaged(content):
    """Return a strategy for bytes with some of them replaced, taken out or put in, or the end missing."""
    spots = st.tuples(st.integers(0, len(content)), st.integers(0, 4), st.binary(max_size=4))

    def damage(spots, end):
        found = bytearray(content[:end])
        for start, length, new in spots:
            found[start : start + length] = new
        return bytes(found)

    return st.builds(damage, st.lists(spots, max_size=3), st.none() | st.integers(0, len(content)))


PIXELS = (np.arange(12 * 10 * 3) % 251).astype(np.uint8).reshape(12, 10, 3)
IMAGES = {
    "a.png": lambda path: Image.fromarray(PIXELS).save(path),
    "deep.png": lambda path: save_png16(path, PIXELS.astype(np.uint16)),
    "palette.png": lambda path: Image.fromarray(PIXELS).convert("P").save(path, transparency=3),
    "a.jpg": lambda path: Image.fromarray(PIXELS).save(path),
    "a.bmp": lambda path: Image.fromarray(PIXELS).save(path),
    "a.tif": lambda path: Image.fromarray(PIXELS).save(path),
    "deep.tif": lambda path: tifffile.imwrite(path, PIXELS.astype(np.uint16)),
    "a.npy": lambda path: np.save(path, PIXELS),
    "a.npz": lambda path: np.savez_compressed(path, PIXELS),
}


@pytest.mark.parametrize("name", IMAGES)
def test_damaged_images(name, tmp_path, monkeypatch):
    monkeypatch.setattr(imagefile, "PIXELS", 2**16)
    monkeypatch.setattr(imagefile, "BYTES", 2**18)
    monkeypatch.setattr(imagefile.arrays, "BYTES", 2**18)
    path = tmp_path / name
    IMAGES[name](path)
    assert imagefile.read(path).shape == (12, 10, 3)

    @tried(60)
    @given(damaged(path.read_bytes()))
    def read(content):
        path.write_bytes(content)
        found = []
        if not refused(lambda: found.append(imagefile.read(path))):
            assert found[0].shape[:2] == imagefile.size(path) and found[0].size <= 3 * 2**16
            assert found[0].min() >= 0 and found[0].max() <= 1

    read()


TEXTS = {"a.yaml": (ROOT / "tests/claims.yaml", schema.read), "a.csv": (ROOT / "tests/published.csv", published.read)}


@pytest.mark.parametrize("name", TEXTS)
def test_damaged_texts(name, tmp_path):
    original, read = TEXTS[name]

    @tried(100)
    @given(damaged(original.read_bytes()) | st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
    def check(content):
        (tmp_path / name).write_bytes(content)
        refused(read, tmp_path / name)

    check()
