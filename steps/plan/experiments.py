"""The recoveries that an experiment asks for: images × corruptions × method variants."""

import functools
import os
from collections import Counter
from pathlib import Path

from steps.base import discover
from steps.base.errors import BadInput, no_such
from steps.base.parameters import (
    MOST_COMBINATIONS,
    check_parameters,
    combinations,
    format_parameters,
    parse_parameters,
)
from steps.base.recoveries import Recovery
from steps.plan import corruptions, variants


def recoveries(experiment, images=None, where="experiment"):
    """Return the Recovery of every image × corruption × method variant of an experiment, in the order of the config.

    `images` are the config's, by name; None allows any. Raises BadInput for what is unknown or not allowed.
    """
    task = experiment["task"]
    discover.load("tasks", task, f"{where}.task")
    for i, entry in enumerate(experiment["methods"]):
        variants.check_task(entry["method"], task, f"{where}.methods[{i}].method")
    first = variants.of(experiment, 0, where)
    for image in experiment["images"]:
        if images is not None and image not in images:
            raise BadInput(f"{where}.images: {no_such('image', image, images)}")
    # Of a corruption the variants depend on its seed alone, which a method may take by `seed: corruption`. So they are
    # made once for each seed, and each corruption is checked once, however many images have it.
    found = []
    by_seed = {0: first}
    pairs = cases(experiment, where)
    columns = {"image", "n", "noise sigma", "truth", "input", "metric", *_parameters(task, pairs)}
    variants.check(first, columns, f"{where}.methods")
    kinds = {(corruption, images[image].get("measured", False)) for image, corruption in pairs} if images else set()
    for corruption, measured in sorted(kinds):
        corruptions.parameters(task, parse_parameters(corruption), f"{where}.corruption", measured)
    for i, entry in enumerate(experiment["methods"]):
        for corruption in dict.fromkeys(corruption for _, corruption in pairs):
            variants.check_corruption(entry["method"], task, corruption, f"{where}.methods[{i}].method")
    if len(pairs) * len(first) > MOST_COMBINATIONS:
        count = len(pairs) * len(first)
        raise BadInput(f"{where}: asks for {count} recoveries; must be at most {MOST_COMBINATIONS}")
    for image, corruption in pairs:
        seed = parse_parameters(corruption).get("seed", 0)
        if seed not in by_seed:
            by_seed[seed] = variants.of(experiment, seed, where)
            variants.check(by_seed[seed], set(), f"{where}.methods")
        found += [Recovery(task, image, corruption, *variant) for variant in by_seed[seed]]
    return found


def there(recovery, scored=()):
    """Return whether a recovery has been made: its image is there, and not one that this run failed to make anew.

    scored  the folders of those whose score is enough.
    """
    image = Path(recovery.folder, "recovered.npy").is_file()
    return (image or recovery.folder in scored) and recovery.folder not in _left_out()


@functools.cache
def _left_out():
    """Return the folders listed in the file $PRIORBENCH_LEFT_OUT, of recoveries that are there but out of date."""
    file = os.environ.get("PRIORBENCH_LEFT_OUT")
    return frozenset(Path(file).read_text(encoding="utf-8").splitlines()) if file else frozenset()


def cases(experiment, where="experiment"):
    """Return the (image, corruption) pairs of an experiment, image by image, in the order of the config.

    `corruption` is one mapping for all images or a list of mappings, each for its own `images`, else for all.
    """
    asked, place = experiment.get("corruption", {}), f"{where}.corruption"
    if isinstance(asked, list):
        blocks = [(f"{place}[{i}]", {"images": experiment["images"]} | block) for i, block in enumerate(asked)]
    else:
        blocks = [(place, asked)]
    found = []
    for place, block in blocks:
        settings = dict(block)
        images = settings.pop("images") if isinstance(asked, list) else experiment["images"]
        for image in images:
            if image not in experiment["images"]:
                raise BadInput(f"{place}.images: {no_such('image', image, experiment['images'])}")
        spelled = _corruptions(experiment, settings, place)
        found += [(image, corruption) for image in images for corruption in spelled]
    same = {text: tuple(corruptions.filled(experiment["task"], text).items()) for text in {text for _, text in found}}
    twice, times = Counter((image, same[text]) for image, text in found).most_common(1)[0]
    if times > 1:  # one noise must not count as two draws of it
        texts = ", also spelled ".join(dict.fromkeys(text for image, text in found if (image, same[text]) == twice))
        raise BadInput(f"{where}.corruption: {texts} is there twice")
    order, covered = {image: i for i, image in enumerate(experiment["images"])}, {image for image, _ in found}
    left = next((image for image in order if image not in covered), None)
    if left:
        raise BadInput(f"{where}.images: {left!r} is in none of the corruptions")
    return sorted(found, key=lambda case: order[case[0]])


def entry(config, kind, name):
    """Return config[kind][name]; raises BadInput with the nearest match if there is none. kind is plural."""
    if name not in config[kind]:
        raise BadInput(no_such(kind[:-1], name, config[kind]))
    return config[kind][name]


def _corruptions(experiment, settings, where):
    found = []
    for choice in combinations(settings, where):
        allowed = corruptions.allowed(experiment["task"], choice, where)
        found.append(format_parameters(check_parameters(choice, allowed, where), where))
    return found


def _parameters(task, pairs):
    """Return the names of all parameters that the corruptions of (image, corruption) pairs have."""
    spelled = dict.fromkeys(corruption for _, corruption in pairs)
    return {name for text in spelled for name in corruptions.allowed(task, parse_parameters(text))}
