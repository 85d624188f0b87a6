import pytest

from steps.tables import markup


@pytest.mark.parametrize(
    "text, shown",
    [
        ("a|b", r"a\|b"),
        ("`c` *b* ~s~ $x$", r"\`c\` \*b\* \~s\~ \$x\$"),
        ("[a](http://b)", r"[a\](http://b)"),
        ("<b>", r"\<b>"),
        ("# a", r"\# a"),
        ("- a", r"\- a"),
        ("&lt;", r"\&lt;"),
        ("\\|", r"\\\|"),
        ("_a_", r"\_a\_"),
        ("stanford_logo [0, 1] -1 a & b λ", "stanford_logo [0, 1] -1 a & b λ"),
    ],
)
def test_markdown_shows_text_as_it_is(text, shown):
    assert markup.escape_markdown(text) == shown


def test_latex_shows_text_as_it_is():
    text = r"50 % & $x$ #1 a_b {c} ~^ \input <|> ∞"
    assert markup.escape_latex(text) == (
        r"50 \% \& \$x\$ \#1 a\_b \{c\} \textasciitilde{}\textasciicircum{} \textbackslash{}input"
        r" \textless{}\textbar{}\textgreater{} $\infty$"
    )
