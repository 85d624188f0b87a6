"""The whole workflow through Snakemake, on config/smoke.yaml, in a copy of the repository."""

import contextlib
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pandas
import pytest
import yaml

from tests.workflows import command, copy_repository, jobs, python, snakemake

METHODS = ("wiener", "tv", "dip")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A copy of the repository in which the smoke config has been run; the tests leave it as they found it."""
    folder = tmp_path_factory.mktemp("repository")
    copy_repository(folder)
    planned = jobs(folder)
    result = snakemake(folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder, planned, result.stdout + result.stderr


EVERYTHING = {"image": 3, "corrupt": 6, "collect": 2, "combine": 1, "tabulate": 2, "timing": 1}
EVERYTHING |= {"compare": 1, "decide": 1, "render": 5, "show": 2, "index": 1}
RECOVERIES = {"wiener": 4, "tv": 8 + 2, "dip": 4}
SINGLE_PIXEL = {"draw psnr": 1, "draw matrix": 1, "draw curves": 1, "draw architecture": 1, "draw film_strip": 2}
DRAWINGS = SINGLE_PIXEL | {"draw psnr": 2, "draw comparison": 4, "draw time": 1, "draw vs_paper": 1}


def test_a_dry_run_plans_everything(run):
    _, planned, _ = run
    expected = EVERYTHING | DRAWINGS
    expected |= {f"{rule} {method}": n for method, n in RECOVERIES.items() for rule in ("recover", "score")}
    assert planned == expected


def test_the_run_makes_what_the_config_asks_for(run):
    folder, _, output = run
    scores = pandas.read_csv(folder / "results/scores.csv")
    assert len(scores) == sum(RECOVERIES.values())
    assert scores["psnr"].between(5, 80).all()
    assert (scores["seconds"] >= 0).all()
    assert set(scores["device"]) == {"cpu"}
    for experiment in ("denoising", "single_pixel"):
        for suffix in ("csv", "md", "tex"):
            assert (folder / f"results/tables/{experiment}.{suffix}").stat().st_size > 100
        page = (folder / f"results/pages/{experiment}.html").read_text()
        assert page.endswith("</html>\n") and page.count('"image":') > 10
    for drawing in (
        "denoising/psnr",
        "denoising/comparison/camera/sigma=0.1,clip=true,seed=0",
        "single_pixel/matrix/logo",
    ):
        assert (folder / f"results/figures/{drawing}.png").read_bytes().startswith(b"\x89PNG")
        assert (folder / f"results/figures/{drawing}.pdf").read_bytes().startswith(b"%PDF")
    assert "(100%) done" in output
    assert "recover logo (single_pixel, compression=4) by tv: iterations=20" in output
    hidden = [path for path in (folder / "results").rglob(".*") if path.is_file()]
    assert not hidden, "temporary files are left"


def test_one_value_has_one_folder(run):
    folder, _, _ = run
    assert sorted(path.name for path in (folder / "results/denoising/camera").iterdir()) == [
        "sigma=0.05,clip=true,seed=0",
        "sigma=0.1,clip=true,seed=0",
    ]


def test_denoising_helps(run):
    folder, _, _ = run
    scores = pandas.read_csv(folder / "results/scores/denoising.csv")
    tv = scores[(scores["method"] == "tv") & scores["params"].str.startswith("lam=0.05")]
    assert (tv["psnr"] > tv["input_psnr"] + 2).all()


def test_a_second_run_does_nothing_and_says_so(run):
    folder, _, _ = run
    result = snakemake(folder)
    assert result.returncode == 0
    assert "Nothing to be done" in result.stdout + result.stderr
    assert jobs(folder) == {}


def with_index(redone):
    """Return the jobs that are redone and, if there are any, the page that links to them all."""
    return redone | {"index": 1} if redone else {}


def methods(*names):
    return {f"{rule} {name}": RECOVERIES[name] for name in names for rule in ("recover", "score")}


PUBLISHED = {"compare": 1, "decide": 1, "render": 2}
COLLECTED = {"collect": 2, "combine": 1, "timing": 1, "tabulate": 2, "show": 2} | PUBLISHED | {"render": 5} | DRAWINGS
ONE_COLLECTED = {"collect": 1, "combine": 1, "timing": 1, "tabulate": 1, "show": 1, "render": 2}
DENOISING = PUBLISHED | {"draw psnr": 1, "draw comparison": 4, "draw time": 1, "draw vs_paper": 1, "render": 4}
# What is edited, so that it says something else, and all that runs again.
CACHING = {
    "a comment in every module": ("steps/**/*.py", {}),
    "what is around a job": ("steps/base/*.py steps/run/*.py", {}),
    "method wiener": ("steps/methods/wiener.py", methods("wiener") | ONE_COLLECTED | DENOISING),
    "method dip": ("steps/methods/dip.py", methods("dip") | ONE_COLLECTED | SINGLE_PIXEL),
    "method that is not used": ("steps/methods/nlm.py", {}),
    "solver": ("steps/inverse/solvers.py", methods("wiener", "tv") | COLLECTED),
    "network": ("steps/prior/networks.py", methods("dip") | ONE_COLLECTED | SINGLE_PIXEL),
    "engine of the fits": ("steps/prior/fit.py", methods("dip") | ONE_COLLECTED | SINGLE_PIXEL),
    "benchmark": ("steps/benchmarks/iteration.py", {}),
    "task": (
        "steps/tasks/denoising.py",
        {"corrupt": 4, "recover wiener": 4, "recover tv": 8, "score wiener": 4, "score tv": 8}
        | ONE_COLLECTED
        | DENOISING,
    ),
    "metric": ("steps/score.py", {f"score {name}": n for name, n in RECOVERIES.items()} | COLLECTED),
    "table": ("steps/tabulate.py", {"tabulate": 2, "render": 2}),
    "comparison": ("steps/compare.py", {"compare": 1, "draw vs_paper": 1, "render": 1}),
    "how claims are decided": ("steps/tables/verdicts.py", {"decide": 1, "render": 1}),
    "times": ("steps/timing.py", {"timing": 1, "render": 1}),
    "pages": ("steps/render.py", {"render": 5}),
    "index": ("steps/index.py", {"index": 1}),
    "the report": ("steps/run/report.py", {}),
    "a caption": ("workflow/report/draw.rst", {}),
    "a published value": ("tests/published.csv", PUBLISHED | {"draw vs_paper": 1}),
    "a claim": ("tests/claims.yaml", {"decide": 1, "render": 1}),
    "figure": ("steps/figures/matrix.py", {"draw matrix": 1}),
    "style of figures": ("steps/look/style.py", DRAWINGS | {"show": 2}),
    "comparison page": ("steps/show.py", {"show": 2}),
    "script of the comparison page": ("steps/look/viewer/draw.js", {"show": 2}),
    "images": ("steps/images/load.py", EVERYTHING | DRAWINGS | methods(*METHODS)),
    "readme": ("README.md", {}),
    "requirements for conda": ("environment.yml", {}),
}


@pytest.mark.parametrize("case", CACHING)
def test_editing_a_file_reruns_what_depends_on_it(run, case):
    folder, _, _ = run
    names, expected = CACHING[case]
    paths = [path for name in names.split() for path in folder.glob(name)]
    assert paths
    with edited(*paths, comment="comment" in case):
        assert jobs(folder) == with_index(expected)


@contextlib.contextmanager
def edited(*paths, comment=False):
    """Inside, Python files say more, or no more than a comment, as other files do."""
    before = {path: path.read_text() for path in paths}
    for path, text in before.items():
        path.write_text(text + ("\nEDITED = 1\n" if path.suffix == ".py" and not comment else "\n# edited\n"))
    try:
        yield
    finally:
        for path, text in before.items():
            path.write_text(text)


TOUCHED = {
    "code": ["steps/**/*.py", "workflow/**/*.smk", "Snakefile"],
    "published values and claims": ["tests/published.csv", "tests/claims.yaml"],
    "images": ["results/images/*.npy"],
    "measurements": ["results/*/*/*/measurement.npz"],
    "everything": ["**/*"],
}


@pytest.mark.parametrize("case", TOUCHED)
def test_touching_files_reruns_nothing(run, case):
    folder, _, _ = run
    for pattern in TOUCHED[case]:
        for path in folder.glob(pattern):
            path.touch()
    assert jobs(folder) == {}


@pytest.mark.parametrize("arguments", [["--cores", "1"], ["--cores", "8"], ["--set-threads", "recover=4"]])
def test_another_number_of_threads_reruns_nothing(run, arguments):
    folder, _, _ = run
    assert jobs(folder, *arguments) == {}


@pytest.mark.parametrize("copy", [shutil.copy2, shutil.copyfile], ids=["cp -a", "cp"])
def test_a_fresh_clone_over_old_results_reruns_nothing(run, tmp_path, copy):
    """Nor does it without Snakemake's notes, with all files as old as the copy."""
    folder, _, _ = run
    copy_repository(tmp_path)
    shutil.copytree(folder / "results", tmp_path / "results", copy_function=copy, dirs_exist_ok=True)
    assert jobs(tmp_path) == {}
    path, config = tmp_path / "steps/methods/wiener.py", tmp_path / "config/smoke.yaml"
    before = path.read_text()
    path.write_text(before + "\nEDITED = 1\n")
    assert jobs(tmp_path) == with_index(methods("wiener") | ONE_COLLECTED | DENOISING)
    path.write_text(before)
    config.write_text(config.read_text().replace("size: 48", "size: 40"))
    assert jobs(tmp_path)["image"] == 1


