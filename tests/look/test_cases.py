from steps.look import cases
from steps.plan import experiments


def test_seeds_of_methods_are_a_choice_too_and_methods_without_are_in_each():
    experiment = {
        "task": "denoising",
        "images": ["house"],
        "corruption": {"sigma": 0.1},
        "methods": [{"method": "wiener"}, {"method": "dip", "params": {"iterations": 5, "seed": [3, 4]}}],
    }
    found = cases.cases(experiments.recoveries(experiment))
    assert [[r.params for r in case.recoveries] for case in found] == [
        ["default", "iterations=5,seed=3"],
        ["default", "iterations=5,seed=4"],
    ]
    assert cases.seeds(found) == ["run 1 of 2", "run 2 of 2"]
    assert {case.name for case in found} == {"sigma=0.1"}
