"""A good config, and ones that differ from it, for the tests that read configs."""

import copy

GOOD = {
    "images": {"camera": {"source": "skimage:camera"}, "logo": {"source": "synthetic:logo", "size": [32, 40]}},
    "experiments": {
        "first": {
            "task": "denoising",
            "images": ["camera", "logo"],
            "corruption": {"seed": [0, 1], "sigma": ["1e-2", 0.1]},
            "methods": [{"method": "wiener"}, {"method": "tv", "params": {"iterations": 5, "lam": [0.01, 1.0e-1]}}],
        }
    },
}


def changed(path, value):
    """Return a copy of GOOD with the value at a path such as "experiments.first.task" set; None deletes it."""
    config = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    place = config
    for key in parents:
        place = place[int(key)] if isinstance(place, list) else place[key]
    if value is None:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return config


BLOCKS = [{"sigma": [0, 0.1], "images": ["camera"]}, {"sigma": 0, "images": ["logo"]}]
