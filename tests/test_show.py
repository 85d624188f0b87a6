import base64
import json
import re
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs

import matplotlib
import numpy as np
import pandas
import pytest
from click.testing import CliRunner
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By

from steps import show
from steps.base.parameters import parse_parameters
from steps.base.recoveries import listing
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
    assert wiener["numbers"]["Time"] == "1.50 s" and wiener["best"] == []
    assert tv["best"] == ["PSNR", "SSIM", "GMSD"] and tv["settings"]["lam"] == "0.05"
    assert tv["settings"]["folder"].endswith("/tv/lam=0.05")


def test_images_are_there_once_and_lossless(shown):
    data, page = data_of(shown.read_text()), shown.read_text()
    used = [
        panel[key] for case in data["cases"] for panel in case["panels"] for key in ("image", "error") if key in panel
    ]
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
    for part, seen, left in (
        (0.9, ["noise 0"] * 4, ["seed noise 1"]),
        (0.3, ["noise 0"] * 2, ["hill (sigma=0.1)", "hill (sigma=0.3)", "seed noise 1"]),
        (0, [], [f"{image} (sigma={sigma})" for image in ("house", "hill") for sigma in (0.1, 0.3)] + ["seed noise 1"]),
    ):
        data = show.collect(scores, ASKED, METRICS, part * total)
        assert ([case["seed"] for case in data["cases"]], data["left"]) == (seen, left)
        assert sum(map(len, data["images"].values())) <= part * total


def test_without_a_ground_truth_there_is_nothing_that_needs_one(at):
    data = show.collect(results(at, truth=False), ASKED, METRICS)
    for case in data["cases"]:
        assert [panel["label"] for panel in case["panels"]] == ["Input", "Wiener", HOSTILE, "DIP"]
        assert case["scale"] is None
        assert not [panel for panel in case["panels"] if "error" in panel or panel["best"]]
        assert [set(panel["numbers"]) for panel in case["panels"]] == [set(), {"Time"}, {"Time"}, {"Time"}]


def test_the_page_says_of_what_there_is_no_truth(at):
    results(at, truth=False).to_csv("scores.csv", index=False)
    words = ["scores.csv", listed("listed.csv"), "page.html", "--title", "T", "--metrics", NAMED]
    result = CliRunner().invoke(show.main, words)
    assert result.exit_code == 0, result.output
    notes = data_of(Path("page.html").read_text())["notes"]
    assert notes == ["No ground truth is known of house, hill: no errors, no PSNR, no SSIM, no GMSD."]


def test_seeds_of_methods_are_a_choice_too_and_methods_without_are_in_each():
    experiment = EXPERIMENT | {
        "images": ["house"],
        "corruption": {"sigma": 0.1},
        "methods": [{"method": "wiener"}, {"method": "dip", "params": {"iterations": 5, "seed": [3, 4]}}],
    }
    found = show.cases(experiments.recoveries(experiment))
    assert [[r.params for r in case.recoveries] for case in found] == [
        ["default", "iterations=5,seed=3"],
        ["default", "iterations=5,seed=4"],
    ]
    assert show.seeds(found) == ["run 1 of 2", "run 2 of 2"]
    assert {case.name for case in found} == {"sigma=0.1"}


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


def test_the_colour_bar_ends_at_a_round_number_that_one_failure_does_not_move():
    flat = [np.full((10, 10), value) for value in (0.11, 0.12, 0.13)]
    assert show.scale(flat) == 0.15
    assert show.scale([*flat[:2], np.full((10, 10), 9.0)]) == 0.15
    assert show.scale([np.full((10, 10), 0.02)]) == 0.02
    assert show.scale([np.zeros((10, 10))]) > 0


def test_equal_numbers_are_equally_good_and_a_perfect_recovery_is_shown():
    panels = [{"kind": "input", "best": [], "numbers": {PSNR: 99.0}}]
    panels += [{"kind": "recovery", "best": [], "numbers": {PSNR: value, TIME: 1234.5}} for value in (30.001, 30.0, 29)]
    show.mark_best(panels)
    assert [panel["best"] for panel in panels] == [[], ["PSNR"], ["PSNR"], []]
    assert panels[1]["numbers"] == {"PSNR": "30.00 dB", "Time": "1234 s"}


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


def in_the_middle(image, pixels):
    """Return an image (H, W, 3) in the middle of pixels of which the others are empty."""
    (height, width, _), filled = image.shape, np.zeros_like(pixels)
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    filled[top : top + height, left : left + width] = image
    return filled


