"""Show an experiment on a page to look at: truth, measurement and recoveries side by side, in one HTML file."""

import base64
import hashlib
import html
import io
import json
import math
import re
from collections import defaultdict
from pathlib import Path

import click
import numpy as np

from steps.base import discover
from steps.base.errors import Command
from steps.base.files import read_array, read_json, write_text
from steps.base.parameters import but_seed, spell
from steps.base.recoveries import read_listing
from steps.inverse.removed import removed
from steps.look import maps, pictures, style, web
from steps.look.cases import cases, seeds
from steps.tables.columns import TIME, directions, read_metrics
from steps.tables.markup import some, stand_in_note
from steps.tables.scores import read_scores

VIEWER = Path(__file__).parent / "look" / "viewer"
SCRIPTS = ("view.js", "draw.js", "paint.js", "control.js")  # one script in the page, split for those who read it
LIMIT = 100_000_000  # characters of all images of a page; browsers still open it in seconds


def png(image):
    """Return (H, W) or (H, W, 3) in [0, 1], rounded to 8 bits, as the text of a PNG in base 64."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def numbers(row, shown, prefix=""):
    """Return {metric: value} of the numbers of a row of scores that there are; input_… of them are the input's."""
    values = {metric: row[f"{prefix}{metric.name}"] for metric in shown}
    return {metric: float(value) for metric, value in values.items() if not math.isnan(value)}


def mark_best(panels):
    """Replace each panel's numbers by their texts, and name in `best` those of which no recovery has a better one."""
    recovered = [panel for panel in panels if panel["kind"] == "recovery"]
    for metric in dict.fromkeys(metric for panel in recovered for metric in panel["numbers"]):
        best = metric.best(panel["numbers"].get(metric, math.nan) for panel in recovered)
        for panel in recovered:
            if len(recovered) > 1 and metric.is_best(panel["numbers"].get(metric, math.nan), best):
                panel["best"].append(metric.label)
    for panel in panels:
        panel["numbers"] = {metric.label: metric.number(value) for metric, value in panel["numbers"].items()}


def settings(row):
    """Return {name: text} of how a recovery was made: its method, all parameters, device, folder."""
    run = read_json(Path(row["folder"]) / "run.json")
    parameters = {name: "by its rule" if value is None else spell(value) for name, value in run["settings"].items()}
    made = {"device": run["device"], "threads": str(run["threads"]), "folder": row["folder"]}
    return {"method": row["method"]} | parameters | made


def show(case, rows, named):
    """Return (facts, images) of a Case for the page; `rows` are rows of scores by folder, `named` the Metrics to show.

    images is {name: base 64 of a PNG}; in the facts, panels refer to those names. Without a ground truth there are
    neither the panel Truth, nor errors, nor numbers that need one.
    """
    made = [(recovery.label, rows.get(recovery.folder)) for recovery in case.recoveries]
    done = [row for _, row in made if row is not None]
    first, name = done[0], f"{case.image}/{case.corruption}"
    measured = read_array(Path(first["folder"]).parent.parent / "picture.npy")
    size = measured.shape
    measured = pictures.shown(measured)
    arrays = {name: measured} | {row["folder"]: pictures.read(f"{row['folder']}/recovered.npy") for row in done}
    panels = [_panel("Input", "input", name, numbers(first, named, "input_"))]
    for label, row in made:
        shown = () if row is None else (row["folder"], numbers(row, [*named, TIME]), settings(row))
        panels.append(_panel(label, "recovery" if shown else "missing", *shown))
    images, errors, end = {}, {}, None
    if not math.isnan(first["psnr"]):
        truth = pictures.read(f"results/images/{case.image}.npy")
        errors = {name: maps.error_map(truth, array) for name, array in arrays.items()}
        end = maps.scale([errors[row["folder"]] for row in done])
        arrays[case.image] = truth
        panels.insert(0, _panel("Truth", "truth", case.image))
    for panel in panels:
        name = panel.get("image")
        if name:
            images[name] = png(pictures.display(arrays[name]))
        if name in errors:
            panel["error"] = f"{name} error {end}"
            images[panel["error"]] = png(errors[name] / end)
    mark_best(panels)
    for panel in panels:
        if case.run and "seed" in panel["settings"]:
            panel["numbers"]["Seed"] = panel["settings"]["seed"]
    corruption = style.values(but_seed(case.corruption).items(), case.recoveries[0].task)
    facts = {"image": case.image, "corruption": case.name, "name": corruption or case.name, "panels": panels}
    facts |= {"size": list(measured.shape[:0:-1]), "centre": measured.shape != size}
    return facts | {"scale": end, "range": None, "sigma": None}, images


def with_removed(case, facts):
    """Return (facts, images) of a Case with what each recovery removed, y − A x̂; without if y is no picture.

    facts as `show` returns them. Of the truth it is the noise itself. One scale serves all, from −range to range: 3
    sigma, or what `maps.scale` says if methods were told of no noise.
    """
    first, files = case.recoveries[0], {"truth": "results/images/{}.npy", "recovery": "{}/recovered.npy"}
    if not discover.load("tasks", first.task).Operator.pictures:
        return facts, {}
    names = {panel["image"]: panel["kind"] for panel in facts["panels"] if panel["kind"] in files}
    found = {}
    for name, kind in names.items():  # one at a time, since they may be large
        whole, sigma = removed(f"{first.case}/measurement.npz", {name: read_array(files[kind].format(name))})
        found[name] = pictures.shown(whole[name])
    ours = [np.abs(array) for name, array in found.items() if names[name] == "recovery"]
    end = float(f"{maps.SIGMAS * sigma:.3g}") or maps.scale(ours)
    called = {name: f"{first.case} {name} removed {end}" for name in found}
    images = {called[name]: png(pictures.display(maps.about_gray(array, end))) for name, array in found.items()}
    panels = [
        panel | ({"removed": called[panel["image"]]} if panel["kind"] in files else {}) for panel in facts["panels"]
    ]
    return facts | {"panels": panels, "range": end, "sigma": sigma}, images


