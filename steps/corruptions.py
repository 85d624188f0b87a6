"""The corruptions and images in a table of scores: which parameters vary, which are fixed; means over many images."""

from steps import grid

MOST = 12  # images that a figure has a panel for each of


def split(scores):
    """Return (scores, varying, fixed) for a DataFrame with a column "corruption"; seeds count as neither.

    varying  list of the parameters that differ between rows; the scores returned have a column for each.
    fixed    dict of those that do not.
    """
    parsed = [grid.parse_parameters(text) for text in scores["corruption"]]
    names = list(dict.fromkeys(name for parameters in parsed for name in parameters if name != "seed"))
    varying = [name for name in names if len({parameters.get(name) for parameters in parsed}) > 1]
    columns = {name: [parameters.get(name) for parameters in parsed] for name in varying}
    return scores.assign(**columns), varying, {name: parsed[0][name] for name in names if name not in varying}


def pooled(scores):
    """Return scores with one image, "mean of N images", in the place of more than MOST.

    N counts the images that have every label, corruption and parameters that any has, and only their rows are kept, so
    that all methods are averaged over the same images. If no image has all of them, all rows are kept.
    """
    images = scores["image"].nunique()
    if images <= MOST:
        return scores
    keys = ["label", "corruption", "params"]
    counts = scores.drop_duplicates(["image", *keys])["image"].value_counts()
    complete = list(counts.index[counts == len(scores.drop_duplicates(keys))]) or list(counts.index)
    of = f"{len(complete)} images" if len(complete) == images else f"{len(complete)} of {images} images"
    return scores[scores["image"].isin(complete)].assign(image=f"mean of {of}")
