import torch

from steps.base.discover import load
from steps.base.parameters import keywords
from steps.methods import dip, wiener, wiener_dip


def test_is_the_prior_fitted_to_the_wiener_estimate(gray):
    A = load("tasks", "deconvolution").Operator(gray.shape, blur=2.0, kernel=15)
    y = A.forward(gray)
    settings = {"iterations": 3, "channels": 8, "scales": 2, "lr": 0.01, "seed": 1, "skip": 2, "upsampling": "nearest"}
    settings |= {"input_noise": 0.1, "output": "average", "precision": "float32", "inputs": 3, "optimiser": "adam"}
    filtered = wiener.recover(y, A, 0.01, prior="white")
    expected = dip.recover(filtered, load("tasks", "denoising").Operator(gray.shape), 0.0, **settings, fits=1)
    assert torch.equal(wiener_dip.recover(y, A, 0.01, prior="white", **settings), expected)
    assert not torch.equal(wiener_dip.recover(y, A, 0.01, prior="smooth", **settings), expected)


def test_every_setting_is_passed_on(gray, monkeypatch):
    seen = {}
    monkeypatch.setattr(dip, "recover", lambda *_, **settings: seen.update(settings))
    own = {name: object() for name in keywords(wiener_dip.recover) if name != "prior"}
    wiener_dip.recover(gray, load("tasks", "denoising").Operator(gray.shape), 0.1, **own)
    assert {name: seen[name] for name in own} == own


def test_changes_the_wiener_estimate_little(gray):
    """Anderson, section 5.1: the network sees neither blur nor measurement, so it cannot deblur further."""
    A = load("tasks", "deconvolution").Operator(gray.shape, blur=2.0, kernel=15)
    y = A.forward(gray)
    filtered = wiener.recover(y, A, 0.01)
    found = wiener_dip.recover(y, A, 0.01, iterations=120)
    assert (found - filtered).norm() < 0.2 * (filtered - y).norm() + 0.2 * (filtered - gray).norm()
