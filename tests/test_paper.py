"""Full-size checks against the paper's own numbers (config/published.csv); slow, run by `make test-slow IMAGES=folder`.

The folder holds cameraman, hill, f16, baboon and house as PNG files. One noise draw, seed 0.
"""

import csv
import os
from pathlib import Path

import pytest
import torch

from steps import image
from steps.corrupt import add_noise
from steps.discover import load
from steps.score import psnr
from tests.test_sources import ROOT

IMAGES = os.environ.get("PRIORBENCH_IMAGES")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not IMAGES, reason="no folder of test images in PRIORBENCH_IMAGES")]

with open(ROOT / "config/published.csv", encoding="utf-8") as file:
    PUBLISHED = list(csv.DictReader(file))


def cells(table, method, image=None, label=""):
    rows = [r for r in PUBLISHED if (r["table"], r["method"]) == (table, method) and label in r["label"]]
    rows = [r for r in rows if image in (None, r["image"])]
    assert rows
    return [
        pytest.param(r["image"], float(r["value"]), float(r["psnr_db"]), id=f"{r['image']}-{r['value']}") for r in rows
    ]


def load_image(name):
    return torch.from_numpy(image.prepare(image.read(Path(IMAGES) / f"{name}.png")))


def recovered_psnr(name, task, method, sigma, clip=False, settings=None, **parameters):
    x = load_image(name)
    A = load("tasks", task).Operator(x.shape, **(settings or {}))
    y = torch.from_numpy(add_noise(A.forward(x).numpy(), sigma=sigma, clip=clip, seed=0))
    found = psnr(x.double().numpy(), load("methods", method).recover(y, A, sigma, **parameters).numpy())
    print(f"{name} sigma={sigma} {method} {parameters}: {found:.2f} dB")
    return found


@pytest.mark.parametrize("name, sigma, published", cells("table2", "bm3d"))
def test_bm3d_gives_table_2(name, sigma, published):
    assert recovered_psnr(name, "denoising", "bm3d", sigma, clip=True) == pytest.approx(published, abs=0.25)


@pytest.mark.parametrize("name, sigma, published", cells("table1", "wiener", "house"))
def test_wiener_gives_table_1(name, sigma, published):
    assert recovered_psnr(name, "deconvolution", "wiener", sigma, prior="white") == pytest.approx(published, abs=0.4)


@pytest.mark.parametrize(
    "lam, name, sigma, published",
    [
        pytest.param(lam, *cell.values, id=f"{lam}-{cell.id}")
        for lam, label in ((5e-3, "5e-3"), (5e-2, "5e-2"))
        for cell in cells("table1", "admm_tv", "house", label)
    ],
)
def test_tv_gives_table_1(lam, name, sigma, published):
    found = recovered_psnr(name, "deconvolution", "tv", sigma, lam=lam, rho=10.0, iterations=50, kind="anisotropic")
    assert found == pytest.approx(published, abs=0.4)
