"""Parameters and their spelling: {"lam": 0.05, "iterations": 100} <-> "lam=0.05,iterations=100".

A parameter value is an int, a float, a boolean or a word. Each value has exactly one spelling, which is its config
value, its command-line value and its folder name: 1e-3, 1.0e-3 and 0.001 are all "0.001"; 5.0 is "5".
"""

import functools
import inspect
import itertools
import math
import operator
import re
import types
from typing import Annotated, Literal, Union, get_args, get_origin

from steps.base.errors import BadInput, if_file, no_such, quoted

NO_PARAMETERS = "default"
FRACTION = re.compile(r"(\d+(?:\.\d*)?) */ *(\d*[1-9]\d*(?:\.\d*)?)")  # not by 0
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.+-]*")
HANDED = ("callback", "noise")  # what a method gets besides its parameters, if it names it
NAMES = {float: "a number", int: "a whole number", bool: "true or false", str: "a word"}
COMPARISONS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "!=": operator.ne}
COMPARISONS["odd"] = lambda value, _: value % 2
LONGEST_NAME = 240  # characters of a folder's name; file systems take 255, and a suffix may come to it
WHOLE = 10**16  # whole numbers are smaller: from here on a float does not tell them apart
LARGEST = 1e38  # what float32 holds
MOST_COMBINATIONS = 100_000  # combinations of the values of one entry


def normalise(value):
    """Return the one int, float, bool or word that a value from YAML or the command line stands for.

    Text that reads as a number or as true/false becomes it (YAML reads 1e-3 as text), and so does a fraction, 25/255;
    whole floats become ints.
    Raises BadInput for anything that has no spelling: lists, nothing, infinities, words that are no file name, and for
    numbers that float32 does not hold or that do not survive being a float.
    """
    if isinstance(value, str):
        text = value.strip()
        if text in ("true", "false"):
            return text == "true"
        for number in (int, float):
            try:
                read = number(text)
            except ValueError:
                continue
            return normalise(read)
        if fraction := FRACTION.fullmatch(text):
            return normalise(float(fraction[1]) / float(fraction[2]))
        if not WORD.fullmatch(text):
            words = f"a word of letters, digits and _ . + -{if_file(value)}"
            raise BadInput(f"{quoted(value)} is not a number, true, false or {words}")
        return text
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) >= WHOLE:
            raise BadInput(f"{quoted(value)} is too large; a whole number may have 16 digits")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise BadInput(f"{value!r} is not a finite number")
        if abs(value) > LARGEST:
            raise BadInput(f"{value!r} is too large; must be at most {LARGEST:g}")
        return int(value) if value.is_integer() and abs(value) < WHOLE else value
    raise BadInput(f"{quoted(value)} is not a number, true, false or a word")


