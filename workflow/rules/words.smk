# What tables, figures and pages say beside their numbers.

from steps.look import web
from steps.tables import words as said


def claimed_part():
    """Return the part of the config that claims are about, as JSON."""
    return said.claimed(config, CLAIMED)


def stand_ins(wildcards):
    """Return the stand-ins among an experiment's images, as JSON."""
    return said.stand_ins(config, experiment_entry(wildcards))


@or_exit
def contents(wildcards):
    """Return the file that says what results/index.html is about."""
    path = "results/code/contents.json"
    if begin():
        shown = {name: MADE[name] for name in EXPERIMENTS}
        write_note(path, said.contents(config, CONFIGS or [NAME], shown, DRAWINGS))
    return path


def headline():
    """Return what the report's first page shows, as HTML: a table and a figure of the first experiment that has one."""
    name = next((name for name in EXPERIMENTS if Path(f"results/tables/{name}.md").is_file()), None)
    drawn = [f"results/figures/{drawing}.png" for drawing in DRAWINGS if drawing.startswith(f"{name}/")]
    return web.first_page(f"results/tables/{name}.md", drawn[:1]) if name else ""


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
    """Return what the report calls a page of tables; it sorts by this, and tables come before "figure"."""
    if wildcards.page.endswith("_vs_paper"):
        return {"result": "beside the published values (table)"}
    names = {"time": "time and memory", "claims": "claims"}
    return {"result": names.get(wildcards.page, "all images and methods (table)")}
