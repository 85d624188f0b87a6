"""What tables are made of: scores, statistics, verdicts, Markdown and LaTeX."""
