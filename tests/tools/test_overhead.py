import pytest

from steps.plan import experiments
from steps.plan.config import check_config
from steps.tools import overhead


@pytest.mark.parametrize("count", [100, 1000])
def test_the_study_has_as_many_recoveries_as_it_says(count):
    study = overhead.config(count)
    check_config(study)
    assert len({recovery.folder for recovery in experiments.recoveries(study["experiments"]["study"])}) == count


def test_what_is_timed_must_not_fail(tmp_path):
    seconds, _, megabytes = overhead.timed(tmp_path, "sleep", "0.2")
    assert 0.2 <= seconds < 10
    assert megabytes > 0
    with pytest.raises(overhead.subprocess.CalledProcessError):
        overhead.timed(tmp_path, "false")
