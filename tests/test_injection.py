"""Hostile text in a config, through Snakemake: shown as it is, never run, and nothing is written outside of results."""

import html
import json
import re
import shutil
from pathlib import Path

import pandas
import pytest
import yaml
from PIL import Image

from tests.workflows import copy_repository, snakemake

NASTY = "a 'b' \"c\" ; $(touch pwned) `touch pwned` & touch pwned | touch pwned > pwned \\ ../.. %s %(x)s ~ ^ # _ <b>"
NASTY += " [l](http://x) *e* $x$ $\\frac ü λ ±1 --help \\input{x} {0} {wildcards.image} {{input}} !"
LABEL = NASTY.replace("{0} {wildcards.image} {{input}}", "").replace("\\input{x}", "{K}")
FILE = 'it\'s "my" $(touch pwned); `touch pwned` & 100 % [x] ~ ! #.png'
CSV = "table,image,parameter,value,label,number\n"
CONFIG = {
    "device": "cpu",
    "image_dirs": [f"folder {NASTY[:60]}"],
    "published": f"published {FILE}.csv",
    "claims": f"claims {FILE}.yaml",
    "images": {
        "mine": {"source": f"photos/{FILE}", "stand_in": NASTY, "size": 16},
        "other": {"source": f"../{FILE}", "gray": True, "size": 12},
    },
    "experiments": {
        "nasty": {
            "task": "denoising",
            "images": ["mine", "other"],
            "title": NASTY,
            "corruption": {"sigma": 0.1},
            "methods": [
                {"method": "wiener", "label": LABEL, "params": {"K": 0.1}, "published": NASTY, "remark": NASTY},
                {"method": "tv", "label": "-x", "params": {"iterations": 3}},
            ],
            "published": {"table": NASTY, "tolerances": [{"db": 1, "reason": NASTY}]},
            "figures": ["psnr", "comparison", "curves", "vs_paper"],
        }
    },
}
CLAIM = {"quote": NASTY, "section": NASTY, "note": NASTY, "experiment": "nasty", "label": NASTY, "is": "flat"}
CLAIM |= {"over": "sigma"}


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def listing(folder):
    skip = {".snakemake", "results", "__pycache__", ".pytest_cache"}
    return {path for path in folder.parent.rglob("*") if not skip & set(path.relative_to(folder.parent).parts)}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A copy of the repository, in a folder with a nasty name, in which a config full of hostile text has been run."""
    folder = tmp_path_factory.mktemp("outside") / 'it\'s $(touch pwned) & a; "copy"'
    copy_repository(folder)
    (folder / "photos").mkdir()
    for file in (folder / "photos" / FILE, folder.parent / FILE):
        Image.radial_gradient("L").save(file)
    values = [f"{quoted(NASTY)},mine,sigma,{sigma},{quoted(NASTY)},20" for sigma in (0.1, 0.2)]
    (folder / CONFIG["published"]).write_text(CSV + "\n".join(values))
    (folder / CONFIG["claims"]).write_text(json.dumps({"claims": {"a": CLAIM}}))
    (folder / "my config.yaml").write_text(yaml.safe_dump(CONFIG, allow_unicode=True))
    before = listing(folder)
    result = snakemake(folder, config="my config.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    return folder, before


def test_nothing_is_run_and_nothing_is_written_outside_of_results(run):
    folder, before = run
    assert listing(folder) == before
    assert not [path for path in folder.parent.rglob("*") if path.name.startswith("pwned")]


def test_text_is_shown_as_it_is(run):
    folder, _ = run
    scores = pandas.read_csv(folder / "results/scores.csv")
    assert set(scores["label"]) == {LABEL.replace("{K}", "0.1"), "-x"}
    for name in ("tables/nasty", "tables/nasty_vs_paper", "claims", "time"):
        text = (folder / f"results/{name}.md").read_text()
        plain = re.sub(r"\\([^\w\s]|_)", r"\1", text)  # as Markdown shows it
        for part in [NASTY] * (name != "time") + [LABEL.replace("{K}", "0.1")] * (name != "claims"):
            assert part in plain, name
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            columns = {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in table.splitlines()}
            assert len(columns) == 1, table
    page = (folder / "results/pages/nasty.html").read_text()
    assert f"<h1>{html.escape(NASTY)}</h1>" in page and page.count("<b>") == 0
    data = json.loads(re.findall(r'id="data">(.*)</script>', page)[0])
    assert [panel["label"] for panel in data["cases"][0]["panels"]][2:] == [LABEL.replace("{K}", "0.1"), "-x"]
    latex = (folder / "results/tables/nasty.tex").read_text()
    assert r"\$(touch pwned) `touch pwned` \& touch pwned \textbar{} touch pwned \textgreater{} pwned" in latex
    assert r"\input{" not in latex and r"\textbackslash{}input\{x\}" in latex
    for table in latex.split(r"\toprule")[1:]:
        rows = [line for line in table.splitlines() if line.endswith(r"\\")]
        assert len({len(re.findall(r"(?<!\\)&", line)) for line in rows}) == 1


def test_the_command_line_cannot_leave_results_either(run):
    folder, before = run
    for target in ("results/../pwned.npy", "../pwned", "results/figures/nasty/psnr/../../../../pwned.png"):
        result = snakemake(folder, target, config="my config.yaml")
        assert result.returncode == 1 and "No rule to produce" in result.stderr + result.stdout, result.stderr
    for target, words in {
        "results/figures/nasty/psnr/x.png": "psnr/x: psnr is drawn for each experiment",
        "results/figures/nasty/comparison/mine/x.png": "comparison/mine/x: unknown corruption 'x'; allowed: sigma=0.1",
        "results/denoising/mine/$(touch pwned)/tv/default/score.json": "'$(touch pwned)' in '$(touch pwned)' is not of",
        "results/denoising/mine/sigma=0.1/tv/kind=$(touch pwned)/score.json": "'$(touch pwned)' is not a number, true,",
    }.items():
        result = snakemake(folder, target, config="my config.yaml")
        errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
        assert result.returncode == 1 and len(errors) == 1 and words in errors[0], result.stderr
    assert listing(folder) == before


# What is in the file given to --configfile, what is said of it.
FILES = {
    "a key twice": (
        "device: cpu\nimages: {}\ndevice: cuda",
        "Error: bad.yaml, line 3, column 1: the key 'device' is there twice",
    ),
    "a template": ("__use_yte__: true\nimages: {}", "Error: bad.yaml: __use_yte__ would run code that is in the file"),
    "a bad value": ("images: 3", "Error: bad.yaml: missing key 'experiments'"),
    "no YAML": ("images: [1", "Error: bad.yaml, line 2, column 1: not YAML"),
    "a list": ("- 1", "Error: bad.yaml: not a config, which has keys at the top level"),
    "nothing": ("", "Error: bad.yaml: not a config, which has keys at the top level"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_config(run, name):
    folder, _ = run
    content, words = FILES[name]
    (folder / "bad.yaml").write_text(content)
    result = snakemake(folder, config="bad.yaml")
    (folder / "bad.yaml").unlink()
    assert result.returncode == 1 and words in result.stderr and "Traceback" not in result.stderr, result.stderr
    assert len(result.stderr.strip().splitlines()) <= 3  # the first is of Snakemake's profile


def test_what_is_said_on_the_command_line_is_named(run):
    folder, _ = run
    result = snakemake(folder, "--config", "device=gpu", config="my config.yaml")
    assert "Error: my config.yaml + --config: device: 'gpu' is not allowed; must be one of auto, cpu" in result.stderr


def test_a_bad_image_file_stops_before_any_job(run):
    folder, _ = run
    file = folder / "photos" / FILE
    shutil.copy(file, folder / "kept.png")
    file.write_bytes(Path(__file__).read_bytes())
    result = snakemake(folder, config="my config.yaml")
    shutil.move(folder / "kept.png", file)
    assert result.returncode == 1 and "images.mine.source: photos/it's" in result.stderr
    assert "not a readable image" in result.stderr and len(result.stderr.strip().splitlines()) == 2
