"""Try methods on one picture, without a config: prints a table, writes a side-by-side picture and the recoveries.

A clean PICTURE (a file, skimage:NAME or synthetic:NAME) is corrupted first, and each recovery compared with it:

    python -m steps try skimage:camera --sigma 0.1

With --measured, PICTURE is the noisy or blurred measurement itself, and there is nothing to compare with:

    python -m steps try photo.jpg --measured --method tv --method dip:iterations=500

Ctrl-C keeps what is done; the same command goes on with the rest.
"""

import contextlib
import io
import re
import sys
import traceback
from pathlib import Path

import click
import numpy as np

from steps import collect, corrupt, draw, recover, score, show, tabulate
from steps.base import discover
from steps.base.errors import Command
from steps.base.files import read_array, read_json, whole, write_text
from steps.base.parameters import NO_PARAMETERS
from steps.base.recoveries import listing
from steps.images.load import load, prepare
from steps.images.options import numbers
from steps.look import pictures
from steps.plan import experiments
from steps.plan.metrics import as_json, facts
from steps.run.record import origin
from steps.tables.columns import RESIDUAL, TIME, line, read_metrics, winners
from steps.tables.scores import read_score
from steps.tools import detail, judged, photo


class Progress(io.StringIO):
    """Standard output of a step; in a terminal the last line of it is shown, over the one before."""

    def __init__(self, label):
        super().__init__()
        self.label, self.shown = label, sys.stderr.isatty()

    def write(self, text):
        if self.shown and text.strip():
            click.echo(f"\r\033[K{self.label}  {text.strip()[:100]}", err=True, nl=False)
        return super().write(text)

    def clear(self):
        if self.shown:
            click.echo("\r\033[K", err=True, nl=False)


def step(module, *words, label=""):
    """Do a command of the workflow, given its words, in this process; return what it printed."""
    progress = Progress(label)
    with contextlib.redirect_stdout(progress):
        try:
            module.main.main(list(map(str, words)), standalone_mode=False)
        finally:
            progress.clear()
    return progress.getvalue()


def solve(recovery, device, measured, named):
    """Recover and score as the rules do, with as many threads; return the recovery's row of scores.

    What has been recovered of this measurement by this code is not made again.
    """
    folder, case = Path(recovery.folder), Path(recovery.case)
    run = read_json(folder / "run.json") if (folder / "run.json").is_file() else {}
    there = all((folder / name).is_file() for name in ("recovered.npy", "trace.npz"))
    if not there or run.get("origin") != origin(case / "measurement.npz", recovery.method):
        threads = getattr(discover.load("methods", recovery.method), "THREADS", 1)
        words = [case / "measurement.npz", recovery.method, recovery.params, folder, "--device", device]
        step(recover, *words, "--threads", threads, label=recovery.label)
    truth = [] if measured else ["--truth", f"results/images/{recovery.image}.npy"]
    truth += [] if discover.load("tasks", recovery.task).Operator.alike else ["--backprojection"]
    step(score, case / "picture.npy", folder, *truth, *(f"--metric={metric.name}" for metric in named))
    return read_score(folder)


def start(config, name, x):
    """Write a config and an image (C, H, W) to the working directory; remove what it shows of another measurement."""
    written, file = Path("config.yaml"), Path(f"results/images/{name}.npy")
    if written.is_file():
        before, now = (text.split("\n    methods:\n")[0] for text in (written.read_text(encoding="utf-8"), config))
        if before != now or not file.is_file() or not np.array_equal(read_array(file), x):
            ours = ("input", "comparison", "page", *discover.available("methods"))
            for path in [*Path().glob("*.png"), *Path().glob("*.pdf"), *Path().glob("*.html")]:
                if re.split("[,.]", path.name)[0] in ours:
                    path.unlink()
    write_text(written, config)
    with whole(file) as temporary:
        np.save(temporary, x)


def recover_all(recoveries, device, measured, named):
    """Make the recoveries, printing a line of the table for each; return (those made, sentences, exit status).

    The sentences, of which the first is printed, say which is best, and of a measured picture what is said of each.
    """
    made, status, rows, verdicts = [], 0, {}, {}
    judge = judged.judge_of(recoveries[0].case) if measured else None
    width = max(len(name) for name in ("truth", "input", *(recovery.label for recovery in recoveries)))
    columns = [*([RESIDUAL] if measured else named), TIME]
    click.echo("\n" + line("", width, columns) + "  What was taken out" * bool(judge))
    for recovery in recoveries:
        try:
            rows[recovery.label] = row = solve(recovery, device, measured, named)
        except click.Abort:
            click.echo(f"Stopped during {recovery.label}. What is done is kept; the same command goes on.", err=True)
            return made, [], 130
        except click.ClickException as error:
            click.echo(f"Error: {recovery.label}: {error.message}", err=True)
            status = 1
            continue
        except (Exception, SystemExit) as error:  # of a method's own code, which is to stop no other
            write_text(Path(recovery.folder, "recover.log"), traceback.format_exc())
            words = " ".join(f"{type(error).__name__}: {error}".split())
            click.echo(
                f"Error: {recovery.label}: {words}; see {Path(recovery.folder, 'recover.log').absolute()}", err=True
            )
            status = 1
            continue
        if not made and not measured:
            known = [m.name for m in named if row[m.name] is not None or row[f"input_{m.name}"] is not None]
            truth = {TIME.name: None} | {name: tabulate.perfect(name) for name in known}
            click.echo(line("truth", width, columns, truth))
            click.echo(line("input", width, columns, row, "input_"))
        verdict = judge and judge(recovery)
        if verdict:
            verdicts[recovery.label] = verdict
        click.echo(line(recovery.label, width, columns, row) + (f"  {verdict.words}" if verdict else ""))
        made.append(recovery)
    sentences = []
    if len(rows) > 1 and not measured:
        sentences = [f"Best: {winners(named, rows)}."]
    if verdicts:
        sentences = [judged.sentence(verdicts), judged.listed(verdicts)]
    click.echo("".join(f"{sentence}\n" for sentence in sentences[:1]), nl=False)
    return made, sentences, status