CONFIG_CHANGES = {
    "one more value": (
        lambda c: c["experiments"]["denoising"]["corruption"]["sigma"].append(0.2),
        {"corrupt": 2, "recover wiener": 2, "recover tv": 4, "score wiener": 2, "score tv": 4}
        | ONE_COLLECTED
        | DENOISING
        | {"draw comparison": 6},
    ),
    "a label": (
        lambda c: c["experiments"]["denoising"]["methods"][0].update(label="W"),
        ONE_COLLECTED | DENOISING,
    ),
    "a title": (
        lambda c: c["experiments"]["denoising"].update(title="T"),
        {"tabulate": 1, "compare": 1, "draw vs_paper": 1, "show": 1, "render": 2},
    ),
    "a tolerance": (
        lambda c: c["experiments"]["denoising"]["published"]["tolerances"][0].update(db=2),
        PUBLISHED | {"draw vs_paper": 1},
    ),
    "no published values": (
        lambda c: [
            c["experiments"]["denoising"].pop("published"),
            c["experiments"]["denoising"].update(figures=["psnr"]),
            c.pop("claims"),
            *(m.pop("published") for m in c["experiments"]["denoising"]["methods"]),
        ],
        {"index": 1},
    ),
    "a stand-in": (
        lambda c: c["images"]["camera"].update(stand_in="for another"),
        {"tabulate": 1, "show": 1} | DENOISING | {"render": 3},
    ),
    "skipping what is missing": (lambda c: c.update(missing="skip"), "collected"),
    "a figure less": (lambda c: c["experiments"]["denoising"].update(figures=["psnr"]), {"index": 1}),
    "the device": (lambda c: c.update(device="auto"), {}),
    "the report": (lambda c: c.update(report=False), {}),
    "jobs on a GPU": (lambda c: c.update(gpu_slots=2), {}),
    "what a cluster is asked for": (lambda c: c.update(needs={"tv": {"memory_mb": 500, "minutes": 5}}), {}),
    "folders of images": (lambda c: c.update(image_dirs=["a folder"]), {}),
    "the size of an image": (
        lambda c: c["images"]["camera"].update(size=40),
        "camera",
    ),
    "another spelling": (
        lambda c: c["experiments"]["denoising"]["corruption"].update(sigma=["5e-2", 0.1]),
        "collected",
    ),
    "one more image": (
        lambda c: [
            c["images"].update(coffee={"source": "skimage:coffee", "size": 40}),
            c["experiments"]["denoising"]["images"].append("coffee"),
        ],
        {"image": 1, "corrupt": 2, "recover wiener": 2, "recover tv": 4, "score wiener": 2, "score tv": 4}
        | ONE_COLLECTED
        | DENOISING
        | {"draw comparison": 6},
    ),
    "one more image, not used": (lambda c: c["images"].update(coffee={"source": "skimage:coffee"}), {}),
}


