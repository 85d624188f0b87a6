"""Configs and files that are wrong: each is refused in one line that names file, key, value and what is allowed.

tests/plan/test_config.py and tests/images/test_load.py have the plain mistakes; here are the strange and the hostile.
"""

import datetime
import io
import json
import math
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from PIL import Image

from steps import image
from steps.base import discover
from steps.base.errors import BadInput
from steps.base.parameters import keywords
from steps.base.text import NOT_ONE_LINE
from steps.images import decode as imagefile
from steps.images import load
from steps.plan import claims, published, schema
from steps.plan.config import check_config, read_config
from steps.tools import cells
from steps.tools import paper as page
from tests.configs import GOOD, changed
from tests.workflows import ROOT

FIRST = "experiments.first."
METHOD = FIRST + "methods.1."
LAM, SIGMA, LABEL = METHOD + "params.lam", FIRST + "corruption.sigma", FIRST + "methods.0.label"
CONTROL = "is not allowed; must be one line, without control characters"
NAMED = "; a file is named under files:, and a parameter that may be one, such as psf, takes that name"
CYCLE = []
CYCLE.append(CYCLE)
DEEP = []
for _ in range(500):
    DEEP = [DEEP]
BOMB = ["x"] * 10
for _ in range(30):
    BOMB = [BOMB] * 10
MANY = list(range(100))
EVERY = {name: p.default for name, p in keywords(discover.load("methods", "dip").recover).items()}
EVERY = {name: default for name, default in EVERY.items() if default is not None}


def one_line(function, *arguments):
    """Return the message of the BadInput that a call raises, which must be one line, not long."""
    with pytest.raises(BadInput) as caught:
        function(*arguments)
    message = str(caught.value)
    assert not NOT_ONE_LINE.search(message) and len(message) < 700, message
    return message


