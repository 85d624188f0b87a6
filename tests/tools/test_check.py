import csv
import json

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image

from steps.plan import experiments, needs
from steps.plan.config import read_config
from steps.tools import check

METHODS = [{"method": "wiener"}, {"method": "tv", "params": {"iterations": [20, 40]}}]


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A folder of three photographs at two noise levels, in the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for i in range(3):
        Image.fromarray(np.full((30, 40, 3), 60 * i, np.uint8)).save(tmp_path / f"photos/{i}.png")
    return {
        "images": {"mine": {"source": "photos/*.png"}},
        "experiments": {
            "one": {
                "task": "denoising",
                "images": ["mine"],
                "corruption": {"sigma": [0.05, 0.1]},
                "methods": METHODS,
            }
        },
    }


def run(study, **more):
    with open("study.yaml", "w") as file:
        yaml.safe_dump(study | more, file)
    return CliRunner().invoke(check.main, ["study.yaml"])


def test_it_counts_what_the_workflow_would_make(study):
    said = run(study).output
    assert "study.yaml: 3 images, 6 measurements, 18 recoveries." in said
    assert "0 of them are there. To make the other 18, one after another:" in said
    rows = {line.split()[1]: line.split()[2:4] for line in said.splitlines() if line.startswith("one ")}
    assert rows == {"wiener": ["6", "6"], "tv": ["12", "12"]}
    assert "Tables and pages: one. Figures: 1 psnr, 6 comparison." in said
    assert "Worth knowing" not in said


def test_what_is_there_or_in_another_experiment_is_not_to_be_made_again(study, tmp_path):
    study["experiments"]["two"] = study["experiments"]["one"] | {"methods": METHODS[:1]}
    done = tmp_path / "results/denoising/mine-0/sigma=0.05/wiener/default"
    done.mkdir(parents=True)
    (done / "recovered.npy").write_bytes(b"")
    said = run(study).output
    assert "6 measurements, 18 recoveries.\n1 of them are there. To make the other 17," in said
    left = [line.split()[3] for line in said.splitlines() if line.startswith(("one ", "two "))]
    assert left == ["5", "12", "0"]


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [("task", "denoisin", "did you mean 'denoising'"), ("images", ["house"], "unknown image 'house'")],
)
def test_a_mistake_is_one_line(study, place, value, said):
    study["experiments"]["one"][place] = value
    result = run(study)
    assert result.exit_code == 1
    assert result.output.startswith("Error: study.yaml: ")
    assert said in result.output
    assert result.output.count("\n") == 1


def test_memory_is_what_the_job_would_ask_for(study):
    said = run(study, needs={"wiener": {"memory_mb": 7700}}).output
    assert [line.split()[-2] for line in said.splitlines() if line.startswith("one ")] == ["7.7", "1.0"]
    config = read_config("study.yaml")
    tv = next(r for r in experiments.recoveries(config["experiments"]["one"]) if r.method == "tv")
    assert needs.recovery(tv, 4e-6 * 3 * 30 * 40, {})[0] == pytest.approx(1000, rel=0.05)


def test_the_size_is_that_of_the_config_not_of_an_image_made_before(study, tmp_path):
    (tmp_path / "results/images").mkdir(parents=True)
    np.save(tmp_path / "results/images/mine-0.npy", np.zeros((1, 8, 8), np.float32))
    study["images"]["mine"] |= {"size": [16, 20]}
    run(study)
    shapes = check.shapes(read_config("study.yaml"))
    assert shapes == {"mine-0": (1, 16, 20), "mine-1": (3, 16, 20), "mine-2": (3, 16, 20)}


def test_of_what_was_measured_the_size_is_that_of_its_image(study, tmp_path):
    np.save(tmp_path / "bucket.npy", np.ones((3, 256)))
    np.save(tmp_path / "patterns.npy", np.random.default_rng(0).random((256, 40, 50)))
    study["images"]["bucket"] = {"source": "bucket.npy", "measured": True}
    study["files"] = {"shown": {"source": "patterns.npy"}}
    corruptions = [{"patterns": "hadamard", "compression": 4, "sigma": 1}, {"patterns": "shown", "sigma": 1}]
    study["experiments"]["one"] |= {"task": "single_pixel", "images": ["bucket"], "corruption": corruptions}
    run(study)
    config = read_config("study.yaml")
    size = check.sizes(config)
    found = {r.corruption: size(r) for r in experiments.recoveries(config["experiments"]["one"])}
    assert list(found.values()) == pytest.approx([4e-6 * 3 * 32 * 32, 4e-6 * 3 * 40 * 50])


