"""A folder of images and a measured picture through the whole workflow, in a copy of the repository."""

import copy
import json
import shutil

import numpy as np
import pandas
import pytest
import yaml
from PIL import Image

from steps.base.files import sha256
from tests.conftest import picture
from tests.workflows import copy_repository, jobs, snakemake

HOST = "https://host.invalid"  # both files are called 1.png there; here they are in a folder of image_dirs
CONFIG = {
    "device": "cpu",
    "report": False,
    "images": {
        "mine": {"source": "photos/*"},
        "noisy": {"source": "noisy.png", "measured": True},
        "pair": {"source": "noisy.png", "measured": True, "truth": "photos/a.png"},
        "far": {"source": f"{HOST}/noisy/1.png", "measured": True, "truth": {"source": f"{HOST}/clean/1.png"}},
    },
    "experiments": {
        "folder": {
            "task": "denoising",
            "images": ["mine"],
            "corruption": {"sigma": 0.1},
            "methods": [{"method": "wiener"}],
            "figures": ["psnr"],
        },
        "photo": {
            "task": "denoising",
            "images": ["noisy"],
            "corruption": {"sigma": "estimate"},
            "methods": [{"method": "wiener"}, {"method": "tv", "params": {"iterations": 5}}],
        },
        "pairs": {
            "task": "denoising",
            "images": ["pair", "noisy", "far"],
            "corruption": {"sigma": 0.05},
            "methods": [{"method": "wiener"}],
            "figures": ["comparison"],
        },
    },
}


