from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steps.base.errors import BadInput
from steps.base.parameters import (
    LARGEST,
    WHOLE,
    WORD,
    check_parameters,
    combinations,
    format_parameters,
    keywords,
    normalise,
    parse_parameters,
    spell,
)
from steps.base.text import brief

words = st.from_regex(WORD, fullmatch=True).filter(lambda w: w not in ("true", "false") and len(w) < 16)
words = words.filter(lambda w: w.lower() not in ("inf", "infinity", "nan"))
whole = st.integers(1 - WHOLE, WHOLE - 1)
values = st.one_of(whole, st.booleans(), st.floats(-LARGEST, LARGEST), words)


@settings(deadline=None, derandomize=True)
@given(st.dictionaries(st.from_regex(r"[a-z_]\w{0,8}", fullmatch=True).filter(str.isascii), values, max_size=6))
def test_round_trip_is_exact(parameters):
    text = format_parameters(parameters)
    back = parse_parameters(text)
    assert back == parameters and list(back) == list(parameters)
    assert format_parameters(back) == text
    assert all(isinstance(back[k], bool) == isinstance(v, bool) for k, v in parameters.items())
    assert "/" not in text and " " not in text


@settings(deadline=None, derandomize=True)
@given(st.text())
def test_any_text_is_parsed_or_refused_in_one_line(text):
    try:
        format_parameters(parse_parameters(text))
    except BadInput as error:
        assert str(error)


@pytest.mark.parametrize("value", ["1e-3", "1.0e-3", 0.001, "0.001", "1E-3", " 0.0010 "])
def test_one_value_has_one_spelling(value):
    assert spell(value) == "0.001"


@pytest.mark.parametrize(
    "value, text",
    [
        (5.0, "5"),
        ("5.0", "5"),
        (True, "true"),
        ("false", "false"),
        (-0.0, "0"),
        (1e-7, "1e-07"),
        (1e22, "1e+22"),
        ("a.b-c", "a.b-c"),
        ("1/4", "0.25"),
        ("25 / 255", "0.09803921568627451"),
    ],
)
def test_spelling(value, text):
    assert spell(value) == text


def test_long_numbers_are_shown_to_four_digits():
    assert [brief(v) for v in (0.005, 0.0123456, 0.2, 123456.0, "mine", True)] == [
        *("0.005", "0.01235", "0.2", "123456", "mine", "true")
    ]


def test_long_numbers_that_are_gray_levels_are_shown_as_such():
    assert [brief(v) for v in (25 / 255, 2 / 255, 255 / 255, 25.5 / 255, 2**0.5 / 255)] == [
        *("25/255", "2/255", "1", "0.1", "0.005546")
    ]
    assert brief(1000 / 3) == "333.3"  # 85000/255, but no gray level


@pytest.mark.parametrize(
    "value",
    [
        [1],
        None,
        {},
        float("nan"),
        "inf",
        "-Infinity",
        "a/b",
        "1/0",
        "1/2/3",
        "a b",
        "a,b",
        "a=b",
        "$(x)",
        "",
        "..",
        "a\nb",
    ]
    + ["a b", 10**16, "-" + "9" * 17, 1e39, "1e999", b"1", ["a"] * 1000],
)
def test_what_has_no_spelling(value):
    with pytest.raises(BadInput):
        normalise(value)


@pytest.mark.parametrize("text", ["lam", "=1", "lam=", "lam=1,lam=2", "lam=1,,rho=2", "a b=1", "../x=1"])
def test_what_is_no_list_of_parameters(text):
    with pytest.raises(BadInput):
        parse_parameters(text)


def test_no_parameters_are_called_default():
    assert format_parameters({}) == "default" and parse_parameters("default") == {}


def test_combinations_multiply_out():
    assert combinations({"a": [1, 2], "b": 3}) == [{"a": 1, "b": 3}, {"a": 2, "b": 3}]


def method(
    y, *, lam: Annotated[float | None, "> 0"] = None, steps: Annotated[int, ">= 1", "<= 9"] = 3,
    kind: Literal["one", "two"] = "one", fast: bool = True, callback=None,
):  # fmt: skip
    pass


ALLOWED = keywords(method)


def test_signature_is_the_keyword_parameters_but_callback():
    assert list(ALLOWED) == ["lam", "steps", "kind", "fast"]


def test_checked_parameters_have_the_order_and_types_of_the_signature():
    checked = check_parameters({"kind": "two", "lam": 1, "fast": "false"}, ALLOWED, "x")
    assert list(checked.items()) == [("lam", 1.0), ("kind", "two"), ("fast", False)]
    assert isinstance(checked["lam"], float)


@pytest.mark.parametrize(
    "given, words",
    [
        ({"lamb": 1}, ["'lamb'", "did you mean 'lam'", "steps"]),
        ({"lam": 0}, ["x.lam", "0", "> 0"]),
        ({"lam": "much"}, ["x.lam", "'much'", "a number"]),
        ({"lam": True}, ["x.lam", "True", "a number"]),
        ({"steps": 2.5}, ["x.steps", "2.5", "whole number"]),
        ({"steps": 10}, ["x.steps", "10", "<= 9"]),
        ({"kind": "three"}, ["x.kind", "'three'", "one, two"]),
        ({"fast": 1}, ["x.fast", "1", "true or false"]),
        ({"lam": [1]}, ["x.lam", "[1]"]),
    ],
)
def test_errors_name_key_value_and_alternatives(given, words):
    with pytest.raises(BadInput) as caught:
        check_parameters(given, ALLOWED, "x")
    message = str(caught.value)
    assert "\n" not in message and all(word in message for word in words)


@pytest.mark.parametrize("annotation", [int | float, float | int, Annotated[int | float | None, "> 0"], "float"])
def test_whole_numbers_or_not_are_numbers(annotation):
    def method(y, *, width: annotation = 1):
        pass

    assert check_parameters({"width": 0.5}, keywords(method), "x") == {"width": 0.5}


@pytest.mark.parametrize("annotation", [float | Literal["auto"], Literal["auto"] | float, Literal["auto"] | None | int])
def test_a_word_in_the_place_of_a_number_may_come_first(annotation):
    def method(y, *, width: annotation = "auto"):
        pass

    assert [check_parameters({"width": w}, keywords(method), "x")["width"] for w in ("auto", 2)] == ["auto", 2]
    with pytest.raises(BadInput, match="'outo' is not allowed; must be a (whole )?number or auto"):
        check_parameters({"width": "outo"}, keywords(method), "x")


@pytest.mark.parametrize("limit", [">0", "> 0 and < 5", "positive", "", ">= much", "> 0 1"])
def test_a_limit_that_cannot_be_read_is_said_with_its_file_and_parameter(limit):
    def method(y, *, width: Annotated[float, limit] = 1):
        pass

    words = f"test_parameters: the parameter width has the limit '{limit}'; must be a sign"
    with pytest.raises(BadInput, match=words):
        keywords(method)


@pytest.mark.parametrize("annotation", [list, list[int], int | str, "torch.Tensor"])
def test_a_type_that_has_no_spelling_is_refused(annotation):
    def method(y, *, width: annotation = 1):
        pass

    with pytest.raises(BadInput, match="type|torch"):
        keywords(method)
