# Recoveries and their scores. A method's only data is the measurement: the graph itself forbids peeking at the truth.


rule recover:
    input:
        measurement="results/{task}/{image}/{corruption}/measurement.npz",
        code=method_code,
    output:
        recovered="results/{task}/{image}/{corruption}/{method}/{params}/recovered.npy",
        trace="results/{task}/{image}/{corruption}/{method}/{params}/trace.npz",
        run="results/{task}/{image}/{corruption}/{method}/{params}/run.json",
    log:
        "results/{task}/{image}/{corruption}/{method}/{params}/recover.log",
    group:
        together("recover") and recovery_group
    conda:
        "../../environment.yml"
    threads: lambda w: getattr(method_module(w), "THREADS", 1)
    resources:
        mem_mb=recovery_memory,
        runtime=recovery_minutes,
        gpu=lambda w: int(uses_gpu(w)),
    message:
        "recover {wildcards.image} ({wildcards.task}, {wildcards.corruption}) by {wildcards.method}: {wildcards.params}"
    shell:
        "python -m steps.recover {input.measurement:q} {wildcards.method:q} {wildcards.params:q}"
        " results/{wildcards.task:q}/{wildcards.image:q}/{wildcards.corruption:q}/{wildcards.method:q}/{wildcards.params:q}"
        " --threads {threads} > {log:q} 2>&1"


rule score:
    input:
        truth=truth,
        picture="results/{task}/{image}/{corruption}/picture.npy",
        recovered="results/{task}/{image}/{corruption}/{method}/{params}/recovered.npy",
        trace="results/{task}/{image}/{corruption}/{method}/{params}/trace.npz",
        run="results/{task}/{image}/{corruption}/{method}/{params}/run.json",
        code=code("steps.score", *(f"steps.metrics.{name}" for name in MEASURES), name="score"),
    output:
        score="results/{task}/{image}/{corruption}/{method}/{params}/score.json",
        curve="results/{task}/{image}/{corruption}/{method}/{params}/curve.csv",
    log:
        "results/{task}/{image}/{corruption}/{method}/{params}/score.log",
    group:
        together("recover") and recovery_group
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=score_memory,
        runtime=more(5),
    params:
        truth=lambda w: ["--truth", truth(w)] if truth(w) else [],
        metrics=[f"--metric={name}" for name in MEASURES],
        picture=lambda w: [] if discover.load("tasks", w.task).Operator.alike else ["--backprojection"],
    message:
        "score {wildcards.image} ({wildcards.task}, {wildcards.corruption}) by {wildcards.method}: {wildcards.params}"
    shell:
        "python -m steps.score {input.picture:q}"
        " results/{wildcards.task:q}/{wildcards.image:q}/{wildcards.corruption:q}/{wildcards.method:q}/{wildcards.params:q}"
        " {params.truth:q} {params.metrics:q} {params.picture:q} > {log:q} 2>&1"
