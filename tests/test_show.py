import base64
import contextlib
import json
import re
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs

import matplotlib
import numpy as np
import pandas
import pytest
import torch
from click.testing import CliRunner
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By

from steps import show
from steps.base.parameters import parse_parameters
from steps.base.recoveries import listing
from steps.inverse.measurement import Noise, save
from steps.look import maps, pictures
from steps.plan import experiments
from steps.plan.metrics import as_json, facts
from steps.tables.columns import PSNR, TIME, read_metrics
from tests.browser import decoded
from tests.conftest import picture

HOSTILE = "</script><img src=x onerror=\"document.title='pwned'\"> <!-- & 'λ'"
TITLE = f"{HOSTILE} {{{{js}}}}"
EXPERIMENT = {
    "task": "denoising",
    "images": ["house", "hill"],
    "corruption": {"sigma": [0.1, 0.3], "seed": [0, 1]},
    "methods": [
        {"method": "wiener"},
        {"method": "tv", "label": HOSTILE, "params": {"lam": 0.05}},
        {"method": "dip", "label": "DIP", "params": {"iterations": 5}},
    ],
}
NAMED = as_json(facts(["psnr", "ssim", "gmsd"]))
METRICS = read_metrics(NAMED)
ASKED = experiments.recoveries(EXPERIMENT)
GAIN = {"wiener": 0.3, "tv": 0.6, "dip": 0.45}  # how much of the noise is gone


def results(folder, experiment=EXPERIMENT, left_out=(), truth=True):
    """Write files of results of an experiment; return its scores. `left_out` are not made; without truth: measured."""
    rows = []
    for recovery in experiments.recoveries(experiment):
        colour = recovery.image == "hill"
        x = picture(3 if colour else 1, 32, 40).numpy()
        noise = np.random.default_rng(len(recovery.corruption)).standard_normal(x.shape)
        sigma = 0.1 if "0.1" in recovery.corruption else 0.3
        y = x + sigma * (1 + ("seed=1" in recovery.corruption)) * noise
        at = Path(folder, recovery.folder)
        at.mkdir(parents=True)
        Path(folder, "results/images").mkdir(parents=True, exist_ok=True)
        np.save(Path(folder, f"results/images/{recovery.image}.npy"), x if truth else y)
        np.save(at.parent.parent / "picture.npy", y.astype(np.float32))
        measured = torch.from_numpy(y.astype(np.float32))
        noise = Noise("gaussian", {"sigma": sigma}, sigma)
        save(at.parent.parent / "measurement.npz", measured, "denoising", y.shape, {}, noise)
        if recovery.folder in left_out:
            continue
        estimate = x + (1 - GAIN[recovery.method]) * (y - x)
        np.save(at / "recovered.npy", estimate.astype(np.float32))
        settings = {"lam": 0.05} | parse_parameters(recovery.params)
        (at / "run.json").write_text(json.dumps({"settings": settings, "device": "cpu", "threads": 1}))
        row = {"image": recovery.image, "corruption": recovery.corruption, "label": recovery.label}
        row |= {"folder": recovery.folder, "task": "denoising", "method": recovery.method, "seconds": 1.5}
        scores = {
            "psnr": -20 * np.log10(np.abs(estimate - x).mean()),
            "ssim": GAIN[recovery.method],
            "input_psnr": 10.0,
            "input_ssim": 0.1,
            "gmsd": 0.5 - 0.2 * GAIN[recovery.method],
            "input_gmsd": 0.5,
        }
        rows.append(row | (scores if truth else dict.fromkeys(scores, np.nan)))
    return pandas.DataFrame(rows)


def listed(path):
    """Write the file that lists the experiment's recoveries; return its name."""
    Path(path).write_text(listing(ASKED, set()))
    return path


def data_of(page):
    """Return the data of a page."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The page of EXPERIMENT in which one recovery is missing, made by the command."""
    folder = tmp_path_factory.mktemp("shown")
    last = experiments.recoveries(EXPERIMENT)[-1].folder
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        results(folder, left_out=[last]).to_csv("scores.csv", index=False)
        words = ["scores.csv", listed("listed.csv"), "page.html", "--title", TITLE, "--metrics", NAMED]
        words += ["--stand-ins", json.dumps({"hill": "for <b>another</b>"}), "--not-made", "1 of 24: DIP on hill"]
        result = CliRunner().invoke(show.main, words)
    assert result.exit_code == 0, result.output
    return folder / "page.html"


