"""Commands that are no rule; `python -m steps` lists them."""
