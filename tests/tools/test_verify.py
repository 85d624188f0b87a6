from steps.tools import verify


def entry(*made_of):
    return {"sha256": "0", "made_of": list(made_of)}


def test_ancestors_come_before_what_is_made_of_them_each_once():
    files = {"d": entry("b", "c"), "b": entry("a"), "c": entry("a"), "a": entry("not there"), "other": entry()}
    assert list(verify.ancestors(files, "d")) == ["a", "b", "c", "d"]


def test_a_circle_ends():
    assert set(verify.ancestors({"a": entry("b"), "b": entry("a")}, "a")) == {"a", "b"}


def test_a_chain_of_thousands_is_followed():
    files = {f"f{i}": entry(f"f{i - 1}") for i in range(1, 400)}
    assert len(verify.ancestors(files, "f399")) == 399
