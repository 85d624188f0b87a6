# Scores of experiments, their tables and figures. Each rule is `collect` with other files and another command, which is
# made of wildcards alone: Snakemake would not notice that one made of input or output has changed.


rule collect:
    input:
        scores=lambda w: list(dict.fromkeys(f"{recovery.folder}/score.json" for recovery in recoveries(w))),
        recoveries=listed,
        code=code("steps.collect"),
    output:
        "results/scores/{experiment}.csv",
    log:
        "results/scores/{experiment}.log",
    group:
        together("report")
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        command=lambda w: [
            *["collect", w.experiment, listed(w), f"results/scores/{w.experiment}.csv"],
            *[f"--measured={name}" for name in measured_images(w)],
        ],
    message:
        "collect the scores of {wildcards.experiment}"
    shell:
        "python -m steps.{params.command:q} > {log:q} 2>&1"


use rule collect as combine with:
    input:
        scores=expand("results/scores/{experiment}.csv", experiment=EXPERIMENTS),
        code=code("steps.combine"),
    output:
        report(
            "results/scores.csv",
            caption="../report/combine.rst",
            category="All experiments",
            labels={"result": "every number (CSV)"},
        ),
    log:
        "results/scores.log",
    group:
        together("summary")
    params:
        command=["combine", *expand("results/scores/{experiment}.csv", experiment=EXPERIMENTS), "results/scores.csv"],
    message:
        "combine all scores"


use rule collect as tabulate with:
    input:
        scores="results/scores/{experiment}.csv",
        code=code("steps.tabulate", *(f"steps.metrics.{name}" for name in MEASURES), name="tabulate"),
    output:
        multiext("results/tables/{experiment}", ".csv", ".md", ".tex"),
    log:
        "results/tables/{experiment}.log",
    params:
        command=lambda w: [
            *["tabulate", f"results/scores/{w.experiment}.csv", f"results/tables/{w.experiment}"],
            *words(w),
        ],
    message:
        "tabulate {wildcards.experiment}"


use rule collect as compare with:
    input:
        scores="results/scores/{experiment}.csv",
        published=published_file,
        code=code("steps.compare", keys=["published"]),
    output:
        multiext("results/tables/{experiment}_vs_paper", ".csv", ".md", ".tex"),
    log:
        "results/tables/{experiment}_vs_paper.log",
    params:
        command=lambda w: [
            *["compare", f"results/scores/{w.experiment}.csv", config["published"], compared(w), stand_ins(w)],
            *[f"results/tables/{w.experiment}_vs_paper", *titled(w), "--metrics", METRICS],
        ],
    message:
        "compare {wildcards.experiment} with the published values"


use rule combine as timing with:
    input:
        scores="results/scores.csv",
        code=code("steps.timing"),
    output:
        multiext("results/time", ".csv", ".md", ".tex"),
    log:
        "results/time.log",
    params:
        command=["timing", "results/scores.csv", "results/time"],
    message:
        "timing of all methods"


use rule combine as decide with:
    input:
        claims=lambda w: ancient(config["claims"]),
        published=lambda w: ancient(config["published"]),
        scores=expand("results/scores/{experiment}.csv", experiment=CLAIM_EXPERIMENTS),
        code=code("steps.decide", keys=["published", "claims"]),
    output:
        multiext("results/claims", ".csv", ".md"),
    log:
        "results/claims.log",
    params:
        command=lambda w: [
            *["decide", config["claims"], claimed_part()],
            *expand("results/scores/{experiment}.csv", experiment=CLAIM_EXPERIMENTS),
            "results/claims",
        ],
    message:
        "decide the claims"


use rule collect as draw with:
    input:
        scores="results/scores/{experiment}.csv",
        shown=shown_files,
        code=figure_code,
    output:
        report(
            "results/figures/{experiment}/{drawing}.png",
            caption="../report/draw.rst",
            category="{experiment}",
            labels=figure_labels,
        ),
        "results/figures/{experiment}/{drawing}.pdf",
    log:
        "results/figures/{experiment}/{drawing}.log",
    wildcard_constraints:
        drawing=r".+",
    params:
        command=lambda w: [
            *["draw", f"results/scores/{w.experiment}.csv", w.drawing, f"results/figures/{w.experiment}/{w.drawing}"],
            *["--metrics", METRICS, "--stand-ins", stand_ins(w)],
        ],
    message:
        "draw {wildcards.drawing} of {wildcards.experiment}"


use rule collect as show with:
    input:
        scores="results/scores/{experiment}.csv",
        recoveries=listed,
        images=lambda w: pictures(recoveries(w)),
        measurements=lambda w: measurements(recoveries(w)),
        code=page_code,
    output:
        "results/pages/{experiment}.html",
    log:
        "results/pages/{experiment}.log",
    params:
        command=lambda w: [
            *["show", f"results/scores/{w.experiment}.csv", listed(w), f"results/pages/{w.experiment}.html"],
            *words(w),
        ],
    message:
        "show {wildcards.experiment}"


use rule combine as render with:
    input:
        markdown="results/{page}.md",
        code=code("steps.render", data=beside("look/table.html")),
    output:
        report(
            "results/{page}.html",
            caption="../report/render.rst",
            category=page_category,
            labels=page_labels,
        ),
    log:
        "results/{page}.html.log",
    wildcard_constraints:
        page=r"time|claims|tables/[A-Za-z0-9_-]+",
    params:
        command=lambda w: ["render", f"results/{w.page}.md", f"results/{w.page}.html"],
    message:
        "render {wildcards.page}"


use rule combine as index with:
    input:
        contents=contents,
        shown=lambda w: [path for path in rules.all.input if path != "results/index.html"],
        code=code("steps.index", data=beside("look/index.html")),
    output:
        "results/index.html",
    log:
        "results/index.log",
    params:
        command=["index", "results/code/contents.json", "results/index.html"],
    message:
        "index the results"