def save(path, image):
    Image.fromarray((255 * image[0].clip(0, 1)).round().astype(np.uint8)).save(path)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A copy of the repository in which CONFIG has been run; the tests leave it as they found it."""
    folder = tmp_path_factory.mktemp("repository")
    copy_repository(folder)
    x = picture(1, 32, 32).numpy()
    (folder / "photos").mkdir()
    save(folder / "photos/a.png", x)
    save(folder / "photos/b 1.png", 1 - x)
    save(folder / "noisy.png", x + 0.05 * np.random.default_rng(0).standard_normal(x.shape))
    (folder / "here").mkdir()
    shutil.copy(folder / "noisy.png", folder / "here/far.png")
    shutil.copy(folder / "photos/a.png", folder / "here/far-truth.png")
    config = copy.deepcopy(CONFIG) | {"image_dirs": ["here"]}
    far = config["images"]["far"]
    far["sha256"], far["truth"]["sha256"] = (sha256(folder / f"here/{name}.png") for name in ("far", "far-truth"))
    (folder / "my.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    result = snakemake(folder, config="my.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def test_a_measured_picture_with_a_truth_is_scored_and_tables_say_that_it_was_measured(run):
    case = run / "results/denoising/pair/sigma=0.05"
    noisy, clean = (np.asarray(Image.open(run / name)) / 255 for name in ("noisy.png", "photos/a.png"))
    with np.load(case / "measurement.npz") as file:
        np.testing.assert_allclose(file["y"][0], noisy, atol=1e-6)
    np.testing.assert_allclose(np.load(run / "results/images/pair.npy")[0], clean, atol=1e-6)
    score = json.loads((case / "wiener/default/score.json").read_text())
    assert score["input_psnr"] == pytest.approx(-10 * np.log10(((noisy - clean) ** 2).mean()), abs=1e-3)
    assert score["psnr"] > score["input_psnr"]
    far = json.loads((run / "results/denoising/far/sigma=0.05/wiener/default/score.json").read_text())
    assert far["psnr"] == score["psnr"]
    unknown = json.loads((run / "results/denoising/noisy/sigma=0.05/wiener/default/score.json").read_text())
    assert unknown["psnr"] is None and unknown["residual"] == score["residual"]
    text = (run / "results/tables/pairs.md").read_text()
    assert "Measured, not simulated, and scored against another picture: pair, far." in text
    assert "No ground truth is known of noisy: no PSNR" in text and f"{score['psnr']:.2f}" in text
    page = (run / "results/pages/pairs.html").read_text()
    assert "scored against another picture: pair, far." in page and '"label": "Truth"' in page


def test_a_measured_picture_has_rows_without_psnr_and_tables_that_say_so(run):
    scores = pandas.read_csv(run / "results/scores.csv").query("experiment != 'pairs'")
    scores = scores.set_index(["image", "method"])
    assert scores.loc["noisy", ["psnr", "ssim", "input_psnr", "oracle_psnr"]].isna().all(axis=None)
    assert scores.loc["noisy", ["seconds", "residual"]].notna().all(axis=None)
    assert scores.loc[["mine-a", "mine-b_1"], "psnr"].between(15, 40).all()
    sigma = scores.loc["noisy", "noise_sigma"].unique()
    assert len(sigma) == 1 and 0.03 < sigma[0] < 0.07
    folder = run / "results/denoising/noisy/sigma=estimate"
    with np.load(folder / "measurement.npz") as file:
        assert json.loads(str(file["facts"]))["noise"]["sigma"] == pytest.approx(sigma[0], rel=1e-5)
        pixels = np.asarray(Image.open(run / "noisy.png")) / 255
        np.testing.assert_allclose(file["y"][0], pixels, atol=1e-6)
    recovered = np.load(folder / "wiener/default/recovered.npy")
    residual = np.sqrt(np.mean((recovered[0] - pixels) ** 2))
    assert scores.loc[("noisy", "wiener"), "residual"] == pytest.approx(residual, rel=1e-4)
    curve = pandas.read_csv(folder / "tv/iterations=5/curve.csv")
    assert curve["loss"].notna().all() and curve["psnr"].isna().all()
    text = (run / "results/tables/photo.md").read_text()
    assert "No ground truth is known of noisy: no PSNR, no SSIM." in text
    assert "## Residual" in text and "PSNR [dB]" not in text and f"| noisy | {sigma[0]:.4f} |" in text
    assert "truth |" not in text  # seconds and residuals have no control
    assert "No ground truth" not in (run / "results/tables/folder.md").read_text()
    drawn = {
        path.relative_to(run / "results/figures/photo").as_posix()
        for path in run.glob("results/figures/photo/**/*.png")
    }
    assert drawn == {"comparison/noisy/sigma=estimate.png"}


def test_a_file_more_makes_its_own_jobs_only(run):
    assert jobs(run, config="my.yaml") == {}
    save(run / "photos/c.png", picture(1, 32, 32).numpy() ** 2)
    try:
        assert jobs(run, config="my.yaml") == {
            "image": 1,
            "corrupt": 1,
            "recover wiener": 1,
            "score wiener": 1,
            "collect": 1,
            "combine": 1,
            "tabulate": 1,
            "timing": 1,
            "draw psnr": 1,
            "show": 1,
            "render": 2,
            "index": 1,
        }
    finally:
        (run / "photos/c.png").unlink()


def test_what_was_measured_and_is_now_a_truth_is_made_anew(run):
    changed = yaml.safe_load((run / "my.yaml").read_text())
    changed["images"]["noisy"].pop("measured")
    changed["experiments"]["photo"] |= {"corruption": {"sigma": 0.1}}
    changed["experiments"]["photo"]["figures"] = []
    target = "results/denoising/noisy/sigma=0.2/wiener/default/score.json"
    assert snakemake(run, target, config="my.yaml").returncode == 0
    assert json.loads((run / target).read_text())["psnr"] is None
    (run / "other.yaml").write_text(yaml.safe_dump(changed))
    assert snakemake(run, target, config="other.yaml").returncode == 0
    assert 5 < json.loads((run / target).read_text())["psnr"] < 50


@pytest.mark.parametrize(
    ("corruption", "words"),
    [
        (
            "sigma=0.1,seed=0",
            "denoising.seed: nothing is simulated of an image that is measured; allowed: noise, sigma",
        ),
        ("default", "denoising.sigma: missing; of an image that is measured it must be a number or estimate"),
    ],
)
def test_a_path_that_would_simulate_is_refused_in_one_line(run, corruption, words):
    result = snakemake(run, f"results/denoising/noisy/{corruption}/tv/default/score.json", config="my.yaml")
    assert result.returncode == 1 and words in result.stderr and "Traceback" not in result.stderr
