import copy

import numpy as np
import pytest
from PIL import Image

from steps.base.errors import BadInput
from steps.images import sets as imagesets
from steps.plan import experiments
from steps.plan.config import check_config

CONFIG = {
    "images": {"logo": {"source": "synthetic:logo"}, "mine": {"source": "photos/*", "size": 16, "gray": True}},
    "experiments": {
        "first": {
            "task": "denoising",
            "images": ["mine", "logo"],
            "corruption": [
                {"sigma": 0.1},
                {"images": ["logo", "mine-b"], "sigma": 0.2},
                {"images": ["mine"], "seed": 1},
            ],
            "methods": [{"method": "wiener"}],
        }
    },
}


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos/more").mkdir(parents=True)
    for name in ("b.png", "House 1.TIF", "more/c.png"):
        Image.fromarray(np.zeros((20, 24, 3), np.uint8)).save(tmp_path / "photos" / name)
    (tmp_path / "photos/notes.txt").write_text("no image")
    return tmp_path / "photos"


def test_a_set_is_its_files_wherever_it_is_named(photos):
    config = copy.deepcopy(CONFIG)
    check_config(config)
    rest = {"size": 16, "gray": True}
    assert config["images"] == {
        "logo": {"source": "synthetic:logo"},
        "mine-House_1": {"source": "photos/House 1.TIF"} | rest,
        "mine-b": {"source": "photos/b.png"} | rest,
    }
    entry = config["experiments"]["first"]
    assert entry["images"] == ["mine-House_1", "mine-b", "logo"]
    assert [block.get("images") for block in entry["corruption"]] == [
        None,
        ["logo", "mine-b"],
        ["mine-House_1", "mine-b"],
    ]
    assert experiments.cases(entry) == [
        ("mine-House_1", "sigma=0.1"),
        ("mine-House_1", "seed=1"),
        ("mine-b", "sigma=0.1"),
        ("mine-b", "sigma=0.2"),
        ("mine-b", "seed=1"),
        ("logo", "sigma=0.1"),
        ("logo", "sigma=0.2"),
    ]
    before = copy.deepcopy(config)
    check_config(config)
    assert config == before


def test_a_config_without_sets_is_left_as_it_is(photos):
    config = copy.deepcopy(CONFIG)
    config["images"]["mine"] = config["images"]["mine-b"] = {"source": "photos/b.png"}
    config["experiments"]["first"]["images"].append("mine-b")
    before = copy.deepcopy(config)
    imagesets.expand(config)
    assert config == before


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("photos/*.png", ["b.png"]),
        ("photos/*/*", ["more/c.png"]),
        ("./photos/*1*", ["House 1.TIF"]),
        ("photos/[b]*", []),
        ("photos/?*", []),
    ],
)
def test_only_a_star_is_a_pattern(photos, pattern, names):
    if names:
        found = imagesets.files(pattern, "x")
        assert [path.removeprefix("./").removeprefix("photos/") for path in found] == names
    else:
        with pytest.raises(BadInput, match="no image file is"):
            imagesets.files(pattern, "x")
        (photos / pattern.replace("photos/", "").replace("*", "1.png")).write_bytes((photos / "b.png").read_bytes())
        assert len(imagesets.files(pattern, "x")) == 1