@pytest.mark.parametrize("case", CONFIG_CHANGES)
def test_changing_the_config_reruns_what_depends_on_it(run, case):
    folder, _, _ = run
    change, expected = CONFIG_CHANGES[case]
    path = folder / "config/smoke.yaml"
    before = path.read_text()
    config = yaml.safe_load(before)
    change(config)
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    try:
        found = jobs(folder)
        if expected == "camera":
            assert found["image"] == 1
            assert found["corrupt"] == 2
            assert found["recover tv"] == found["score tv"] == 4
        elif expected == "collected":  # the text changed, no recovery did
            assert not [job for job in found if job.startswith(("recover", "corrupt", "score"))]
        else:
            assert found == with_index(expected)
    finally:
        path.write_text(before)


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.glob("results/**/recovered.npy")}


def test_rerunning_after_an_edit_redoes_exactly_that_method(run, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(run[0], folder, symlinks=True)
    path = folder / "steps/methods/wiener.py"
    text, before = path.read_text(), times(folder)
    path.write_text(text.replace("PHOTOGRAPH = 0.08**2", "PHOTOGRAPH = 0.8**2"))
    assert path.read_text() != text
    result = snakemake(folder)
    assert result.returncode == 0, result.stdout + result.stderr
    redone = [name.parent.parent.name for name, time in times(folder).items() if time != before[name]]
    assert redone == ["wiener"] * RECOVERIES["wiener"]


def test_any_path_one_can_spell_one_can_ask_for(run):
    folder, _, _ = run
    target = "results/denoising/logo/sigma=0.3,seed=7/tv/lam=0.2,kind=anisotropic/score.json"
    result = snakemake(folder, target)
    assert result.returncode == 0, result.stdout + result.stderr
    assert (folder / target).is_file()
    assert np.load(folder / Path(target).parent / "recovered.npy").shape == (1, 32, 32)


BAD_PATHS = {
    "results/denoising/camera/sigma=1e-1/tv/default/score.json": "'sigma=1e-1' is spelled 'sigma=0.1'; one value h",
    "results/denoising/camera/seed=0,sigma=0.1/tv/default/score.json": "is spelled 'sigma=0.1,seed=0'",
    "results/denoising/camera/sigma=0.1/tv/lambda=1/score.json": "tv: unknown parameter 'lambda'",
    "results/denoising/camera/sigma=-1/tv/default/score.json": "denoising.sigma: -1 is not allowed; must be >= 0",
    "results/denoising/camra/sigma=0.1/tv/default/score.json": "unknown image 'camra' (did you mean 'camera'?)",
    "results/denoise/camera/sigma=0.1/tv/default/score.json": "unknown task 'denoise' (did you mean 'denoising'?)",
    "results/denoising/camera/sigma=0.1/tvv/default/score.json": "unknown method 'tvv' (did you mean 'tv'?)",
    "results/tables/denoisin.csv": "unknown experiment 'denoisin' (did you mean 'denoising'?)",
    "results/tables/single_pixel_vs_paper.csv": "single_pixel is compared with nothing; its entry must have the key",
    "results/figures/denoising/pnsr.png": "unknown figure 'pnsr' (did you mean 'psnr'?)",
}


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_bad_path_is_one_line_before_any_job(run, path):
    folder, _, _ = run
    result = snakemake(folder, path)
    assert result.returncode != 0
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, result.stderr
    assert BAD_PATHS[path] in errors[0]
    assert "Traceback" not in result.stderr


def test_a_config_without_experiments_is_not_filled_up_with_the_default(run):
    folder, _, _ = run
    (folder / "bad.yaml").write_text("images: {logo: {source: synthetic:logo}}")
    result = snakemake(folder, config="bad.yaml")
    assert result.returncode == 1
    assert "Error: bad.yaml: missing key 'experiments'" in result.stderr


def with_config(folder, change):
    config = yaml.safe_load((folder / "config/smoke.yaml").read_text())
    change(config)
    (folder / "bad.yaml").write_text(yaml.safe_dump(config))
    return "bad.yaml"


def test_a_bad_config_is_one_line_before_any_job(run):
    folder, _, _ = run
    config = with_config(folder, lambda c: c["experiments"]["denoising"].update(task="denoise"))
    result = snakemake(folder, config=config)
    assert result.returncode == 1
    assert (
        result.stderr.strip().splitlines()[-1].startswith("Error: bad.yaml: experiments.denoising.task: unknown task")
    )
    assert len(result.stderr.strip().splitlines()) == 2  # the first is Snakemake's, of its profile


def test_a_failing_job_says_why_and_the_others_go_on(run, tmp_path):
    folder, _, _ = run

    def change(config):
        config.pop("claims")
        config["experiments"] = {
            "blur": {
                "task": "deconvolution",
                "images": ["camera", "logo"],
                "corruption": {"kernel": 41},
                "methods": [{"method": "wiener"}],
                "figures": [],
            }
        }

    result = snakemake(folder, "--directory", str(tmp_path), config=with_config(folder, change))
    output = result.stdout + result.stderr
    assert result.returncode == 1
    assert "the 41x41 kernel is larger than the 32x32 image" in output
    assert (tmp_path / "results/deconvolution/camera/kernel=41/wiener/default/score.json").is_file()
    assert [path.name for path in (tmp_path / "results/deconvolution/logo/kernel=41").iterdir()] == ["corrupt.log"]


def test_runs_in_another_folder(run, tmp_path):
    folder, _, _ = run
    target = "results/denoising/logo/sigma=0.1/wiener/default/score.json"
    result = snakemake(folder, target, "--directory", str(tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr
    assert (tmp_path / target).is_file()


def test_skipping_what_is_missing_makes_tables_of_what_there_is(run):
    folder, _, _ = run

    def change(config):
        config["missing"] = "skip"
        config["experiments"]["denoising"]["corruption"]["sigma"].append(0.2)
        config["experiments"]["denoising"]["methods"].append({"method": "wiener", "label": "new", "params": {"K": 1}})
        config["experiments"]["never"] = config["experiments"]["single_pixel"] | {"corruption": {"compression": 3}}

    before = (folder / "config/smoke.yaml").read_text()
    os.replace(folder / with_config(folder, change), folder / "config/smoke.yaml")
    try:
        planned = snakemake(folder, "--dry-run")
    finally:
        (folder / "config/smoke.yaml").write_text(before)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert not re.findall(r"^Job \d+: (?:recover|corrupt|score) ", planned.stdout, re.MULTILINE)
    assert "tabulate denoising" in planned.stdout
    assert "never" not in planned.stdout


def test_skipping_what_is_missing_leaves_out_what_other_code_has_made(run):
    """Else it would be made anew, for hours, by who asked for tables only; or shown as if it were of this code."""
    folder, _, _ = run
    with edited(folder / "steps/methods/tv.py"):
        planned = snakemake(folder, "--dry-run", "--config", "missing=skip")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert not re.findall(r"^Job \d+: (?:recover|corrupt|score) ", planned.stdout, re.MULTILINE)
    assert "tabulate denoising" in planned.stdout
    (line,) = [
        line for line in planned.stderr.splitlines() if line.startswith("Left out, since their code has changed: ")
    ]
    assert "/tv/" in line and "/wiener/" not in line


def test_the_record_remakes_tables_claims_and_figures_bit_for_bit(run, tmp_path):
    folder, _, _ = run
    result = python(folder, "steps", "record", "config/smoke.yaml")
    assert result.stdout == (
        "docs/smoke/record.jsonl: 18 of 18 cells are recorded and current, 0 are old; new or changed: 18\n"
    ), result.stderr
    record = (folder / "docs/smoke/record.jsonl").read_bytes()
    assert python(folder, "steps", "record", "config/smoke.yaml").stdout.endswith("new or changed: 0\n")
    assert (folder / "docs/smoke/record.jsonl").read_bytes() == record
    copy_repository(tmp_path)
    (tmp_path / "docs/smoke").mkdir()
    shutil.move(folder / "docs/smoke/record.jsonl", tmp_path / "docs/smoke")
    (folder / "docs/smoke").rmdir()
    assert python(tmp_path, "steps", "cells", "config/smoke.yaml").stdout == ""
    result = python(tmp_path, "steps", "paper", "config/smoke.yaml", "docs/smoke.md")
    assert result.returncode == 0, result.stderr
    pages = tmp_path / "docs/smoke"
    for name in ("denoising", "single_pixel"):
        assert (pages / f"{name}.md").read_text().startswith((folder / f"results/tables/{name}.md").read_text().strip())
    assert (pages / "claims.md").read_text() == (folder / "results/claims.md").read_text()
    table = (folder / "results/tables/denoising_vs_paper.md").read_text().strip()
    assert table.replace("# ", "## ") in (pages / "denoising.md").read_text()
    assert (folder / "results/time.md").read_text().split("\n\n")[-1].strip() in (pages / "cells.md").read_text()
    figures = {path.name for path in pages.glob("*.png")} - {"overview.png"}
    assert {"denoising-vs_paper.png", "single_pixel-architecture.png"} <= figures
    for name in figures - {"single_pixel-curves.png"}:  # a record has six digits of each number of a curve
        figure = folder / "results/figures" / name.replace("-", "/")
        assert figure.read_bytes() == (pages / name).read_bytes(), name


def test_what_the_next_run_would_redo_is_not_recorded(run):
    folder, _, _ = run
    with edited(folder / "steps/methods/wiener.py"):
        result = python(folder, "steps", "record", "config/smoke.yaml")
    shutil.rmtree(folder / "docs/smoke")
    assert "14 of 18 cells are recorded and current, 0 are old" in result.stdout


def status(folder, config="config/smoke.yaml"):
    result = python(folder, "steps", "status", config)
    assert result.returncode == 0, result.stdout + result.stderr
    return [" ".join(line.split()) for line in result.stdout.splitlines() if "profile" not in line]


def test_status_says_in_words_what_would_run_and_why(run):
    folder, _, _ = run
    assert status(folder) == ["Nothing to do: all 74 jobs are done."]
    path, table = folder / "steps/methods/wiener.py", folder / "results/tables/denoising.md"
    code, text = path.read_text(), table.read_text()
    path.write_text(code + "\nEDITED = 1\n")
    try:
        said = status(folder)
        assert said[0] == "4 × recovery by wiener steps/methods/wiener.py changed"
        assert "4 × score follows from the above" in said
        assert "1 × table follows from the above" in said
        assert said[-1] == "27 of 74 jobs would run."
    finally:
        path.write_text(code)
    try:
        table.unlink()
        page = "1 × table as a web page follows from the above"
        index = "1 × index of all results follows from the above"
        assert status(folder) == ["1 × table deleted", page, index, "3 of 74 jobs would run."]
    finally:
        table.write_text(text)
    published = folder / "tests/published.csv"
    text = published.read_text()
    published.write_text(text + "\n")
    try:
        assert status(folder)[0] == "1 × table beside the published values tests/published.csv changed"
    finally:
        published.write_text(text)
    config = folder / "config/smoke.yaml"
    before = config.read_text()
    config.write_text(before.replace("sigma: [0.05, 1e-1]", "sigma: [0.05, 0.1, 0.2]"))
    try:
        said = status(folder)
        assert said[:3] == [
            f"{n} not made yet" for n in ("2 × measurement", "4 × recovery by tv", "2 × recovery by wiener")
        ]
    finally:
        config.write_text(before)


def test_quiet_is_quieter_than_the_default(run):
    """Whether our lines are asked for in the place of Snakemake's or not."""
    folder, _, _ = run
    for more in ({}, {"PRIORBENCH_PROGRESS": "1"}):
        (folder / "results/tables/denoising.tex").unlink()
        result = python(folder, *command("--quiet")[2:], environment=os.environ | more)
        assert result.returncode == 0 and not result.stdout
        using, deleted = result.stderr.splitlines()
        assert using.startswith("Using workflow specific profile")
        assert deleted == "Deleted, to be made again: results/tables/denoising.tex"
        assert (folder / "results/tables/denoising.tex").exists()


def test_status_of_another_config_changes_nothing(run):
    """Though both mean something else by the name of an image."""
    folder, _, _ = run
    other = folder / "config/other.yaml"
    other.write_text((folder / "config/smoke.yaml").read_text().replace("size: 48", "size: 40"))
    notes = {path: (path.read_text(), path.stat().st_mtime_ns) for path in (folder / "results/code").iterdir()}
    try:
        said = status(folder, "config/other.yaml")
        assert said[0] == "1 × image its part of the config changed"
        assert notes == {
            path: (path.read_text(), path.stat().st_mtime_ns) for path in (folder / "results/code").iterdir()
        }
        assert status(folder) == ["Nothing to do: all 74 jobs are done."]
    finally:
        other.unlink()
