"""A config with claims, claims of it and scores, for the tests of claims."""

import pandas
import pytest
import yaml

from steps.plan import claims, experiments, published
from steps.tables.verdicts import evaluate, values

PUBLISHED = "table,image,parameter,value,label,number\n" + "".join(
    f"t,{image},sigma,{sigma},{label},{psnr}\n"
    for image in ("camera", "hill")
    for sigma, numbers in ((0.1, {"NS": 27, "NLM": 26}), (0.5, {"NS": 18, "NLM": 9}))
    for label, psnr in numbers.items()
)
CLAIM = {"quote": "q", "section": "1", "experiment": "e", "label": "NS", "is": "higher", "than": "NLM", "note": "n"}


@pytest.fixture
def claimed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "published.csv").write_text(PUBLISHED)
    methods = [
        {"method": "nlm", "label": "nlm", "published": "NLM", "params": {"h": 0.1}},
        {"method": "dip", "label": "ns", "published": "NS", "params": {"seed": "corruption"}},
        {"method": "nlm", "label": "nlm tuned", "published": "NLM", "settings": "tuned"},
    ]
    experiment = {
        "task": "denoising",
        "images": ["camera", "hill"],
        "corruption": {"sigma": [0.1, 0.5], "seed": [0, 1, 2]},
        "methods": methods,
        "published": {"table": "t"},
    }
    variants = [{"method": "dip", "label": name, "params": params} for name, params in VARIANTS.items()]
    plain = {"task": "denoising", "images": ["camera", "hill"], "methods": variants}
    return {"published": "published.csv", "experiments": {"e": experiment, "plain": plain}}


VARIANTS = {"none": {"seed": [0, 1]}, "L1": {"l1": 0.1, "seed": [0, 1]}}


def read(claimed, **changes):
    claim = {key: value for key, value in (CLAIM | changes).items() if value is not None}
    with open("claims.yaml", "w") as file:
        yaml.safe_dump({"claims": {"c": claim}}, file)
    return claims.read("claims.yaml", claimed)["c"]


def scores(claimed, psnr, name="e", made=lambda recovery: True):
    """Return a table of scores whose PSNRs are psnr(recovery, seed)."""
    rows = []
    for r in filter(made, experiments.recoveries(claimed["experiments"][name])):
        seed = int(r.corruption[-1]) if "seed" in r.corruption else int(r.params[-1])
        row = {"label": r.label, "image": r.image, "corruption": r.corruption, "params": r.params}
        rows.append(row | {"seconds": 1.0, "loss": 0.5, "psnr": psnr(r, seed)})
    return pandas.DataFrame(rows)


def evaluated(claim, claimed, frame, source="paper", name="e"):
    experiment = claimed["experiments"][name]
    rows = published.read("published.csv") if "published" in experiment else []
    found = values(claim, experiment, frame, rows, source)
    return evaluate(claim, found, claims.comparisons(claim, claims.expected(experiment, rows)))
