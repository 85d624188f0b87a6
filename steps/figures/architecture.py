"""The networks of an experiment, drawn from the network objects themselves, as in the paper's figure 3."""

import math

from steps.base import discover
from steps.base.errors import NothingToDraw
from steps.base.parameters import defaults, settings
from steps.look import style

CAPTION = """\
The networks of the deep image prior, layer by layer with their channels. **Look for** depth, arrows that skip layers,
and how the code is upsampled: they are the prior.
"""
EACH = ()
COLOURS = {"down": "#56B4E9", "up": "#E69F00", "layer": "#E69F00", "skip": "#009E73", "code": "0.75", "image": "0.75"}


def draw(scores):
    """Return a figure of every distinct network of an experiment's methods, each at the size of its first image.

    Each stage is a box, as high as the logarithm of the side of what it gives and as wide as the square root of its
    channels; arrows are skips. Below stand the operations that a stage is made of, in the order in which it applies
    them; the norm at the end of a skip is that of the merged channels. Raises NothingToDraw if there is no network.
    """
    import matplotlib.pyplot as plt

    created = _networks(scores)
    figure = plt.figure(figsize=(style.WIDTH, 3.6 * len(created)), layout="constrained")
    for part, (labels, network, code) in zip(figure.subfigures(len(created), squeeze=False).flat, created):
        _draw_network(part.subplots(2, height_ratios=[1.5, 1]), ", ".join(labels), network, code)
    return figure


def _networks(scores):
    """Return [(labels, network, code)] of the networks that methods of the scores create, each once."""
    from steps.prior import networks

    seen, created = {}, {}
    of_networks = defaults(networks.create)
    for row in scores.itertuples():
        of_method = settings(discover.load("methods", row.method).recover, row.params)
        if not {"channels", "scales"} <= of_method.keys():
            continue
        size = {name: of_method.get(name, default) for name, default in of_networks.items() if name != "seed"}
        shape = tuple(map(int, [row.channels, *row.pixels.split("×")]))
        asked = (shape, *size.items())
        if asked not in seen:
            network, code = networks.create(shape, **size)
            inner = [tuple(p.shape) for name, p in network.named_parameters() if not name.startswith("last.")]
            seen[asked] = (*size.items(), *inner)  # channels may follow the image; its colours do not count
            created.setdefault(seen[asked], ({}, network, code))
        created[seen[asked]][0][row.label] = None  # an ordered set
    if not created:
        raise NothingToDraw("architecture: none of the methods has a network")
    return list(created.values())


def stages(network, code):
    """Return [(kind, module, shape (C, H, W) of its output)] in the order in which the network runs them.

    kind is "code", "down", "skip", "up" (or "layer") or "image". Shapes are those seen while the code passes through.
    """
    import torch

    kinds = {}
    for kind, name in (("down", "down"), ("skip", "beside"), ("up", "up"), ("layer", "layers")):
        kinds |= {module: kind for module in getattr(network, name, []) if module is not None}
    seen = [("code", None, tuple(code.shape[1:]))]
    hooks = [
        module.register_forward_hook(lambda module, _, y: seen.append((kinds[module], module, tuple(y.shape[1:]))))
        for module in kinds
    ]
    with torch.no_grad():
        image = network(code)
    for hook in hooks:
        hook.remove()
    return [*seen, ("image", network.last, tuple(image.shape[1:]))]


def operations(module):
    """Return what a stage is made of, in words: ["conv 3×3, stride 2", "norm", "LeakyReLU", …]."""
    words = []
    for part in module.modules():
        name = type(part).__name__
        if hasattr(part, "kernel_size"):
            size = "×".join(map(str, part.kernel_size))
            words.append(f"conv {size}" + (f", stride {part.stride[0]}" if part.stride[0] > 1 else ""))
        elif name == "Upsample":
            words.append(f"×2 {part.mode}")
        elif name in ("BatchNorm2d", "Norm"):
            words += ["norm", "LeakyReLU"] if getattr(part, "slope", 1) < 1 else ["norm"]
        elif name == "Dropout":
            words.append(f"dropout, keep {part.p_keep:g}")
        elif name in ("LeakyReLU", "ReLU"):
            words.append(name)
    return words


def _draw_network(panels, label, network, code):
    from steps.prior import networks

    boxes, words = panels
    seen = stages(network, code)
    largest = max(max(shape[1:]) for _, _, shape in seen), max(shape[0] for _, _, shape in seen)
    skips, place, high = [], -1, 0
    for kind, _, (channels, height, width) in seen:
        if kind == "skip":  # runs beside the time down that comes next, from what stands before it
            skips.append((place, high))
            continue
        place += 1
        high = math.log(max(height, width)) / math.log(largest[0])
        wide = 0.8 * math.sqrt(channels / largest[1])
        boxes.bar(place, high, wide, bottom=-high / 2, color=COLOURS[kind], edgecolor="0.2", linewidth=0.8)
        boxes.text(place, -high / 2 - 0.04, f"{channels}\n{height}×{width}", ha="center", va="top", fontsize=7)
        if kind == "up" and skips:
            start, top = skips.pop()
            arrow = {"arrowstyle": "->", "color": COLOURS["skip"], "connectionstyle": "arc3,rad=-0.15"}
            boxes.annotate("", (place, high / 2 + 0.02), (start, top / 2 + 0.02), arrowprops=arrow)
    boxes.set(xlim=(-0.6, place + 0.6), ylim=(-0.75, 1.0 if any(kind == "skip" for kind, *_ in seen) else 0.6))
    boxes.set_title(f"{label}: {networks.count_parameters(network):,} parameters")
    made_of = {}
    for kind, module, (channels, *_) in seen:
        inside = ["the input, a fixed draw"] if kind == "code" else operations(module)
        listed = inside + (["sigmoid"] if kind == "image" else [])
        made_of[kind, *listed] = f"skip ({channels} channels)" if kind == "skip" else kind
    for index, ((kind, *listed), name) in enumerate(made_of.items()):
        x = (index + 0.5) / len(made_of)
        head = {"facecolor": COLOURS[kind], "edgecolor": "0.2", "boxstyle": "round", "linewidth": 0.8}
        words.text(x, 0.95, name, ha="center", va="top", bbox=head)
        words.text(x, 0.78, "\n".join(listed), ha="center", va="top", fontsize=7)
    for panel in panels:
        panel.set_axis_off()
