"""The config and other YAML files against their schemas in workflow/schemas: errors of one line, defaults filled in."""

import functools
import json
import math
import re
from pathlib import Path

from steps.base.errors import BadInput, no_such, quoted
from steps.base.parameters import WHOLE
from steps.base.text import check_text, read_text

SCHEMAS = Path(__file__).parents[2] / "workflow" / "schemas"
VALUES = 2**20  # in a file, all anchors written out
DEPTH = 20  # of lists and mappings in one another


def read(file):
    """Return the content of a YAML or JSON file. Raises BadInput for any that is neither, or has a key twice.

    It says in which line and column, and what is there.
    """
    import yaml

    class Loader(_loader()):
        def construct_object(self, node, deep=False):
            try:
                return super().construct_object(node, deep)
            except BadInput:
                raise
            except (ValueError, AttributeError) as error:  # such as a month 13, or !!timestamp x
                raise yaml.constructor.ConstructorError(None, None, str(error), node.start_mark) from error

        def construct_mapping(self, node, deep=False):
            seen = set()
            for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
                if key.tag.endswith(":bool"):
                    said = f"the key {key.value} is read as true or false"
                    raise BadInput(f"{file}, {_place_of(key.start_mark)}: {said}; a word must be in quotes")
                if (key.tag, str(key.value)) in seen:
                    raise BadInput(f"{file}, {_place_of(key.start_mark)}: the key {quoted(key.value)} is there twice")
                seen.add((key.tag, str(key.value)))
            return super().construct_mapping(node, deep)

    def unique(pairs):
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            raise BadInput(f"{file}: the key {quoted(max(names, key=names.count))} is there twice")
        return found

    content = read_text(file)
    try:
        content = json.loads(content, object_pairs_hook=unique)
    except BadInput:
        raise
    except (ValueError, RecursionError):
        try:
            content = yaml.load(content, Loader)
        except BadInput:
            raise
        except (yaml.YAMLError, RecursionError) as error:
            raise BadInput(f"{file}{_not_yaml(error, content)}") from error
    if isinstance(content, dict) and "__use_yte__" in content:
        raise BadInput(f"{file}: __use_yte__ would run code that is in the file; must be a plain file")
    return content


def _place_of(mark):
    return f"line {mark.line + 1}, column {mark.column + 1}"


def _not_yaml(error, content):
    """Return what is wrong with a text that is no YAML: where, what, and what is there."""
    import yaml

    mark = getattr(error, "problem_mark", None)
    if isinstance(error, yaml.reader.ReaderError):  # which knows the place in bytes or characters, but no line
        place = yaml.reader.Reader.NON_PRINTABLE.search(content).start()
        mark = yaml.Mark("", place, content.count("\n", 0, place), place - content.rfind("\n", 0, place) - 1, None, 0)
    if mark is None:
        return f": not YAML ({' '.join(str(error).split())[:200]})"
    problem = getattr(error, "problem", None) or error.reason
    if getattr(error, "context_mark", None) and error.context_mark.line != mark.line:
        problem = f"{error.context}, begun in line {error.context_mark.line + 1}: {problem}"
    lines = re.split(r"\r\n|[\n\r\x85\u2028\u2029]", content)
    found = lines[mark.line][mark.column :][:40] if mark.line < len(lines) else ""
    hint = ""
    if found.startswith("\t"):
        hint = "; must be spaces, no tab"
    elif "mapping values are not allowed" in problem:
        hint = "; is a colon missing before, or is it too far to the right?"
    said = quoted(found) if found.strip() else "the end of the line" if mark.line < len(lines) - 1 else "the end"
    return f", {_place_of(mark)}: not YAML ({problem[:150]}); found {said}{hint}"


def validate(config, file, name="config"):
    """Raise BadInput, naming `file`, for the first mistake by the schema `name`; fill in defaults of top-level keys.

    Texts must be one line of at most CHARACTERS, none of them blank.
    """
    import jsonschema
    import yaml

    _check(config, file, "", {})
    schema = yaml.load((SCHEMAS / f"{name}.schema.yaml").read_text(encoding="utf-8"), _loader())
    plain = jsonschema.Draft202012Validator
    checker = plain.TYPE_CHECKER.redefine_many({"integer": _is_integer, "number": _is_number})
    validator = jsonschema.validators.extend(plain, type_checker=checker)(schema)
    errors = sorted(validator.iter_errors(config), key=lambda e: (len(e.path), str(e.path)))
    if errors:
        raise BadInput(f"{file}: {_message(errors[0])}")
    for key, description in schema["properties"].items():
        if "default" in description:
            config.setdefault(key, description["default"])


def _loader():
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where libyaml is there


def _is_integer(checker, value):
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < WHOLE


def _is_number(checker, value):
    return _is_integer(checker, value) or (isinstance(value, float) and math.isfinite(value))


def _check(value, file, key, sizes, depth=0):
    """Return how many values a value holds; raise BadInput if they are too many or too deep, or a text is not good.

    sizes  {id: that number} of the lists and mappings seen, so that what an anchor repeats is looked at once.
    """
    where = f"{file}: {key}" if key else file
    if isinstance(value, str):
        check_text(value, where)
    if not isinstance(value, (dict, list)):
        return 1
    if depth > DEPTH:
        raise BadInput(f"{where}: is nested more than {DEPTH} deep")
    if id(value) not in sizes:
        count = 1
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(value, dict):
                _check(name, file, key, sizes)
            count += _check(inner, file, _place(key, name), sizes, depth + 1)
        if count > VALUES:
            raise BadInput(f"{where}: has {count} values; must be at most {VALUES}")
        sizes[id(value)] = count
    return sizes[id(value)]


def _place(key, name):
    return f"{key}[{name}]" if isinstance(name, int) else f"{key}.{name}".lstrip(".")


def _message(error):
    key = functools.reduce(_place, error.absolute_path, "")
    prefix, value = f"{key}: " if key else "", quoted(error.instance)
    if error.validator == "additionalProperties":
        allowed = error.schema.get("properties", {})
        name = next(name for name in error.instance if name not in allowed)
        return prefix + no_such("key", name, allowed)
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        return f"{prefix}missing key {missing!r}"
    if error.validator in ("minItems", "minProperties"):
        return f"{prefix}is empty; must have at least {error.validator_value} entry"
    if error.validator == "enum":
        return f"{prefix}{value} is not allowed; must be one of {', '.join(map(str, error.validator_value))}"
    if error.validator == "type":
        wanted = error.validator_value if isinstance(error.validator_value, str) else " or ".join(error.validator_value)
        unquoted = isinstance(error.instance, bool) and "string" in wanted
        quotes = " (yes, no, on and off are words in quotes only)" if unquoted else ""
        return f"{prefix}{value} is not allowed; must be of type {wanted}{quotes}"
    if error.validator in ("anyOf", "pattern", "maxLength") and "description" in error.schema:
        return f"{prefix}{value} is not allowed; {error.schema['description']}"
    if error.validator == "minimum":
        return f"{prefix}{value} is not allowed; must be >= {error.validator_value}"
    return prefix + " ".join(error.message.split())[:200]
