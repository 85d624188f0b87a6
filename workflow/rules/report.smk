# Scores of experiments, their tables and figures.


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
        runtime=more(5),
    message:
        "collect the scores of {wildcards.experiment}"
    shell:
        "python -m steps.collect {wildcards.experiment:q} {input.recoveries:q} {output:q} > {log:q} 2>&1"


rule combine:
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
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(5),
    message:
        "combine all scores"
    shell:
        "python -m steps.combine {input.scores:q} {output:q} > {log:q} 2>&1"


rule tabulate:
    input:
        scores="results/scores/{experiment}.csv",
        code=code("steps.tabulate"),
    output:
        multiext("results/tables/{experiment}", ".csv", ".md", ".tex"),
    log:
        "results/tables/{experiment}.log",
    group:
        together("report")
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(5),
    params:
        title=lambda w: experiment_entry(w).get("title", w.experiment),
        metrics=METRICS,
        stand_ins=stand_ins,
        not_made=not_made,
    message:
        "tabulate {wildcards.experiment}"
    shell:
        "python -m steps.tabulate {input.scores:q} results/tables/{wildcards.experiment:q} --title {params.title:q}"
        " --metrics {params.metrics:q} --stand-ins {params.stand_ins:q} --not-made={params.not_made:q} > {log:q} 2>&1"


rule compare:
    input:
        scores="results/scores/{experiment}.csv",
        published=lambda w: ancient(config["published"]),
        code=lambda w: code(
            "steps.compare", data=(config["published"],), name=f"compare-{Path(config['published']).stem}"
        ),
    output:
        multiext("results/tables/{experiment}_vs_paper", ".csv", ".md", ".tex"),
    log:
        "results/tables/{experiment}_vs_paper.log",
    group:
        together("report")
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(5),
    params:
        title=lambda w: experiment_entry(w).get("title", w.experiment),
        experiment=lambda w: json.dumps({k: v for k, v in experiment_entry(w).items() if k not in ("title", "figures")}),
        stand_ins=stand_ins,
    message:
        "compare {wildcards.experiment} with the published values"
    shell:
        "python -m steps.compare {input.scores:q} {input.published:q} {params.experiment:q} {params.stand_ins:q}"
        " results/tables/{wildcards.experiment:q}_vs_paper --title {params.title:q} > {log:q} 2>&1"


rule timing:
    input:
        scores="results/scores.csv",
        code=code("steps.timing"),
    output:
        multiext("results/time", ".csv", ".md", ".tex"),
    log:
        "results/time.log",
    group:
        together("summary")
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(5),
    message:
        "timing of all methods"
    shell:
        "python -m steps.timing {input.scores:q} results/time > {log:q} 2>&1"


rule decide:
    input:
        claims=lambda w: ancient(config["claims"]),
        published=lambda w: ancient(config["published"]),
        scores=expand("results/scores/{experiment}.csv", experiment=CLAIM_EXPERIMENTS),
        code=lambda w: code(
            "steps.decide", data=(config["published"], config["claims"]), name=f"decide-{Path(config['claims']).stem}"
        ),
    output:
        multiext("results/claims", ".csv", ".md"),
    log:
        "results/claims.log",
    group:
        together("summary")
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(5),
    params:
        config=claimed_part,
    message:
        "decide the claims"
    shell:
        "python -m steps.decide {input.claims:q} {params.config:q} {input.scores:q} results/claims > {log:q} 2>&1"


rule draw:
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
    group:
        together("report")
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(5),
    params:
        metrics=METRICS,
        stand_ins=stand_ins,
    message:
        "draw {wildcards.drawing} of {wildcards.experiment}"
    shell:
        "python -m steps.draw {input.scores:q} {wildcards.drawing:q}"
        " results/figures/{wildcards.experiment:q}/{wildcards.drawing:q} --metrics {params.metrics:q}"
        " --stand-ins {params.stand_ins:q} > {log:q} 2>&1"


rule show:
    input:
        scores="results/scores/{experiment}.csv",
        recoveries=listed,
        images=lambda w: pictures(recoveries(w)),
        code=page_code,
    output:
        "results/pages/{experiment}.html",
    log:
        "results/pages/{experiment}.log",
    group:
        together("report")
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        title=lambda w: experiment_entry(w).get("title", w.experiment),
        metrics=METRICS,
        stand_ins=stand_ins,
        not_made=not_made,
    message:
        "show {wildcards.experiment}"
    shell:
        "python -m steps.show {input.scores:q} {input.recoveries:q} {output:q} --title {params.title:q}"
        " --metrics {params.metrics:q} --stand-ins {params.stand_ins:q} --not-made={params.not_made:q} > {log:q} 2>&1"


rule render:
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
    group:
        together("summary")
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more(1000),
        runtime=more(5),
    message:
        "render {wildcards.page}"
    shell:
        "python -m steps.render {input.markdown:q} {output:q} > {log:q} 2>&1"
