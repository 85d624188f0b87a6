"""Markdown and LaTeX: free text, which is shown as it is, and tables."""

import re


def escape_markdown(text):
    """Return text that Markdown shows as it is: no code, emphasis, link, formula, tag, heading or end of a cell."""
    special = r"[\\`*|<~$]|\](?=[(\[:])|&(?=#?\w+;)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[#>]|^[-+](?=\s)"
    return re.sub(special, lambda found: "\\" + found[0], text)


def escape_latex(text):
    """Return text with LaTeX's special characters escaped."""
    named = {"~": "asciitilde", "^": "asciicircum", "\\": "backslash", "<": "less", ">": "greater", "|": "bar"}
    special = {c: "\\" + c for c in "&%$#_{}"} | {c: rf"\text{name}{{}}" for c, name in named.items()}
    special |= {"±": r"$\pm$", "λ": r"$\lambda$", "σ": r"$\sigma$", "ρ": r"$\rho$", "∞": r"$\infty$", "†": r"$\dagger$"}
    return "".join(special.get(character, character) for character in text)


class Best(str):
    """The text of a cell that is the best of its row: bold."""


def to_markdown(header, rows, names):
    """Return a table of texts in Markdown; the first `names` columns are names, the others numbers, aligned right."""
    rule = ["---" if i < names else "---:" for i in range(len(header))]
    body = [
        [f"**{escape_markdown(text)}**" if isinstance(text, Best) else escape_markdown(text) for text in row]
        for row in rows
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in [map(escape_markdown, header), rule, *body])


def to_latex(header, rows, names, caption):
    """Return the same table as an environment in LaTeX with booktabs; needs \\usepackage{booktabs}."""
    body = [
        [rf"\textbf{{{escape_latex(text)}}}" if isinstance(text, Best) else escape_latex(text) for text in row]
        for row in rows
    ]
    head, *body = [" & ".join(line) + r" \\" for line in [map(escape_latex, header), *body]]
    columns = "l" * names + "r" * (len(header) - names)
    begin = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape_latex(caption)}}}",
        rf"\begin{{tabular}}{{{columns}}}",
    ]
    rules = [r"\toprule", head, r"\midrule", *body, r"\bottomrule"]
    return "\n".join([*begin, *rules, r"\end{tabular}", r"\end{table}"])


def some(names, most=20, between=", "):
    """Return names in words, the first `most` and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(names[:most]) + more


def stand_in_note(stand_ins):
    """Return a sentence for each image of {image: what it stands for} that is not the paper's own; "" if none."""
    return " ".join(f"{image} is a stand-in {text.rstrip('.')}." for image, text in stand_ins.items())