def spell(value):
    """Return the one spelling of a value: spell("1e-3") == spell(0.001) == "0.001"."""
    value = normalise(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def format_parameters(parameters, where="parameters"):
    """Return the folder name of a dict of parameters, in the dict's order; "default" if there are none.

    Raises BadInput, naming `where`, if it is too long for a folder's name.
    """
    text = ",".join(f"{name}={spell(value)}" for name, value in parameters.items()) or NO_PARAMETERS
    if len(text) > LONGEST_NAME:
        allowed = f"a folder's name may have {LONGEST_NAME}: leave out those that are at their defaults"
        raise BadInput(f"{where}: {quoted(text)} has {len(text)} characters; {allowed}")
    return text


def parse_parameters(text):
    """Return the dict that `format_parameters` spelled as `text`. Raises BadInput if it is not name=value,…"""
    if text in ("", NO_PARAMETERS):
        return {}
    parameters = {}
    for piece in text.split(","):
        name, equals, value = piece.partition("=")
        if not equals or not name.isidentifier():
            raise BadInput(f"{quoted(piece)} in {quoted(text)} is not of the form name=value")
        if name in parameters:
            raise BadInput(f"{quoted(name)} is given twice in {quoted(text)}")
        parameters[name] = normalise(value)
    return parameters


def but_seed(text):
    """Return the parameters spelled in a text, by name, without the seed."""
    return {name: value for name, value in parse_parameters(text).items() if name != "seed"}


def combinations(parameters, where="parameters"):
    """Return every dict that takes one value from each list: {"a": [1, 2], "b": 3} -> [{a:1,b:3}, {a:2,b:3}].

    Raises BadInput, naming `where`, for an empty list, and if there are more than MOST_COMBINATIONS.
    """
    for name, value in parameters.items():
        if value == []:
            raise BadInput(f"{where}.{name}: [] is empty; must have at least 1 value")
    choices = [value if isinstance(value, list) else [value] for value in parameters.values()]
    count = math.prod(map(len, choices))
    if count > MOST_COMBINATIONS:
        raise BadInput(f"{where}: the lists make {count} combinations; must be at most {MOST_COMBINATIONS}")
    return [dict(zip(parameters, values)) for values in itertools.product(*choices)]


@functools.cache
def keywords(*functions):
    """Return {name: inspect.Parameter} of the keyword-only parameters of functions or classes, HANDED excepted.

    A name that a later function has too is listed at the later function's place. The type of a parameter without an
    annotation is that of its default. Raises BadInput for one without a default, or of a type that cannot be spelled,
    and for an annotation that is not defined.
    """
    found = {}
    for function in functions:
        try:
            signature = inspect.signature(function, eval_str=True)
        except NameError as error:
            raise BadInput(f"{function.__module__}: an annotation cannot be read ({error})") from error
        for name, parameter in signature.parameters.items():
            if parameter.kind is parameter.KEYWORD_ONLY and name not in HANDED:
                found.pop(name, None)  # a dict would keep the first one's place
                found[name] = _typed(parameter, function)
    return found


def defaults(*functions):
    """Return {name: default} of the `keywords` of functions or classes."""
    return {name: parameter.default for name, parameter in keywords(*functions).items()}


def settings(function, text):
    """Return {name: value} of the `keywords` of a function: as spelled in a text, which may have others, or default."""
    said = parse_parameters(text)
    return {name: said.get(name, default) for name, default in defaults(function).items()}


def _typed(parameter, function):
    """Return a parameter with the type of its default as its annotation, if it has none of its own."""
    where = f"{function.__module__}: the parameter {parameter.name}"
    if parameter.default is parameter.empty:
        raise BadInput(f"{where} has no default; must have one")
    said = parameter.annotation is not parameter.empty
    annotation = parameter.annotation if said else type(parameter.default)
    kinds = _kinds(annotation)
    if kinds - NAMES.keys() or (len(kinds) > 1 and kinds != {int, float}):
        names = " or ".join(sorted(getattr(kind, "__name__", str(kind)) for kind in kinds))
        raise BadInput(f"{where} is of type {names}; must be a number, true, false or a word")
    for limit in _limits(annotation):
        sign, *bound = limit.split() or [""]
        try:
            COMPARISONS[sign](1, *map(float, bound or [0]))
        except (KeyError, ValueError, TypeError):
            allowed = (
                f"a sign ({', '.join(sign for sign in COMPARISONS if sign != 'odd')}), a space and a number, or odd"
            )
            raise BadInput(f"{where} has the limit {quoted(limit)}; must be {allowed}") from None
    return parameter.replace(annotation=annotation)


def _limits(annotation):
    """Return the limits that an annotation states, texts; what else it says of a value is none, as File."""
    said = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return [limit for limit in said if isinstance(limit, str)]


def _kinds(annotation):
    """Return the types in an annotation, a set; None and the words of a Literal are none."""
    inner, origin = get_args(annotation), get_origin(annotation)
    if origin in (Union, types.UnionType):
        return set().union(*map(_kinds, inner))
    return set() if origin is Literal else _kinds(inner[0]) if origin is Annotated else {annotation} - {type(None)}


def check_parameters(parameters, allowed, where):
    """Return `parameters` in the order of `allowed` (see `keywords`), each value of its annotated type.

    Raises BadInput, naming `where`, the value and what is allowed, for an unknown name, a wrong type, or a value
    out of the range that the annotation states, as in `sigma: Annotated[float, ">= 0"]`.
    """
    for name in parameters:
        if name not in allowed:
            raise BadInput(f"{where}: {no_such('parameter', name, allowed)}")
    return {
        name: _coerce(f"{where}.{name}", parameters[name], allowed[name].annotation)
        for name in allowed
        if name in parameters
    }


def _coerce(where, value, annotation):
    """Return a value as its annotation has it; raise BadInput, naming `where`, unless it is of that type and range."""
    try:
        value = normalise(value)
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from None
    if annotation is type(None):  # of a default None without an annotation: any
        return value
    # An annotation is up to three layers, taken off from outside: Annotated[float | Literal["estimate"], ">= 0"]
    # has limits, then words that are allowed in the place of a number, then the type itself.
    limits = _limits(annotation)
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    words = []
    if get_origin(annotation) in (Union, types.UnionType):  # float | None, float | Literal["estimate"]
        options = [option for option in get_args(annotation) if option is not type(None)]
        kinds = [option for option in options if get_origin(option) is not Literal]
        words = [word for option in options if kinds and option not in kinds for word in get_args(option)]
        annotation = float if float in kinds else (kinds or options)[0]  # int | float
    if value in words:  # a word has no limits
        return value
    if get_origin(annotation) is Literal:
        if value not in get_args(annotation):
            raise BadInput(
                f"{where}: {quoted(value)} is not allowed; must be one of {', '.join(map(str, get_args(annotation)))}"
            )
        return value
    # In Python True is an int and 5 is no float; here true is no number, and 5 stands for 5.0, too.
    fits = isinstance(value, annotation) or (annotation is float and isinstance(value, int))
    if not fits or (isinstance(value, bool) and annotation is not bool):
        wanted = f"{' or '.join([NAMES[annotation], *words])}{if_file(value)}"
        raise BadInput(f"{where}: {quoted(value)} is not allowed; must be {wanted}")
    for limit in limits:
        sign, *bound = limit.split()
        if not COMPARISONS[sign](value, *map(float, bound or [0])):
            raise BadInput(f"{where}: {quoted(value)} is not allowed; must be {' and '.join(limits)}")
    return annotation(value)
