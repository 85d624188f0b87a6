import hashlib
import sys
import types

import torch

from steps.inverse import measurement
from steps.run import record
from steps.run.sources import listing_digest


def measured(path, value):
    noise = measurement.Noise("gaussian", {"sigma": 0.1}, 0.1)
    measurement.save(path, torch.full((1, 8, 8), value), "denoising", (1, 8, 8), {}, noise)
    return path


def test_the_origin_is_the_measurement_s_checksum_and_the_code_s(tmp_path):
    path = measured(tmp_path / "measurement.npz", 0.0)
    found = {method: record.origin(path, method) for method in ("tv", "wiener")}
    for method, facts in found.items():
        made_of = f"steps.methods.{method}", "steps.tasks.denoising", "steps.noises.gaussian"
        assert facts["code"] == listing_digest("steps.recover", *made_of)
        assert facts["measurement"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found["tv"]["code"] != found["wiener"]["code"]
    other = record.origin(measured(tmp_path / "other.npz", 1.0), "tv")
    assert other["code"] == found["tv"]["code"] and other["measurement"] != found["tv"]["measurement"]


def test_the_code_is_that_of_the_measurement_s_own_noise(tmp_path):
    noise = measurement.Noise("poisson", {"peak": 30}, 0.1)
    measurement.save(tmp_path / "y.npz", torch.zeros(1, 8, 8), "denoising", (1, 8, 8), {}, noise)
    made_of = "steps.methods.tv", "steps.tasks.denoising", "steps.noises.poisson"
    assert record.origin(tmp_path / "y.npz", "tv")["code"] == listing_digest("steps.recover", *made_of)


def test_versions_are_those_of_python_and_of_what_numbers_depend_on():
    found = record.versions()
    assert found["python"] == sys.version.split()[0]
    assert torch.__version__.startswith(found["torch"])
    assert set(found) == {"python", *record.PACKAGES}


def test_a_package_that_is_not_there_has_no_version(monkeypatch):
    monkeypatch.setattr(record, "PACKAGES", ("no-such-package",))
    assert record.versions()["no-such-package"] is None


def test_what_a_method_s_functions_import_is_imported_ahead(monkeypatch):
    monkeypatch.delitem(sys.modules, "this", raising=False)
    module = types.ModuleType("mine")
    text = "def recover(y):\n    import this\n    import no_such_library\n    from no_such_library import one\n"
    monkeypatch.setattr(record.inspect, "getsource", lambda found: text if found is module else None)
    record.import_ahead(module)
    assert "this" in sys.modules


def test_memory_is_of_this_process_in_bytes():
    block = torch.ones(25 * 2**20)  # 100 MiB
    assert block.nbytes < record.peak_memory("cpu") < 2**40
