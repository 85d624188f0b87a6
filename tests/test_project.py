"""The files around the code: requirements, README, Makefile."""

import functools
import io
import re
import resource
import shlex
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml
from markdown_it import MarkdownIt
from PIL import Image

from steps import compare
from steps.base import discover, parameters
from steps.base.parameters import parse_parameters
from steps.plan import experiments, published, variants
from tests import walkthrough
from tests.workflows import copy_repository, python

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"matplotlib": "matplotlib-base", "snakemake": "snakemake-minimal"}  # without a graphical interface


def name_of(requirement):
    return re.match(r"[A-Za-z0-9_.-]+", requirement)[0].lower()


def test_environment_yml_equals_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda = [entry for entry in environment if isinstance(entry, str) and not entry.startswith(("python>", "pip"))]
    (pip,) = [entry["pip"] for entry in environment if isinstance(entry, dict)]
    expected = set()
    for requirement in PROJECT["dependencies"]:
        name = name_of(requirement)
        in_conda = name not in {name_of(entry) for entry in pip}
        expected.add(requirement.replace(name, CONDA_NAMES.get(name, name), 1) if in_conda else requirement)
    assert set(conda) | set(pip) == expected
    python = next(entry for entry in environment if isinstance(entry, str) and entry.startswith("python"))
    assert python == "python" + PROJECT["requires-python"]


def test_the_lock_pins_every_requirement():
    lock = (ROOT / "requirements.lock").read_text().splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][\w.]*", line) for line in lock)
    pinned = {name_of(line).replace("_", "-") for line in lock}
    for requirement in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]:
        assert name_of(requirement) in pinned


def test_the_plugins_for_clusters_are_pinned_and_not_in_the_environment():
    lock = (ROOT / "requirements-cluster.lock").read_text().splitlines()
    assert all(re.fullmatch(r"[a-z-]+==[0-9][\w.]*", line) for line in lock)
    for extra in ("slurm", "cluster"):
        for requirement in PROJECT["optional-dependencies"][extra]:
            assert name_of(requirement) in {name_of(line) for line in lock}
    assert not [line for line in (ROOT / "requirements.lock").read_text().splitlines() if "executor-plugin-" in line]


def test_the_packages_of_the_site_are_pinned_and_not_in_the_environment():
    pinned = {name_of(line): line for line in (ROOT / "requirements-docs.lock").read_text().splitlines()}
    assert all(re.fullmatch(r"[A-Za-z_-]+==[0-9][\w.]*", line) for line in pinned.values())
    assert {name_of(requirement) for requirement in PROJECT["optional-dependencies"]["docs"]} <= set(pinned)
    assert not set(pinned) & {name_of(line) for line in (ROOT / "requirements.lock").read_text().splitlines()}


def test_no_key_of_a_cluster_s_profile_is_overruled_by_the_default_profile():
    default = yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text())
    rules = "".join(path.read_text() for path in ROOT.glob("workflow/rules/*.smk"))
    for name in ("slurm", "generic"):
        profile = yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text())
        assert not set(profile) & set(default) - {"__use_yte__", "__definitions__"}
        for group in profile["group-components"]:
            assert f'together("{group}")' in rules


def test_all_that_the_steps_import_is_required():
    names = {"skimage": "scikit-image", "PIL": "pillow", "png": "pypng", "yaml": "pyyaml"}
    names |= {"markdown_it": "markdown-it-py", "snakemake_interface_report_plugins": "snakemake"}
    names |= {"snakemake_interface_executor_plugins": "snakemake"}
    required = {name_of(requirement) for requirement in PROJECT["dependencies"]}
    imported = set()
    for path in ROOT.glob("steps/**/*.py"):
        imported |= set(re.findall(r"^\s*(?:import|from) (\w+)", path.read_text(), re.MULTILINE))
    there = {"steps", "triton"}  # Triton is with torch for CUDA, where it is used
    outside = {names.get(name, name) for name in imported - set(sys.stdlib_module_names) - there}
    assert outside <= required


