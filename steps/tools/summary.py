"""What a page says of all tables and claims at once: how many published numbers are met, how many claims stand."""

from collections import Counter

import pandas

from steps.base.text import brief
from steps.compare import NOT_RUN, VERDICTS
from steps.decide import SOURCES
from steps.look import style
from steps.plan.metrics import in_db
from steps.tables.columns import PSNR
from steps.tables.markup import to_markdown
from steps.tables.verdicts import FAILS, NOTHING, STANDS, UNDECIDED

SETTINGS = {"paper": "ours, the paper's settings", "tuned": "ours, tuned"}
MARKS = {"within": "", "better": " ▲", "worse": " ▼", "not comparable": " *"}
LEGEND = (
    "Our result with the paper's settings: the mean over seeds ± half of its 95 % interval. The published number "
    "is in brackets. Both are PSNR in dB unless another metric is named. ▲: better than published by more than "
    "the tolerance; ▼: worse by more; *: not comparable; no mark: within the tolerance."
)
LOOKS = {
    "within": ("o", "#009E73"),
    "better": ("^", "#0072B2"),
    "worse": ("v", "#D55E00"),
    "not comparable": ("x", "0.5"),
}


def read_compared(path):
    """Return an experiment's table beside the published values, a csv of steps.compare, as a DataFrame."""
    text = dict.fromkeys(
        ("image", "parameter", "metric", "published label", "label", "settings", "verdict", "reason"), str
    )
    return pandas.read_csv(path, dtype=text, keep_default_na=False, na_values=[""])


def numbers(frames, count):
    """Return a table in Markdown of the verdicts on ours in either settings, over `count` published numbers.

    frames  a DataFrame of `read_compared` for each table. A number that several variants of one kind of settings are
    compared with counts once, by the first that was run.
    """
    every = pandas.concat([frame.assign(table=number) for number, frame in enumerate(frames)])
    rows = []
    for settings, words in SETTINGS.items():
        ours = every[(every["settings"] == settings) & (every["verdict"] != NOT_RUN)]
        ours = ours.drop_duplicates(["table", "image", "parameter", "value", "metric", "published label"])
        found = [int((ours["verdict"] == verdict).sum()) for verdict in VERDICTS]
        rows.append([words, *found, count - sum(found)])
    some = [NOT_RUN] * any(row[-1] for row in rows)
    texts = [list(map(str, row[: 1 + len(VERDICTS) + len(some)])) for row in rows]
    return to_markdown([f"{count} published numbers", *VERDICTS, *some], texts, 1)


def claims(frame):
    """Return a table in Markdown of the verdicts on claims, of the DataFrame of results/claims.csv (steps.decide)."""
    rows = []
    for source, words in SOURCES.items():
        found = Counter(frame[frame["source"] == source].drop_duplicates("claim")["claim verdict"])
        rows.append([words, *(str(found[verdict]) for verdict in (STANDS, FAILS, UNDECIDED, NOTHING))])
    head = [f"{frame['claim'].nunique()} claims", "stand", "fail", UNDECIDED, NOTHING]
    return to_markdown(head, rows, 1)


def beside(frame, stand_ins, named):
    """Return a table in Markdown of a `read_compared`, laid out as the paper's: a column for each published label.

    Rows name their metric unless all are in PSNR.  named  {metric: its `Metric`}.
    """
    place = ["image", "parameter", "value", "metric"]
    ours = frame[frame["settings"] == "paper"]
    run_first = ours.sort_values("verdict", key=lambda verdicts: verdicts == NOT_RUN, kind="stable")
    ours = run_first.drop_duplicates([*place, "published label"]).sort_index()
    labels, parameters = (list(dict.fromkeys(ours[name])) for name in ("published label", "parameter"))
    metrics = [] if set(ours["metric"]) <= {PSNR.name} else ["metric"]
    rows = []
    for (image, parameter, value, name), line in ours.groupby(place, sort=False):
        cells = {row["published label"]: _cell(row, named[name]) for row in line.to_dict("records")}
        shown = image + (" (stand-in)" if image in stand_ins else "")
        number = brief(value) if len(parameters) == 1 else f"{parameter}={brief(value)}"
        heading = [named[name].heading for _ in metrics]
        rows.append([shown, number, *heading, *(cells.get(label, "") for label in labels)])
    head = ["image", parameters[0] if len(parameters) == 1 else "parameter", *metrics]
    return to_markdown([*head, *labels], rows, len(head))


def _cell(row, metric):
    published = "~" * bool(row.get("about")) + metric.digits(row["published"])
    if row["verdict"] == NOT_RUN:
        return f"{NOT_RUN} ({published})"
    ours, half = row["ours"], row["interval"]
    text = metric.digits(ours) if half != half else metric.interval(ours, half)
    return f"{text} ({published}){MARKS[row['verdict']]}"


def _comparable(frame):
    return (frame["settings"] == "paper") & (frame["n"] > 0) & frame["metric"].map(in_db)


def figure(frames):
    """Return a figure of published numbers and ours in the paper's settings: a panel of each (title, DataFrame).

    Those of which nothing has been run have none.
    """
    import matplotlib.pyplot as plt

    shown = [(title, frame[_comparable(frame)]) for title, frame in frames]
    shown = [(title, ours) for title, ours in shown if len(ours)] or shown[:1]
    rows = -(-len(shown) // 4)
    columns = -(-len(shown) // rows)
    size = (style.WIDTH, 3.2 if rows == 1 else 2.4 * rows)
    drawn, panels = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for panel in panels.flat[len(shown) :]:
        panel.set_axis_off()
    for panel, (title, ours) in zip(panels.flat, shown):
        for verdict, (marker, colour) in LOOKS.items():
            here = ours[ours["verdict"] == verdict]
            panel.plot(here["published"], here["ours"], marker, color=colour, markersize=3.5, label=verdict)
        low, high = min(panel.get_xlim()[0], panel.get_ylim()[0]), max(panel.get_xlim()[1], panel.get_ylim()[1])
        panel.plot([low, high], [low, high], color="0.45", linewidth=0.8, zorder=0)
        panel.set(xlim=(low, high), ylim=(low, high), aspect="equal", xlabel="Published [dB]")
        panel.set_title(style.wrapped(style.literal(title), style.WIDTH / columns - 0.4, 7.5))
    panels[0, 0].set_ylabel("Ours [dB]")
    drawn.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(LOOKS))
    return drawn
