"""What a corruption says: its noise, that noise's parameters, one spelling."""

import pandas
import pytest

from steps import tabulate
from steps.base.errors import BadInput
from steps.look import style
from steps.plan import corruptions, experiments
from steps.tables import grouping
from steps.tables.columns import read_metrics


def test_the_signature_is_the_operator_s_then_the_noise_then_its_own():
    assert list(corruptions.allowed("deconvolution", {}))[-5:] == ["noise", "sigma", "bsnr", "clip", "seed"]
    assert list(corruptions.allowed("single_pixel", {"noise": "speckle"})) == [
        *("compression", "patterns", "order", "noise", "looks", "seed")
    ]
    text = "looks=30,noise=speckle,seed=1,compression=4"
    assert corruptions.spelled("single_pixel", text) == "compression=4,noise=speckle,looks=30,seed=1"


def test_gaussian_noise_is_spelled_as_ever():
    assert corruptions.spelled("denoising", "sigma=0.1,clip=true,seed=0") == "sigma=0.1,clip=true,seed=0"
    assert corruptions.parameters("denoising", {"sigma": 0.1}, "x") == ({}, {"sigma": 0.1, "clip": False, "seed": 0})
    assert corruptions.filled("denoising", "sigma=0.1") == {"noise": "gaussian", "sigma": 0.1, "clip": False, "seed": 0}


def test_the_seed_of_patterns_is_the_noise_s():
    operator, noise = corruptions.parameters("single_pixel", {"compression": 4, "seed": 3}, "x")
    assert operator == {"compression": 4.0, "seed": 3}
    assert noise == {"sigma": 0.0, "clip": False, "seed": 3}


def test_a_corruption_has_one_spelling():
    assert corruptions.spelled("denoising", "seed=0,sigma=1e-1") == "sigma=0.1,seed=0"


def test_bsnr_stands_in_the_place_of_sigma():
    assert corruptions.parameters("denoising", {"bsnr": 40}, "x")[1] == {"bsnr": 40.0, "clip": False, "seed": 0}
    assert "sigma" not in corruptions.filled("denoising", "bsnr=40")


def test_a_noise_has_its_own_parameters():
    operator, noise = corruptions.parameters("single_pixel", {"noise": "speckle", "seed": 3}, "x")
    assert operator == {"seed": 3} and noise == {"looks": 10.0, "seed": 3}
    filled = corruptions.filled("denoising", "noise=poisson,peak=10")
    assert filled == {"noise": "poisson", "peak": 10, "seed": 0}


@pytest.mark.parametrize(
    ("task", "given", "words"),
    [
        ("denoising", {"sigma": -0.1}, "x.sigma: -0.1 is not allowed; must be >= 0"),
        ("denoising", {"sigma": 25}, r"x.sigma: 25 is not allowed; pixels are in \[0, 1\]; did you mean 25/255\?"),
        ("denoising", {"sigma": 300}, r"x.sigma: 300 is not allowed; pixels are in \[0, 1\]; must be at most 1"),
        ("deconvolution", {"sigma": 1.5}, r"x.sigma: 1.5 is not allowed; pixels are in \[0, 1\]; must be at most 1"),
        ("denoising", {"sigma": "loud"}, "x.sigma: 'loud' is not allowed; must be a number"),
        ("denoising", {"blur": 5}, "unknown parameter 'blur'; allowed: bsnr, clip, noise, seed, sigma"),
        ("deconvolution", {"blurr": 5}, "unknown parameter 'blurr' .did you mean 'blur'"),
        ("single_pixel", {"compression": 0.5}, "x.compression: 0.5 is not allowed; must be >= 1"),
        ("single_pixel", {"order": "natural"}, "x.order: is for patterns: hadamard, and patterns is gaussian"),
        (
            "single_pixel",
            {"patterns": "mine", "compression": 2},
            "x.compression: is for patterns: gaussian, hadamard, bernoulli or fourier, and patterns is mine",
        ),
        ("deblurring", {}, "unknown task 'deblurring'.*steps/tasks/deblurring.py"),
        (
            "denoising",
            {"noise": "poison"},
            "x.noise: unknown noise 'poison' .did you mean 'poisson'.*no file steps/noises/poison.py",
        ),
        (
            "demosaicking",
            {"noise": "camera"},
            "x.noise: camera is found in pictures like the image; demosaicking measures",
        ),
        ("inpainting", {"noise": "camera"}, "x.noise: camera is found in pictures like the image; inpainting measures"),
        ("denoising", {"noise": 5}, "x.noise: unknown noise 5; allowed: camera, gaussian"),
        ("denoising", {"noise": "poisson", "sigma": 0.1}, "x: unknown parameter 'sigma'; allowed: noise, peak, seed"),
        ("denoising", {"noise": "poisson", "peak": 0}, "x.peak: 0 is not allowed; must be > 0"),
        ("denoising", {"sigma": 0.1, "bsnr": 40}, "x: sigma and bsnr are both there; must be one of them"),
        ("denoising", {"bsnr": 1000}, "x.bsnr: 1000 is not allowed; must be >= -50 and <= 200"),
        ("denoising", {"noise": "salt_and_pepper", "amount": 1}, "x.amount: 1 is not allowed"),
    ],
)
def test_bad_corruptions_are_refused(task, given, words):
    with pytest.raises(BadInput, match=words):
        corruptions.parameters(task, given, "x")


