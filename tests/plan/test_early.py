"""Configs are looked at before Snakemake reads them: its words for what is wrong are a traceback or say no line."""

import os
import subprocess
import sys

import pytest

from steps.plan import early
from tests.workflows import ROOT


@pytest.mark.parametrize(
    ("words", "files"),
    [
        ("--cores 2", []),
        ("--configfile a.yaml", ["a.yaml"]),
        ("results/x --configfiles a.yaml b.yaml --cores 2", ["a.yaml", "b.yaml"]),
        ("--configf=a.yaml --config missing=skip", ["a.yaml"]),
    ],
)
def test_the_configs_that_a_command_names(words, files):
    assert early.configs(words.split()) == files


FOLLOWS = "; all that follows --configfile is a config, so what to make goes before it"
SMOKE = "config/smoke.yaml"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--configfile", "none.yaml"], "--configfile: no file 'none.yaml'"),
        (["--configfile", "config"], "--configfile: no file 'config'"),
        (["--configfile", SMOKE, "results/x.json"], f"--configfile: no file 'results/x.json'{FOLLOWS}"),
        (["--configfile", SMOKE, "tests/published.csv"], "tests/published.csv: not a config, which has keys at"),
        (["--configfile", "Makefile"], "Makefile, line "),
        (["--profile", "profiles/slurm"], "profiles/slurm: the plugin slurm is not there; once: make cluster; in each"),
        (["--profile", "profiles/generic"], "profiles/generic: the plugin cluster-generic is not there; once: make"),
    ],
)
def test_snakemake_itself_says_one_line(words, said):
    one_line(said, *words)


@pytest.mark.parametrize("words", [["-s", str(ROOT / "Snakefile")], [f"--snakefile={ROOT / 'Snakefile'}"], None])
def test_from_another_folder_it_says_the_same(tmp_path, words):
    (tmp_path / "bad.yaml").write_text("images: {a: b\nexperiments: [")
    words = words or ["-s", os.path.relpath(ROOT / "Snakefile", tmp_path)]
    one_line("bad.yaml, line 2, column 12: not YAML (", *words, "--configfile", "bad.yaml", folder=tmp_path)
    one_line("--configfile: no file 'none.yaml'", *words, "--configfile", "none.yaml", folder=tmp_path)


def test_a_pipe_is_no_config():
    read, write = os.pipe()
    os.close(write)
    file = f"/dev/fd/{read}"
    one_line(f"--configfile: '{file}' is a pipe or a device; must be a file", "--configfile", file, keep=[read])
    os.close(read)


def one_line(said, *words, folder=ROOT, keep=()):
    """Run Snakemake by itself, not where all libraries are loaded: what runs before it must not need them."""
    command = [sys.executable, "-c", "from snakemake.cli import main; main()", "--cores", "1", "--dry-run", *words]
    options = {"cwd": folder, "capture_output": True, "text": True, "pass_fds": keep}
    result = subprocess.run(command, env={"PATH": "/usr/bin:/bin"}, **options)
    using, line = result.stderr.splitlines()
    assert using.startswith("Using ") and line.startswith(f"Error: {said}")
    assert result.returncode == 1 and not result.stdout
