import copy

import numpy as np
import pytest
import yaml

from steps.base.errors import BadInput
from steps.plan.config import check_config, image_arguments
from tests.configs import GOOD, changed
from tests.workflows import ROOT

CONFIGS = sorted(path for path in (ROOT / "config").glob("*.yaml") if not path.name.endswith("claims.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_the_configs_of_the_repository_are_good(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    check_config(yaml.safe_load(path.read_text()), path.name)


URL = {"source": "https://host.invalid/a.png"}
BAD = {
    "unknown key": (
        "imagess",
        [],
        "unknown key 'imagess' (did you mean 'images'?); allowed: claims, device,",
    ),
    "unknown image key": ("images.logo.sizes", 3, "images.logo: unknown key 'sizes' (did you mean 'size'?)"),
    "no images": ("images", None, "missing key 'images'"),
    "empty images": ("images", {}, "images: is empty; must have at least 1 entry"),
    "empty experiments": ("experiments", {}, "experiments: is empty"),
    "experiments a list": ("experiments", [], "experiments: [] is not allowed; must be of type object"),
    "device": ("device", "gpu", "device: 'gpu' is not allowed; must be one of auto, cpu, cuda"),
    "image without source": ("images.logo.source", None, "images.logo: missing key 'source'"),
    "missing file": ("images.logo.source", "none.png", "images.logo.source: no file 'none.png'; must be skimage:NAME"),
    "URL without checksum": ("images.logo", URL, "images.logo.sha256: missing; a URL needs the checksum"),
    "bad checksum": ("images.logo.sha256", "12", "images.logo.sha256: "),
    "image name": ("images", {"a b": {"source": "synthetic:logo"}}, "'a b'"),
    "image name of dots": ("images", {"..": {"source": "synthetic:logo"}}, "'..'"),
    "empty experiment": ("experiments.first.methods", [], "experiments.first.methods: is empty"),
    "experiment without images": ("experiments.first.images", [], "experiments.first.images: is empty"),
    "experiment without task": ("experiments.first.task", None, "experiments.first: missing key 'task'"),
    "unknown experiment key": ("experiments.first.method", [], "unknown key 'method' (did you mean 'methods'?)"),
    "unknown task": ("experiments.first.task", "denoise", "unknown task 'denoise' (did you mean 'denoising'?)"),
    "task with a path": ("experiments.first.task", "../x", "unknown task '../x'"),
    "unknown image": ("experiments.first.images", ["camra"], "unknown image 'camra' (did you mean 'camera'?)"),
    "unknown method": (
        "experiments.first.methods.0.method",
        "weiner",
        "unknown method 'weiner' (did you mean 'wiener'?)",
    ),
    "needs of an unknown method": ("needs", {"tvv": {}}, "needs: unknown method 'tvv' (did you mean 'tv'?)"),
    "unknown figure": ("experiments.first.figures", ["pnsr"], "unknown figure 'pnsr' (did you mean 'psnr'?)"),
    "unknown parameter": (
        "experiments.first.methods.1.params.lambda",
        1,
        "methods[1].params: unknown parameter 'lambda'",
    ),
    "parameter of a wrong type": ("experiments.first.methods.1.params.lam", "x", "params.lam: 'x' is not allowed"),
    "parameter out of range": ("experiments.first.methods.1.params.iterations", 0, "iterations: 0 is not allowed"),
    "parameter without value": ("experiments.first.methods.1.params.lam", {}, "params.lam: {} is not a number"),
    "unknown corruption": ("experiments.first.corruption.sigm", 1, "unknown parameter 'sigm' (did you mean 'sigma'?)"),
    "negative sigma": (
        "experiments.first.corruption.sigma",
        -0.1,
        "corruption.sigma: -0.1 is not allowed; must be >= 0",
    ),
    "sigma as text": ("experiments.first.corruption.sigma", "loud", "corruption.sigma: 'loud' is not allowed"),
    "infinite sigma": (
        "experiments.first.corruption.sigma",
        float("inf"),
        "corruption.sigma: inf is not a finite number",
    ),
    "label of no parameter": ("experiments.first.methods.1.label", "{rho}", "label: unknown parameter 'rho'"),
    "empty list of sigmas": ("experiments.first.corruption.sigma", [], "corruption.sigma: [] is empty; must have at"),
    "empty list of parameters": ("experiments.first.methods.1.params.lam", [], "params.lam: [] is empty"),
    "a corruption twice": ("experiments.first.corruption.sigma", [0.1, "1e-1"], "sigma=0.1,seed=0 is there twice"),
    "a corruption twice, a default spelled": (
        "experiments.first.corruption",
        [{"sigma": 0.1, "seed": [0, 1]}, {"sigma": [0.1, 0.3]}],
        "experiments.first.corruption: sigma=0.1,seed=0, also spelled sigma=0.1 is there twice",
    ),
    "a variant twice": ("experiments.first.methods", [{"method": "tv"}] * 2, "tv with default is there twice"),
    "a default said": (
        "experiments.first.methods",
        [{"method": "tv"}, {"method": "tv", "params": {"kind": "isotropic"}, "label": "T"}],
        "tv with kind=isotropic is there twice",
    ),
    "label of another column": ("experiments.first.methods.0.label", "sigma", "the label 'sigma' is that of another"),
    "label of an interval": ("experiments.first.methods.0.label", "TV ±", "the label 'TV ±' is that of another"),
    "image name that is a number": ("images", {1: {"source": "synthetic:logo"}}, "1"),
    "synthetic image": ("images.logo.source", "synthetic:lego", "unknown synthetic image 'lego' (did you mean 'logo'"),
    "size as text": ("images.logo.size", "64", "images.logo.size: '64' is not allowed; "),
    "size of nothing": ("images.logo.size", 0, "images.logo.size: 0 is not allowed; "),
    "crop of nothing": ("images.logo.crop", [0, 0, 0, 8], "images.logo.crop: [0, 0, 0, 8] is not allowed; "),
    "compression below 1": (
        "experiments.first",
        {"task": "single_pixel", "images": ["logo"], "corruption": {"compression": 0.5}, "methods": [{"method": "tv"}]},
        "corruption.compression: 0.5 is not allowed; must be >= 1",
    ),
    "corruption of an unknown image": (
        "experiments.first.corruption",
        [{"sigma": 0, "images": ["camra"]}],
        "first.corruption[0].images: unknown image 'camra' (did you mean 'camera'?)",
    ),
    "image without corruption": (
        "experiments.first.corruption",
        [{"sigma": 0, "images": ["camera"]}],
        "experiments.first.images: 'logo' is in none of the corruptions",
    ),
    "the same corruption in two blocks": (
        "experiments.first.corruption",
        [{"sigma": [0, 0.1]}, {"sigma": 0.1, "images": ["logo"]}],
        "experiments.first.corruption: sigma=0.1 is there twice",
    ),
    "bad value in a block": (
        "experiments.first.corruption",
        [{"sigma": 0}, {"sigma": -1}],
        "experiments.first.corruption[1].sigma: -1 is not allowed",
    ),
    "no blocks": ("experiments.first.corruption", [], "experiments.first.corruption: [] is not allowed"),
    "corruption a number": ("experiments.first.corruption", 3, "experiments.first.corruption: 3 is not allowed; Param"),
    "missing": ("missing", "maybe", "missing: 'maybe' is not allowed; must be one of run, skip"),
    "settings": (
        "experiments.first.methods.0.settings",
        "best",
        "methods[0].settings: 'best' is not allowed; must be one of paper, tuned",
    ),
    "stand-in without a word": ("images.logo.stand_in", True, "images.logo.stand_in: True is not allowed"),
    "an experiment named as its comparison": ("experiments", {"a_vs_paper": {}}, "a_vs_paper"),
    "a seed of a corruption among others": (
        "experiments.first.methods",
        [{"method": "dip", "params": {"seed": ["corruption", 1]}}],
        "methods[0].params.seed: 'corruption' is not allowed; must be a whole number",
    ),
    "a seed of a corruption for what is not random": (
        "experiments.first.methods.0.params",
        {"seed": "corruption"},
        "methods[0].params: unknown parameter 'seed'",
    ),
    "a seed of a corruption that another entry has": (
        "experiments.first.methods",
        [{"method": "dip", "params": {"seed": seed}} for seed in ("corruption", 1)],
        "dip with seed=1 is there twice",
    ),
    "unknown published table": (
        "experiments.first.published",
        {"table": "tabel2"},
        "experiments.first.published.table: unknown table 'tabel2' (did you mean 'table2'?)",
    ),
    "published label without a table": (
        "experiments.first.methods.0.published",
        "NLM",
        "experiments.first.published: missing, but methods are compared with NLM",
    ),
    "no published label": ("experiments.first.methods.0.published", [], "methods[0].published: [] is not allowed"),
    "a tolerance without a reason": (
        "experiments.first.published",
        {"table": "table2", "tolerances": [{"db": 1}]},
        "experiments.first.published.tolerances[0]: missing key 'reason'",
    ),
    "a negative tolerance": (
        "experiments.first.published",
        {"table": "table2", "tolerances": [{"db": -1, "reason": "r"}]},
        "experiments.first.published.tolerances[0].db: -1 ",
    ),
    "a figure of published values without any": ("experiments.first.figures", ["vs_paper"], "published"),
    "one label for two": ("experiments.first.methods.1.label", "TV", "two variants have the label 'TV'"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_configs_are_refused_in_one_line(name, monkeypatch):
    monkeypatch.chdir(ROOT)  # where config/published.csv is
    path, value, words = BAD[name]
    with pytest.raises(BadInput) as caught:
        check_config(changed(path, value), "config")
    message = str(caught.value)
    assert message.startswith("config: ")
    assert words in message
    assert "\n" not in message


def test_gray_images_are_refused_where_the_task_needs_colours():
    config = changed("images.logo.gray", True)
    experiment = {"task": "demosaicking", "images": ["camera", "logo"], "methods": [{"method": "bilinear"}]}
    config["experiments"]["first"] = experiment
    with pytest.raises(BadInput, match="first.images: logo is gray; demosaicking needs 3 channels$"):
        check_config(config)
    experiment["images"] = ["camera"]
    check_config(config)
    config["images"]["logo"]["measured"] = True  # a raw mosaic is gray
    experiment["images"] = ["logo"]
    experiment["corruption"] = {"sigma": 0.01}
    check_config(config)


def test_a_name_may_have_the_words_of_a_comparison_before_its_end(monkeypatch):
    monkeypatch.chdir(ROOT)
    check_config(copy.deepcopy(GOOD) | {"experiments": {"a_vs_paper_b": GOOD["experiments"]["first"]}})


def test_image_arguments_are_those_of_the_command():
    image = {"source": "a.png", "crop": 8, "size": [4, 5], "gray": True, "sha256": "0" * 64}
    found = image_arguments("me", image)
    assert found == ["a.png", "--name=me", f"--sha256={'0' * 64}", "--crop=8", "--size=4,5", "--gray"]


def test_of_a_scikit_image_with_one_size_only_the_longer_side_is_known(tmp_path, monkeypatch):
    """Coffee, 400 × 600, becomes 64 × 96, which is not known before it is read: a mask of that size must pass."""
    monkeypatch.chdir(tmp_path)
    np.save("mask.npy", np.arange(64 * 96).reshape(64, 96) % 3 > 0)
    config = {
        "images": {"coffee": {"source": "skimage:coffee", "size": 96}},
        "files": {"holes": {"source": "mask.npy"}},
        "experiments": {
            "e": {
                "task": "inpainting",
                "images": ["coffee"],
                "corruption": {"mask": "holes"},
                "methods": [{"method": "tv"}],
            }
        },
    }
    check_config(config)
