# Images, and measurements of them: drawn once, shared by every method.


# It may have to download, which many clusters allow on the login node only.
rule image:
    input:
        file=image_file,
        code=image_code,
    output:
        "results/images/{image}.npy",
    log:
        "results/images/{image}.log",
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(10),
    params:
        command=lambda w: ["image", *truth_arguments(w), "--", f"results/images/{w.image}.npy"],
    message:
        "image {wildcards.image}"
    shell:
        "python -m steps.{params.command:q} > {log:q} 2>&1"


# The measured picture of which results/images has the truth.
use rule image as measured_image with:
    input:
        file=measured_file,
        code=measured_code,
    output:
        "results/measured/{image}.npy",
    log:
        "results/measured/{image}.log",
    params:
        command=lambda w: ["image", *image_arguments(w.image, image_entry(w)), "--", f"results/measured/{w.image}.npy"],
    message:
        "measured image {wildcards.image}"


use rule image as file with:
    input:
        file=file_file,
        code=file_code,
    output:
        "results/files/{file}.npy",
    log:
        "results/files/{file}.log",
    wildcard_constraints:
        file=r"[A-Za-z_][A-Za-z0-9_.+-]*",
    params:
        command=lambda w: ["file", *image_arguments(w.file, file_entry(w)), "--", f"results/files/{w.file}.npy"],
    message:
        "file {wildcards.file}"


rule corrupt:
    input:
        image=to_corrupt,
        files=corruption_files,
        code=task_code,
    output:
        measurement="results/{task}/{image}/{corruption}/measurement.npz",
        picture="results/{task}/{image}/{corruption}/picture.npy",
    log:
        "results/{task}/{image}/{corruption}/corrupt.log",
    group:
        together("corrupt")
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=corruption_memory,
        runtime=more(5),
    params:
        measured=lambda w: "--measured" if measured(w) else "",
        files=lambda w: [f"--file={file}" for file in corruption_files(w)],
    message:
        "corrupt {wildcards.image} for {wildcards.task}: {wildcards.corruption}"
    shell:
        "python -m steps.corrupt {input.image:q} {wildcards.task:q} {wildcards.corruption:q}"
        " results/{wildcards.task:q}/{wildcards.image:q}/{wildcards.corruption:q} {params.measured} {params.files:q} > {log:q} 2>&1"
