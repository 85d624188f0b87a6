# priorbench: images x corruptions x methods -> scores, tables, figures. Start at README.md.


include: "workflow/rules/engine.smk"


if "experiments" not in config and not PROCESS.files:

    configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/entries.smk"
include: "workflow/rules/words.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/corrupt.smk"
include: "workflow/rules/recover.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: not PROCESS.module
    input:
        "results/index.html",
        "results/scores.csv",
        multiext("results/time", ".csv", ".md", ".tex"),
        multiext("results/claims", ".csv", ".md") if CLAIMED else [],
        expand("results/tables/{experiment}.{suffix}", experiment=EXPERIMENTS, suffix=["csv", "md", "tex"]),
        expand("results/tables/{experiment}_vs_paper.{suffix}", experiment=COMPARED, suffix=["csv", "md", "tex"]),
        expand("results/{page}.html", page=RENDERED),
        expand("results/pages/{experiment}.html", experiment=EXPERIMENTS),
        expand("results/figures/{drawing}.{suffix}", drawing=DRAWINGS, suffix=["png", "pdf"]),