@pytest.fixture
def at(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ---- what is in the file


def test_a_case_has_truth_input_and_every_recovery_with_numbers(shown):
    data = data_of(shown.read_text())
    assert [(c["image"], c["corruption"], c["seed"]) for c in data["cases"]] == [
        (image, corruption, f"noise {seed}")
        for image in ("house", "hill")
        for corruption in ("sigma=0.1", "sigma=0.3")
        for seed in (0, 1)
    ]
    case = data["cases"][0]
    assert [p["label"] for p in case["panels"]] == ["Truth", "Input", "Wiener", HOSTILE, "DIP"]
    assert (case["name"], case["size"]) == ("σ = 0.1", [40, 32])
    truth, measured, wiener, tv, _ = case["panels"]
    assert truth["numbers"] == {} and "error" not in truth
    assert measured["numbers"] == {"PSNR": "10.00 dB", "SSIM": "0.100", "GMSD": "0.5000"}
    assert wiener["numbers"]["Time"] == "1.5 s" and wiener["best"] == []
    assert tv["best"] == ["PSNR", "SSIM", "GMSD"] and tv["settings"]["lam"] == "0.05"
    assert tv["settings"]["folder"].endswith("/tv/lam=0.05")


def test_images_are_there_once_and_lossless(shown):
    data, page = data_of(shown.read_text()), shown.read_text()
    panels, keys = [panel for case in data["cases"] for panel in case["panels"]], ("image", "error", "removed")
    used = [panel[key] for panel in panels for key in keys if key in panel]
    assert set(used) == set(data["images"]) and used.count("house") == 4
    assert all(page.count(image) == times for image, times in Counter(data["images"].values()).items())
    for case in (data["cases"][0], data["cases"][4]):
        of = {panel["label"]: panel for panel in case["panels"]}
        x, y = np.load(shown.parent / f"results/images/{case['image']}.npy"), None
        folder = shown.parent / of["Wiener"]["settings"]["folder"]
        y = np.load(folder / "recovered.npy")
        assert np.array_equal(decoded(data["images"][of["Truth"]["image"]])[..., 0], np.round(255 * x[0]))
        error = np.abs(y - x).mean(0)
        coded = decoded(data["images"][of["Wiener"]["error"]])[..., 0] / 255 * case["scale"]
        below = error < case["scale"]
        assert np.abs(coded - error)[below].max() <= case["scale"] / 510 * 1.001
        assert below.mean() > 0.99


def test_what_was_removed_is_on_one_scale_of_three_sigma_in_colours_and_of_the_truth_it_is_the_noise(shown):
    data = data_of(shown.read_text())
    for case, sigma, channels in ((data["cases"][0], 0.1, slice(1)), (data["cases"][4], 0.1, slice(3))):
        assert (case["range"], case["sigma"]) == (pytest.approx(3 * sigma), sigma)
        of = {panel["label"]: panel for panel in case["panels"]}
        assert "removed" not in of["Input"]
        y = np.load(shown.parent / Path(of["Wiener"]["settings"]["folder"]).parents[1] / "picture.npy")
        files = {"Truth": f"results/images/{case['image']}.npy"}
        files |= {label: f"{of[label]['settings']['folder']}/recovered.npy" for label in ("Wiener", HOSTILE, "DIP")}
        for label, file in files.items():
            left = y - np.load(shown.parent / file)
            coded = np.moveaxis(decoded(data["images"][of[label]["removed"]]), -1, 0)[channels].astype(int) - 128
            expected = np.clip(left, -case["range"], case["range"])
            assert np.abs(coded / 127 * case["range"] - expected).max() <= case["range"] / 254 * 1.001
            assert left.std() == pytest.approx(sigma * GAIN.get(label.lower(), 1 if label == "Truth" else 0.6), rel=0.1)


def test_nothing_is_removed_of_what_is_no_picture_and_a_page_of_it_needs_no_measurement(at):
    experiment = EXPERIMENT | {"images": ["house"], "task": "single_pixel", "corruption": {"sigma": 0.1}}
    scores = results(at, experiment)
    for path in at.rglob("measurement.npz"):
        path.unlink()
    (case,) = show.collect(scores, experiments.recoveries(experiment), METRICS)["cases"]
    assert case["range"] is None and not [panel for panel in case["panels"] if "removed" in panel]


def test_where_no_noise_was_told_the_scale_of_what_was_removed_is_that_of_the_recoveries(at):
    experiment = EXPERIMENT | {"images": ["house"], "corruption": {"sigma": 0.1}}
    scores = results(at, experiment)
    (path,) = at.rglob("measurement.npz")
    y = np.load(path)["y"]
    save(path, torch.from_numpy(y), "denoising", y.shape, {}, Noise("gaussian", {"sigma": 0.0}, 0.0))
    (case,) = show.collect(scores, experiments.recoveries(experiment), METRICS)["cases"]
    ours = [np.abs(y - np.load(f"{folder}/recovered.npy")) for folder in scores["folder"]]
    assert (case["sigma"], case["range"]) == (0, maps.scale(ours))


def test_what_is_missing_is_said(shown):
    data = data_of(shown.read_text())
    last = data["cases"][-1]["panels"][-1]
    assert (last["label"], last["kind"], last["numbers"]) == ("DIP", "missing", {})
    assert "image" not in last and "error" not in last
    best, *notes = data["notes"]
    assert best == "★: the best recovery. Higher is better: PSNR, SSIM. Lower is better: GMSD."
    assert notes == ["hill is a stand-in for <b>another</b>.", "Not made, 1 of 24: DIP on hill."]


def test_no_text_ends_the_script_and_the_policy_allows_nothing_else(shown):
    page = shown.read_text()
    assert page.count("</script>") == page.count("<script") == 2
    assert "<img" not in page.replace("&lt;img", "") and "<!--" not in page
    (policy,) = re.findall(r'Content-Security-Policy" content="(.*?)"', page)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-") and "unsafe" not in policy
    own = "".join(path.read_text() for path in show.VIEWER.iterdir())
    assert not re.findall(r"https?:|//\w+\.|@import|url\(|src=|href=\"(?!data:)|fetch\(|import\(", own)


def test_what_exceeds_the_limit_is_left_out_later_seeds_first(at):
    scores = results(at)
    everything = show.collect(scores, ASKED, METRICS)
    assert everything["left"] == []
    total = sum(map(len, everything["images"].values()))
    places = [f"{image} (sigma={sigma})" for image in ("house", "hill") for sigma in (0.1, 0.3)]
    for part, seen, left in (
        (0.99, ["noise 0", "noise 1"] * 4, ["removed noise from hill (sigma=0.3) on"]),
        (0.45, ["noise 0"] * 4, ["seed noise 1", "removed noise from hill (sigma=0.3) on"]),
        (0.15, ["noise 0"] * 2, ["hill (sigma=0.1)", "hill (sigma=0.3)", "seed noise 1"]),
        (0, [], [*places, "seed noise 1"]),
    ):
        data = show.collect(scores, ASKED, METRICS, part * total)
        rest = ["removed noise from house (sigma=0.3) on"] if part == 0.15 else []
        assert ([case["seed"] for case in data["cases"]], data["left"]) == (seen, [*left, *rest]), part
        assert sum(map(len, data["images"].values())) <= part * total


def test_without_a_ground_truth_there_is_nothing_that_needs_one(at):
    data = show.collect(results(at, truth=False), ASKED, METRICS)
    for case in data["cases"]:
        assert [panel["label"] for panel in case["panels"]] == ["Input", "Wiener", HOSTILE, "DIP"]
        assert case["scale"] is None
        assert not [panel for panel in case["panels"] if "error" in panel or panel["best"]]
        assert [set(panel["numbers"]) for panel in case["panels"]] == [set(), {"Time"}, {"Time"}, {"Time"}]
        assert ["removed" in panel for panel in case["panels"]] == [False, True, True, True] and case["range"]


def test_the_page_says_of_what_there_is_no_truth(at):
    results(at, truth=False).to_csv("scores.csv", index=False)
    words = ["scores.csv", listed("listed.csv"), "page.html", "--title", "T", "--metrics", NAMED]
    result = CliRunner().invoke(show.main, words)
    assert result.exit_code == 0, result.output
    notes = data_of(Path("page.html").read_text())["notes"]
    assert notes == ["No ground truth is known of house, hill: no errors, no PSNR, no SSIM, no GMSD."]


def test_of_large_pictures_the_centre_is_shown_with_all_that_is_of_it_and_the_page_says_so(at, monkeypatch):
    monkeypatch.setattr(pictures, "WHOLE", 32 * 40 - 1)
    monkeypatch.setattr(pictures, "SIDE", 16)
    scores = results(at)
    scores.to_csv("scores.csv", index=False)
    words = ["scores.csv", listed("listed.csv"), "page.html", "--title", "T", "--metrics", NAMED]
    assert CliRunner().invoke(show.main, words).exit_code == 0
    data = data_of(Path("page.html").read_text())
    assert data["notes"][-1] == "Of large pictures the centre is shown; numbers are of the whole."
    assert {decoded(image).shape[:2] for image in data["images"].values()} == {(16, 16)}
    assert all(case["size"] == [16, 16] and case["range"] for case in data["cases"])
    whole = show.png(np.load("results/images/house.npy")[0, 8:24, 12:28])
    assert data["images"]["house"] == whole


def test_methods_of_several_seeds_are_side_by_side_in_their_order_each_with_its_own_seed(at):
    dip = {"method": "dip", "params": {"iterations": 5, "seed": [0, 1]}}
    experiment = EXPERIMENT | {
        "images": ["house"],
        "corruption": {"sigma": 0.1, "seed": [0, 1]},
        "methods": [{"method": "wiener"}, dip, {**dip, "label": "other", "params": {"iterations": 6, "seed": [5, 6]}}],
    }
    data = show.collect(results(at, experiment), experiments.recoveries(experiment), METRICS)
    assert [(case["seed"], [panel["numbers"].get("Seed") for panel in case["panels"]]) for case in data["cases"]] == [
        (f"noise {noise}, run {run + 1} of 2", [None, None, None, str(run), str(5 + run)])
        for noise in (0, 1)
        for run in (0, 1)
    ]


def test_equal_numbers_are_equally_good_and_a_perfect_recovery_is_shown():
    panels = [{"kind": "input", "best": [], "numbers": {PSNR: 99.0}}]
    panels += [{"kind": "recovery", "best": [], "numbers": {PSNR: value, TIME: 1234.5}} for value in (30.001, 30.0, 29)]
    show.mark_best(panels)
    assert [panel["best"] for panel in panels] == [[], ["PSNR"], ["PSNR"], []]
    assert panels[1]["numbers"] == {"PSNR": "30.00 dB", "Time": "1200 s"}


# ---- in a browser


def canvases(browser):
    return browser.driver.find_elements(By.CSS_SELECTOR, "#stage canvas")


def address(browser):
    return {name: values[0] for name, values in parse_qs(browser.run("return location.hash.slice(1)")).items()}


def choose(browser, name, value):
    browser.run(
        "const s = document.getElementById(arguments[0]); s.value = arguments[1]; s.dispatchEvent(new Event('change'))",
        name,
        value,
    )
    browser.settle()


def enlarged(image, pixels):
    """Return an image (H, W, 3) with each pixel repeated to the size of other pixels."""
    factor = pixels.shape[1] // image.shape[1]
    return image.repeat(factor, 0).repeat(factor, 1)


def is_shown(image, pixels):
    """Return whether pixels are an image (H, W, 3) enlarged: the centres of its pixels if not by a whole number."""
    scale = pixels.shape[1] / image.shape[1]
    if scale.is_integer():
        return np.array_equal(pixels, enlarged(image, pixels))
    rows, columns = (((np.arange(side) + 0.5) * scale).astype(int) for side in image.shape[:2])
    return np.abs(pixels[np.ix_(rows, columns)].astype(int) - image).max() <= 1


def in_the_middle(image, pixels):
    """Return an image (H, W, 3) in the middle of pixels of which the others are empty."""
    (height, width, _), filled = image.shape, np.zeros_like(pixels)
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    filled[top : top + height, left : left + width] = image
    return filled


def page_of(folder, *sizes, methods=("Wiener",)):
    """Write a page of one case for each size (width, height), of Truth, Input and methods; return its path."""
    cases, images = [], {}
    for width, height in sizes:
        panels = []
        for label in ("Truth", "Input", *methods):
            name = f"{label} {width} x {height}"
            images[name] = show.png(np.random.default_rng(len(images)).random((height, width, 3)))
            numbers = {"PSNR": "31.74 dB", "SSIM": "0.892", "Time": "10.09 s"} if label in methods else {}
            made = {"kind": "recovery", "settings": {"method": "tv"}} if label in methods else {"kind": label.lower()}
            panels.append({"label": label, "numbers": numbers, "best": [], "settings": {}, "image": name} | made)
        case = {"image": f"{width} x {height}", "corruption": "", "name": "", "seed": "", "panels": panels}
        cases.append(case | {"size": [width, height], "scale": None, "range": None})
    path = Path(folder, "page.html")
    path.write_text(show.page({"cases": cases, "images": images, "notes": [], "better": {}}, "T"))
    return path


def embedded(page, case, label, kind="image"):
    data = data_of(page.read_text())
    panel = next(panel for panel in data["cases"][case]["panels"] if panel["label"] == label)
    return decoded(data["images"][panel[kind]])


def test_it_loads_without_a_network_or_errors_and_hostile_text_is_only_text(browser, shown):
    assert browser.open(shown) == ([], [])
    assert browser.driver.title == TITLE
    assert browser.run("return document.querySelector('h1').textContent") == TITLE
    labels = browser.run("return [...document.querySelectorAll('figcaption h2')].map(e => e.textContent)")
    assert labels == ["Truth", "Input", "Wiener", HOSTILE, "DIP"]
    assert not browser.run("return document.querySelector('img')")


def test_panels_are_pixel_exact_and_choices_change_them(browser, shown):
    browser.open(shown)
    before = browser.screenshot()
    first = browser.pixels(canvases(browser)[2])
    assert first.shape[1] > 40 and is_shown(embedded(shown, 0, "Wiener"), first)
    for case, (name, value) in {1: ("seed", "noise 1"), 3: ("corruption", "sigma=0.3"), 7: ("image", "hill")}.items():
        choose(browser, name, value)
        after = browser.screenshot()
        assert not np.array_equal(before, after), name
        assert address(browser)[name] == value
        now = browser.pixels(canvases(browser)[2])
        assert is_shown(embedded(shown, case, "Wiener"), now), name
        before = after
    assert "not made" in browser.driver.find_element(By.ID, "stage").text
    browser.keys("i", "c", "n")
    assert address(browser) == {"image": "house", "corruption": "sigma=0.1", "seed": "noise 0"}
    browser.keys("C")
    assert address(browser)["corruption"] == "sigma=0.3"


def test_zooming_one_panel_zooms_all_at_the_same_place(browser, shown):
    browser.open(shown)
    whole = [browser.pixels(canvas) for canvas in canvases(browser)]
    target = canvases(browser)[3]
    ActionChains(browser.driver).scroll_from_origin(_over(target), 0, -500).perform()
    browser.settle()
    said = address(browser)
    assert float(said["zoom"]) == pytest.approx(4, rel=0.01)
    zoomed = [browser.pixels(canvas) for canvas in canvases(browser)]
    height, width = whole[0].shape[:2]
    left = (float(said.get("x", 0.5)) - 0.5 / float(said["zoom"])) * 40
    top = (float(said.get("y", 0.5)) - 0.5 / float(said["zoom"])) * 32
    scale = width / 40 * float(said["zoom"])
    columns = np.clip((left + (np.arange(0, width, 7) + 0.5) / scale).astype(int), 0, 39)
    rows = np.clip((top + (np.arange(0, height, 7) + 0.5) / scale).astype(int), 0, 31)
    for i, label in enumerate(["Truth", "Input", "Wiener", HOSTILE, "DIP"]):
        expected = embedded(shown, 0, label)[np.ix_(rows, columns)]
        same = (zoomed[i][::7, ::7] == expected).all(-1).mean()
        assert same > 0.85 and not np.array_equal(whole[i], zoomed[i]), (label, same)
    ActionChains(browser.driver).drag_and_drop_by_offset(target, 70, 0).perform()
    browser.settle()
    moved = address(browser)
    assert float(moved["x"]) == pytest.approx(float(said.get("x", 0.5)) - 70 / width / float(said["zoom"]), abs=0.002)
    browser.keys(Keys.ARROW_RIGHT)
    assert float(address(browser)["x"]) > float(moved["x"])
    browser.keys("0")
    assert "zoom" not in address(browser)
    browser.keys("+", "+")
    assert float(address(browser)["zoom"]) > 1
    browser.keys("-", "-")
    assert "zoom" not in address(browser)


@pytest.mark.parametrize("keys", ["1", "++1", "--------1", "--------"])
def test_one_to_one_is_a_screen_pixel_for_an_image_pixel_in_the_middle_of_the_panel(browser, shown, keys):
    browser.open(shown)
    whole = browser.pixels(canvases(browser)[2])
    browser.keys(*keys)
    now = browser.pixels(canvases(browser)[2])
    assert now.shape == whole.shape
    assert np.array_equal(now, in_the_middle(embedded(shown, 0, "Wiener"), now))
    assert browser.driver.find_element(By.ID, "zoom").text == "1×"
    view = address(browser)
    assert float(view["zoom"]) == pytest.approx(40 / whole.shape[1], abs=1e-4)
    browser.open(shown, f"#zoom={view['zoom']}")
    assert np.array_equal(browser.pixels(canvases(browser)[2]), now)
    browser.keys("+")
    assert browser.driver.find_element(By.ID, "zoom").text == "2×"
    browser.keys("0")
    assert np.array_equal(browser.pixels(canvases(browser)[2]), whole)


def test_the_wheel_makes_nothing_smaller_than_the_whole_image(browser, shown):
    browser.open(shown)
    target = canvases(browser)[3]
    for turns, zoom in ((-500, 4), (900, 1), (900, 1)):
        ActionChains(browser.driver).scroll_from_origin(_over(target), 0, turns).perform()
        browser.settle()
        assert float(address(browser).get("zoom", 1)) == pytest.approx(zoom, rel=0.01)
    browser.keys("1")
    small = float(address(browser)["zoom"])
    ActionChains(browser.driver).scroll_from_origin(_over(target), 0, 200).perform()
    browser.settle()
    assert float(address(browser)["zoom"]) == small
    ActionChains(browser.driver).scroll_from_origin(_over(target), 0, -100).perform()
    browser.settle()
    assert small < float(address(browser)["zoom"]) < 1


def _over(element):
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    return ScrollOrigin.from_element(element, 20, 10)


def test_two_fingers_zoom(browser, shown):
    browser.open(shown, width=360, height=740, touch=True)
    box = canvases(browser)[0].rect
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for kind, gap in (("touchStart", 10), ("touchMove", 20), ("touchMove", 30), ("touchEnd", None)):
        points = [{"x": x + way * gap, "y": y, "id": i} for i, way in enumerate((-1, 1))] if gap else []
        browser.devtools("Input.dispatchTouchEvent", type=kind, touchPoints=points)
    browser.settle()
    assert 2 < float(address(browser)["zoom"]) < 4


def test_a_swipe_by_mouse_and_by_keys(browser, shown):
    browser.open(shown)
    browser.keys("s")
    choose(browser, "left", "Input")
    choose(browser, "right", "Wiener")
    (canvas,) = canvases(browser)
    start, whole = browser.pixels(canvas), []
    browser.run("document.getElementById('divider').focus()")
    for key, label in ((Keys.END, "Input"), (Keys.HOME, "Wiener")):
        browser.keys(key)
        whole.append(browser.pixels(canvas))
        assert is_shown(embedded(shown, 0, label), whole[-1])
    browser.keys(*["."] * 25)
    now, (left, right) = browser.pixels(canvas), whole
    assert np.array_equal(now, start)

    def divided(at):
        expected = np.where(np.arange(now.shape[1])[:, None] < round(at * now.shape[1]), left, right)
        assert np.array_equal(browser.pixels(canvas), expected)

    divided(0.5)
    divider = browser.driver.find_element(By.ID, "divider")
    ActionChains(browser.driver).drag_and_drop_by_offset(divider, -now.shape[1] // 4, 0).perform()
    browser.settle()
    assert float(address(browser)["at"]) == pytest.approx(25, abs=1)
    divided(float(address(browser)["at"]) / 100)
    browser.run("document.getElementById('divider').focus()")
    browser.keys(Keys.HOME)
    divided(0)
    browser.keys(*[Keys.ARROW_RIGHT] * 5)
    divided(0.05)
    assert divider.get_attribute("aria-valuenow") == "5"
    assert divider.get_attribute("aria-valuetext") == "5 % Input"
    with held(browser, "f"):
        divided(1)
    divided(0.05)
    browser.keys("r")
    assert address(browser)["right"] == HOSTILE
    browser.keys("s")
    assert len(canvases(browser)) == 5


@contextlib.contextmanager
def held(browser, key):
    """While in it, a key is held."""
    ActionChains(browser.driver).key_down(key).perform()
    browser.settle()
    yield
    ActionChains(browser.driver).key_up(key).perform()
    browser.settle()


def headings(browser):
    return browser.run("return [...document.querySelectorAll('figcaption h2')].map(e => e.textContent)")


def test_flicker_shows_the_left_image_everywhere_while_held_and_captions_say_so(browser, shown):
    browser.open(shown)
    labels = headings(browser)

    def look():
        return [browser.pixels(canvas) for canvas in canvases(browser)]

    def is_flipped():
        now, said = look(), headings(browser)
        flipped = all(np.array_equal(one, before[0]) for one in now), said == ["Truth (held)"] * 5
        back = all(np.array_equal(one, old) for one, old in zip(now, before)), said == labels
        assert all(flipped) or all(back), (flipped, back)
        shown = browser.run("return getComputedStyle(document.querySelector('.numbers')).visibility") == "visible"
        assert shown == all(back)
        return all(flipped)

    before = look()
    with held(browser, "f"):
        assert is_flipped()
    assert not is_flipped()
    button = browser.driver.find_element(By.ID, "flip")
    assert button.text == "Hold for Truth"
    away = browser.driver.find_element(By.TAG_NAME, "h1")
    ActionChains(browser.driver).click_and_hold(button).perform()
    browser.settle()
    assert is_flipped() and button.get_attribute("aria-pressed") == "true"
    ActionChains(browser.driver).move_to_element(away).release().perform()
    browser.settle()
    assert not is_flipped() and button.get_attribute("aria-pressed") == "false"
    browser.run("arguments[0].focus()", button)
    with held(browser, Keys.SPACE):
        assert is_flipped()
    assert not is_flipped()
    with held(browser, "f"):  # the window that one goes away from hears of no key
        browser.run("dispatchEvent(new Event('blur'))")
        browser.settle()
        assert not is_flipped()
    browser.keys("l")
    assert button.text == "Hold for Input"


def test_what_was_removed_is_seen_gray_and_read_in_the_captions(browser, shown):
    browser.open(shown)
    browser.keys("d")
    for i, (label, kind) in enumerate((("Truth", "removed"), ("Input", "image"), ("Wiener", "removed"))):
        assert is_shown(embedded(shown, 0, label, kind), browser.pixels(canvases(browser)[i]))
    bar = browser.driver.find_element(By.ID, "bar")
    assert bar.text.split("\n")[:3] == ["≤ −0.3", "0", "≥ 0.3"]
    assert "± 0.3: three standard deviations of the noise. Of Truth it is the noise itself." in bar.text
    gray = browser.pixels(bar.find_element(By.TAG_NAME, "canvas"))
    assert np.array_equal(gray[0], np.arange(256)[:, None].repeat(3, 1))
    ActionChains(browser.driver).move_to_element_with_offset(canvases(browser)[2], 3, 3).perform()
    browser.settle()
    place, values = pixel_and_values(browser)
    folder = data_of(shown.read_text())["cases"][0]["panels"][2]["settings"]["folder"]
    y, estimate = (np.load(shown.parent / folder / file) for file in ("../../picture.npy", "recovered.npy"))
    read = float(values["Wiener"].removeprefix("removed ").replace("−", "-"))
    assert read == pytest.approx((y - estimate)[0][place], abs=0.002)
    assert address(browser)["view"] == "removed"
    browser.keys("e")
    assert address(browser)["view"] == "error"
    browser.keys("d", "d")
    assert "view" not in address(browser)


def test_errors_are_in_the_colours_of_the_bar(browser, shown):
    browser.open(shown)
    browser.keys("e")
    colours = matplotlib.colormaps["inferno"](np.arange(256), bytes=True)[:, :3]
    for i, label in ((1, "Input"), (2, "Wiener")):
        pixels = browser.pixels(canvases(browser)[i])
        assert is_shown(colours[embedded(shown, 0, label, "error")[..., 0]], pixels)
    assert is_shown(embedded(shown, 0, "Truth"), browser.pixels(canvases(browser)[0]))
    end = data_of(shown.read_text())["cases"][0]["scale"]
    assert browser.driver.find_element(By.ID, "ticks").text.split("\n")[-1] == f"≥ {end:g}"
    bar = browser.pixels(browser.driver.find_element(By.CSS_SELECTOR, "#bar canvas"))
    assert np.array_equal(bar[0], colours)
    assert address(browser)["view"] == "error"


def test_the_pixel_under_the_pointer_is_read_in_all_panels(browser, shown):
    browser.open(shown)
    canvas = canvases(browser)[2]
    ActionChains(browser.driver).move_to_element_with_offset(canvas, 3, 3).perform()
    browser.settle()
    assert browser.driver.find_element(By.ID, "pixel").text == "Row 16, column 20"
    values = [element.text for element in browser.driver.find_elements(By.CLASS_NAME, "value")]
    assert values == [
        f"{embedded(shown, 0, label)[16, 20, 0] / 255:.3f}" for label in ("Truth", "Input", "Wiener", HOSTILE, "DIP")
    ]


def pixel_and_values(browser):
    """Return the (row, column) that the page names, None if none, and what it says of it by label."""
    found = re.fullmatch(r"Row (\d+), column (\d+)", browser.driver.find_element(By.ID, "pixel").text)
    captions = browser.run(
        "return [...document.querySelectorAll('figcaption')].map(e =>"
        " [e.querySelector('h2').textContent, e.querySelector('.value').textContent])"
    )
    return found and tuple(map(int, found.groups())), dict(captions)


def test_the_pixel_is_read_anew_when_the_view_changes(browser, shown):
    browser.open(shown)
    ActionChains(browser.driver).move_to_element_with_offset(canvases(browser)[2], 3, 3).perform()
    browser.settle()
    for key, case in (("c", 2), ("i", 6), ("s", 6), ("s", 6)):
        browser.keys(key)
        place, values = pixel_and_values(browser)
        assert place and len(values) == (2 if address(browser).get("layout") else 5)
        for label, value in values.items():
            pixel = embedded(shown, case, label)[place]
            assert value == " ".join(f"{v / 255:.3f}" for v in (pixel if len(set(pixel)) > 1 else pixel[:1])), key
    browser.keys("e")
    place, values = pixel_and_values(browser)
    assert place and [value.startswith("error") for value in values.values()] == [False, True, True, True, True]


def test_a_pixel_that_the_next_image_has_not_is_not_named(browser, at):
    browser.open(page_of(at, (40, 32), (8, 8)))
    browser.run(  # by no pointer, which would be over another pixel at once
        "const [canvas, at] = [arguments[0], arguments[0].getBoundingClientRect()]; canvas.dispatchEvent(new"
        " PointerEvent('pointermove', {bubbles: true, clientX: at.right - 3, clientY: at.bottom - 3}))",
        canvases(browser)[0],
    )
    assert pixel_and_values(browser)[0] == (31, 39)
    browser.keys("i")
    assert pixel_and_values(browser) == (None, {"Truth": "", "Input": "", "Wiener": ""})


def test_a_drag_ends_when_the_view_changes(browser, shown):
    browser.open(shown, "#zoom=4")
    away = browser.driver.find_element(By.TAG_NAME, "h1")
    chain = ActionChains(browser.driver).click_and_hold(canvases(browser)[2]).move_by_offset(5, 5)
    chain.send_keys("e").pause(0.5).move_to_element(away).release().perform()
    browser.settle()
    before = address(browser)
    ActionChains(browser.driver).move_to_element(canvases(browser)[2]).move_by_offset(30, 30).perform()
    browser.settle()
    assert address(browser) == before


@pytest.mark.parametrize("size", [(16, 512), (512, 16), (3000, 20), (20, 3000)])
@pytest.mark.parametrize("layout", ["side", "swipe"])
@pytest.mark.parametrize("window", [{}, {"width": 360, "height": 740, "touch": True}])
def test_a_very_tall_or_wide_image_is_wholly_in_the_window(browser, at, size, layout, window):
    page = page_of(at, size)
    browser.open(page, f"#layout={layout}&left=Wiener&right=Wiener", **window)
    canvas = canvases(browser)[-1]
    seen, whole = browser.pixels(canvas), embedded(page, 0, "Wiener")
    width, height = browser.run("return [innerWidth, innerHeight]")
    assert seen.shape[0] <= height and 150 <= seen.shape[1] <= width
    scale = float(browser.driver.find_element(By.ID, "zoom").text[:-1])
    if scale.is_integer():
        scaled = whole.repeat(int(scale), 0).repeat(int(scale), 1)
        assert np.array_equal(seen, in_the_middle(scaled, seen))
    else:  # smaller, so smoothed, or of no whole number of screen pixels
        filled = np.argwhere(seen.any(-1))
        extent = filled.max(0) - filled.min(0) + 1
        assert extent == pytest.approx(np.multiply(size[::-1], max(extent) / max(size)), abs=1.5)
        assert max(extent) > 300


SIX = ("Wiener", "TV", "NLM", "BM3D", "BM3D (package)", "DIP")


@pytest.mark.parametrize("window", [(1400, 900), (2560, 1300), (1100, 760)])
@pytest.mark.parametrize("methods", [SIX[:1], SIX[:3], SIX])
@pytest.mark.parametrize("size", [(128, 128), (160, 96), (700, 500)])
def test_panels_fill_the_window_and_all_are_in_sight(browser, at, window, methods, size):
    page = page_of(at, size, methods=methods)
    browser.open(page, width=window[0], height=window[1])
    boxes = browser.run("return [...document.querySelectorAll('figure')].map(e => e.getBoundingClientRect().toJSON())")
    right, bottom = (max(box[side] for box in boxes) for side in ("right", "bottom"))
    assert right <= window[0] and bottom <= window[1]
    filled = sum(box["width"] * box["height"] for box in boxes) / (window[0] * (window[1] - boxes[0]["top"]))
    large = window[0] >= 1400
    assert (
        not large or filled > 0.8 or (size, methods) != ((128, 128), SIX)
    )  # what others leave depends on their proportions
    pixels = browser.pixels(canvases(browser)[2])
    scale = pixels.shape[1] / size[0]
    assert scale < 2 or is_shown(embedded(page, 0, "Wiener"), pixels)


def test_many_panels_are_not_tiny_but_one_scrolls(browser, at):
    browser.open(page_of(at, (128, 128), methods=[f"method {i}" for i in range(40)]), width=1400, height=900)
    assert canvases(browser)[0].size["width"] > 250
    assert browser.run("return document.documentElement.scrollHeight") > 2000


def test_on_a_phone_controls_take_at_most_a_quarter_of_the_height(browser, shown):
    browser.open(shown, width=390, height=844, touch=True)
    assert browser.driver.find_element(By.ID, "seed").is_displayed()
    assert browser.run("return document.getElementById('stage').getBoundingClientRect().top") <= 844 / 4
    for name in ("image", "corruption", "seed", "error", "removed", "swipe", "flip", "fit", "exact", "keys"):
        box = browser.driver.find_element(By.ID, name).rect
        assert box["height"] >= 32 and box["width"] >= 32, name


def test_the_buttons_of_the_views_say_what_they_do_or_why_they_do_not(browser, at):
    parts = [results(at, EXPERIMENT | {"images": [name]}, truth=name == "house") for name in EXPERIMENT["images"]]
    data = show.collect(pandas.concat(parts), ASKED, METRICS)
    for case in data["cases"]:
        case["range"] = case["range"] if case["image"] == "hill" else None  # as of what is no picture
    (at / "page.html").write_text(show.page(data | {"notes": []}, "T"))
    browser.open(at / "page.html", "#view=removed")
    errors = ("Absolute errors in place of the images (E)", "There are no errors without a ground truth")
    removed = ("What was removed, y − A x̂, in place of the images (D)", "There is no removed noise: the measurement")
    for image, there in (("house", (True, False)), ("hill", (False, True)), ("house", (True, False))):
        choose(browser, "image", image)
        for name, titles, enabled in zip(("error", "removed"), (errors, removed), there):
            button = browser.driver.find_element(By.ID, name)
            assert button.is_enabled() == enabled
            assert button.get_attribute("title").startswith(titles[0 if enabled else 1])
        pressed = browser.driver.find_element(By.ID, "removed").get_attribute("aria-pressed") == "true"
        assert pressed == browser.driver.find_element(By.ID, "bar").is_displayed() == there[1]
        browser.keys("d" if image == "house" else "e")  # what a button does not do, its key does not
        assert address(browser)["view"] == "removed"
    assert "Truth" not in data["cases"][4]["panels"][0]["label"]


def test_an_address_brings_the_view_back(browser, shown):
    view = (
        "#image=hill&corruption=sigma%3D0.3&seed=noise+1&view=error&layout=swipe&zoom=2&left=Input&right=Wiener&at=30"
    )
    browser.open(shown, view)
    assert address(browser) == parse_first(view)
    assert browser.run("return document.getElementById('image').value") == "hill"
    assert browser.driver.find_element(By.ID, "bar").is_displayed()
    again = browser.screenshot()
    browser.open(shown, view)
    assert np.array_equal(browser.screenshot(), again)
    complaints, _ = browser.open(shown, "#image=nobody&view=x&zoom=-1&x=NaN&left=%3Cb%3E&__proto__=1&layout=4")
    assert complaints == [] and address(browser)["image"] == "house"


def parse_first(view):
    return {name: values[0] for name, values in parse_qs(view[1:]).items()}


CONTRAST = """
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
  .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
  if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
return [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() && e.id !== "status" &&
  [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())).map((e) => {
  const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
  return [(a + 0.05) / (b + 0.05), e.tagName + " " + e.textContent.trim().slice(0, 20)]; });
"""


def test_light_and_dark_have_contrast(browser, shown):
    grounds = []
    for dark in (False, True):
        for keys in ("", "e", "d", "s"):
            browser.open(shown, "#image=hill&corruption=sigma%3D0.3&seed=noise+1", dark=dark)
            browser.keys(*keys)
            found = browser.run(CONTRAST)
            assert len(found) > 20 and min(found)[0] >= 4.5, (dark, keys, min(found))
        grounds.append(browser.run("return getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(255, 255, 255)", "rgb(20, 23, 26)"]


@pytest.mark.parametrize("keys", ["", "e", "d", "s", "es", "?"])
def test_a_phone_needs_no_sideways_scrolling(browser, shown, keys):
    browser.open(shown, width=360, height=740, touch=True)
    browser.keys(*keys)
    wide = browser.run(
        "return [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() &&"
        " e.getBoundingClientRect().right > 361 && !e.closest('.unseen')).map(e => e.outerHTML.slice(0, 80))"
    )
    assert wide == [] and browser.run("return document.documentElement.scrollWidth") <= 360
    assert browser.run("return innerWidth") == 360  # the page was not made smaller to fit


def test_all_of_it_is_reached_by_keys(browser, shown):
    browser.open(shown)
    reached = []
    for _ in range(30):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        element = browser.driver.switch_to.active_element
        reached.append(element.get_attribute("id") or element.get_attribute("aria-label") or element.text)
        style = browser.run("return getComputedStyle(arguments[0]).outlineStyle", element)
        assert style == "solid" or element.tag_name == "body", reached[-1]
    for name in (
        "image",
        "corruption",
        "seed",
        "error",
        "removed",
        "swipe",
        "flip",
        "out",
        "in",
        "fit",
        "exact",
        "keys",
    ):
        assert name in reached
    assert "Wiener, PSNR" in " ".join(reached) and "Settings" in reached
    browser.keys("?")
    assert browser.driver.find_element(By.ID, "help").is_displayed()
    browser.keys(Keys.ESCAPE)
    assert not browser.driver.find_element(By.ID, "help").is_displayed()
    browser.run("document.querySelector('[data-label=Wiener]').focus()")
    browser.keys(Keys.ENTER)
    assert address(browser)["layout"] == "swipe" and address(browser)["right"] == "Wiener"


FOCUS = "const e = document.activeElement; return e.id || e.dataset.label || e.localName"


def test_the_focus_stays_when_the_view_changes(browser, shown):
    browser.open(shown)
    browser.run("document.querySelector('[data-label=Wiener]').focus()")
    for key, focused in (
        ("e", "Wiener"),
        (Keys.ENTER, "divider"),
        ("e", "divider"),
        ("c", "divider"),
        ("s", "Wiener"),
        ("s", "divider"),
        ("s", "Wiener"),
    ):
        browser.keys(key)
        assert browser.run(FOCUS) == focused, key
    figure = "document.querySelector('[data-label=Wiener]').closest('figure')"
    browser.run(f"{figure}.querySelector('summary').focus()")
    browser.keys("c")
    assert browser.run(f"return document.activeElement === {figure}.querySelector('summary')")
    browser.open(shown, "#image=hill&corruption=sigma%3D0.3&seed=noise+0")
    browser.run("document.querySelector('[data-label=DIP]').focus()")
    browser.keys("n")  # there DIP is not made
    assert browser.run("return document.activeElement.closest('#stage') !== null")


def test_pages_without_truth_and_without_anything(browser, at):
    data = show.collect(results(at, truth=False), ASKED, METRICS)
    (at / "page.html").write_text(show.page(data | {"notes": []}, "T"))
    assert browser.open(at / "page.html", "#view=error") == ([], [])
    assert len(canvases(browser)) == 4 and not browser.driver.find_element(By.ID, "error").is_enabled()
    assert not browser.driver.find_element(By.ID, "bar").is_displayed()
    (at / "page.html").write_text(show.page({"cases": [], "images": {}, "notes": ["Too large."], "better": {}}, "T"))
    assert browser.open(at / "page.html") == ([], [])
    assert "Too large." in browser.run("return document.body.innerText")


def test_the_note_of_the_code_has_the_files_of_the_page():
    from steps.run.sources import beside, checksums

    assert {Path(name).name for name in beside("look/viewer/*.*")} == {"page.html", "page.css", *show.SCRIPTS}
    assert {f"steps/look/viewer/{name}" for name in show.SCRIPTS} <= checksums().keys()
    assert base64.b64decode(show._digest("a").removeprefix("sha256-")).hex().startswith("ca978112")
