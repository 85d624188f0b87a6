"""The figures that an experiment asks for, and the files that each is drawn from."""

import re

from steps.base import discover
from steps.base.errors import BadInput, no_such
from steps.base.parameters import but_seed

DEFAULT = ("psnr", "comparison")


class Index:
    """An experiment's recoveries by what a figure may be drawn of: all of them, an image, an image and a corruption.

    Made once for an experiment, so that planning its drawings takes as long as there are recoveries, not their square.
    asked  all that the experiment asks for, a list;  made  those of them that are made in this run.
    """

    def __init__(self, asked, made):
        self.asked = {subject for recovery in asked for subject in _subjects(recovery)}
        self.made = {}
        for recovery in made:
            for subject in _subjects(recovery):
                self.made.setdefault(subject, []).append(recovery)


def _subjects(recovery):
    return (), (recovery.image,), (recovery.image, recovery.corruption)


def drawings(name, experiment, index, most=None, where="experiment"):
    """Return the paths below results/figures, without suffix, of an experiment's figures.

    One drawing for each figure, or for each image (EACH = ("image",)) or each image and corruption
    (EACH = ("image", "corruption"); of several seeds the first) if its module says so: denoising/psnr,
    denoising/comparison/camera/sigma=0.1,seed=0. Only those of which a recovery is made, and of one figure at most the
    first `most`: the others are drawn when their path is asked for.
    """
    paths = []
    for figure in experiment.get("figures", DEFAULT):
        module = discover.load("figures", figure, f"{where}.figures")
        if getattr(module, "PUBLISHED", False) and "published" not in experiment:
            raise BadInput(f"{where}.figures: {figure} needs published values, and the experiment has none")
        subjects = [subject for subject in index.made if len(subject) == len(module.EACH)]
        subjects = _first_seeds(subjects) if len(module.EACH) == 2 else subjects
        paths += ["/".join((name, figure, *subject)) for subject in subjects[:most]]
    return paths


def inputs(name, drawing, index):
    """Return the files, beside the scores, that a drawing of `drawings` shows, of the recoveries that are made.

    The recoveries and their images, of its image and corruption, if it is drawn for one; the curves, the kept iterates,
    or the table that compares with published values, if its module says CURVES, TRACES or PUBLISHED = True.
    """
    figure, *subject = drawing.split("/")
    module = discover.load("figures", figure)
    if len(subject) != len(module.EACH):
        raise BadInput(f"{drawing}: {figure} is drawn for each {' and '.join(module.EACH) or 'experiment'}")
    subject = tuple(subject)
    for place in range(len(subject)) if subject not in index.asked else ():
        known = dict.fromkeys(
            asked[place] for asked in index.asked if len(asked) > place and asked[:place] == subject[:place]
        )
        if subject[place] not in known:
            raise BadInput(f"{drawing}: {no_such(module.EACH[place], subject[place], known)}")
    files = [f"results/tables/{name}_vs_paper.csv"] if getattr(module, "PUBLISHED", False) else []
    made = index.made.get(subject, [])
    files += pictures(made) if subject else []
    for flag, path in (("CURVES", "{r.folder}/curve.csv"), ("TRACES", "{r.folder}/trace.npz")):
        files += [path.format(r=recovery) for recovery in made] if getattr(module, flag, False) else []
    return list(dict.fromkeys(files))


def pictures(recoveries):
    """Return the files of the truths, of what one sees before recovery, and of the recoveries, each once."""
    found = {}
    for recovery in recoveries:
        found[f"results/images/{recovery.image}.npy"] = None
        found[f"{recovery.case}/picture.npy"] = None
        found[f"{recovery.folder}/recovered.npy"] = None
    return list(found)


def measurements(recoveries):
    """Return the files of the measurements of recoveries, each once, of which a page shows what was removed."""
    shown = [recovery for recovery in recoveries if discover.load("tasks", recovery.task).Operator.pictures]
    return list(dict.fromkeys(f"{recovery.case}/measurement.npz" for recovery in shown))


def captions(experiments):
    """Return {figure: what the report says of it} of experiments' figures: its file's CAPTION, in reStructuredText.

    One without is the first line of the file's docstring. No job uses it, so that editing it draws nothing anew.
    """
    figures = {figure for experiment in experiments for figure in experiment.get("figures", DEFAULT)}
    return {figure: _caption(discover.load("figures", figure)) for figure in sorted(figures)}


def _caption(module):
    first = ((module.__doc__ or "").strip() or module.__name__.rpartition(".")[2]).splitlines()[0]
    return getattr(module, "CAPTION", re.sub(r"([\\*`|_])", r"\\\1", first))


def _first_seeds(pairs):
    """Return of the (image, corruption) pairs that differ in their seed only the first."""
    found = {}
    for image, corruption in pairs:
        found.setdefault((image, tuple(but_seed(corruption).items())), (image, corruption))
    return list(found.values())
