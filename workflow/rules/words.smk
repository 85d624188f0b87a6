# What tables, figures and pages say beside their numbers.

from steps.tables import words as said


def claimed_part():
    """Return the part of the config that claims are about, as JSON."""
    return said.claimed(config, CLAIMED)


def stand_ins(wildcards):
    """Return the stand-ins among an experiment's images, as JSON."""
    return said.stand_ins(config, experiment_entry(wildcards))


def titled(wildcards):
    """Return the option for the title of an experiment's tables."""
    return ["--title", experiment_entry(wildcards).get("title", wildcards.experiment)]


def words(wildcards):
    """Return the options for the words of a table or page: the title, metrics, stand-ins, and what is not made."""
    made = recoveries(wildcards)
    return said.options(config, wildcards.experiment, METRICS, ASKED[wildcards.experiment], made)


def compared(wildcards):
    """Return an experiment, but for what redraws no comparison, as JSON."""
    return said.compared(experiment_entry(wildcards))


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
