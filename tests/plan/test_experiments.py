from pathlib import Path

from steps.plan import experiments
from steps.plan.config import check_config
from steps.plan.drawings import Index, drawings
from tests.configs import BLOCKS, GOOD, changed


def test_recoveries_are_images_by_corruptions_by_variants():
    found = experiments.recoveries(GOOD["experiments"]["first"], GOOD["images"])
    assert len(found) == 2 * 4 * 3
    assert len({recovery.folder for recovery in found}) == len(found)
    assert found[0].folder == "results/denoising/camera/sigma=0.01,seed=0/wiener/default"
    assert found[2].folder == "results/denoising/camera/sigma=0.01,seed=0/tv/lam=0.1,iterations=5"
    assert [recovery.label for recovery in found[:3]] == ["Wiener", "TV (lam=0.01)", "TV (lam=0.1)"]


def test_labels_name_parameters():
    config = changed("experiments.first.methods.1.label", "λ is {lam}")
    labels = {r.label for r in experiments.recoveries(config["experiments"]["first"])}
    assert labels == {"Wiener", "λ is 0.01", "λ is 0.1"}


def test_seeds_share_a_label():
    config = changed("experiments.first.methods", [{"method": "dip", "params": {"seed": [0, 1, 2]}}])
    assert {r.label for r in experiments.recoveries(config["experiments"]["first"])} == {"DIP"}


def with_seeds(**params):
    """Return an experiment of two noise levels and seeds 0, 1, 7, by DIP with these parameters and by Wiener."""
    config = changed("experiments.first.methods", [{"method": "dip", "params": params}, {"method": "wiener"}])
    return config["experiments"]["first"] | {"corruption": {"sigma": [0.1, 0.2], "seed": [0, 1, 7]}}


def test_the_seed_of_the_corruption_is_paired_with_it_not_multiplied():
    found = experiments.recoveries(with_seeds(seed="corruption"))
    assert len(found) == 2 * 2 * 3 * 2
    pairs = [(r.corruption, r.params) for r in found if r.method == "dip" and r.image == "logo"]
    assert pairs == [(f"sigma={sigma},seed={s}", f"seed={s}") for sigma in (0.1, 0.2) for s in (0, 1, 7)]
    assert {r.label for r in found} == {"DIP", "Wiener"}
    other = experiments.recoveries(with_seeds(seed="corruption", lr=[0.1, 0.01]))
    pairs = [(r.corruption, r.params, r.label) for r in other if r.method == "dip" and r.image == "logo"]
    assert pairs[4:6] == [
        ("sigma=0.1,seed=7", "lr=0.1,seed=7", "DIP (lr=0.1)"),
        ("sigma=0.1,seed=7", "lr=0.01,seed=7", "DIP (lr=0.01)"),
    ]


def test_a_corruption_without_seed_has_the_seed_0():
    found = experiments.recoveries(with_seeds(seed="corruption") | {"corruption": {"sigma": 0.1}})
    assert {r.params for r in found if r.method == "dip"} == {"seed=0"}


def test_a_recovery_is_there_when_its_image_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second, *_ = experiments.recoveries(GOOD["experiments"]["first"])
    for recovery in (first, second):
        Path(recovery.folder).mkdir(parents=True)
    Path(second.folder, "recovered.npy").touch()
    assert not experiments.there(first) and experiments.there(second)


def test_a_corruption_may_be_for_some_of_the_images():
    config = changed("experiments.first.corruption", BLOCKS)
    check_config(config)
    experiment = config["experiments"]["first"]
    assert experiments.cases(experiment) == [("camera", "sigma=0"), ("camera", "sigma=0.1"), ("logo", "sigma=0")]
    found = experiments.recoveries(experiment)
    assert [(r.image, r.corruption) for r in found[::3]] == experiments.cases(experiment)
    drawn = [f"first/comparison/{image}/{corruption}" for image, corruption in experiments.cases(experiment)]
    assert drawings("first", experiment, Index(found, found)) == ["first/psnr", *drawn]


def test_blocks_without_images_are_for_all_in_the_order_of_the_images():
    config = changed("experiments.first.corruption", [{"sigma": 0.1}, {"sigma": 0.2}])
    found = experiments.cases(config["experiments"]["first"])
    assert found == [(image, f"sigma={sigma}") for image in ("camera", "logo") for sigma in (0.1, 0.2)]
