import math

import pandas

from steps.plan import corruptions
from steps.tables import grouping


def scores(images, seeds=(0, 1)):
    rows = [
        {"image": str(image), "corruption": f"sigma={sigma},clip=true,seed={seed}", "label": label, "params": "default"}
        for image in range(images)
        for sigma in (0.1, 0.2)
        for seed in seeds
        for label in ("a", "b")
    ]
    return pandas.DataFrame(rows)


def test_what_varies_and_what_is_fixed_without_seeds():
    found, varying, fixed = grouping.split(scores(2))
    assert varying == ["sigma"] and fixed == {"clip": True}
    assert found["sigma"].unique().tolist() == [0.1, 0.2]


def test_a_dozen_images_are_not_pooled():
    twelve = scores(grouping.MOST)
    assert grouping.pooled(twelve) is twelve


def test_more_are_and_only_those_of_which_everything_is_there():
    fourteen = scores(14)
    assert grouping.pooled(fourteen)["image"].unique().tolist() == ["mean of 14 images"]
    found = grouping.pooled(fourteen.iloc[1:])
    assert found["image"].unique().tolist() == ["mean of 13 to 14 of 14 images"]  # of sigma 0.1, of 0.2
    assert len(found) == len(fourteen) * 27 / 28


def test_an_image_that_lacks_one_of_the_parameters_of_a_label_is_left_out():
    both = pandas.concat([scores(14), scores(14).assign(params="h=1")]).reset_index(drop=True)
    gone = (both["image"] == "3") & (both["params"] == "h=1")
    assert grouping.pooled(both[~gone])["image"].unique().tolist() == ["mean of 13 of 14 images"]


def test_a_row_that_is_there_twice_counts_once():
    fourteen = scores(14)
    twice = pandas.concat([fourteen, fourteen.iloc[[0]]]).reset_index(drop=True)
    assert grouping.pooled(twice)["image"].unique().tolist() == ["mean of 14 images"]


def test_rows_of_several_corruptions_stay_in_their_order():
    assert grouping.pooled(scores(14)).index.is_monotonic_increasing


def test_if_none_is_complete_all_are_averaged():
    some = scores(14)
    half = some["image"].astype(int) % 2 == 0
    some = some[(half & (some["label"] == "a")) | (~half & (some["label"] == "b"))]
    assert len(grouping.pooled(some)) == len(some)


def test_images_are_counted_for_each_corruption():
    some = scores(14)
    first, second = (some[some["corruption"].str.startswith(f"sigma={sigma},")] for sigma in (0.1, 0.2))
    one_more = pandas.concat([first, second[second["image"] == "0"]]).reset_index(drop=True)
    found = grouping.pooled(one_more)
    assert len(found) == len(one_more) and found["image"].unique().tolist() == ["mean of 1 to 14 images"]
    halves = [first[first["image"].astype(int) < 7], second[second["image"].astype(int) >= 7]]
    found = grouping.pooled(pandas.concat(halves).reset_index(drop=True))
    assert found["image"].unique().tolist() == ["mean of 7 images"]


def test_what_a_corruption_does_not_spell_has_its_default():
    given = pandas.DataFrame({"corruption": ["blur=2,sigma=0.1", "sigma=0.1"], "task": "deconvolution", "psnr": 20.0})
    default = corruptions.allowed("deconvolution")["blur"].default
    found, varying, fixed = grouping.split(given)
    assert varying == ["blur"] and found["blur"].tolist() == [2, default] and fixed == {"sigma": 0.1}
    found, _, _ = grouping.split(given.assign(psnr=[20.0, math.nan]))  # nobody knows how a photo was blurred
    assert found["blur"].isna().tolist() == [False, True]


def test_of_a_measured_picture_with_a_truth_nothing_is_said_that_its_corruption_does_not():
    rows = [{"image": "photo", "corruption": text} for text in ("sigma=0.05", "sigma=0.06", "noise=camera")]
    table = pandas.DataFrame(rows).assign(task="denoising", psnr=30.0, measured=True)
    found, varying, _ = grouping.split(table)
    assert varying == ["noise", "sigma"] and found["sigma"].iloc[:2].tolist() == [0.05, 0.06]
    assert math.isnan(found["sigma"].iloc[2])
    simulated, _, _ = grouping.split(table.assign(measured=False))
    assert simulated["sigma"].iloc[2] == 0, "the read noise that was added"


def test_labels_are_in_the_order_of_the_config_also_if_some_are_missing():
    rows = [("x", "c"), ("x", "d"), ("y", "a"), ("y", "c"), ("z", "b"), ("z", "d"), ("u", "a"), ("u", "b"), ("u", "c")]
    found = pandas.DataFrame([{"image": image, "corruption": "s", "label": label} for image, label in rows])
    assert grouping.labels(found) == ["a", "b", "c", "d"]
