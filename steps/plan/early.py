"""What is looked at before Snakemake reads it: the configs of its command, whose mistakes it says in many lines.

`profiles/default/config.yaml`, the first file of ours that Snakemake reads, runs this by Snakemake's template language.
"""

import os
import sys
from pathlib import Path

DEFAULT = "config/config.yaml"


def configs(words):
    """Return the files that the words of a command name after --configfile, however that is shortened or spelled."""
    found, follows = [], False
    for word in words:
        if word.startswith("-"):
            name, equals, value = word.partition("=")
            follows = name.startswith("--configf") and not equals
            found += [value] * (name.startswith("--configf") and bool(equals))
        elif follows:
            found.append(word)
    return found


def check(words):
    """Raise BadInput for a config of a command that is no file or no YAML; if it names none, for the default."""
    from steps.base.errors import BadInput, quoted
    from steps.plan import schema

    files = configs(words)
    for file in files or filter(os.path.isfile, [DEFAULT]):
        try:
            if not os.path.exists(file) or os.path.isdir(file):
                raise BadInput(f"--configfile: no file {quoted(file)}")
            if not os.path.isfile(file):  # a pipe can be read but once, and Snakemake reads it, too
                raise BadInput(f"--configfile: {quoted(file)} is a pipe or a device; must be a file")
            if not isinstance(schema.read(file), dict):
                raise BadInput(f"{file}: not a config, which has keys at the top level")
        except BadInput as error:
            more = "; all that follows --configfile is a config, so what to make goes before it" * (file in files[1:])
            raise BadInput(f"{error}{more}") from error


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # which workflow/rules/engine.smk does, too
    try:
        check(sys.argv[1:])
    except ValueError as error:
        sys.exit(f"Error: {error}")
