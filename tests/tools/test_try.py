import importlib
import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image
from skimage import data

from steps.base.errors import BadInput
from steps.images import decode as imagefile
from steps.images import load as image
from steps.plan import schema
from steps.plan.config import check_config
from steps.tools import photo
from tests.workflows import ROOT, snakemake

module = importlib.import_module("steps.tools.try_")  # `try` is a keyword


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(module.main, list(map(str, arguments)))


def folder_of(result):
    """Return the folder that a run has written to, as its last line says."""
    return Path(result.output.splitlines()[-1]).parent


def wide(path, height=40, width=60):
    """Write a colour picture that is not square."""
    rows, columns = np.mgrid[:height, :width]
    pixels = np.stack([rows * 255 // height, columns * 255 // width, (rows + columns) % 256], -1)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


def test_a_clean_picture_is_corrupted_and_compared(here):
    wide("my photo.png")
    result = run("my photo.png", "--method", "wiener", "--method", "tv:iterations=8", "--sigma", "0.05")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == "denoising of my-photo, 40 x 60 pixels, colour: sigma=0.05"
    assert lines[2].split() == ["PSNR", "[dB]", "SSIM", "Time", "[s]"]
    assert [line.split()[0] for line in lines[3:7]] == ["truth", "input", "Wiener", "TV"]
    assert lines[3].split() == ["truth", "∞", "1.000"]
    folder = folder_of(result)
    assert re.fullmatch("tried/my-photo-[0-9a-f]{6}-denoising,sigma=0.05/comparison.png", lines[-1])
    assert {path.name for path in folder.glob("*.*")} == {
        "comparison.png",
        "comparison.pdf",
        "config.yaml",
        "input.png",
        "page.html",
        "tv,iterations=8.png",
        "wiener.png",
    }
    case = folder / "results/denoising/my-photo/sigma=0.05"
    score = json.loads((case / "tv/iterations=8/score.json").read_text())
    assert lines[6].split()[1] == f"{score['psnr']:.2f}"
    assert score["psnr"] > score["input_psnr"] + 1
    estimate = np.load(case / "wiener/default/recovered.npy")
    written = np.moveaxis(imagefile.read(folder / "wiener.png"), -1, 0)
    np.testing.assert_allclose(written, np.clip(estimate, 0, 1), atol=0.5001 / 65535)


def test_the_numbers_are_the_workflow_s_bit_for_bit(here):
    arguments = ["skimage:camera", "--size", "48", "--task", "deconvolution", "--corruption", "blur=1,kernel=9,seed=3"]
    result = run(*arguments, "--method", "wiener", "--method", "tv:iterations=20", "-o", "mine")
    assert result.exit_code == 0, result.output
    config = yaml.safe_load(Path("mine/config.yaml").read_text())
    Path("config.yaml").write_text(yaml.safe_dump(config | {"device": "cpu"}))
    made = snakemake(here, "--snakefile", str(ROOT / "Snakefile"), config="config.yaml")
    assert made.returncode == 0, made.stderr
    compared = [path.relative_to("mine") for path in Path("mine/results").rglob("*.np[yz]")]
    assert len(compared) == 7  # image, measurement, picture, and of each method the estimate and the trace
    for path in compared:
        made_by_workflow = Path(str(path).replace("camera", "try_camera"))
        assert made_by_workflow.read_bytes() == ("mine" / path).read_bytes(), path
    assert Path("results/tables/try_camera_deconvolution.md").is_file()


def test_a_measured_picture_is_recovered_without_a_truth(here, gray):
    noisy = gray.numpy() + 0.1 * np.random.default_rng(0).standard_normal(gray.shape).astype(np.float32)
    np.save("noisy.npy", noisy)
    result = run("noisy.npy", "--measured", "--method", "tv:iterations=8")
    assert result.exit_code == 0, result.output
    assert "sigma is estimated to be 0." in result.output and "Noise found: 0." in result.output
    assert "PSNR" not in result.output
    folder = folder_of(result)
    assert re.fullmatch("noisy-[0-9a-f]{6}-measured-denoising,noise=camera", folder.name)
    (case,) = folder.glob("results/denoising/noisy/*")
    assert case.name == "noise=camera"
    np.testing.assert_array_equal(np.load(case / "measurement.npz")["y"], noisy)
    run_json = json.loads((case / "tv/iterations=8/run.json").read_text())
    assert run_json["noise_sigma"] == pytest.approx(0.1, rel=0.2)
    assert yaml.safe_load((folder / "config.yaml").read_text())["images"]["try_noisy"]["measured"] is True
    told = run("noisy.npy", "--measured", "--method", "tv:iterations=8", "--sigma", "0.1")
    assert told.exit_code == 0, told.output
    assert "estimated" not in told.output


def test_a_method_is_given_the_measurement_and_no_truth(here, monkeypatch):
    words = {}
    step = module.step

    def spy(command, *given, label=""):
        words[command.__name__] = [str(word) for word in given]
        return step(command, *given, label=label)

    monkeypatch.setattr(module, "step", spy)
    assert run("skimage:camera", "--size", "32", "--method", "wiener").exit_code == 0
    assert not [word for word in words["steps.recover"] if "images" in word or "picture" in word]
    assert "results/images/camera.npy" in words["steps.score"]


def test_what_is_done_when_stopped_is_kept_and_gone_on_with(here, monkeypatch):
    from steps.methods import tv

    def stop(*_, **__):
        raise KeyboardInterrupt

    arguments = [
        "skimage:camera",
        "--size",
        "32",
        "--method",
        "wiener",
        "--method",
        "tv:iterations=4",
        "--method",
        "nlm",
    ]
    with monkeypatch.context() as patch:
        patch.setattr(tv, "weight", stop)
        result = run(*arguments)
    assert result.exit_code == 130
    assert "Stopped during TV" in result.output
    (folder,) = Path("tried").iterdir()
    made = folder / "results/denoising/camera/sigma=0.1/wiener/default/recovered.npy"
    assert sorted(path.name for path in folder.glob("*.png")) == ["comparison.png", "input.png", "wiener.png"]
    before = made.stat().st_mtime_ns
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert made.stat().st_mtime_ns == before
    assert len(list(folder.glob("*.png"))) == 5
    assert run(*arguments, "-o", folder, "--crop", "300").exit_code == 0
    assert made.stat().st_mtime_ns > before, "of another measurement, and yet not made again"


def test_a_method_that_fails_stops_no_other(here):
    result = run("skimage:camera", "--size", "8", "--method", "bm3d", "--method", "wiener")
    assert result.exit_code == 1
    assert "Error: BM3D: " in result.output
    assert "Wiener" in result.output
    assert (folder_of(result) / "comparison.png").is_file()


@pytest.mark.parametrize("status", [3, 0, "no more"])
def test_a_method_that_exits_stops_no_other(here, monkeypatch, status):
    monkeypatch.setattr("steps.methods.tv.recover", lambda y, A, sigma: sys.exit(status))
    result = run("skimage:camera", "--size", "32", "--method", "tv", "--method", "wiener")
    assert result.exit_code == 1, result.output
    assert (
        f"it ended this process by sys.exit({status or ''})" in result.output
        and (folder_of(result) / "wiener.png").is_file()
    )


def test_a_method_with_a_bug_stops_no_other(here, monkeypatch):
    from steps.methods import tv

    def broken(*_, **__):
        raise ValueError("a bug")

    monkeypatch.setattr(tv, "weight", broken)
    result = run("skimage:camera", "--size", "16", "--method", "tv", "--method", "wiener", "-o", "mine")
    assert result.exit_code == 1
    (line,) = [line for line in result.output.splitlines() if line.startswith("Error")]
    said, log = line.split("; see ")
    assert said == "Error: TV: ValueError: a bug" and "Traceback" in Path(log).read_text()
    assert log == str(Path("mine/results/denoising/camera/sigma=0.1/tv/default/recover.log").absolute())
    assert (Path("mine") / "wiener.png").is_file() and Path("mine/page.html").is_file()


def poisson_jpeg(path):
    """Write a crop of a photograph with 40 photons of white as a JPEG; return it without noise, (C, H, W)."""
    x = data.chelsea()[20:212, 100:292] / 255
    y = np.random.default_rng(0).poisson(40 * x) / 40
    Image.fromarray((255 * y.clip(0, 1)).round().astype(np.uint8)).save(path, quality=90)
    return np.moveaxis(x, -1, 0)


def test_of_a_noisy_jpeg_the_best_is_named_without_a_sigma_and_what_is_wrong_with_others(here):
    x = poisson_jpeg("night.jpg")
    methods = [f"--method={text}" for text in ("wiener", "tv", "nlm", "bm3d", "nlm:h=0.6", "nlm:h=0.02")]
    result = run("night.jpg", "--measured", *methods, "-o", "mine")
    assert result.exit_code == 0, result.output
    assert "Its colours are smooth, as those of a JPEG." in result.output
    said = {line.split("  ")[0]: line.split("  ")[-1] for line in result.output.splitlines()}
    assert said["NLM h=0.6"] == "took out more than noise" and said["NLM h=0.02"] == "left noise in"
    assert said["BM3D"] == said["TV"] == "about right"
    assert "Most like noise is what BM3D took out." in result.output
    page = Path("mine/page.html").read_text()
    assert (
        "Most like noise is what BM3D took out." in page and "BM3D: about right; NLM h=0.6: took out more than" in page
    )

    def error(path):
        return float(np.sqrt(((np.load(path).astype(np.float64) - x) ** 2).mean()))

    case = Path("mine/results/denoising/night/noise=camera")
    errors = {path.parent.parent.name: error(path) for path in case.glob("*/default/recovered.npy")}
    assert min(errors, key=errors.get) == "bm3d"
    assert errors["bm3d"] < 0.5 * error(case / "picture.npy")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["skimage:camera", "--sigma", "25"], "--sigma: 25 is not allowed; pixels are in [0, 1]; did you mean 25/255?"),
        (
            ["skimage:camera", "--sigma", "300/255"],
            "--sigma: 1.17647 is not allowed; pixels are in [0, 1]; must be at most 1",
        ),
        (["skimage:camera", "--sigma", "300"], "--sigma: 300 is not allowed; pixels are in [0, 1]; must be at most 1"),
        (
            ["skimage:camera", "--measured", "--task", "deconvolution", "--sigma", "0.01"],
            "--corruption: missing; of a measured picture it must be said what deconvolution did: blur, kernel",
        ),
        (["nofile.png"], "nofile.png: no such file"),
        (["skimage:camra"], "unknown scikit-image image 'camra' (did you mean 'camera'?)"),
        (["https://example.org/a.png"], "https://example.org/a.png: a URL is for a config"),
        (["skimage:camera", "--task", "deblurring"], "--task: unknown task 'deblurring'"),
        (["skimage:camera", "--method", "tvv"], "--method: unknown method 'tvv' (did you mean 'tv'?)"),
        (["skimage:camera", "--method", "tv:lamda=1"], "--method tv: unknown parameter 'lamda' (did you mean 'lam'?)"),
        (["skimage:camera", "--method", "tv:lam=0"], "--method tv.lam: 0 is not allowed; must be > 0"),
        (["skimage:camera", "--method", "tv:lam"], "'lam' in 'lam' is not of the form name=value"),
        (["skimage:camera", "--method", "tv", "--method", "tv"], "tv with default is there twice"),
        (["skimage:camera", "--corruption", "blur=2"], "--corruption: unknown parameter 'blur'"),
        (["skimage:camera", "--sigma", "-1"], "--corruption.sigma: -1 is not allowed; must be >= 0"),
        (["skimage:camera", "--sigma", "1", "--corruption", "sigma=2"], "'sigma' is given twice"),
        (["skimage:camera", "--sigma", "estimate"], "'estimate' is for images that are measured"),
        (["skimage:camera", "--crop", "9999"], "crop [9999] does not lie inside the 512x512 image"),
        (["skimage:camera", "--size", "1"], "skimage:camera: 1x1 pixels are not allowed; must be at least 2x2"),
        (["p{1}.png"], "p{1}.png' is not allowed; must not begin with -, nor have any of"),
        (["a*b.png"], "a*b.png' is not allowed; must be one file, without *"),
        (["a\nb.png"], "is not allowed; must be one line"),
        (["synthetic:noise", "--crop", "1"], "1x1 pixels are not allowed"),
        (["skimage:horse", "--measured"], "no noise is found in the 328x400 picture; give sigma as a number"),
        (["skimage:camera", "--size", "8", "--task", "deconvolution"], "the 35x35 kernel is larger than the 8x8 image"),
        (["skimage:camera", "--task", "single_pixel", "--measured"], "sigma: it can be estimated from a picture only"),
        (
            ["skimage:camera", "--task", "single_pixel", "--measured", "--sigma", "0"],
            "measured: it is a picture; a measurement of single_pixel must be numbers",
        ),
    ],
)
def test_a_mistake_is_one_line(here, arguments, words):
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.output.startswith("Error: "), result.output
    assert words in result.output
    assert result.output.count("\n") == 1
    assert not Path("tried").exists()


