"""Parameters and their spelling: {"lam": 0.05, "iterations": 100} <-> "lam=0.05,iterations=100".

A parameter value is an int, a float, a boolean or a word. Each value has exactly one spelling, which is its config
value, its command-line value and its folder name: 1e-3, 1.0e-3 and 0.001 are all "0.001"; 5.0 is "5".
"""

import difflib
import functools
import inspect
import itertools
import math
import operator
import re
import types
from typing import Annotated, Literal, Union, get_args, get_origin

from steps.errors import BadInput

NO_PARAMETERS = "default"
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.+-]*")
COMPARISONS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "!=": operator.ne}


def normalise(value):
    """Return the one int, float, bool or word that a value from YAML or the command line stands for.

    Text that reads as a number or as true/false becomes it (YAML reads 1e-3 as text); whole floats become ints.
    Raises BadInput for anything that has no spelling: lists, nothing, infinities, words that are no file name.
    """
    if isinstance(value, str):
        text = value.strip()
        if text in ("true", "false"):
            return text == "true"
        for number in (int, float):
            try:
                return normalise(number(text))
            except ValueError:
                if number is float and re.fullmatch(r"[+-]?(inf(inity)?|nan)", text, re.IGNORECASE):
                    raise BadInput(f"{value!r} is not a finite number") from None
        if not WORD.fullmatch(text):
            raise BadInput(f"{value!r} is not a number, true, false or a word of letters, digits and _ . + -")
        return text
    if isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise BadInput(f"{value!r} is not a finite number")
        return int(value) if value.is_integer() and abs(value) < 1e16 else value
    raise BadInput(f"{value!r} is not a number, true, false or a word")


def spell(value):
    """Return the one spelling of a value: spell("1e-3") == spell(0.001) == "0.001"."""
    value = normalise(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def format_parameters(parameters):
    """Return the folder name of a dict of parameters, in the dict's order; "default" if there are none."""
    return ",".join(f"{name}={spell(value)}" for name, value in parameters.items()) or NO_PARAMETERS


def parse_parameters(text):
    """Return the dict that `format_parameters` spelled as `text`. Raises BadInput if it is not name=value,…"""
    if text in ("", NO_PARAMETERS):
        return {}
    parameters = {}
    for piece in text.split(","):
        name, equals, value = piece.partition("=")
        if not equals or not name.isidentifier():
            raise BadInput(f"{piece!r} in {text!r} is not of the form name=value")
        if name in parameters:
            raise BadInput(f"{name!r} is given twice in {text!r}")
        parameters[name] = normalise(value)
    return parameters


def combinations(parameters, where="parameters"):
    """Return every dict that takes one value from each list: {"a": [1, 2], "b": 3} -> [{a:1,b:3}, {a:2,b:3}].

    Raises BadInput, naming `where`, for an empty list.
    """
    for name, value in parameters.items():
        if value == []:
            raise BadInput(f"{where}.{name}: [] is empty; must have at least 1 value")
    choices = [value if isinstance(value, list) else [value] for value in parameters.values()]
    return [dict(zip(parameters, values)) for values in itertools.product(*choices)]


@functools.cache
def signature(*functions):
    """Return {name: inspect.Parameter} of the keyword-only parameters of functions or classes, callback excepted.

    A name that a later function has too is listed at the later function's place.
    """
    found = {}
    for function in functions:
        for name, parameter in inspect.signature(function, eval_str=True).parameters.items():
            if parameter.kind is parameter.KEYWORD_ONLY and name != "callback":
                found.pop(name, None)
                found[name] = parameter
    return found


def check_parameters(parameters, allowed, where):
    """Return `parameters` in the order of `allowed` (see `signature`), each value of its annotated type.

    Raises BadInput, naming `where`, the value and what is allowed, for an unknown name, a wrong type, or a value
    out of the range that the annotation states, as in `sigma: Annotated[float, ">= 0"]`.
    """
    for name in parameters:
        if name not in allowed:
            raise BadInput(f"{where}: {unknown('parameter', name, allowed)}")
    return {
        name: _coerce(f"{where}.{name}", parameters[name], allowed[name].annotation)
        for name in allowed
        if name in parameters
    }


def unknown(what, name, allowed):
    """Return the one-line message for a name that is not among those allowed, with the nearest match."""
    near = difflib.get_close_matches(str(name), [str(a) for a in allowed], n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"unknown {what} {name!r}{hint}; allowed: {', '.join(sorted(map(str, allowed))) or 'none'}"


def _coerce(where, value, annotation):
    try:
        value = normalise(value)
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from None
    limits = []
    if get_origin(annotation) is Annotated:
        annotation, *limits = get_args(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(option for option in get_args(annotation) if option is not type(None))
    if get_origin(annotation) is Literal:
        if value not in get_args(annotation):
            raise BadInput(
                f"{where}: {value!r} is not allowed; must be one of {', '.join(map(str, get_args(annotation)))}"
            )
        return value
    names = {float: "a number", int: "a whole number", bool: "true or false", str: "a word"}
    fits = isinstance(value, annotation) or (annotation is float and isinstance(value, int))
    if not fits or (isinstance(value, bool) and annotation is not bool):
        raise BadInput(f"{where}: {value!r} is not allowed; must be {names[annotation]}")
    for limit in limits:
        sign, bound = limit.split()
        if not COMPARISONS[sign](value, float(bound)):
            raise BadInput(f"{where}: {value!r} is not allowed; must be {' and '.join(limits)}")
    return annotation(value)
