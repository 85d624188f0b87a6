import builtins
import subprocess
import sys

import numpy as np
import pytest
import torch

from steps.base import discover
from steps.base.errors import BadInput
from steps.methods.bm3d_package import recover
from tests.workflows import ROOT


@pytest.mark.parametrize("name", ["gray", "colour"])
def test_is_the_package_s(name, request):
    bm3d = pytest.importorskip("bm3d")
    x = request.getfixturevalue(name)
    y = x + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    found = recover(y, discover.load("tasks", "denoising").Operator(y.shape), 0.1)
    picture = y.movedim(0, -1).double().squeeze().numpy()
    expected = (bm3d.bm3d if name == "gray" else bm3d.bm3d_rgb)(picture, 0.1)
    np.testing.assert_allclose(found.movedim(0, -1).squeeze().numpy(), expected.squeeze(), atol=1e-5)


def test_a_missing_package_is_named(gray, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "bm3d":
            raise ImportError("No module named 'bm3d'")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BadInput, match="package bm3d is not installed"):
        recover(gray, discover.load("tasks", "denoising").Operator(gray.shape), 0.1)


@pytest.mark.parametrize("shape", [(1, 8, 40), (3, 40, 8)])
def test_an_image_too_small_is_refused(shape):
    pytest.importorskip("bm3d")
    y = torch.full(shape, 0.5)
    with pytest.raises(BadInput, match=f"{shape[1]}x{shape[2]} image is too small; bm3d needs 9 pixels a side"):
        recover(y, discover.load("tasks", "denoising").Operator(shape), 0.1)


def test_everything_else_runs_without_the_package():
    code = (
        "import sys; sys.modules['bm3d'] = None; sys.modules['bm4d'] = None\n"
        "from steps import corrupt, recover, score, collect, tabulate, draw\n"
        "from steps.base import discover\n"
        "for kind in ('tasks', 'methods', 'figures'): [discover.load(kind, n) for n in discover.available(kind)]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_is_imported_in_one_file():
    users = [path for path in (ROOT / "steps").rglob("*.py") if "import bm3d" in path.read_text()]
    assert users == [ROOT / "steps/methods/bm3d_package.py"]
