"""Options of the commands that take an image or a file: where it is found, how large, which part of it."""

import click


def source_options(name):
    """Return a decorator that gives a command of click the options by which it finds a source; `name` is a default."""

    def decorated(command):
        path = {"type": click.Path(), "multiple": True, "envvar": "PRIORBENCH_IMAGE_DIRS"}
        for option in (
            click.option("--image-dir", "image_dirs", **path, help="folder to look in before downloading a URL"),
            click.option("--sha256", multiple=True, help="checksum that the file may have; a URL needs one"),
            click.option("--name", default=name, show_default=True, help="name under which image_dirs may hold it"),
        ):
            command = option(command)
        return command

    return decorated


def numbers(context, parameter, value):
    """Return the list of whole numbers that an option --size or --crop has as text, "256" or "40,30"; for click."""
    counts, words = {
        "size": ((1, 2), "1 or 2 positive whole numbers"),
        "crop": ((1, 4), "1 or 4 whole numbers, height and width positive"),
    }[parameter.name]
    if value is None:
        return None
    try:
        given = [int(number) for number in value.split(",")]
        good = len(given) in counts and min(given) >= 0 and min(given[-2:]) > 0
    except ValueError:
        good = False
    if not good:
        raise click.BadParameter(f"{value!r} is not allowed; must be {words}")
    return given