@pytest.mark.parametrize(
    ("task", "corruption", "given", "expected"),
    [
        ("denoising", {}, False, {"size": [384, 512]}),
        ("denoising", {}, True, {"crop": [1244, 1744, 512, 512]}),
        ("single_pixel", {}, False, {"size": [48, 64]}),
        ("single_pixel", {"patterns": "hadamard"}, False, {"size": [384, 512]}),
    ],
)
def test_a_photo_of_12_megapixels_is_made_small(task, corruption, given, expected):
    settings, sentence = photo.fitting((3000, 4000, 3), task, corruption, given)
    assert settings == expected
    assert "3000 x 4000" in sentence
    assert photo.fitting((64, 50), task, corruption, given) == ({}, "")


def test_what_nobody_says_is_chosen_by_the_task_and_whether_the_picture_is_measured():
    def chosen(task, corruption="", measured=False):
        entry = photo.experiment("x", task, corruption, (), measured)
        return entry["corruption"], [method["method"] for method in entry["methods"]]

    assert chosen("denoising") == ({"sigma": 0.1}, ["wiener", "tv", "nlm"])
    assert chosen("deconvolution") == ({"sigma": 0.01}, ["wiener", "tv"])
    assert chosen("denoising", "sigma=0.2") == ({"sigma": 0.2}, ["wiener", "tv", "nlm"])
    assert chosen("denoising", measured=True) == ({"noise": "camera"}, ["wiener", "tv", "nlm", "bm3d"])
    assert chosen("deconvolution", "blur=2", True) == ({"blur": 2.0, "noise": "camera"}, ["wiener", "tv"])
    assert chosen("inpainting", "seen=0.5", True) == ({"seen": 0.5, "sigma": "estimate"}, ["wiener", "tv"])
    with pytest.raises(BadInput, match="^--file: no parameter of --corruption is k, so that it would not be used$"):
        photo.check(np.zeros((1, 8, 8)), "denoising", {"sigma": 0.1}, False, {"k": np.ones((3, 3))})


