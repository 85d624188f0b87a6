"""Which recoveries a page has side by side: those of one image and corruption, seed by seed."""

from collections import defaultdict
from typing import NamedTuple

from steps.base.parameters import but_seed, format_parameters, parse_parameters


class Case(NamedTuple):
    """What is side by side: recoveries of one image and corruption; `run` says which if a method has several seeds."""

    image: str
    corruption: str
    run: str | None
    recoveries: list

    @property
    def name(self):
        """The corruption without its seed, which with the image is what the page lets one choose: "sigma=0.1"."""
        return format_parameters(but_seed(self.corruption))


def cases(recoveries):
    """Return the Cases of recoveries: all methods' first seeds, then the second, or a method's last, and so on."""
    groups = defaultdict(lambda: defaultdict(list))
    for recovery in recoveries:
        groups[recovery.image, recovery.corruption][recovery.label].append(recovery)
    listed = []
    for key, by_label in groups.items():
        most = max(map(len, by_label.values()))
        for n in range(most):
            run = f"run {n + 1} of {most}" if most > 1 else None
            listed.append(Case(*key, run, [group[min(n, len(group) - 1)] for group in by_label.values()]))
    return listed


def seeds(all_cases):
    """Return for each Case the name of its seeds, "noise 0, run 1 of 2"; of that only what there are several of."""
    corruptions = defaultdict(set)
    for case in all_cases:
        corruptions[case.image, case.name].add(case.corruption)
    names = []
    for case in all_cases:
        several = len(corruptions[case.image, case.name]) > 1
        noise = f"noise {parse_parameters(case.corruption).get('seed', 0)}" if several else None
        names.append(", ".join(filter(None, [noise, case.run])))
    return names
