"""The columns of scores that are shown: their headings, their numbers as texts, and which of several is the best."""

import json
import math
from typing import NamedTuple


class Metric(NamedTuple):
    """A column of scores and how it is shown; `better` is "higher" or "lower", or "" if it is not ranked.

    It has as many decimals as `decimals` says, or `significant` digits where that is not 0.
    """

    name: str
    label: str
    unit: str = ""
    decimals: int = 2
    better: str = ""
    about: str = ""
    significant: int = 0

    @property
    def heading(self):
        """The label with its unit: "PSNR [dB]"."""
        return f"{self.label} [{self.unit}]" if self.unit else self.label

    def digits(self, value):
        """Return a value as tables have it, without its unit: "29.61", "0.842", "∞"; of seconds "0.0034", "130"."""
        text = significant(value, self.significant) if self.significant else f"{value:.{self.decimals}f}"
        text = text.lstrip("-") if set(text) <= set("-0.") else text  # a zero has no sign
        return text.replace("inf", "∞")

    def interval(self, value, half):
        """Return a value and half of its interval, "12.49 ± 0.03", of seconds as "127.6 ± 1.2"."""
        text, around = self.digits(value), self.digits(half)
        if self.significant and len(around.partition(".")[2]) > len(text.partition(".")[2]):
            text = f"{value:.{len(around.partition('.')[2])}f}"
        return f"{text} ± {around}"

    def number(self, value):
        """Return a value as pictures and pages have it, with its unit: "29.61 dB", "0.842", "∞ dB"."""
        return f"{self.digits(value)} {self.unit}".strip().replace("-", "−")

    def text(self, value):
        """Return the `number` with what it is, "SSIM 0.842", but "29.61 dB" of PSNR; "" if it is None or NaN."""
        if value is None or math.isnan(value):
            return ""
        return self.number(value) if self.name == "psnr" else f"{self.label} {self.number(value)}"

    def best(self, values):
        """Return the best of values, by its direction, as it is shown, so rounded; None if there is none."""
        known = [round(value, self.decimals) for value in values if not math.isnan(value)]
        return (max if self.better == "higher" else min)(known, default=None) if self.better else None

    def is_best(self, value, best):
        """Return whether a value equals the `best` at the decimals shown."""
        return best is not None and round(value, self.decimals) == best


PSNR = Metric("psnr", "PSNR", "dB", 2, "higher")
RESIDUAL = Metric("residual", "Residual", decimals=4)
TIME = Metric("seconds", "Time", "s", significant=2)


def significant(value, digits):
    """Return a number in plain decimals, rounded to so many significant digits: "0.0034", "7.4", "130", "0"."""
    rounded = float(f"{value:.{digits}g}")
    if rounded == 0 or not math.isfinite(rounded):
        return f"{rounded:g}"
    return f"{rounded:.{max(0, digits - 1 - math.floor(math.log10(abs(rounded))))}f}"


def read_metrics(text):
    """Return the Metrics of JSON text, as plan.metrics.facts has them; PSNR of no text."""
    return [Metric(**facts) for facts in json.loads(text)] if text else [PSNR]


def directions(metrics):
    """Return in words which way each is better: "Higher is better: PSNR, SSIM. Lower is better: GMSD."."""
    found = {}
    for metric in metrics:
        found.setdefault(metric.better, []).append(metric.label)
    return " ".join(f"{better.capitalize()} is better: {', '.join(labels)}." for better, labels in found.items())


def line(label, width, columns, row=None, prefix=""):
    """Return a line of a table: a label, then the Metrics of a row of scores, blank where it has none; or the head."""
    texts = [label.ljust(width)]
    for column in columns:
        value = row.get(f"{prefix}{column.name}") if row else None
        text = "" if value is None else column.digits(value)
        texts.append((text if row else column.heading).rjust(max(len(column.heading), column.decimals + 2)))
    return "  ".join(texts).rstrip()


def winners(metrics, rows):
    """Return in words which rows of scores, by label, are best: "TV by PSNR, SSIM; DIP by GMSD (lower is better)"."""
    words = {}
    for metric in metrics:
        values = {label: math.nan if row[metric.name] is None else row[metric.name] for label, row in rows.items()}
        best = " and ".join(label for label in values if metric.is_best(values[label], metric.best(values.values())))
        words.setdefault(best, []).append(metric.label + " (lower is better)" * (metric.better == "lower"))
    return "; ".join(f"{best} by {', '.join(names)}" for best, names in words.items() if best)
