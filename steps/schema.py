"""The config and other YAML files against their schemas in workflow/schemas: errors of one line, defaults filled in."""

from pathlib import Path

from steps import grid
from steps.errors import BadInput

SCHEMAS = Path(__file__).parent.parent / "workflow" / "schemas"


def validate(config, file, name="config"):
    """Raise BadInput, naming `file`, for the first mistake by the schema `name`; fill in defaults of top-level keys."""
    import jsonschema
    import yaml

    schema = yaml.safe_load((SCHEMAS / f"{name}.schema.yaml").read_text(encoding="utf-8"))
    errors = sorted(
        jsonschema.Draft202012Validator(schema).iter_errors(config), key=lambda e: (len(e.path), str(e.path))
    )
    if errors:
        raise BadInput(f"{file}: {_message(errors[0])}")
    for key, description in schema["properties"].items():
        if "default" in description:
            config.setdefault(key, description["default"])


def _message(error):
    key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path).lstrip(".")
    prefix = f"{key}: " if key else ""
    if error.validator == "additionalProperties":
        allowed = error.schema.get("properties", {})
        name = next(name for name in error.instance if name not in allowed)
        return prefix + grid.unknown("key", name, allowed)
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        return f"{prefix}missing key {missing!r}"
    if error.validator in ("minItems", "minProperties"):
        return f"{prefix}is empty; must have at least {error.validator_value} entry"
    if error.validator == "enum":
        return f"{prefix}{error.instance!r} is not allowed; must be one of {', '.join(map(str, error.validator_value))}"
    if error.validator == "type":
        wanted = error.validator_value if isinstance(error.validator_value, str) else " or ".join(error.validator_value)
        return f"{prefix}{error.instance!r} is not allowed; must be of type {wanted}"
    if error.validator == "anyOf" and "description" in error.schema:
        return f"{prefix}{error.instance!r} is not allowed; {error.schema['description']}"
    return prefix + " ".join(error.message.split())[:200]