def test_a_large_photo_says_what_was_taken_of_it(here):
    wide("photo.png", 600, 800)
    result = run("photo.png", "--method", "wiener")
    assert result.exit_code == 0, result.output
    assert "Resized from 600 x 800 pixels" in result.output
    assert "384 x 512 pixels" in result.output
    result = run("photo.png", "--method", "wiener", "--all")
    assert "600 x 800 pixels, colour" in result.output
    result = run("photo.png", "--method", "wiener", "--measured", "--sigma", "0.1")
    assert "This is the centre of 600 x 800 pixels" in result.output
    y = np.load(folder_of(result) / "results/denoising/photo/sigma=0.1/measurement.npz")["y"]
    whole = image.prepare(image.load("photo.png"))
    np.testing.assert_array_equal(y, whole[:, 44:556, 144:656])


def test_of_a_large_picture_the_page_has_the_centre_and_the_pictures_are_whole(here, monkeypatch):
    monkeypatch.setattr(module.pictures, "SIDE", 24)
    wide("photo.png")
    result = run("photo.png", "--method", "wiener", "-o", "mine")
    assert result.exit_code == 0, result.output
    page = Path("mine/page.html").read_text()
    assert "This is the centre; numbers are of the whole." in page and '"size": [24, 24]' in page
    assert imagefile.read("mine/wiener.png").shape == (40, 60, 3)
    whole = np.load("mine/results/denoising/photo/sigma=0.1/wiener/default/recovered.npy")
    part = np.load("mine/detail/results/denoising/photo/sigma=0.1/wiener/default/recovered.npy")
    np.testing.assert_array_equal(part, whole[:, 8:32, 18:42])
    assert result.output.splitlines()[5].split()[1] in page


