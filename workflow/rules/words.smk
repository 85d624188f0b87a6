# What tables, figures and pages say beside their numbers.

from steps.tables.markup import some


def not_made(wildcards):
    """Return the recoveries of an experiment that are left out, "label on image (corruption)", some 20 at most."""
    there = set(recoveries(wildcards))
    out = [recovery for recovery in ASKED[wildcards.experiment] if recovery not in there]
    names = [f"{r.label} on {r.image} ({r.corruption})" for r in out]
    return f"{len(out)} of {len(ASKED[wildcards.experiment])}: {some(names, between='; ')}" if out else ""


def claimed_part():
    """Return the part of the config that claims are about, as JSON."""
    entries = {claim["experiment"]: config["experiments"][claim["experiment"]] for claim in CLAIMED}
    part = {name: {k: v for k, v in entry.items() if k not in ("title", "figures")} for name, entry in entries.items()}
    images = {image for entry in part.values() for image in entry["images"]}
    named = {name: text for name, text in STAND_INS.items() if name in images}
    return json.dumps({"published": config["published"], "experiments": part, "stand_ins": named})


def stand_ins(wildcards):
    """Return the stand-ins among an experiment's images, as JSON."""
    named = {name: STAND_INS[name] for name in experiment_entry(wildcards)["images"] if name in STAND_INS}
    return json.dumps(named).replace("<", "\\u003c")  # Snakemake's report would obey what is HTML in a parameter


def titled(wildcards):
    """Return the option for the title of an experiment's tables."""
    return ["--title", experiment_entry(wildcards).get("title", wildcards.experiment)]


def words(wildcards):
    """Return the options for the words of a table or page: the title, metrics, stand-ins, and what is not made."""
    options = ["--metrics", METRICS, "--stand-ins", stand_ins(wildcards), f"--not-made={not_made(wildcards)}"]
    return [*titled(wildcards), *options]


def compared(wildcards):
    """Return an experiment, but for what redraws no comparison, as JSON."""
    entry = experiment_entry(wildcards)
    return json.dumps({key: value for key, value in entry.items() if key not in ("title", "figures")})


def figure_labels(wildcards):
    """Return what the report calls a figure: its name, and the image and corruption that it is of."""
    figure, *subject = wildcards.drawing.split("/")
    each = discover.load("figures", figure).EACH
    return {"result": f"figure: {figure.replace('_', ' ')}", **dict(zip(each, subject))}


def page_category(wildcards):
    folder, _, name = wildcards.page.rpartition("/")
    return name.removesuffix("_vs_paper") if folder else "All experiments"


def page_labels(wildcards):
    """Return what the report calls a page of tables."""
    if wildcards.page.endswith("_vs_paper"):
        return {"result": "table: ours and published"}
    names = {"time": "time and memory", "claims": "claims"}
    return {"result": names.get(wildcards.page, "table: all images and methods")}