SOURCE = "my.yaml: images.mine.source: "
BAD = {
    "no file": ({"source": "photos/*.gif"}, [], SOURCE + "no image file is 'photos/*.gif'; must end in .png, .jpg"),
    "no folder": ({"source": "none/*"}, [], SOURCE + "no image file is 'none/*'; must end"),
    "an option": ({"source": "-*"}, [], SOURCE + "'-*' is not allowed; must not begin with -"),
    "a pattern of Snakemake": ({"source": "{x}/*"}, [], SOURCE + "'{x}/*' is not allowed"),
    "two of one name": (
        {},
        ["b.jpg"],
        "my.yaml: images.mine.source: 'photos/b.jpg' and 'photos/b.png' would both be called mine-b; rename one",
    ),
    "two that become one": (
        {},
        ["House_1.png"],
        "my.yaml: images.mine.source: 'photos/House 1.TIF' and 'photos/House_1.png' would both be called mine-House_1",
    ),
    "a long name": ({}, ["a" * 76 + ".png"], "is too long; must be at most 80"),
    "a file that is a pattern": ({}, ["{b}.png"], "images.mine-_b_.source: 'photos/{b}.png' is not allowed"),
    "a line break": ({}, ["x\ny.png"], SOURCE + "'photos/x\\ny.png' is not allowed; must be one line"),
    "bytes that are no text": ({}, [b"x\xff.png"], SOURCE + "'photos/x\\udcff.png' is not allowed; must be one line"),
    "a file that is no image": ({"source": "photos/*.npy"}, ["x.npy"], "images.mine-x.source: photos/x.npy: not a rea"),
    "a crop outside of one": ({"crop": 21}, [], "images.mine-House_1.crop: crop [21] does not lie inside the 20x24"),
    "an unknown key": ({"sise": 3}, [], "my.yaml: images.mine: unknown key 'sise' (did you mean 'size'?)"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_set_is_refused_in_one_line(photos, case):
    change, names, words = BAD[case]
    for name in names:
        path = bytes(photos) + b"/" + (name if isinstance(name, bytes) else name.encode())
        content = b"no image" if path.endswith(b".npy") else (photos / "b.png").read_bytes()
        with open(path, "wb") as file:
            file.write(content)
    config = copy.deepcopy(CONFIG)
    config["images"]["mine"] |= change
    config["experiments"]["first"] |= {"images": ["mine", "logo"], "corruption": {"sigma": 0.1}}
    with pytest.raises(BadInput) as caught:
        check_config(config, "my.yaml")
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_names_that_are_there_twice(photos):
    config = copy.deepcopy(CONFIG)
    config["images"]["mine-b"] = {"source": "synthetic:logo"}
    with pytest.raises(BadInput, match="^config: images.mine-b: another image is called mine-b, too$"):
        check_config(config)
    config = copy.deepcopy(CONFIG)
    config["experiments"]["first"]["images"].append("mine-b")
    with pytest.raises(BadInput, match="^config: experiments.first.images: mine-b is there twice$"):
        check_config(config)
    config = copy.deepcopy(CONFIG)
    config["experiments"]["first"]["corruption"][1]["images"].append("mine")
    with pytest.raises(BadInput, match=r"^config: experiments.first.corruption\[1\].images: mine-b is there twice$"):
        check_config(config)
    config = copy.deepcopy(CONFIG)
    config["experiments"]["first"]["images"] = ["mien"]
    with pytest.raises(BadInput, match="unknown image 'mien' .*; allowed: logo, mine-House_1, mine-b"):
        check_config(config)


def test_no_more_than_some_thousand(photos, monkeypatch):
    monkeypatch.setattr(imagesets, "MOST", 1)
    with pytest.raises(BadInput, match=r"x: 'photos/\*' are 2 files; must be at most 1$"):
        imagesets.files("photos/*", "x")


SUM = "0f" * 32
LIST = f"url,sha256\nhttps://a.org/x/b.png,{SUM}\nhttps://a.org/x/House%201.png,{'2e' * 32}\n"


@pytest.mark.parametrize("mark", ["", "\ufeff"])  # which spreadsheets write before a CSV
def test_a_list_is_a_set_of_urls_with_their_checksums(tmp_path, monkeypatch, mark):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.csv").write_text(mark + LIST)
    config = copy.deepcopy(CONFIG)
    config["images"]["mine"]["source"] = "list.csv"
    imagesets.expand(config)
    assert config["images"]["mine-b"] == {
        "source": "https://a.org/x/b.png",
        "sha256": SUM,
        "size": 16,
        "gray": True,
    }
    assert config["experiments"]["first"]["images"] == ["mine-b", "mine-House_1", "logo"]


def test_the_lists_of_ours_are_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = {"images": {"set5": {"source": "config/sets/set5.csv"}}, "experiments": {}}
    imagesets.expand(config)
    assert list(config["images"]) == [f"set5-{name}_GT" for name in ("baby", "bird", "butterfly", "head", "woman")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "images.mine.source: no file 'list.csv'"),
        ("url,sha256\n", "'list.csv' has 0 images; must be 1 to"),
        ("url\nhttps://a.org/b.png\n", "list.csv, line 2: must have a url, .* and its sha256"),
        (LIST.replace("https", "ftp"), "list.csv, line 2: must have a url"),
        (LIST.replace(SUM, SUM[1:]), "list.csv, line 2: .* and its sha256, 64 digits of 0-9 and a-f"),
        (LIST.replace(SUM, "$(touch x)"), "list.csv, line 2: must have a url"),
        (LIST + f"https://b.org/{'b' * 140000}.png,{SUM}\n", "images.mine.source: list.csv: not csv .field larger"),
        (LIST + f"https://b.org/b.png,{SUM}\n", "would both be called mine-b; rename one"),
    ],
)
def test_a_bad_list_is_refused(tmp_path, monkeypatch, text, words):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / "list.csv").write_text(text)
    config = {"images": {"mine": {"source": "list.csv"}}, "experiments": {}}
    with pytest.raises(BadInput, match=words):
        imagesets.expand(config)
