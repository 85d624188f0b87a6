"""Planning takes as long as there are recoveries, not as their square: what is looked at is counted, not timed."""

import pytest

from steps.base.recoveries import Recovery
from steps.plan.drawings import Index, drawings, inputs
from steps.plan.experiments import recoveries

FIGURES = ["psnr", "comparison", "matrix", "curves", "film_strip", "time"]


def looks(images, monkeypatch):
    """Return how often the folder of a recovery is asked for while all figures of so many images are planned."""
    count = 0
    folder = Recovery.folder.fget

    def counted(recovery):
        nonlocal count
        count += 1
        return folder(recovery)

    experiment = {
        "task": "denoising",
        "images": [f"image{i}" for i in range(images)],
        "corruption": {"sigma": [0.05, 0.1]},
        "methods": [{"method": name} for name in ("wiener", "tv", "nlm", "bm3d", "dip")],
        "figures": FIGURES,
    }
    found = recoveries(experiment)
    index = Index(found, found)
    with monkeypatch.context() as patched:
        patched.setattr(Recovery, "folder", property(counted))
        paths = drawings("study", experiment, index)
        for path in paths:
            inputs("study", path.removeprefix("study/"), index)
    assert len(paths) > 2 * images
    return count


def test_twice_the_images_are_twice_the_work(monkeypatch):
    assert looks(40, monkeypatch) == 2 * looks(20, monkeypatch) > 0


@pytest.mark.parametrize("most", [1, 24, None])
def test_what_is_not_drawn_can_be_asked_for_and_is_drawn_from_its_own_files(most):
    experiment = {
        "task": "denoising",
        "images": [f"image{i}" for i in range(30)],
        "corruption": {"sigma": [0.05, 0.1]},
        "methods": [{"method": "wiener"}],
    }
    found = recoveries(experiment)
    index = Index(found, found)
    drawn = drawings("study", experiment, index, most)
    assert len(drawn) == 1 + (most or 60)
    files = inputs("study", "comparison/image29/sigma=0.1", index)
    assert len(files) == 3
    assert all("image29" in file for file in files)
