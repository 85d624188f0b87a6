"""The walk-throughs of docs/ do what they say, as written."""

import pytest

from tests import walkthrough

PAGES = ["try", "own_images", "own_measurements", "inpainting", "own_method", "own_metric"]
PAGES += ["own_task", "own_noise", "own_figure"]


@pytest.mark.parametrize("page", PAGES)
def test_a_walkthrough_does_what_it_says(page, tmp_path):
    walkthrough.run(f"docs/{page}.md", tmp_path)