def write_pictures(made, entry, named, title, sentences):
    """Write comparison.png and .pdf, page.html, input.png and a PNG for each recovery to the working directory.

    Of large pictures the first three show the centre, see `detail.centre`.
    """
    import pandas

    scores, case, here = f"results/scores/{entry['task']}.csv", Path(made[0].case), Path.cwd()
    with contextlib.chdir(folder := detail.centre(made)):
        with whole(scores) as temporary:
            pandas.DataFrame(collect.rows(entry["task"], made)).to_csv(temporary, index=False)
        step(draw, scores, f"comparison/{case.parent.name}/{case.name}", here / "comparison", "--metrics", named)
        write_text("results/code/recoveries.csv", listing(made, set(made)))
        sentences = [*sentences, "This is the centre; numbers are of the whole."] if folder != Path() else sentences
        words = [*["--title", title, "--metrics", named], *(f"--note={sentence}" for sentence in sentences)]
        step(show, scores, "results/code/recoveries.csv", here / "page.html", *words)
    pictures.write("input.png", read_array(case / "picture.npy"))
    for recovery in made:
        params = "" if recovery.params == NO_PARAMETERS else f",{recovery.params}"
        pictures.write(f"{recovery.method}{params}.png", read_array(f"{recovery.folder}/recovered.npy"))


@click.command(cls=Command, help=__doc__)
@click.argument("picture")
@click.option("--task", default="denoising", show_default=True, help="a file of steps/tasks: deconvolution, …")
@click.option(
    "--method", "methods", multiple=True, help="METHOD or METHOD:NAME=VALUE,…; again for more  [default: quick ones]"
)
@click.option(
    "--sigma", help="of the noise, pixels in [0, 1]  [default: 0.1 in denoising, else 0.01; with --measured estimated]"
)
@click.option("--corruption", default="", help="what else is done to the picture: blur=2,seed=1,noise=poisson,peak=30")
@click.option("--file", "given", multiple=True, help="NAME=PATH of a file that --corruption names: psf=NAME; again")
@click.option(
    "--measured", is_flag=True, help="the picture is noisy or blurred already, or numbers of a camera: add nothing"
)
@click.option("--metric", "named", multiple=True, default=["psnr", "ssim"], show_default=True, help="again for more")
@click.option("--gray", is_flag=True, help="one channel: luma of ITU-R BT.709")
@click.option("--size", callback=numbers, help="pixels after resizing: n, the longer side, or height,width (stretched)")
@click.option("--crop", callback=numbers, help="pixels: central n, or top,left,height,width; before resizing")
@click.option(
    "--all", "full", is_flag=True, help="all pixels of a large picture, else at most 512 a side (some tasks: 64)"
)
@click.option(
    "--device",
    type=click.Choice(recover.DEVICES),
    default="auto",
    show_default=True,
    help="for methods with GPU = True",
)
@click.option(
    "-o", "--output", type=click.Path(file_okay=False), help="folder to write to  [default: tried/NAME-…-TASK,…]"
)
@click.option("--open", "opened", is_flag=True, help="show the page of all recoveries when done")
def main(
    picture, task, methods, sigma, corruption, given, measured, named, gray, size, crop, full, device, output, opened
):
    """Do for one picture, in a folder of its own, what the workflow does, by the workflow's commands."""
    name, source = photo.named(picture)
    if sigma is not None:
        corruption = f"{corruption},sigma={sigma}".lstrip(",")
    files, brought = photo.files(given)
    named = list(dict.fromkeys(named))
    entry, told = photo.experiment(name, task, corruption, methods, measured), as_json(facts(named, "--metric"))
    pixels = load(picture, measured=measured)
    settings, sentence = {"gray": gray, "size": size, "crop": crop}, ""
    if not (size or crop or full or len(pixels) == 1):
        fitted, sentence = photo.fitting(pixels.shape, task, entry["corruption"], measured)
        settings |= fitted
    x = prepare(pixels, **settings, measured=measured, where=picture)
    height, width = photo.check(x, task, entry["corruption"], measured, brought)
    if dark := photo.depth(source, pixels):
        click.echo(dark, err=True)
    taken = photo.entry(source, measured, settings)
    output = Path(output or f"tried/{photo.folder(name, taken, files, task, entry['corruption'])}")
    photo.check_folder(output, source)
    output.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(output):
        start(photo.study(name, taken, entry, named, files), name, x)
        recoveries = experiments.recoveries(entry)
        case = Path(recoveries[0].case)
        words = [*["--measured"] * measured, *photo.write(brought)]
        colours = "gray" if len(x) == 1 else "colour"
        del pixels, x  # of 24 megapixels these are nearly a gigabyte
        said = step(corrupt, f"results/images/{name}.npy", task, case.name, case, *words)
        title = f"{task} of {name}, {height} x {width} pixels, {colours}: {case.name}"
        click.echo(title)
        click.echo("\n".join(filter(None, [sentence, said.strip()])), nl=bool(sentence or said))
        made, sentences, status = recover_all(recoveries, device, measured, read_metrics(told))
        if made:
            write_pictures(made, entry, told, title, sentences)
            click.echo(f"\n{output / 'page.html'}\n{output / 'comparison.png'}")
    if opened and made:
        click.launch(str(output / "page.html"))
    sys.exit(status)


if __name__ == "__main__":
    main()
