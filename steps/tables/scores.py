"""Reading the scores of a recovery and of an experiment."""

from steps.base.files import read_json, reading

TEXT = ("experiment", "label", "folder", "task", "image", "corruption", "method", "params", "device", "convention")


def read_score(folder):
    """Return the dict of a recovery's score.json; "inf" and "-inf", which JSON has no number for, are numbers again."""
    score = read_json(f"{folder}/score.json")
    return {k: float(v) if v in ("inf", "-inf") and k not in TEXT else v for k, v in score.items()}


def read_scores(path):
    """Return a csv of steps.collect as a DataFrame; names and labels stay text, even "01" and "None"."""
    import pandas

    with reading(path):
        return pandas.read_csv(path, dtype=dict.fromkeys(TEXT, str), keep_default_na=False, na_values=[""])