def test_links_anchors_and_pictures_of_the_documents_exist():
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "config/README.md", ROOT / "results/README.md"]
    count = 0
    for document in documents:
        for target in links(document)[0]:
            if target.startswith("http"):
                continue
            path, _, anchor = target.partition("#")
            other = (document.parent / path).resolve() if path else document
            assert other.exists(), f"{document.relative_to(ROOT)}: {target}"
            assert not anchor or anchor in links(other)[1], f"{document.relative_to(ROOT)}: {target}"
            count += bool(anchor)
    assert count > 5


@functools.cache
def links(document):
    """Return (targets of the links and pictures of a Markdown file, names of its headings as GitHub makes them)."""
    tokens = MarkdownIt().enable("table").parse(document.read_text(encoding="utf-8"))
    inside = [child for token in tokens for child in token.children or []]
    targets = [str(child.attrs.get("href") or child.attrs.get("src")) for child in inside if child.attrs]
    headings = [after.content for token, after in zip(tokens, tokens[1:]) if token.type == "heading_open"]
    return targets, {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings} | {
        name for child in inside for name in re.findall(r'<a (?:id|name)="([^"]+)"', child.content)
    }


def test_the_catalog_of_workflows_finds_what_it_needs():
    """The files and keys that https://github.com/snakemake/snakemake-workflow-catalog asks for."""
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment"}
    deployment = {"conda": True, "apptainer": False, "apptainer+conda": False, "report": True}
    assert usage["software-stack-deployment"] == deployment
    assert (ROOT / "config/README.md").is_file() and list(ROOT.glob("workflow/rules/*.smk"))
    readme = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in readme and "workflow" in readme


def test_the_citation_has_the_version_of_the_project_and_cites_the_paper():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0" and citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert {"message", "title", "authors"} <= set(citation)
    titles = [reference["title"] for reference in citation["references"]]
    assert "Regularization and Applications of a Network Structure Deep Image Prior" in titles
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text()


def test_make_targets_of_the_readme_exist():
    targets = set(re.findall(r"\bmake ([a-z-]+)", (ROOT / "README.md").read_text()))
    for target in targets:
        result = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True)
        assert result.returncode == 0, f"make {target}: {result.stderr}"


def test_make_try_takes_a_picture():
    for words, picture in {(): "skimage:camera", ("PICTURE=my photo.jpg",): "my photo.jpg"}.items():
        # A make inside `make test` would say which directory it enters and leaves.
        make = ["make", "--no-print-directory", "--dry-run", "try", *words]
        result = subprocess.run(make, cwd=ROOT, capture_output=True, text=True)
        assert shlex.split(result.stdout.splitlines()[-1])[1:] == ["-m", "steps", "try", picture]


def test_paper_yaml_has_a_recovery_for_every_published_number_in_the_paper_s_and_in_tuned_settings():
    config = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
    covered = {"paper": set(), "tuned": set()}
    for entry in config["experiments"].values():
        if "published" not in entry:
            continue
        labels = dict(variants.labels(entry))
        for recovery in experiments.recoveries(entry):
            parameters = parse_parameters(recovery.corruption)
            method = labels[recovery.label]
            for name in published.names(method):
                for key in ("sigma", "compression"):
                    cell = (entry["published"]["table"], recovery.image, name, parameters.get(key), parameters["seed"])
                    covered[method.get("settings", "paper")].add(cell)
    rows = published.read(ROOT / "config/published.csv")
    assert len(rows) == 116
    for settings, cells in covered.items():
        for row in rows:
            for seed in (0, 1, 2):
                cell = (row["table"], row["image"], row["label"], row["value"], seed)
                assert cell in cells, f"{settings} settings: {cell}"