@pytest.mark.parametrize("seconds", ["0.0001", "60"])
def test_a_method_that_has_run_takes_as_long_as_it_took_grown_with_the_image(study, tmp_path, seconds):
    """Twice the iterations on three times the pixels are six times the seconds; at most what its file says."""
    (tmp_path / "results/images").mkdir(parents=True)
    np.save(tmp_path / "results/images/old.npy", np.zeros((1, 30, 40), np.float32))
    row = {
        "task": "denoising",
        "image": "old",
        "method": "tv",
        "params": "iterations=20",
        "seconds": seconds,
        "device": "cpu",
    }
    with open("results/scores.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerow(row | {"seconds": "long"})
        writer.writerow(row | {"method": "gone"})
        writer.writerow(row | {"task": "gone", "seconds": "6"})
        writer.writerow(row)
    study |= {"device": "cpu"}
    study["experiments"]["one"]["methods"] = [{"method": "tv", "params": {"iterations": 40}}]
    run(study)
    config = read_config("study.yaml")
    asked = {"one": experiments.recoveries(config["experiments"]["one"])}
    [part] = check.parts(asked, check.sizes(config), {}, False)
    assert part.whole
    generous = 6 * 60 * check._growing("tv", "iterations=40", 4e-6 * 3 * 30 * 40, "denoising")
    assert 6 * 6e-4 < generous < 360
    assert part.hours * 3600 == pytest.approx(min(36 * float(seconds), generous) + 6 * check.JOBS)
    assert "as long as here before of tv" in run(study).output


def test_a_gpu_is_taken_to_be_ten_times_as_fast_where_a_method_can_use_one(study):
    study["experiments"]["one"]["methods"] = [{"method": "dip"}, {"method": "tv"}]
    run(study)
    config = read_config("study.yaml")
    asked = {"one": experiments.recoveries(config["experiments"]["one"])}
    slow, fast = ({p.method: p for p in check.parts(asked, check.sizes(config), {}, gpu)} for gpu in (False, True))
    starting = fast["dip"].left * check.JOBS / 3600
    assert slow["dip"].hours - starting == pytest.approx(10 * (fast["dip"].hours - starting))
    assert slow["tv"].hours == fast["tv"].hours


def test_a_url_that_is_not_at_hand_is_named_and_its_size_not_guessed(study, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    url = {"source": "https://example.org/a/far.png", "sha256": "0" * 64}
    study["images"], study["files"] = {"far": url}, {"kernel": url | {"source": "https://example.org/a/k.npy"}}
    study["experiments"]["one"]["images"] = ["far"]
    said = run(study).output
    assert "the other 6, one after another: unknown" in said
    assert "To be downloaded, since not in image_dirs: far, kernel." in said
    assert "not known before they are there: far." in said
    said = run(study | {"images": {"far": url | {"size": 64}}}).output
    assert "not known" not in said
    (tmp_path / "dir").mkdir()
    Image.fromarray(np.zeros((30, 40), np.uint8)).save(tmp_path / "dir/far.png")
    said = run(study, image_dirs=["dir"]).output
    assert "downloaded, since not in image_dirs: kernel." in said
    assert "not known" not in said


def test_figures_that_are_not_drawn_are_named_with_a_path_that_can_be(study):
    said = run(study, drawn=2).output
    assert "Figures: 1 psnr, 2 comparison." in said
    assert "4 figures of single images are not drawn (drawn: 2)" in said
    assert "such as results/figures/one/comparison/mine-1/sigma=0.05.png" in said


def test_a_run_of_what_is_there_makes_no_recovery(study):
    assert "no recovery is made" in run(study, missing="skip").output


def test_json_is_a_config_too(study):
    with open("study.json", "w") as file:
        json.dump(study, file)
    assert CliRunner().invoke(check.main, ["study.json"]).exit_code == 0