def test_progress_is_for_terminals_only(capsys, monkeypatch):
    monkeypatch.setattr(module.sys.stderr, "isatty", lambda: True, raising=False)
    progress = module.Progress("TV")
    print("iteration 1/8  loss 1  7 s left", file=progress)
    progress.clear()
    assert capsys.readouterr().err == "\r\033[KTV  iteration 1/8  loss 1  7 s left\r\033[K"
    monkeypatch.setattr(module.sys.stderr, "isatty", lambda: False, raising=False)
    print("iteration 1/8", file=module.Progress("TV"))
    assert capsys.readouterr().err == ""


def test_open_shows_the_page_of_all_recoveries(here, monkeypatch):
    opened = []
    monkeypatch.setattr(module.click, "launch", opened.append)
    assert run("skimage:camera", "--size", "32", "--method", "wiener", "--open").exit_code == 0
    (folder,) = Path("tried").iterdir()
    assert opened == [f"{folder}/page.html"]
    page = (folder / "page.html").read_text()
    assert "denoising of camera, 32 x 32 pixels, gray: sigma=0.1" in page and '"label": "Wiener"' in page


@pytest.mark.parametrize("size", ["2,128", "4,256", "2", "128,2"])
def test_small_pictures_of_any_proportions_are_drawn(here, size):
    result = run("skimage:camera", "--size", size, "--method", "wiener")
    assert result.exit_code == 0, result.output
    assert (folder_of(result) / "comparison.png").is_file()


