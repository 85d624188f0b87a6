"""What the workbench costs and gives beside others: a file prints a table, `python -m steps benchmark` runs them."""
