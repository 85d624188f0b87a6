"""Results as the workflow makes them, for figures: images, curves, traces and scores whose numbers are known."""

import inspect
from pathlib import Path

import numpy as np
import pandas

from steps.plan.metrics import as_json, facts
from steps.tables.columns import read_metrics
from tests.conftest import picture

NAMED = as_json(facts(["psnr", "ssim", "gmsd"]))  # GMSD is better when lower
METRICS = read_metrics(NAMED)
TWO = (("TV", "tv"), ("DIP", "dip"))


def results(folder, labels=TWO, images=("house", "hill"), sigmas=(0.05, 0.1, 0.5), seeds=(0, 1), channels=1):
    """Write results of recoveries to a folder's results/ and return their table of scores.

    The PSNR of the input is 20 − 10 sigma, that of the i-th label 3 + i more, and seed more; its curve goes from 20 +
    i up to there and, at the last iteration, down again.
    """
    rows = []
    for image in images:
        truth = picture(channels, 36, 48).numpy()
        (folder / "results/images").mkdir(parents=True, exist_ok=True)
        np.save(folder / f"results/images/{image}.npy", truth)
        for sigma in sigmas:
            for seed in seeds:
                corruption = f"sigma={sigma},seed={seed}"
                place = folder / f"results/denoising/{image}/{corruption}"
                for number, (label, method) in enumerate(labels):
                    params = "default" if label.lower() == method else f"iterations={50 + number}"
                    there = place / method / params
                    there.mkdir(parents=True, exist_ok=True)
                    np.save(there / "recovered.npy", truth * (0.9 - 0.01 * number))
                    fit(there, truth, seed)
                    row = {"experiment": "mine", "task": "denoising", "image": image, "corruption": corruption}
                    row |= {"label": label, "method": method, "params": params}
                    row |= {"seconds": 0.1 * 100**number * (1 + seed) * (1 + 10 * sigma) if number < 4 else 1 + number}
                    row |= {"pixels": "36×48", "channels": channels, "device": "cpu"}
                    row |= {"psnr": 20 - 10 * sigma + 3 + number + seed, "input_psnr": 20 - 10 * sigma}
                    row |= {"ssim": 0.9 - sigma - 0.1 * number, "input_ssim": 0.47 - sigma}
                    row |= {"gmsd": 0.1 + 0.1 * sigma + 0.01 * number, "input_gmsd": 0.2 + 0.1 * sigma}
                    rows.append(row | {"folder": str(there.relative_to(folder))})
                np.save(place / "picture.npy", truth + 0.1)
    return pandas.DataFrame(rows)


def told(module):
    """Return the keyword arguments of a figure's draw besides scores: the METRICS, if it names them."""
    return {"metrics": METRICS} if "metrics" in inspect.signature(module.draw).parameters else {}


def fit(folder, truth, seed=0, iterations=(1, 5, 20, 50)):
    """Write curve.csv and trace.npz of a fit that is best at the last but one of some kept iterations."""
    psnr = [20 + i + seed for i in iterations[:-1]] + [20 + iterations[-2] - 1 + seed]
    lines = [f"{i},{1 / i},0,{p}\n" for i, p in zip(iterations, psnr)]
    (folder / "curve.csv").write_text("iteration,loss,penalty,psnr\n" + "".join(lines))
    losses = 1 / np.arange(1, iterations[-1] + 1)
    estimates = np.array([truth * i / iterations[-1] for i in iterations], dtype=np.float16)
    np.savez(
        folder / "trace.npz",
        losses=losses,
        penalties=0 * losses,
        iterations=np.array(iterations),
        estimates=estimates,
    )


def cell(label, image, value, difference, verdict="within", **facts):
    """Return a row of an experiment's table beside the published values, see steps/compare.py."""
    row = {
        "image": image,
        "parameter": "sigma",
        "metric": "psnr",
        "value": value,
        "published label": "P",
        "published": 20.0,
    }
    row |= {"label": label, "settings": "paper", "n": 1, "difference": difference, "verdict": verdict}
    return row | facts


def compared(*cells):
    """Write a table beside the published values for the experiment of `results`."""
    Path("results/tables").mkdir(exist_ok=True)
    pandas.DataFrame(cells).to_csv("results/tables/mine_vs_paper.csv", index=False)
