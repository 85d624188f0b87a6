"""Reading the scores of an experiment."""

from steps.base.files import reading

TEXT = ("experiment", "label", "folder", "task", "image", "corruption", "method", "params", "device", "convention")


def read_scores(path):
    """Return a csv of steps.collect as a DataFrame; names and labels stay text, even "01" and "None"."""
    import pandas

    with reading(path):
        return pandas.read_csv(path, dtype=dict.fromkeys(TEXT, str), keep_default_na=False, na_values=[""])
