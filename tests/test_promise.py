"""A new method, task, noise, metric or figure is one file: dropped in, it is shown, and the tests pass."""

import re
import zlib
from collections import Counter

import pandas
import pytest
import yaml

from tests.workflows import ROOT, copy_repository, python, snakemake

FILES = {
    "noises/uniform.py": '''\
"""Uniform noise: y = A x + spread · U(−1/2, 1/2)."""

import numpy as np


def add(clean, *, spread=0.2, seed=0):
    return (clean + spread * (np.random.default_rng([seed, 0]).random(clean.shape) - 0.5)).astype(np.float32)


def sigma(y, *, spread=0.2):
    return spread / 12**0.5
''',
    "metrics/worst.py": '''\
"""Largest absolute error of a pixel."""

BETTER = "lower"


def measure(truth, estimate):
    return abs(estimate - truth).max()
''',
    "figures/bars.py": '''\
"""Seconds of *every* method_."""

EACH = ()


def draw(scores):
    import matplotlib.pyplot as plt

    figure, panel = plt.subplots()
    panel.bar(scores["label"], scores["seconds"])
    return figure
''',
}
METHODS = [{"method": "gaussian", "params": {"width": [0.8, 1.5]}}, {"method": "wiener"}]
STUDY = {
    "device": "cpu",
    "metrics": ["psnr", "worst"],
    "images": {"camera": {"source": "skimage:camera", "size": 40}},
    "experiments": {
        "mine": {
            "task": "denoising",
            "images": ["camera"],
            "corruption": {"noise": "uniform", "spread": [0.1, 0.3]},
            "methods": METHODS,
            "figures": ["bars", "metrics", "comparison"],
        },
        "dim": {"task": "dimmed", "images": ["camera"], "methods": [{"method": "wiener"}], "figures": ["bars"]},
    },
}


