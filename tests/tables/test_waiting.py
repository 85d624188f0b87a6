import pandas

from steps.tables.waiting import waited


def of(device, seconds, cpu_seconds):
    return waited(pandas.DataFrame({"device": [device], "seconds": [seconds], "cpu_seconds": [cpu_seconds]})).tolist()


def test_it_waited_if_the_clock_says_more_than_twice_its_cpu_seconds():
    assert of("cpu", 162, 15.9) == of("cpu", 2.01, 1.0) == [True]
    assert of("cpu", 2.0, 1.0) == of("cpu", 1.0, 3.9) == [False]  # the second of four threads


def test_a_gpu_is_waited_for_and_of_what_was_not_measured_nothing_is_said():
    assert of("NVIDIA H100", 30, 1.0) == of("cpu, up to 2 fits at once", 30, 1.0) == of("cpu", 30, None) == [False]
    assert waited(pandas.DataFrame({"device": ["cpu"], "seconds": [3.0]})).tolist() == [False]  # of a record
