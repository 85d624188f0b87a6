"""Free text in Markdown and LaTeX: shown as it is."""

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