def test_patterns_that_are_neither_a_word_nor_a_file_are_refused():
    with pytest.raises(BadInput, match="patterns: unknown file 'hadamrd' .did you mean 'hadamard'"):
        corruptions.contents("single_pixel", {"patterns": "hadamrd"}, {})


def test_of_a_measured_picture_the_noise_is_said_and_nothing_else():
    poisson = {"noise": "poisson", "peak": 20}
    assert corruptions.parameters("denoising", poisson, "x", measured=True) == ({}, {"peak": 20.0})
    for given, words in {
        "noise": "x.peak: missing; of an image that is measured it must be a number$",
        "seed": "x.seed: nothing is simulated .*; allowed: noise, peak$",
    }.items():
        with pytest.raises(BadInput, match=words):
            corruptions.parameters(
                "denoising", {"noise": "poisson", given: {"noise": "poisson"}.get(given, 1)}, "x", True
            )
    with pytest.raises(
        BadInput, match="x.sigma: missing; of an image that is measured it must be a number or estimate"
    ):
        corruptions.parameters("denoising", {}, "x", True)


BLOCKS = [
    {"sigma": [0.05, 0.1], "clip": True},
    {"bsnr": 40},
    {"noise": "poisson", "peak": [10, 30], "seed": [0, 1]},
    {"noise": ["speckle", "salt_and_pepper"]},
]
SPELLED = ["sigma=0.05,clip=true", "sigma=0.1,clip=true", "bsnr=40"]
SPELLED += [f"noise=poisson,peak={peak},seed={seed}" for peak in (10, 30) for seed in (0, 1)]
SPELLED += ["noise=speckle", "noise=salt_and_pepper"]


def study(**keys):
    methods = [{"method": "tv"}]
    return {"task": "denoising", "images": ["a"], "corruption": BLOCKS, "methods": methods} | keys


def test_one_experiment_may_have_several_noises():
    assert [recovery.corruption for recovery in experiments.recoveries(study())] == SPELLED
    with pytest.raises(BadInput, match=r"x.corruption\[1\].noise: unknown noise 'poisso'"):
        experiments.cases(study(corruption=[{}, {"noise": "poisso"}]), "x")
    with pytest.raises(BadInput, match="noise=gaussian,sigma=0, also spelled|sigma=0, also spelled noise=gaussian"):
        experiments.cases(study(corruption=[{"sigma": 0}, {"noise": "gaussian", "sigma": 0}]), "x")
    with pytest.raises(BadInput, match="the label 'peak' is that of another column"):
        experiments.recoveries(study(methods=[{"method": "tv", "label": "peak"}]))
    experiments.recoveries(study(corruption={}, methods=[{"method": "tv", "label": "peak"}]))


def scores():
    told = [0.05, 0.1, 0.012, 0.2, 0.2, 0.12, 0.12, 0.16, 0.19]
    rows = {
        "image": "a",
        "task": "denoising",
        "corruption": SPELLED,
        "label": "TV",
        "method": "tv",
        "params": "default",
    }
    return pandas.DataFrame(rows | {"psnr": 20.0, "input_psnr": 15.0, "noise_sigma": told})


def test_what_varies_with_the_noise_is_the_noise_and_what_each_has():
    found, varying, fixed = grouping.split(scores())
    assert varying == ["noise", "sigma", "clip", "bsnr", "peak"] and fixed == {}
    assert found["noise"].tolist()[:4] == ["gaussian"] * 3 + ["poisson"]
    assert found["sigma"].isna().tolist() == [False, False] + [True] * 7
    assert found["bsnr"].dropna().tolist() == [40] and found["peak"].dropna().tolist() == [10, 10, 30, 30]
    _, varying, fixed = grouping.split(scores()[:2])
    assert varying == ["sigma"] and fixed == {"clip": True}


def test_a_table_of_several_noises_says_what_methods_were_told():
    frame, keys, labels = tabulate.table(scores(), "psnr")
    header, rows = tabulate.texts(frame, keys, labels, read_metrics("")[0])
    assert header == ["image", "noise", "sigma", "clip", "bsnr", "peak", "n", "noise sigma", "input", "TV"]
    assert rows[0][1:8] == ["gaussian", "0.05", "true", "", "", "1", "0.0500"]
    assert rows[2][1:8] == ["gaussian", "", "false", "40", "", "1", "0.0120"]
    assert rows[3][1:8] == ["poisson", "", "", "", "10", "2", "0.2000"] and len(rows) == 7
    frame, _, _ = tabulate.table(scores()[:2], "psnr")
    assert "noise sigma" not in frame


def test_figures_name_the_noise_in_words():
    assert (
        style.value("noise", "poisson", "denoising") == "Poisson noise"
        and style.value("bsnr", 40, "denoising") == "BSNR = 40"
    )
    assert (
        style.values([("noise", "poisson"), ("sigma", float("nan")), ("peak", 30)], "denoising")
        == "Poisson noise, peak = 30"
    )


def test_the_figure_of_psnr_has_a_place_for_each_noise(tmp_path):
    import matplotlib.pyplot as plt

    from steps.figures import psnr

    with style.apply():
        figure = psnr.draw(scores().assign(folder="x", seconds=1.0))
        labels = [" ".join(tick.get_text().split()) for tick in figure.axes[0].get_xticklabels()]
        plt.close(figure)
    assert len(labels) == 7
    assert labels[3] == "Poisson noise, peak = 10" and labels[0] == "Gaussian noise, σ = 0.05, clip = true"