# Place in the config, value, what the message must have after "my.yaml: ".
CONFIGS = {
    # values of a wrong type
    "NaN": (SIGMA, math.nan, "experiments.first.corruption.sigma: nan is not a finite number"),
    "minus infinity": (SIGMA, -math.inf, "corruption.sigma: -inf is not a finite number"),
    "infinity in a list": (LAM, [0.1, math.inf], "methods[1].params.lam: inf is not a finite number"),
    "infinity as text": (LAM, "1e999", "methods[1].params.lam: inf is not a finite number"),
    "larger than float32": (SIGMA, 1e39, "corruption.sigma: 1e+39 is too large; must be at most 1e+38"),
    "seed of 17 digits": (
        FIRST + "corruption.seed",
        10**16,
        "seed: 10000000000000000 is too large; a whole number may",
    ),
    "number of 400 digits": (LAM, 10**400, "is too large; a whole number may have 16 digits"),
    "number of 5000 digits": (LAM, 10**5000, "a very large int is too large; a whole number may have 16 digits"),
    "true where a number is meant": (SIGMA, True, "corruption.sigma: True is not allowed; must be a number"),
    "yes where true is meant": (FIRST + "corruption.clip", "yes", "clip: 'yes' is not allowed; must be true or false"),
    "1 where true is meant": (FIRST + "corruption.clip", 1, "clip: 1 is not allowed; must be true or false"),
    "no where a word is meant": (METHOD + "params.kind", False, "kind: False is not allowed; must be one of isotropic"),
    "half a seed": (FIRST + "corruption.seed", 0.5, "seed: 0.5 is not allowed; must be a whole number"),
    "date": (SIGMA, datetime.date(2020, 1, 1), "datetime.date(2020, 1, 1) is not a number, true, false or a word"),
    "nothing": (SIGMA, [None], "corruption.sigma: None is not a number, true, false or a word"),
    "list in a list": (LAM, [[0.1]], "params.lam: [0.1] is not a number, true, false or a word"),
    "mapping": (LAM, {"from": 0, "to": 1}, "params.lam: {'from': 0, 'to': 1} is not a number, true, false or a word"),
    "bytes": (LAM, b"1", "params.lam: b'1' is not a number"),
    "params a list": (METHOD + "params", [1], "methods[1].params: [1] is not allowed; must be of type object"),
    "method nothing": (FIRST + "methods", [None], "methods[0]: None is not allowed; must be of type object"),
    "methods a mapping": (
        FIRST + "methods",
        {"method": "tv"},
        "{'method': 'tv'} is not allowed; must be of type array",
    ),
    "an experiment a list": ("experiments.first", [], "experiments.first: [] is not allowed; must be of type object"),
    "an image a text": (
        "images.logo",
        "synthetic:logo",
        "images.logo: 'synthetic:logo' is not allowed; must be of type",
    ),
    "title a number": (FIRST + "title", 3, "experiments.first.title: 3 is not allowed; must be of type string"),
    "label a truth": (LABEL, True, "experiments.first.methods[0].label: True is not allowed; must be of type string"),
    "gray as a word": ("images.logo.gray", "yes", "images.logo.gray: 'yes' is not allowed; must be of type boolean"),
    "image twice": (FIRST + "images", ["logo", "logo"], "experiments.first.images: ['logo', 'logo'] has non-unique"),
    "an image list in a list": (
        FIRST + "images",
        [["logo"]],
        "images[0]: ['logo'] is not allowed; must be of type str",
    ),
    "device nothing": ("device", [], "device: [] is not allowed; must be one of auto, cpu, cuda"),
    "folders a text": ("image_dirs", "photos", "image_dirs: 'photos' is not allowed; must be of type array"),
    "folder with the separator": ("image_dirs", ["a:b"], "image_dirs: 'a:b' is not allowed; must be without ':'"),
    # names
    "key a truth, which YAML's `on` is": (
        FIRST + "corruption",
        {True: 1},
        "unknown parameter True; allowed: bsnr, clip",
    ),
    "key a number": (METHOD + "params", {1: 2}, "methods[1].params: unknown parameter 1; allowed: clipped, inner"),
    "key nothing": (
        "images.logo",
        {None: 1, "source": "synthetic:logo"},
        "images.logo: unknown key None; allowed: crop",
    ),
    "name with a line break": ("images", {"logo\n": {"source": "synthetic:logo"}}, f"images: 'logo\\n' {CONTROL}"),
    "name of an experiment": (
        "experiments",
        {"../x": {}},
        "experiments: '../x' is not allowed; a name must be letters",
    ),
    "name of a hidden folder": ("images", {".logo": {}}, "images: '.logo' is not allowed; a name must be letters"),
    "name as an option": ("images", {"-rf": {}}, "images: '-rf' is not allowed; a name must be letters"),
    "name with letters of others": (
        "images",
        {"bücher": {}},
        "images: 'bücher' is not allowed; a name must be letters",
    ),
    "name of 81 letters": ("images", {"a" * 81: {}}, "images: 'aaa"),
    "name that is a number": ("experiments", {2: {}}, "experiments: 2 is not allowed; must be of type string"),
    "task with a null": (FIRST + "task", "denoising\0", f"experiments.first.task: 'denoising\\x00' {CONTROL}"),
    "method by path": (
        METHOD + "method",
        "methods/tv",
        "methods[1].method: unknown method 'methods/tv'; allowed: admm_dip, bicubic",
    ),
    "method that is Python's": (
        METHOD + "method",
        "__init__",
        "methods[1].method: unknown method '__init__'; allowed: admm",
    ),
    "figure with a path": (FIRST + "figures", ["../draw"], "figures: unknown figure '../draw'; allowed: architecture"),
    "corruption with a path": (
        FIRST + "corruption",
        {"../x": 1},
        "corruption: unknown parameter '../x'; allowed: bsnr, clip",
    ),
    "word with a slash": (METHOD + "params.kind", "../x", "kind: '../x' is not a number, true, false or a word of"),
    "word with a command": (METHOD + "params.kind", "$(ls)", "kind: '$(ls)' is not a number, true, false or a word of"),
    "word with a space": (METHOD + "params.kind", "a b", "kind: 'a b' is not a number, true, false or a word of"),
    # texts, which end up in tables
    "label of two lines": (LABEL, "a\nb", f"experiments.first.methods[0].label: 'a\\nb' {CONTROL}"),
    "label that colours a terminal": (LABEL, "\x1b[31m", f"methods[0].label: '\\x1b[31m' {CONTROL}"),
    "label of half a character": (LABEL, "\ud83d", f"methods[0].label: '\\ud83d' {CONTROL}"),
    "label of blanks": (LABEL, "  ", "methods[0].label: '  ' is not allowed; must have 1 to 1000 characters"),
    "label that legends leave out": (LABEL, "_TV", "the label '_TV' begins with _, which legends leave out"),
    "label of a column of the table": (LABEL, "metric", "the label 'metric' is that of another column"),
    "label of a parameter without name": (LABEL, "{}", "methods[0].label: unknown parameter ''; allowed: none"),
    "label that would run Python": (LABEL, "{lam.__class__}", "methods[0].label: unknown parameter 'lam.__class__'"),
    "endless title": (FIRST + "title", "a" * 1001, "experiments.first.title: 'aaa"),
    "title of two lines": (FIRST + "title", "a\u2028b", f"experiments.first.title: 'a\\u2028b' {CONTROL}"),
    "stand-in of nothing": ("images.logo.stand_in", "", "images.logo.stand_in: '' is not allowed; must have 1 to 1000"),
    # too much
    "too many combinations": (
        FIRST + "corruption",
        {"sigma": MANY, "seed": MANY * 20},
        "make 200000 combinations; must",
    ),
    "too many recoveries": (
        "experiments.first",
        {
            "task": "denoising",
            "images": ["logo"],
            "corruption": {"seed": list(range(400))},
            "methods": [{"method": "tv", "params": {"iterations": [i + 1 for i in range(400)]}}],
        },
        "experiments.first: asks for 160000 recoveries; must be at most 100000",
    ),
    "list in itself": (LAM, CYCLE, "params.lam[0][0]"),
    "lists in lists": (LAM, DEEP, "is nested more than 20 deep"),
    "anchors that multiply": (LAM, BOMB[0], "is nested more than 20 deep"),
    "anchors that multiply, not deep": (
        LAM,
        BOMB[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0],
        "values; must be",
    ),
    "folder of too many characters": (
        FIRST + "methods",
        [{"method": "dip", "params": EVERY}],
        "characters; a folder's name may have 240: leave out those that are at their defaults",
    ),
    # images
    "size 32.0": (
        "images.logo.size",
        32.0,
        "images.logo.size: 32.0 is not allowed; Resize to n pixels of the longer side",
    ),
    "size true": ("images.logo.size", True, "images.logo.size: True is not allowed; Resize"),
    "size of three": ("images.logo.size", [1, 2, 3], "images.logo.size: [1, 2, 3] is not allowed; Resize"),
    "size of a million": ("images.logo.size", 10**6, "size: 1000000x1000000 is not allowed; must be at most 268435456"),
    "crop outside": ("images.logo.crop", [0, 0, 300, 8], "crop [0, 0, 300, 8] does not lie inside the 256x256 image"),
    "crop before the image": (
        "images.logo.crop",
        [-1, 0, 8, 8],
        "images.logo.crop: [-1, 0, 8, 8] is not allowed; Keep",
    ),
    "crop larger than the image": (
        "images.logo.crop",
        257,
        "images.logo.crop: crop [257] does not lie inside the 256x256",
    ),
    "an image of no source": ("images.logo.source", "", "images.logo.source: '' is not allowed; must have 1 to 1000"),
    "an image of scikit-image": (
        "images.logo.source",
        "skimage:camra",
        "images.logo.source: unknown scikit-image image 'camr",
    ),
    "Python of scikit-image": ("images.logo.source", "skimage:__name__", "unknown scikit-image image '__name__'"),
    "a folder": ("images.logo.source", "config", "source: 'config' is a folder; all pictures in it are 'config/*'"),
    "a folder as a file": ("files", {"k": {"source": "config"}}, "files.k.source: a folder is no file: 'config'; must"),
    "a file in the place of a number": (
        SIGMA,
        "mine.png",
        f"must be a number or estimate{NAMED}",
    ),
    "a path in the place of a number": (LAM, "k/mine", f"a word of letters, digits and _ . + -{NAMED}"),
    "a file in the place of a word": (METHOD + "params.kind", "mine.npy", "kind: 'mine.npy' is not allowed; must be"),
    "a device": ("images.logo.source", "/dev/zero", "images.logo.source: no file '/dev/zero'; must be skimage:NAME"),
    "another scheme": ("images.logo.source", "file:///etc/passwd", "source: no file 'file:///etc/passwd'; must be ski"),
    "a path too long": ("images.logo.source", "a" * 900, "images.logo.source: no file 'aaa"),
    "an option": ("images.logo.source", "--help", "images.logo.source: '--help' is not allowed; must not begin with -"),
    "no image at all": ("images.logo.source", "README.md", "README.md: suffix '.md' is not one of .png, .jpg"),
    "checksum of 63 digits": ("images.logo.sha256", "a" * 63, "images.logo.sha256: 'aaa"),
    "checksum with a line break": ("images.logo.sha256", "a" * 64 + "\n", "images.logo.sha256: 'aaa"),
    "no checksums": (
        "images.logo.sha256",
        [],
        "images.logo.sha256: [] is not allowed; Checksum of the file, 64 digits",
    ),
    # other files
    "published values missing": ("published", "none.csv", "my.yaml: published: no file 'none.csv'"),
    "published values a folder": ("published", "config", "my.yaml: published: no file 'config'"),
    "published values an option": ("published", "-x.csv", "published: '-x.csv' is not allowed; must not begin with -"),
    "published values a pattern": ("published", "{x}.csv", "published: '{x}.csv' is not allowed; must not begin with"),
    "claims a pattern": (
        "claims",
        "<x>.yaml",
        "my.yaml: claims: '<x>.yaml' is not allowed; must not begin with -, nor",
    ),
    "an image a pattern": ("images.logo.source", "{image}.png", "source: '{image}.png' is not allowed; must not begin"),
    "claims missing": ("claims", "none.yaml", "my.yaml: claims: no file 'none.yaml'"),
    "claims that are no YAML": ("claims", "Makefile", "Makefile, line "),
    "claims that are another file": (
        "claims",
        "config/smoke.yaml",
        "config/smoke.yaml: unknown key 'device'; allowed: cl",
    ),
    "tolerance of NaN": (
        FIRST + "published",
        {"table": "t", "tolerances": [{"reason": "r", "db": math.nan}]},
        "db: nan",
    ),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_bad_config(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    place, value, words = CONFIGS[name]
    config = changed(place, value)
    if place == "published":  # the file is read if something is compared with it
        config["experiments"]["first"]["published"] = {"table": "t"}
    message = one_line(check_config, config, "my.yaml")
    assert message.startswith("my.yaml: ") or name.startswith("claims that")
    assert words in message


# Content of a file, what the message must have after its name.
FILES = {
    "nothing": ("", ": None is not allowed; must be of type object"),
    "a list": ("- 1", ": [1] is not allowed; must be of type object"),
    "a text": ("hello", ": 'hello' is not allowed; must be of type object"),
    "only a remark": ("# nothing", ": None is not allowed; must be of type object"),
    "a word that YAML takes for true": (
        "experiments:\n  on: {task: denoising}",
        ", line 2, column 3: the key on is read as true or false; a word must be in quotes",
    ),
    "a bracket too few": (
        "images: [1",
        ", line 2, column 1: not YAML (while parsing a flow sequence, begun in line 1",
    ),
    "a tab": (
        "images:\n\tlogo: 1",
        ", line 2, column 1: not YAML (found character that cannot start",
    ),
    "a colon too few": ("images\n  logo: {size: 2}", ", line 2, column 7: not YAML (mapping values are not allowed in"),
    "a line too far right": (
        "images:\n  a: {}\n   b: {}",
        ", line 3, column 4: not YAML (while parsing a block",
    ),
    "a quote without end": (
        "images: 'a\n",
        ", line 2, column 1: not YAML (while scanning a quoted",
    ),
    "an unknown anchor": ("images: *x", ", line 1, column 9: not YAML (found undefined alias); found '*x'"),
    "two documents": ("a: 1\n---\nb: 2", ", line 2, column 1: not YAML (expected a single document"),
    "a command": (
        "images: !!python/object/apply:os.system [ls]",
        ", line 1, column 9: not YAML (could not determine",
    ),
    "a template": (
        "__use_yte__: true\nimages: {}",
        ": __use_yte__ would run code that is in the file; must be a plain",
    ),
    "a month 13": ("images: 2020-13-01", ", line 1, column 9: not YAML (month must be in 1..12); found '2020-13-01'"),
    "a list as a key": ("? [1]\n: 2", ", line 1, column 3: not YAML (found unhashable key"),
    "a key twice": ("device: cpu\nimages: {}\ndevice: cuda", ", line 3, column 1: the key 'device' is there twice"),
    "an inner key twice": ("images:\n  a: {size: 1,\n   size: 2}", ", line 3, column 4: the key 'size' is there twice"),
    "a key twice in JSON": ('{"images": {"a": 1, "a": 2}}', ": the key 'a' is there twice"),
    "JSON cut off": (
        '{"images": {',
        ", line 2, column 1: not YAML (did not find expected node content)",
    ),
    "a number of 5000 digits": (
        "images: " + "9" * 5000,
        ", line 1, column 9: not YAML (Exceeds the limit",
    ),
    "a null": ("images: \0", ", line 1, column 9: not YAML (control characters are"),
    "brackets without end": ("images: " + "[" * 5000, ", line 2, column 1: not YAML ("),
    "half a character in JSON": ('{"device": "\\ud800"}', f": device: '\\ud800' {CONTROL}"),
    "Latin 1": (b"images: {b\xfccher: {}}", ": not UTF-8 (invalid start byte at byte 10)"),
    "UTF-16": ("images: {}".encode("utf-16"), ": not UTF-8 (invalid start byte at byte 0)"),
    "bytes by chance": (bytes(range(256)), ": not UTF-8 (invalid start byte at byte 128)"),
    "17 million bytes": (b"#" * 2**24 + b"\n", ": has more than 16777216 bytes"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_config(name, tmp_path):
    content, words = FILES[name]
    file = tmp_path / "my.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert one_line(read_config, str(file)).startswith(f"{file}{words}")
    for command in (cells.main, page.main):
        result = CliRunner().invoke(command, [str(file), str(tmp_path / "out.md")])
        assert result.exit_code == 1 and result.output.startswith("Error: ") and result.output.count("\n") == 1


def test_what_yaml_allows_beside_keys_that_are_there_twice(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("a: &a {x: 1, 1: 2}\nb: {<<: *a, x: 3, '1': 4}\n")
    assert schema.read(file) == {"a": {"x": 1, 1: 2}, "b": {"x": 3, 1: 2, "1": 4}}
    file.write_text('{"a":\t1}')
    assert schema.read(file) == {"a": 1}


HEAD = "table,image,parameter,value,label,number\n"
PUBLISHED = {
    "no column": (
        "table,image\nt,a\n",
        "line 2: no parameter; must have table, image, parameter, value, label, number",
    ),
    "no header": ("t,a,sigma,1,W,30\nt,a,sigma,1,W,30\n", "line 2: no table; must have table, image"),
    "a text for a number": (HEAD + "t,a,sigma,1,W,good\n", "line 2: number 'good' is not a number"),
    "a decimal comma": (HEAD + 't,a,sigma,"0,1",W,30\n', "line 2: value '0,1' is not a number"),
    "NaN": (HEAD + "t,a,sigma,1,W,nan\n", "line 2: number nan is not a finite number"),
    "a value too many": (HEAD + "t,a,sigma,1,W,30,31\n", "line 2: has 7 values for 6 columns"),
    "a value too few": (HEAD + "t,a,sigma,1,W\n", "line 2: no number; must have table"),
    "a cell twice": (HEAD + "# x\n" + "t,a,sigma,1,W,30\n" * 2, "line 4: t, a, 1.0, W is there twice"),
    "semicolons": (HEAD.replace(",", ";") + "t;a;sigma;1;W;30\n", "line 2: no table; must have table, image"),
    "quotes without end": (HEAD + 't,a,sigma,1,"W,30\n', "line 2: not csv (unexpected end of data)"),
    "a control character": (HEAD + "t,a,sigma,1,\x1b[0m,30\n", f"line 2: label: '\\x1b[0m' {CONTROL}"),
    "a long header": (HEAD.strip() + "," + "a" * 140000 + "\n", "line 1: not csv (field larger than field limit"),
    "a long label": (HEAD + f"t,a,sigma,1,{'W' * 1001},30\n", "line 2: label: 'WWW"),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_bad_published_values(name, tmp_path):
    content, words = PUBLISHED[name]
    file = tmp_path / "published.csv"
    file.write_text(content)
    assert one_line(published.read, str(file)).startswith(f"{file}, {words}")


def test_published_values_of_another_encoding(tmp_path):
    file = tmp_path / "published.csv"
    file.write_bytes(HEAD.encode() + "t,a,sigma,1,Müller,30\n".encode("latin-1"))
    assert one_line(published.read, str(file)) == f"{file}: not UTF-8 (invalid start byte at byte 54)"
    file.write_text(HEAD + "t,a,sigma,1,Müller,30\n", encoding="utf-8-sig")  # as Excel writes it
    assert published.read(file)[0]["label"] == "Müller"


CLAIM = {"quote": "q", "section": "1", "experiment": "first", "label": "Wiener", "is": "higher", "note": "n"}
CLAIM |= {"than": "TV (lam=0.1)"}
CLAIMS = {
    "no claims": ({"claims": {}}, "claims: is empty; must have at least 1 entry"),
    "a claim without a word": ({"claims": {"a": None}}, "claims.a: None is not allowed; must be of type object"),
    "an unknown key": (CLAIM | {"lable": "x"}, "claims.a: unknown key 'lable' (did you mean 'label'?)"),
    "a margin of NaN": (CLAIM | {"by": math.nan}, "claims.a.by: nan is not allowed; must be of type number"),
    "an unknown word": (
        CLAIM | {"is": "best"},
        "claims.a.is: 'best' is not allowed; must be one of higher, lower",
    ),
    "an unknown experiment": (
        CLAIM | {"experiment": "frist"},
        "claims.a.experiment: unknown experiment 'frist' (did",
    ),
    "an unknown label": (CLAIM | {"label": "Weiner"}, "claims.a: unknown label 'Weiner' (did you mean 'Wiener'?)"),
    "an unknown value": (CLAIM | {"where": {"sigma": 7}}, "claims.a.where.sigma: unknown value 7; allowed: 0.01, 0.1"),
    "a value of no kind": (
        CLAIM | {"where": {"sigma": "a b"}},
        "claims.a.where: 'a b' is not a number, true, false or",
    ),
    "values in a mapping": (
        CLAIM | {"where": {"sigma": {}}},
        "claims.a.where.sigma: {} is not allowed; must be a v",
    ),
    "a quote of two lines": (CLAIM | {"quote": "a\nb"}, f"claims.a.quote: 'a\\nb' {CONTROL}"),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_bad_claims(name, tmp_path):
    claim, words = CLAIMS[name]
    file = tmp_path / "claims.yaml"
    file.write_text(json.dumps(claim if "claims" in claim else {"claims": {"a": claim}}).replace("NaN", ".nan"))
    assert one_line(claims.read, str(file), GOOD).startswith(f"{file}: {words}")


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def bomb(width, height):
    """Return a PNG of some hundred bytes that says it has width x height pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def npy(shape, dtype="|u1", content=b""):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue() + content


def npz(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def saved(picture, kind, **settings):
    file = io.BytesIO()
    picture.save(file, kind, **settings)
    return file.getvalue()


def tiff(pixels, **settings):
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **settings)
    return file.getvalue()


def tiff_bomb(side):
    content = bytearray(tiff(np.zeros((2, 2), np.uint16)))
    for tag in (256, 257):  # width and height, as numbers of 16 or 32 bit
        spot = content.index(struct.pack("<H", tag))
        content[spot + 2 : spot + 12] = struct.pack("<HII", 4, 1, side)
    return bytes(content)


def bitmap(width, height):
    content = bytearray(saved(Image.new("L", (8, 8)), "BMP"))
    content[18:26] = struct.pack("<ii", width, height)
    return bytes(content)


GRAY = Image.new("L", (64, 48), 100)
SEVERAL = {"save_all": True, "append_images": [Image.new("L", (64, 48))]}
MEMBER = npy((4, 4), "<f8", bytes(128))
PICKLE = npy((1,), "|O", b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR.")
PIXELS = f"must be at most {2**28}"
# Name and content of a file, what the message must have after its name; whether its header shows it.
IMAGES = {
    "empty.png": (b"", "not a readable image (cannot identify image file", True),
    "empty.npy": (b"", "not a readable image (", True),
    "empty.npz": (b"", "not a readable image (File is not a zip file)", True),
    "empty.tif": (b"", "not a readable image (", True),
    "text.png": (b"no image", "not a readable image (cannot identify image file", True),
    "page.jpg": (b"<html>404</html>", "not a readable image (cannot identify image file", True),
    "drawing.png": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a readable image (cannot identify", True),
    "script.bmp": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a readable image (cannot identify", True),
    "gif.png": (saved(GRAY, "GIF"), "not a readable image (cannot identify image file", True),
    "cut.png": (saved(GRAY, "PNG")[:60], "not a readable image (", False),
    "cut.jpg": (saved(GRAY, "JPEG")[:-30], "not a readable image (", False),
    "cut.bmp": (saved(GRAY, "BMP")[:2000], "not a readable image (image file is truncated", False),
    "cut.npy": (npy((4, 4), "<f8", bytes(100)), "not a readable image (", False),
    "cut.npz": (npz({"a.npy": MEMBER})[:-9], "not a readable image (File is not a zip file)", True),
    "sum.png": (saved(GRAY, "PNG").replace(b"IDAT", b"IDAU"), "not a readable image (", True),
    "animated.png": (saved(GRAY, "PNG", **SEVERAL), "has 2 frames; must have one", True),
    "pages.tif": (saved(GRAY, "TIFF", **SEVERAL), "has 2 pages; must have one", True),
    "lab.tif": (saved(Image.new("LAB", (8, 8)), "TIFF"), "colours are LAB; must be gray, RGB, CMYK or a palette", True),
    "deep.tif": (
        tiff(np.zeros((8, 8), np.uint32)),
        "pixels of type uint32; must be uint8, uint16, float or",
        True,
    ),
    "loud.tif": (tiff(np.full((8, 8), 2, np.float32)), "values from 2 to 2; floats must lie in [0, 1]", False),
    "volume.tif": (tiff(np.zeros((5, 8, 8), np.uint16), volumetric=True), "has 5 pages; must have one", True),
    "bomb.png": (bomb(50000, 50000), f"has 2500000000 pixels (50000x50000); {PIXELS}", True),
    "wide.png": (bomb(2**31 - 1, 1), f"has 2147483647 pixels (1x2147483647); {PIXELS}", True),
    "bomb.bmp": (bitmap(50000, 50000), f"has 2500000000 pixels (50000x50000); {PIXELS}", True),
    "bomb.tif": (tiff_bomb(10**6), f"has 1000000000000 pixels (1000000x1000000); {PIXELS}", True),
    "bomb.npy": (npy((10**9, 10**9)), "has 1000000000000000000 bytes (shape (1000000000, 1000000000), uint8)", True),
    "bomb.npz": (
        npz({"a.npy": npy((10**5, 10**5))}),
        "has 10000000000 bytes (shape (100000, 100000), uint8)",
        True,
    ),
    "huge_header.npy": (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + b" " * 999, "not a readable image (", True),
    "objects.npy": (PICKLE, "shape (1,) is not an image; must be (H, W)", True),
    "pickle.npy": (PICKLE[PICKLE.index(b"\x80\x04") :], "not a readable image (", True),
    "objects.npz": (npz({"a.npy": npy((2, 2), "|O", b"x")}), "pixels of type object; must be uint8, uint16", True),
    "fields.npy": (npy((2, 2), [("a", "<f8")]), "pixels of type [('a', '<f8')]; must be uint8, uint16", True),
    "two.npz": (npz({"a.npy": MEMBER, "b.npy": MEMBER}), "holds the arrays a, b; must hold one", True),
    "many.npz": (npz({f"{'a' * 99}{i}.npy": MEMBER for i in range(99)}), "holds the arrays aaa", True),
    "none.npz": (npz({}), "holds the arrays ; must hold one", True),
    "other.npz": (npz({"readme.txt": b"hello"}), "not a readable image (", True),
    "nan.npy": (
        npy((2, 2), "<f8", np.array([0.5, np.nan] * 2).tobytes()),
        "values from nan to nan; floats must",
        False,
    ),
    "negative.npy": (
        npy((2, 2), "<f8", np.array([0.5, -1.0] * 2).tobytes()),
        "values from -1 to 0.5; floats must",
        False,
    ),
    "int32.npy": (npy((2, 2), "<i4", bytes(16)), "pixels of type int32; must be uint8, uint16, float or boolean", True),
    "five.npy": (npy((1, 1, 2, 2, 1)), "shape (1, 1, 2, 2, 1) is not an image; must be (H, W)", True),
    "nothing.npy": (npy((0, 4)), "shape (0, 4) is not an image; must be (H, W)", True),
    "photo.gif": (saved(GRAY, "GIF"), "suffix '.gif' is not one of .png, .jpg, .jpeg, .tif, .tiff, .bmp", True),
    "photo": (saved(GRAY, "PNG"), "suffix '' is not one of .png", True),
}


@pytest.mark.parametrize("name", IMAGES)
def test_a_bad_image_file(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content, words, in_header = IMAGES[name]
    Path(name).write_bytes(content)
    assert one_line(imagefile.read, name).startswith(f"{name}: ")
    assert words in one_line(imagefile.read, name)
    config = changed("images.logo", {"source": name})
    if in_header:  # then no job starts
        assert one_line(check_config, config, "my.yaml").startswith(f"my.yaml: images.logo.source: {name}: ")
    else:
        check_config(config, "my.yaml")
    result = CliRunner().invoke(image.main, [name, "out.npy", "--name", "logo"])
    assert (result.exit_code, result.output.count("\n")) == (1, 1) and words in result.output
    assert not Path("out.npy").exists() and not Path("pwned").exists()


def test_a_good_file_with_a_bad_entry(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    GRAY.save("a.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned: 64 high, 48 wide
    GRAY.save("turned.jpg", exif=exif)
    assert (imagefile.size("a.png"), imagefile.size("turned.jpg")) == ((48, 64), (64, 48))
    assert imagefile.read("turned.jpg").shape == (64, 48)
    outside = "images.logo.crop: crop [0, 0, 49, 9] does not lie inside the 48x64 image"
    bad = {"source": "a.png", "crop": [0, 0, 49, 9]}
    assert one_line(check_config, changed("images.logo", bad), "my.yaml") == f"my.yaml: {outside}"
    check_config(changed("images.logo", bad | {"source": "turned.jpg"}))
    result = CliRunner().invoke(image.main, ["a.png", "out.npy", f"--sha256={'0' * 64}"])
    assert result.exit_code == 1 and "a.png: checksum mismatch: sha256 is " in result.output
    check_config(changed("images.logo", {"source": "none.png"}), images=False)  # as a job does


def test_the_limits_are_for_the_whole_file_too(tmp_path, monkeypatch):
    with open(tmp_path / "large.png", "wb") as file:
        file.truncate(2**31 + 1)  # of holes: it takes no space
    assert "has 2147483649 bytes; must be at most 2147483648" in one_line(imagefile.size, tmp_path / "large.png")
    monkeypatch.setattr(imagefile, "PIXELS", 100)
    GRAY.save(tmp_path / "a.png")
    assert "has 3072 pixels (48x64); must be at most 100" in one_line(imagefile.read, tmp_path / "a.png")


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    """By a user without the right; here the call that would open them fails."""
    GRAY.save(tmp_path / "a.png")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    assert "a.png: not a readable image ([Errno 13]" in one_line(imagefile.size, tmp_path / "a.png")
    found = one_line(lambda: load.load(str(tmp_path / "a.png"), sha256=["0" * 64]))
    assert "a.png: cannot be read (Permission denied)" in found