def test_each_picture_and_each_setting_has_a_folder_of_its_own(here):
    Path("x").mkdir()
    for path in ("photo.png", "x/photo.tif", "写真.png", "ü.png"):
        wide(path, 8, 12)
    runs = [["photo.png"], ["photo.png", "--gray"], ["photo.png", "--size", "9"], ["photo.png", "--measured"]]
    runs += [["x/photo.tif"], ["写真.png"], ["ü.png"]]
    results = [run(*words, "--sigma", "0.1", "--method", "wiener") for words in runs]
    assert not [result.output for result in results if result.exit_code]
    folders = [folder_of(result) for result in results]
    assert len(set(folders)) == len(runs)
    assert [re.sub("-[0-9a-f]{6}-", "-…-", folder.name).partition(",")[0] for folder in folders] == [
        *["photo-…-denoising"] * 3,
        "photo-…-measured-denoising",
        "photo-…-denoising",
        *["picture-…-denoising"] * 2,
    ]
    assert folder_of(run("photo.png", "--sigma", "0.1", "--method", "tv:iterations=2")) == folders[0]
    assert sorted(path.name for path in folders[0].glob("*.png")) == [
        "comparison.png",
        "input.png",
        "tv,iterations=2.png",
        "wiener.png",
    ]


def test_pictures_of_another_measurement_are_not_left_in_a_folder(here):
    def names():
        return {path.name for path in Path("mine").glob("*.p[nd][gf]")}

    wide("photo.png", 8, 12)
    first = [["photo.png"], ["--method", "tv:iterations=2"], ["-o", "mine"]]
    others = [
        ["--sigma", "0.2"],
        ["--gray"],
        ["--measured", "--sigma", "0.1"],
        ["--task", "deconvolution", "--corruption", "kernel=3"],
    ]
    for other in others:
        assert run(*sum(first, [])).exit_code == 0
        assert "tv,iterations=2.png" in names()
        Path("mine/of mine.png").touch()
        assert run("photo.png", *other, "--method", "wiener", "-o", "mine").exit_code == 0
        assert names() == {"comparison.pdf", "comparison.png", "input.png", "wiener.png", "of mine.png"}, other
    assert run(*sum(first, [])).exit_code == 0
    wide("photo.png", 9, 12)
    assert run("photo.png", "--method", "wiener", "-o", "mine").exit_code == 0
    assert "tv,iterations=2.png" not in names()


