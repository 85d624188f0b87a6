import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner

from steps import score


def test_command_adds_score_and_curve(tmp_path, gray):
    folder = tmp_path / "denoising/camera/sigma=0.1/tv/lam=0.5"
    folder.mkdir(parents=True)
    truth = gray.numpy()
    np.save(tmp_path / "image.npy", truth)
    np.save(tmp_path / "picture.npy", truth + 0.1)
    np.save(folder / "recovered.npy", truth + 0.01)
    estimates = np.array([truth + 0.1, truth + 0.001, truth + 0.01], np.float16)
    np.savez(
        folder / "trace.npz",
        losses=[3.0, 2.5, 2.0, 1.5],
        penalties=[0.4, 0.3, 0.2, 0.1],
        iterations=[1, 3, 4],
        estimates=estimates,
    )
    (folder / "run.json").write_text(json.dumps({"seconds": 1.5, "versions": {"torch": "2"}}))
    result = CliRunner().invoke(
        score.main, [str(tmp_path / "picture.npy"), str(folder), f"--truth={tmp_path / 'image.npy'}"]
    )
    assert result.exit_code == 0, result.output
    found = json.loads((folder / "score.json").read_text())
    place = [found[key] for key in ("task", "image", "corruption", "method", "params")]
    assert place == ["denoising", "camera", "sigma=0.1", "tv", "lam=0.5"]
    assert found["psnr"] == pytest.approx(40, abs=1e-3)
    assert found["input_psnr"] == pytest.approx(20, abs=1e-3)
    assert found["oracle_iteration"] == 3
    assert found["oracle_psnr"] > 55
    assert found["seconds"] == 1.5
    assert "data_range 1" in found["convention"]
    with open(folder / "curve.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = [(row["iteration"], row["loss"], row["penalty"]) for row in rows]
    assert found == [("1", "3.0", "0.4"), ("3", "2.0", "0.2"), ("4", "1.5", "0.1")]
    assert float(rows[2]["psnr"]) == pytest.approx(40, abs=0.1)


def test_without_a_truth_nothing_is_compared(tmp_path, gray):
    folder = tmp_path / "denoising/mine/sigma=estimate/tv/default"
    folder.mkdir(parents=True)
    for path in (tmp_path / "picture.npy", folder / "recovered.npy"):
        np.save(path, gray.numpy())
    np.savez(folder / "trace.npz", losses=[3.0], penalties=[0.0], iterations=[1], estimates=[gray.numpy()])
    (folder / "run.json").write_text(json.dumps({"noise_sigma": 0.1}))
    result = CliRunner().invoke(score.main, [str(tmp_path / "picture.npy"), str(folder)])
    assert result.exit_code == 0, result.output
    found = json.loads((folder / "score.json").read_text())
    for key in ("psnr", "ssim", "input_psnr", "oracle_psnr", "oracle_iteration"):
        assert found[key] is None
    assert found["loss"] == 3.0 and found["noise_sigma"] == 0.1 and found["pixels"] == "40×40"
    assert (folder / "curve.csv").read_text() == "iteration,loss,penalty,psnr\n1,3.0,0.0,\n"


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("made", "shape"), [(lambda x: x[:, 1:], "(1, 39, 40)"), (lambda x: x[0], "(40, 40)")])
def test_an_estimate_of_another_shape_is_refused(tmp_path, gray, known, made, shape):
    folder = tmp_path / "tv"
    folder.mkdir()
    np.save(tmp_path / "image.npy", gray.numpy())
    np.save(folder / "recovered.npy", made(gray.numpy()))
    picture = str(tmp_path / "image.npy")
    result = CliRunner().invoke(score.main, [picture, str(folder), *[f"--truth={picture}"] * known])
    assert result.exit_code == 1
    assert result.output == f"Error: {folder}: the estimate has shape {shape}, the image (1, 40, 40)\n"
    assert [path.name for path in folder.iterdir()] == ["recovered.npy"]
