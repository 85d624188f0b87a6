from typing import NamedTuple

from steps.tables.words import not_made


class Asked(NamedTuple):
    label: str
    image: str
    corruption: str = "sigma=0.1,seed=0"


ASKED = [Asked(label, image) for label in ("TV", "DIP") for image in "abcde"]


def test_what_is_not_made_is_named():
    assert not_made(ASKED, ASKED) == ""
    assert not_made(ASKED, ASKED[1:]) == "1 of 10: TV on a (sigma=0.1,seed=0)"
    assert not_made(ASKED[:3], []).count("TV on ") == 3  # so many are named
    level = Asked("NLM", "camera", "sigma=0.09803921568627451")
    assert not_made([level], []) == "1 of 1: NLM on camera (sigma=25/255)"


def test_what_is_not_made_of_many_is_counted():
    assert not_made(ASKED, ASKED[1:6]) == "5 of 10: TV on a (sigma=0.1,seed=0); DIP on 4 of 5 measurements"
