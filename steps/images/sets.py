"""Sets of images: an entry under images whose source is a pattern, such as photos/*.png, or a list of URLs in a CSV."""

import csv
import glob
import os
import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

from steps.base.errors import BadInput, quoted
from steps.base.text import check_path, check_text, read_text
from steps.images.decode import SUFFIXES

ROOT = Path(__file__).parents[2]
MOST = 5000  # files of a set
LONGEST = 80  # characters of an image's name


def is_set(image):
    """Return whether an entry under images is a set: a local path with a *, or to a CSV."""
    source = image["source"]
    local = not re.match(r"(skimage|synthetic|https?):", source)
    return local and ("*" in source or source.lower().endswith(".csv"))


def expand(config, file="config"):
    """Replace every set of a config by an entry for each of its files, and its name in experiments by their names.

    The image of photos/House 1.png in the set `mine` is called mine-House_1; it has the set's other keys. Files come in
    the order of their names; URLs in that of the CSV, which has them and their checksums in the columns url and sha256.
    A CSV that is not there is taken from priorbench's own folder. Raises BadInput, one line, if there are none, if
    there are more than MOST, if two images would have one name, and if an experiment names an image twice.
    """
    images, members = {}, {}
    for name, image in config["images"].items():
        found = {name: image}
        if is_set(image):
            found = _entries(name, image, f"{file}: images.{name}")
            members[name] = list(found)
        for member, entry in found.items():
            if member in images:
                raise BadInput(f"{file}: images.{name}: another image is called {member}, too")
            images[member] = entry
    config["images"] = images
    for name, experiment in config["experiments"].items() if members else ():
        place = f"{file}: experiments.{name}"
        experiment["images"] = _named(experiment["images"], members, f"{place}.images")
        corruption = experiment.get("corruption")
        for i, block in enumerate(corruption) if isinstance(corruption, list) else ():
            if "images" in block:
                block["images"] = _named(block["images"], members, f"{place}.corruption[{i}].images")


def files(pattern, where):
    """Return the paths of the image files that match a pattern, in the order of their names."""
    check_path(pattern, where)
    there = sorted(glob.iglob(re.sub(r"([?[])", r"[\1]", pattern)))
    found = [path for path in there if path.lower().endswith(SUFFIXES) and os.path.isfile(path)]
    if not found:
        raise BadInput(f"{where}: no image file is {quoted(pattern)}; must end in {', '.join(SUFFIXES)}")
    if len(found) > MOST:
        raise BadInput(f"{where}: {quoted(pattern)} are {len(found)} files; must be at most {MOST}")
    return found


def _listed(path, where):
    """Return [(URL, {"sha256": checksum})] of a CSV."""
    check_path(path, where)
    file = path if os.path.isfile(path) or os.path.isabs(path) else ROOT / path
    if not os.path.isfile(file):
        raise BadInput(f"{where}: no file {quoted(path)}")
    try:
        reader = csv.DictReader(read_text(file).removeprefix("\ufeff").splitlines())
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise BadInput(f"{where}: {path}: not csv ({error})") from error
    for line, row in rows:
        url, digest = row.get("url") or "", row.get("sha256") or ""
        if not url.startswith(("http://", "https://")) or not re.fullmatch("[0-9a-f]{64}", digest):
            words = "must have a url, http(s)://…, and its sha256, 64 digits of 0-9 and a-f"
            raise BadInput(f"{where}: {path}, line {line}: {words}")
    if not 0 < len(rows) <= MOST:
        raise BadInput(f"{where}: {quoted(path)} has {len(rows)} images; must be 1 to {MOST}")
    return [(row["url"], {"sha256": row["sha256"]}) for _, row in rows]


def _entries(name, image, where):
    entries, source, where = {}, image["source"], f"{where}.source"
    found = [(path, {}) for path in files(source, where)] if "*" in source else _listed(source, where)
    for path, more in found:
        check_text(path, where)
        member = f"{name}-{re.sub(r'[^A-Za-z0-9_-]+', '_', Path(unquote(path) if more else path).stem)}"
        if len(member) > LONGEST:
            raise BadInput(f"{where}: the name {member} of {quoted(path)} is too long; must be at most {LONGEST}")
        if member in entries:
            first = entries[member]["source"]
            raise BadInput(f"{where}: {quoted(first)} and {quoted(path)} would both be called {member}; rename one")
        entries[member] = image | {"source": path} | more
    return entries


def _named(names, members, where):
    found = [member for name in names for member in members.get(name, [name])]
    for member, times in Counter(found).items():
        if times > 1:
            raise BadInput(f"{where}: {member} is there twice")
    return found