def test_the_picture_s_own_folder_is_not_written_to(here):
    wide("input.png", 8, 12)
    result = run("input.png", "-o", ".")
    assert result.exit_code == 1
    assert "the picture lies in it, and files there are replaced" in result.output
    assert [path.name for path in Path().iterdir()] == ["input.png"]


@pytest.mark.parametrize("there", ["config.yaml", "thesis.txt", "results/images/camera.npy"])
def test_a_folder_of_other_files_is_not_written_to(here, there):
    arguments = ["skimage:camera", "--size", "16", "--method", "wiener", "-o", "mine"]
    path = Path("mine", there)
    path.parent.mkdir(parents=True)
    path.write_text("images: {}\n")
    result = run(*arguments)
    assert result.exit_code == 1
    assert "-o mine: files in it could be replaced; must be new, empty, or made by try" in result.output
    assert [file for file in Path("mine").rglob("*") if file.is_file()] == [path]
    path.unlink()
    if path.parent != Path("mine"):
        shutil.rmtree("mine/results")
    assert run(*arguments).exit_code == 0  # empty
    assert run(*arguments).exit_code == 0  # its own


@pytest.mark.parametrize("name", ["recovered.npy", "trace.npz"])
def test_a_recovery_of_which_a_file_is_gone_is_made_again(here, name):
    arguments = ["skimage:camera", "--size", "16", "--method", "tv:iterations=5", "-o", "mine"]
    assert run(*arguments).exit_code == 0
    (file,) = Path("mine/results").rglob(f"tv/*/{name}")
    file.unlink()
    assert run(*arguments).exit_code == 0
    assert file.is_file()


@pytest.mark.parametrize("picture", ["photo.png", "写真.png", "x" * 90 + ".png"])
def test_its_config_is_one_that_the_workflow_takes(here, picture):
    wide(picture, 8, 12)
    assert run(picture, "--method", "wiener", "-o", "mine").exit_code == 0
    check_config(schema.read("mine/config.yaml") | {"device": "cpu"})


@pytest.mark.parametrize(("white", "words"), [(4095, "12 bits"), (16383, "14 bits"), (65535, None)])
@pytest.mark.parametrize("channels", [1, 3])
def test_of_twelve_bits_in_a_file_of_sixteen_it_says_what_is_white(here, white, words, channels):
    pixels = np.random.default_rng(0).integers(0, white, (8, 12, channels)).astype(np.uint16)
    pixels[0, 0] = white
    np.save("photo.npy", pixels)
    result = run("photo.npy", "--method", "wiener")
    assert result.exit_code == 0, result.output
    np.testing.assert_allclose(np.load(folder_of(result) / "results/images/photo.npy").max(), white / 65535)
    said = [line for line in result.stderr.splitlines() if "white is taken to be 65535" in line]
    assert len(said) == (words is not None)
    assert all(f"the largest value is {white}, as of {words}" in line and f"white is {white}" in line for line in said)


def test_a_dark_picture_of_eight_bits_or_of_floats_is_one(here):
    np.save("dark.npy", np.full((8, 8), 9, np.uint8))
    np.save("black.npy", np.zeros((8, 8), np.float32))
    for path in ("dark.npy", "black.npy"):
        assert photo.depth(path, image.load(path)) == ""