def _panel(label, kind, image=None, values=None, made=None):
    panel = {"label": label, "kind": kind, "numbers": values or {}, "best": [], "settings": made or {}}
    return panel | ({"image": image} if image else {})


def collect(scores, asked, named, limit=LIMIT):
    """Return the page's data: cases, images, and what is left out since the images would exceed `limit` characters.

    asked  the experiment's Recoveries, of which some may not be made;  named  the Metrics to show. First come the first
           seeds of all images and corruptions, as far as they fit; then the second ones, if they all do.
    """
    rows = {row["folder"]: row for _, row in scores.iterrows()}
    every = [case for case in cases(asked) if any(recovery.folder in rows for recovery in case.recoveries)]
    names = seeds(every)
    rounds, nth, size = defaultdict(list), defaultdict(int), 0
    for i, case in enumerate(every):
        rounds[nth[case.image, case.name]].append(i)
        nth[case.image, case.name] += 1
    kept, images, left = {}, {}, []
    for number, members in rounds.items():
        fits, more = {}, {}
        for i in members if not left else ():
            facts, its = show(every[i], rows, named)
            size += sum(len(image) for name, image in its.items() if name not in images and name not in more)
            if size > limit:
                break
            fits[i] = facts | {"seed": names[i]}
            more |= its
        if number == 0 or len(fits) == len(members):
            kept |= fits
            images |= more
        outside = [i for i in members if i not in kept]
        left += [f"{every[i].image} ({every[i].name})" if number == 0 else f"seed {names[i]}" for i in outside]
    size = sum(map(len, images.values()))
    for i in sorted(kept):
        facts, its = with_removed(every[i], kept[i])
        size += sum(len(image) for name, image in its.items() if name not in images)
        if size > limit:
            left.append(f"removed noise from {every[i].image} ({every[i].name}) on")
            break
        kept[i] = facts
        images |= its
    facts = {"images": images, "left": list(dict.fromkeys(left)), "better": {m.label: m.better for m in named}}
    return facts | {"cases": [kept[i] for i in sorted(kept)]}


def page(data, title, nav=""):
    """Return the HTML of data: one file that loads nothing, and that its content security policy lets load nothing."""
    import matplotlib

    colours = matplotlib.colormaps["inferno"](np.arange(256), bytes=True)[:, :3]
    data = data | {"colours": colours.tobytes().hex()}
    css = _text("page.css")
    js = "\n".join(map(_text, SCRIPTS))
    # In a script, HTML sees nothing but </script and <!--; JSON may spell < in another way. Of ASCII alone, it takes a
    # browser one byte a character.
    parts = {"data": json.dumps(data, allow_nan=False).replace("<", r"\u003c"), "nav": nav}
    parts |= {"title": html.escape(title), "css": css, "js": js, "css_hash": _digest(css), "js_hash": _digest(js)}
    return re.sub(r"{{(\w+)}}", lambda place: parts[place[1]], _text("page.html"))


def _text(name):
    return (VIEWER / name).read_text(encoding="utf-8")


def _digest(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@click.command(cls=Command, help=__doc__)
@click.argument("scores", type=click.Path(exists=True, dir_okay=False))
@click.argument("listing", type=click.Path(exists=True, dir_okay=False))
@click.argument("output", type=click.Path(dir_okay=False))
@click.option("--title", required=True, help="heading of the page")
@click.option("--metrics", "named", default="", help="as plan.metrics.facts has them, as JSON  [default: PSNR]")
@click.option("--stand-ins", default="{}", help="images that stand for others, {image: text}, as JSON")
@click.option("--not-made", default="", help="recoveries that the page should have and has not")
@click.option("--note", "more", multiple=True, help="a sentence below the heading; again for more")
def main(scores, listing, output, title, named, stand_ins, not_made, more):
    """SCORES (csv of steps.collect) of the experiment whose recoveries LISTING (csv) has, to OUTPUT, an HTML file."""
    scores, shown = read_scores(scores), read_metrics(named)
    data = collect(scores, read_listing(listing)[0], shown)
    left = data.pop("left")
    stand_ins = {name: text for name, text in json.loads(stand_ins).items() if name in set(scores["image"])}
    unknown = scores["psnr"].isna()
    none = f"{', '.join(scores.loc[unknown, 'image'].unique())}: no {', no '.join(['errors', *data['better']])}"
    notes = ["" if unknown.all() else f"★: the best recovery. {directions(shown)}"]
    notes += [f"No ground truth is known of {none}." if unknown.any() else ""]
    notes += [stand_in_note(stand_ins), f"Not made, {not_made}." if not_made else "", *more]
    if any(case["centre"] for case in data["cases"]):
        notes.append("Of large pictures the centre is shown; numbers are of the whole.")
    if left:
        notes.append(f"Left out, so that this page stays below {LIMIT / 1e6:.0f} MB: {some(left, between='; ')}.")
    write_text(output, page(data | {"notes": list(filter(None, notes))}, title, web.nav(output)))


if __name__ == "__main__":
    main()
