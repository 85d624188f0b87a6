"""The corruptions in a table of scores: which parameters vary, which are fixed."""

from steps import grid


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
