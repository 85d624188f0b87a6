"""Markdown and LaTeX: free text, which is shown as it is, and tables."""

import re


def escape_markdown(text):
    """Return text that Markdown shows as it is: no code, emphasis, link, formula, tag, heading or end of a cell."""
    special = r"[\\`*|<~$]|\](?=[(\[:])|&(?=#?\w+;)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[#>]|^[-+](?=\s)"
    return re.sub(special, lambda found: "\\" + found[0], text)


def escape_latex(text):
    """Return text with LaTeX's special characters escaped."""
    special = {c: "\\" + c for c in "&%$#_{}"} | {
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "\\": r"\textbackslash{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
    }
    special |= {"±": r"$\pm$", "λ": r"$\lambda$", "σ": r"$\sigma$", "ρ": r"$\rho$"}
    return "".join(special.get(character, character) for character in text)


def to_markdown(header, rows, keys):
    """Return a table in Markdown, numbers aligned right; the rows' texts, not the header's, are Markdown already."""
    rule = ["---" if name in keys else "---:" for name in header]
    lines = [map(escape_markdown, header), rule, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def to_latex(header, rows, keys, caption):
    """Return a table environment in LaTeX with booktabs; needs \\usepackage{booktabs}."""
    lines = [" & ".join(map(escape_latex, header)), *(" & ".join(row) for row in rows)]
    head, *body = [line + r" \\" for line in lines]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escape_latex(caption)}}}",
            rf"\begin{{tabular}}{{{'l' * len(keys)}{'r' * (len(header) - len(keys))}}}",
            r"\toprule",
            head,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def stand_in_note(stand_ins):
    """Return a sentence for each image of {image: what it stands for} that is not the paper's own; "" if none."""
    return " ".join(f"{image} is a stand-in {text.rstrip('.')}." for image, text in stand_ins.items())