def page_of(folder, *sizes):
    """Write a page of one case for each size (width, height), of Truth, Input and one method; return its path."""
    cases, images = [], {}
    for width, height in sizes:
        names = {kind: f"{kind} {width} x {height}" for kind in ("truth", "input", "recovery")}
        noise = np.random.default_rng(width).random((3, height, width))
        images |= {name: show.png(image) for name, image in zip(names.values(), noise)}
        panels = [
            {"label": label, "kind": kind, "numbers": {}, "best": [], "settings": {}, "image": names[kind]}
            for label, kind in (("Truth", "truth"), ("Input", "input"), ("Wiener", "recovery"))
        ]
        case = {"image": f"{width} x {height}", "corruption": "", "name": "", "seed": "", "panels": panels}
        cases.append(case | {"size": [width, height], "scale": None})
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
    assert first.shape[1] > 40 and np.array_equal(first, enlarged(embedded(shown, 0, "Wiener"), first))
    for case, (name, value) in {1: ("seed", "noise 1"), 3: ("corruption", "sigma=0.3"), 7: ("image", "hill")}.items():
        choose(browser, name, value)
        after = browser.screenshot()
        assert not np.array_equal(before, after), name
        assert address(browser)[name] == value
        now = browser.pixels(canvases(browser)[2])
        assert np.array_equal(now, enlarged(embedded(shown, case, "Wiener"), now)), name
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
    ActionChains(browser.driver).drag_and_drop_by_offset(target, 60, 0).perform()
    browser.settle()
    moved = address(browser)
    assert float(moved["x"]) == pytest.approx(float(said.get("x", 0.5)) - 60 / width / float(said["zoom"]), abs=0.002)
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
    now = browser.pixels(canvas)
    left, right = (enlarged(embedded(shown, 0, label), now) for label in ("Input", "Wiener"))

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
    browser.keys("f")
    divided(1)
    browser.keys("f")
    divided(0)
    browser.keys("r")
    assert address(browser)["right"] == HOSTILE
    browser.keys("s")
    assert len(canvases(browser)) == 5


def test_flicker_shows_the_left_image_everywhere_and_back(browser, shown):
    browser.open(shown)
    before = [browser.pixels(canvas) for canvas in canvases(browser)]
    browser.keys("f")
    assert all(np.array_equal(browser.pixels(canvas), before[0]) for canvas in canvases(browser))
    browser.keys("f")
    assert all(np.array_equal(browser.pixels(canvas), old) for canvas, old in zip(canvases(browser), before))


def test_errors_are_in_the_colours_of_the_bar(browser, shown):
    browser.open(shown)
    truth = browser.pixels(canvases(browser)[0])
    browser.keys("e")
    colours = matplotlib.colormaps["inferno"](np.arange(256), bytes=True)[:, :3]
    for i, label in ((1, "Input"), (2, "Wiener")):
        pixels = browser.pixels(canvases(browser)[i])
        assert np.array_equal(pixels, enlarged(colours[embedded(shown, 0, label, "error")[..., 0]], pixels))
    assert np.array_equal(browser.pixels(canvases(browser)[0]), truth)
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
    if scale >= 1:
        scaled = whole.repeat(int(scale), 0).repeat(int(scale), 1)
        assert np.array_equal(seen, in_the_middle(scaled, seen))
    else:  # smaller, so smoothed
        filled = np.argwhere(seen.any(-1))
        extent = filled.max(0) - filled.min(0) + 1
        assert extent == pytest.approx(np.multiply(size[::-1], max(extent) / max(size)), abs=1.5)
        assert max(extent) > 300


def test_the_errors_button_says_what_it_does_with_and_without_a_ground_truth(browser, at):
    parts = [results(at, EXPERIMENT | {"images": [name]}, truth=name == "house") for name in EXPERIMENT["images"]]
    data = show.collect(pandas.concat(parts), ASKED, METRICS)
    (at / "page.html").write_text(show.page(data | {"notes": []}, "T"))
    browser.open(at / "page.html")
    button = browser.driver.find_element(By.ID, "error")
    for image, enabled, title in (
        ("house", True, "Absolute errors in place of the images (E)"),
        ("hill", False, "There are no errors without a ground truth"),
        ("house", True, "Absolute errors in place of the images (E)"),
    ):
        choose(browser, "image", image)
        assert (button.is_enabled(), button.get_attribute("title")) == (enabled, title)


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
        for keys in ("", "e", "s"):
            browser.open(shown, "#image=hill&corruption=sigma%3D0.3&seed=noise+1", dark=dark)
            browser.keys(*keys)
            found = browser.run(CONTRAST)
            assert len(found) > 20 and min(found)[0] >= 4.5, (dark, keys, min(found))
        grounds.append(browser.run("return getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(255, 255, 255)", "rgb(20, 23, 26)"]


@pytest.mark.parametrize("keys", ["", "e", "s", "es", "?"])
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
    for name in ("image", "corruption", "seed", "error", "swipe", "flip", "out", "in", "fit", "exact", "keys"):
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
