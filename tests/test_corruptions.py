import pandas

from steps import corruptions


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
    found, varying, fixed = corruptions.split(scores(2))
    assert varying == ["sigma"] and fixed == {"clip": True}
    assert found["sigma"].unique().tolist() == [0.1, 0.2]


def test_a_dozen_images_are_not_pooled():
    twelve = scores(corruptions.MOST)
    assert corruptions.pooled(twelve) is twelve


def test_more_are_and_only_those_of_which_everything_is_there():
    fourteen = scores(14)
    assert corruptions.pooled(fourteen)["image"].unique().tolist() == ["mean of 14 images"]
    found = corruptions.pooled(fourteen.iloc[1:])
    assert found["image"].unique().tolist() == ["mean of 13 of 14 images"]
    assert len(found) == len(fourteen) * 13 / 14


def test_if_none_is_complete_all_are_averaged():
    some = scores(14)
    half = some["image"].astype(int) % 2 == 0
    some = some[(half & (some["label"] == "a")) | (~half & (some["label"] == "b"))]
    assert len(corruptions.pooled(some)) == len(some)