def printed():
    """Return {path in steps: text} of the files that the README prints."""
    found = re.findall(r"^```python\n(# steps/(\S+)\n.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    return {path: text for text, path in found}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A copy of the repository with one file more of each kind, and what a study of them has made."""
    folder = tmp_path_factory.mktemp("repository")
    copy_repository(folder)
    for path, text in (printed() | FILES).items():
        assert not (folder / "steps" / path).exists()
        (folder / "steps" / path).write_text(text, encoding="utf-8")
    (folder / "study.yaml").write_text(yaml.safe_dump(STUDY))
    result = snakemake(folder, config="study.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def read(run, path):
    return (run / "results" / path).read_text(encoding="utf-8")


def test_the_readme_prints_a_method_and_a_task():
    assert list(printed()) == ["methods/gaussian.py", "tasks/dimmed.py"]


def test_a_method_is_in_tables_pages_and_figures(run):
    labels = ["gaussian (width=0.8)", "gaussian (width=1.5)", "Wiener"]
    scores = pandas.read_csv(run / "results/scores/mine.csv")
    assert list(dict.fromkeys(scores["label"])) == labels
    assert (scores["psnr"] > 15).all()
    assert all(f" {label} |" in read(run, "tables/mine.md") for label in labels)
    assert all(f'"label": "{label}"' in read(run, "pages/mine.html") for label in labels)
    assert "gaussian (width=0.8)" in read(run, "time.md")


def test_a_task_is_in_tables_and_pages(run):
    assert "camera" in read(run, "tables/dim.md") and "| dimmed |" in read(run, "time.md")
    assert '"label": "Wiener"' in read(run, "pages/dim.html")


def test_a_noise_is_in_tables_and_pages(run):
    assert read(run, "tables/mine.md").count("| camera | 0.3 |") >= 2
    assert "uniform noise, spread = 0.3" in read(run, "pages/mine.html")
    deviation = pandas.read_csv(run / "results/scores/mine.csv")["noise_sigma"]
    assert deviation.round(4).unique().tolist() == [0.0289, 0.0866]


def test_a_metric_is_in_tables_pages_and_figures(run):
    scores = pandas.read_csv(run / "results/scores/mine.csv")
    assert (scores["worst"] < scores["input_worst"] + 0.5).all() and (scores["worst"] > 0).all()
    table = read(run, "tables/mine.md")
    heading = next(line for line in table.splitlines() if line.startswith("## worst"))
    best = min(scores.loc[scores["corruption"].str.contains("0.3"), "worst"])
    assert f"**{best:.3f}**" in table.split(heading)[1].split("## ")[0]
    page = read(run, "pages/mine.html")
    assert f'"worst": "{best:.3f}"' in page and '"worst": "lower"' in page
    for figure in ("metrics", "comparison/camera/noise=uniform,spread=0.3"):
        assert b"worst" in drawn_text(run / f"results/figures/mine/{figure}.pdf")


def drawn_text(path):
    """Return the letters that a PDF of matplotlib has, of its unpacked streams; each is two bytes in brackets."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", path.read_bytes(), re.DOTALL)
    shown = b"".join(zlib.decompress(part) for part in streams if part.startswith(b"\x78"))
    return b"".join(re.findall(rb"\(((?:[^()\\]|\\.)*)\)", shown)).replace(b"\0", b"")


def test_a_figure_is_drawn_and_in_the_report_with_the_first_line_of_its_file(run):
    for experiment in ("mine", "dim"):
        assert (run / f"results/figures/{experiment}/bars.png").read_bytes().startswith(b"\x89PNG")
    report = read(run, "report.html")
    assert "figure: bars" in report and "Seconds of *every* method_." in report


def jobs(run):
    """Return how many jobs of which rules a dry run would do."""
    result = snakemake(run, "--dry-run", config="study.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    return Counter(re.findall(r"^Job \d+: (\w+)", result.stdout + result.stderr, re.MULTILINE))


def test_what_files_say_for_people_and_tests_redoes_no_number(run):
    """Captions and settings of tests redo nothing; colours and symbols what shows them: figures, symbols pages, too."""
    more = {"methods/gaussian.py": "QUICK = {}\nEXACT = False\n", "tasks/dimmed.py": "TRIED = [{}]\n"}
    more |= {"figures/bars.py": 'CAPTION = "Seconds."\n', "noises/speckle.py": 'SYMBOLS = {"looks": ("L", "L")}\n'}
    for path, text in more.items():
        with open(run / "steps" / path, "a", encoding="utf-8") as file:
            file.write(text)
    assert jobs(run) == {}
    with open(run / "steps/methods/gaussian.py", "a", encoding="utf-8") as file:
        file.write('LOOK = ("#000000", "o")\n')
    assert jobs(run) == {"draw": 4, "index": 1}  # of the experiment with that method
    with open(run / "steps/noises/uniform.py", "a", encoding="utf-8") as file:
        file.write('SYMBOLS = {"spread": ("s", "Spread")}\n')
    assert jobs(run) == {"draw": 4, "show": 1, "index": 1}


def test_a_method_is_refused_for_a_task_that_it_cannot_do(run):
    path = "results/dimmed/camera/default/gaussian/default/score.json"
    result = snakemake(run, "--dry-run", path, config="study.yaml")
    said = result.stdout + result.stderr
    assert result.returncode and "gaussian cannot do dimmed, as its file says; it can do denoising" in said
    assert "Traceback" not in said


def test_the_discovered_tests_test_them_and_no_list_of_names_fails(run):
    """Those of the new files that take no time, and all tests of what names the files that there are."""
    words = "gaussian and denoising or dimmed and 1x48x48 or bars or uniform or worst or lists or says or symbols"
    files = ["tests/methods/test_every_method.py", "tests/tasks", "tests/figures/test_every_figure.py"]
    files += ["tests/metrics/test_every_metric.py", "tests/tools/test_lists.py", "tests/look/test_style.py"]
    result = python(run, "pytest", "-q", "-p", "no:cacheprovider", *files, "-k", words)
    assert result.returncode == 0, result.stdout + result.stderr