def test_a_stand_in_of_paper_yaml_is_never_judged():
    config = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
    stand_ins = {name for name, image in config["images"].items() if "stand_in" in image}
    assert stand_ins == {"parrots", "stanford_logo"}
    for row in published.read(ROOT / "config/published.csv"):
        tolerances = config["experiments"][row["table"]]["published"]["tolerances"]
        tolerance, _ = compare.rule(row, tolerances)
        assert (tolerance is None) == (row["image"] in stand_ins), row


def test_the_figures_of_paper_yaml_show_recoveries_of_its_tables():
    config = yaml.safe_load((ROOT / "config/paper.yaml").read_text())["experiments"]
    folders = {name: {r.folder for r in experiments.recoveries(entry)} for name, entry in config.items()}
    of_tables = folders["table1"] | folders["table2"] | folders["table3"]
    for name in ("figure1", "figure3", "figure4", "figure5"):
        assert folders[name] <= of_tables, name


def test_the_readme_s_boxes_are_short_and_its_commands_do_what_they_say(tmp_path):
    """Those of Snakemake are planned, those of make are named (above); what is left is run."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    boxes = walkthrough.blocks(text)
    copy_repository(tmp_path)
    (tmp_path / "photos").mkdir()
    noisy = np.random.default_rng(0).integers(0, 256, (24, 24), dtype=np.uint8)
    for name in ("photos/mine.png", "photo.jpg"):
        Image.fromarray(noisy).save(tmp_path / name)
    done = Counter()
    for kind, content in boxes:
        if kind == "text":
            continue
        assert len(content.splitlines()) <= 8, content
        if kind != "sh":
            (tmp_path / kind).write_text(content, encoding="utf-8")
            continue
        for line in content.splitlines():
            words = shlex.split(line, comments=True)
            if words[:3] == ["python", "-m", "steps"]:
                result = python(tmp_path, *words[2:])
            elif words[0] == "snakemake":
                result = python(tmp_path, *words, "--dry-run")
            else:
                assert words[0] == "make" or line.startswith(("image → ", "results/")), line
                continue
            done[words[0]] += 1
            assert result.returncode == 0, (line, result.stdout, result.stderr)
    assert done == {"python": 3, "snakemake": 1}


def test_the_readme_s_path_can_be_asked_for(tmp_path):
    """It is one of the embedded default's."""
    (path,) = re.findall(r"^    results/(\S+)/score.json$", (ROOT / "README.md").read_text(), re.MULTILINE)
    task, image, corruption, method, params = path.split("/")
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    experiment = config["experiments"]["denoising"]
    assert task == "denoising" and image in experiment["images"]
    assert parse_parameters(corruption).keys() == experiment["corruption"].keys()
    assert parse_parameters(params).keys() <= parameters.defaults(discover.load("methods", method).recover).keys()


@pytest.mark.skipif(not (ROOT / "docs/paper/record.jsonl").is_file(), reason="nothing is recorded yet")
def test_the_record_remakes_the_pages_of_the_paper_in_a_minute_and_changes_nothing(tmp_path):
    copy_repository(tmp_path)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = [sys.executable, "-m", "steps", "paper", "config/paper.yaml", "docs/paper.md"]
    result = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime - before.ru_utime < 60  # of the processor, however busy it is
    files = [path for path in (ROOT / "docs").rglob("*") if path.is_file() and path.parent.name != "__pycache__"]
    assert {path.relative_to(ROOT) for path in files} == {
        path.relative_to(tmp_path) for path in (tmp_path / "docs").rglob("*") if path.is_file()
    }
    for path in files:
        there, here = path.read_bytes(), (tmp_path / path.relative_to(ROOT)).read_bytes()
        assert there == here or path.suffix == ".png", path
        if there != here:  # on another processor the last bit of a colour may differ
            first, second = (np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=int) for png in (there, here))
            assert first.shape == second.shape and np.abs(first - second).mean() < 0.5, path
