"""The corruptions and images in a table of scores: which parameters vary, which are fixed; means over many images."""

import graphlib
import itertools

from steps.base.parameters import but_seed, format_parameters, parse_parameters
from steps.plan import corruptions

MOST = 12  # images that a figure has a panel for each of


def split(scores):
    """Return (scores, varying, fixed) for a DataFrame with a column "corruption"; seeds count as neither.

    varying  list of the parameters that differ between rows; the scores returned have a column for each. One that some
             rows spell and others do not has its default there; None if their noise has it not, if they spell another
             in its place, and for pictures that are `measured` or have no truth.
    fixed    dict of those that do not.
    """
    parsed = [parse_parameters(text) for text in scores["corruption"]]
    names = list(dict.fromkeys(name for parameters in parsed for name in parameters if name != "seed"))
    if "task" in scores and len(scores) and any(set(names) - parameters.keys() for parameters in parsed):
        full = {text: corruptions.filled(scores["task"].iloc[0], text) for text in scores["corruption"].unique()}
        names = [name for name in dict.fromkeys(itertools.chain(*full.values())) if name in names]
        known = scores["psnr"].notna() if "psnr" in scores else [True] * len(scores)
        known = known & ~scores["measured"] if "measured" in scores else known
        parsed = [full[text] if here else said for text, said, here in zip(scores["corruption"], parsed, known)]
    varying = [name for name in names if len({parameters.get(name) for parameters in parsed}) > 1]
    columns = {name: [parameters.get(name) for parameters in parsed] for name in varying}
    return scores.assign(**columns), varying, {name: parsed[0][name] for name in names if name not in varying}


def labels(scores):
    """Return the labels of scores in the order that their config has them in, also if rows of some are missing."""
    after = {label: set() for label in scores["label"]}
    for _, group in scores.groupby(["image", "corruption"], sort=False):
        for label, following in itertools.pairwise(dict.fromkeys(group["label"])):
            after[following].add(label)
    try:
        return list(graphlib.TopologicalSorter(after).static_order())
    except graphlib.CycleError:  # as of a label that several methods have
        return list(after)


def pooled(scores, most=MOST):
    """Return scores with one image, "mean of N images", in the place of more than `most`.

    Of each corruption N counts the images that have every label, parameters and seed that any has, and only their rows
    are kept, so that all methods are averaged over the same images. If no image has all of them, all rows are kept.
    """
    if scores["image"].nunique() <= most:
        return scores
    keys = ["label", "params", "corruption"]
    kept, counts, all_of_them = [], set(), set()
    kinds = [format_parameters(but_seed(text)) for text in scores["corruption"]]
    for _, group in scores.groupby(kinds, sort=False):
        found = group.drop_duplicates(["image", *keys])["image"].value_counts()
        complete = list(found.index[found == len(group.drop_duplicates(keys))]) or list(found.index)
        kept += list(group.index[group["image"].isin(complete)])
        counts.add(len(complete))
        all_of_them.add(len(found))
    of = " to ".join(map(str, sorted({min(counts), max(counts)})))
    of += f" of {max(all_of_them)}" if counts != all_of_them else ""
    return scores.loc[sorted(kept)].assign(image=f"mean of {of} images")
