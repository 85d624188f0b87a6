"""Files that are parameters, and noises, in the whole workflow: what is made, and what a change makes again."""

import hashlib
import re
from collections import Counter

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from steps import file
from steps.base.errors import BadInput
from steps.base.files import read_json
from steps.plan.config import read_config
from tests.workflows import copy_repository, python, snakemake

CONFIG = {
    "device": "cpu",
    "report": False,
    "images": {"logo": {"source": "synthetic:logo", "size": 32}},
    "files": {"shake": {"source": "kernels/motion.npy"}, "lens": {"source": "kernels/disk.png"}},
    "experiments": {
        "sharp": {
            "task": "deconvolution",
            "images": ["logo"],
            "corruption": [
                {"psf": ["shake", "lens"], "bsnr": 30},
                {"blur": 1, "kernel": 7, "sigma": 0.01},
                {"blur": 1, "kernel": 7, "noise": "poisson", "peak": 500},
            ],
            "methods": [{"method": "wiener"}, {"method": "tv", "params": {"iterations": 5}}],
            "figures": ["psnr"],
        }
    },
}
CASES = "results/deconvolution/logo"


def kernel(length):
    k = np.zeros((5, 12))
    k[1, :length] = 1
    return k


def write_kernels(folder):
    from PIL import Image

    (folder / "kernels").mkdir()
    np.save(folder / "kernels/motion.npy", kernel(9))
    Image.fromarray(np.full((3, 3), 200, np.uint8)).save(folder / "kernels/disk.png")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A copy of the repository in which CONFIG has been run; the tests leave it as they found it."""
    folder = tmp_path_factory.mktemp("repository")
    copy_repository(folder)
    write_kernels(folder)
    (folder / "my.yaml").write_text(yaml.safe_dump(CONFIG))
    result = snakemake(folder, config="my.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def planned(folder, *rules):
    """Return the jobs of some rules in a dry run: Counter of (rule, corruption), files and images by their names."""
    result = snakemake(folder, "--dry-run", config="my.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    found = Counter()
    for line in re.findall(r"^Job \d+: (.*)$", result.stdout + result.stderr, re.MULTILINE):
        rule, *rest = line.split()
        corruption = re.search(r"(?:deconvolution: |deconvolution, )([^ )]*)", line)
        if rule in ("file", "image", "corrupt", "recover", "score"):
            found[rule, corruption[1] if corruption else rest[0]] += 1
    return found


def test_the_name_is_in_the_path_and_the_content_in_the_measurement(run):
    case = run / CASES / "psf=shake,bsnr=30"
    with np.load(case / "measurement.npz") as file:
        np.testing.assert_allclose(file["file_psf"], kernel(9) / 9)
        assert '"operator": {"psf": "shake"}' in str(file["facts"])
    assert (run / CASES / "psf=lens,bsnr=30/wiener/default/score.json").is_file()
    sharp, other = (
        read_json(case / f"wiener/default/{name}.json")[key]
        for name, key in (("score", "psnr"), ("score", "input_psnr"))
    )
    assert sharp > other + 5
    table = (run / "results/tables/sharp.md").read_text()
    assert "| logo | shake |" in table and "| noise sigma |" in table


def test_nothing_is_made_twice(run):
    assert planned(run) == {}


def test_another_content_of_a_file_redoes_what_it_is_in_and_nothing_else(run):
    path = run / "kernels/motion.npy"
    np.save(path, kernel(9))
    assert planned(run) == {}, "it was only touched"
    np.save(path, kernel(5))
    found = planned(run)
    np.save(path, kernel(9))
    changed = "psf=shake,bsnr=30"
    assert found == {**{("file", "shake"): 1, ("corrupt", changed): 1, ("recover", changed): 2, ("score", changed): 2}}


@pytest.mark.parametrize(
    ("module", "old", "new", "changed"),
    [
        ("noises/poisson.py", "counts /= peak", "counts /= 1 * peak", ["noise=poisson"]),
        ("inverse/anscombe.py", "STEPS = 4096", "STEPS = 4097", ["noise=poisson"]),
        ("noises/speckle.py", "part[:] = part * ", "part[:] = 1 * part * ", []),
        ("noises/gaussian.py", "noisy *= np.float32(sigma)", "noisy *= np.float32(1 * sigma)", ["sigma=", "bsnr="]),
    ],
)
def test_editing_a_noise_redoes_what_has_it(run, module, old, new, changed):
    path = run / "steps" / module
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    found = planned(run)
    path.write_text(text)
    cases = [case.name for case in (run / CASES).iterdir() if any(part in case.name for part in changed)]
    assert found == Counter(
        {(rule, case): n for case in cases for rule, n in (("corrupt", 1), ("recover", 2), ("score", 2))}
    )


def test_a_path_with_an_unknown_file_is_refused(run):
    path = f"{CASES}/psf=shak,sigma=0.1/wiener/default/score.json"
    result = snakemake(run, "--dry-run", path, config="my.yaml")
    assert result.returncode and "unknown file 'shak' (did you mean 'shake'?)" in result.stderr
    assert "Traceback" not in result.stderr


def test_try_takes_a_file(run):
    words = ["skimage:camera", "--size", "40", "--task", "deconvolution", "--method", "wiener", "-o", "tried"]
    file = ["--file", "shake=kernels/motion.npy"]
    result = python(run, "steps", "try", *words, *file, "--corruption", "psf=shake")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "psf=shake,sigma=0.01" in result.stdout
    config = read_config(run / "tried/config.yaml")
    assert config["files"] == {"shake": {"source": str(run / "kernels/motion.npy")}}
    for wrong, said in (
        (["--corruption", "psf=other"], "psf: unknown file 'other'"),
        ([*file, "--corruption", "psf=other"], "no parameter of --corruption is shake"),
        ([*file, "--corruption", "psf=shake,blur=2"], "blur: is for psf: gaussian, and psf is shake"),
    ):
        result = python(run, "steps", "try", *words, *wrong)
        assert result.returncode == 1 and said in result.stderr and result.stderr.count("\n") == 1


def edited(**changes):
    """Return CONFIG with other files, corruption or size of the image."""
    config = yaml.safe_load(yaml.safe_dump(CONFIG))
    config["files"] = changes.get("files", config["files"])
    config["experiments"]["sharp"]["corruption"] = changes.get("corruption", {"psf": "shake"})
    config["images"]["logo"]["size"] = changes.get("size", 32)
    return config


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"corruption": {"psf": "shak"}}, "sharp.corruption.psf: unknown file 'shak' .did you mean 'shake'"),
        ({"corruption": {"psf": 5}}, "sharp.corruption.psf: 5 is not allowed; must be a word"),
        (
            {"corruption": {"psf": "shake", "kernel": 5}},
            "corruption.kernel: is for psf: gaussian, .* or binomial, and psf is shake",
        ),
        (
            {"corruption": {"psf": "disk"}, "files": {"disk": {"source": "kernels/disk.png"}}},
            "psf: disk is the name of a file, and deconvolution has its own disk; rename the file",
        ),
        ({"size": 8}, "sharp.corruption.psf: file shake: the 5x12 kernel is larger than the 8x8 image"),
        ({"files": {"shake": {"source": "kernels/no.npy"}}}, "files.shake.source: no file 'kernels/no.npy'"),
        ({"files": {"shake": {"source": "kernels/zero.npy"}}}, "file shake: the kernel's values sum to 0"),
        ({"files": {"shake": {"source": "kernels/colour.npy"}}}, "file shake: shape .4, 4, 3. is no kernel"),
        (
            {"files": {"shake": {"source": "kernels/nan.npy"}}},
            "file shake: the kernel has values that are not finite",
        ),
        ({"files": {"shake": {"source": "http://example.org/k.npy"}}}, "files.shake.sha256: missing; a URL needs"),
        ({"files": {"shake": {"source": "kernels/motion.npy", "sha": "1"}}}, "files.shake: unknown key 'sha'"),
        ({"files": {"true": {"source": "kernels/motion.npy"}}}, "files.true: true is not allowed; must be a word that"),
        ({"files": {"nan": {"source": "kernels/motion.npy"}}}, "files.nan: nan is not allowed; must be a word that"),
        ({"files": {"5": {"source": "kernels/motion.npy"}}}, "files.*'5' is not allowed; a name must be a word"),
    ],
)
def test_mistakes_are_one_line_before_any_job(tmp_path, monkeypatch, changes, words):
    monkeypatch.chdir(tmp_path)
    write_kernels(tmp_path)
    np.save("kernels/zero.npy", np.zeros((3, 3)))
    np.save("kernels/colour.npy", np.arange(48.0).reshape(4, 4, 3))
    np.save("kernels/nan.npy", np.full((3, 3), np.nan))
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(edited(**changes)))
    with pytest.raises(BadInput, match=words) as error:
        read_config("my.yaml")
    assert str(error.value).startswith("my.yaml: ") and "\n" not in str(error.value)


def test_of_a_url_whose_file_is_not_here_no_content_is_checked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    entry = {"source": "http://example.org/k.npy", "sha256": "0" * 64}
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(edited(files={"shake": entry})))
    assert read_config("my.yaml")["files"] == {"shake": entry}


def test_the_step_takes_a_file_of_its_checksum_only(tmp_path):
    source, output = tmp_path / "k.npy", tmp_path / "made.npy"
    np.save(source, np.ones((3, 3)))
    words = [str(source), str(output), "--name", "k", "--sha256"]
    result = CliRunner().invoke(file.main, [*words, "0" * 64])
    assert result.exit_code == 1 and result.output.startswith("Error: files.k: ") and not output.exists()
    result = CliRunner().invoke(file.main, [*words, hashlib.sha256(source.read_bytes()).hexdigest()])
    assert result.exit_code == 0 and np.array_equal(np.load(output), np.ones((3, 3)))
