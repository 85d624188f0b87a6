import subprocess
import sys

import pytest
import torch

from steps.prior import processor
from steps.prior.processor import has_avx512, has_bfloat16

CPU = torch.device("cpu")
SAYS = "from steps.prior.processor import *; print(has_avx512(), has_bfloat16(torch.device('cpu')))"


def test_no_bfloat16_without_avx512():
    assert has_avx512() or not has_bfloat16(CPU)


def test_torch_s_own_limit_is_heeded():
    env = {"ATEN_CPU_CAPABILITY": "avx2", "PATH": ""}
    said = subprocess.run([sys.executable, "-c", SAYS], env=env, capture_output=True, text=True, check=True).stdout
    assert said == "False False\n"


@pytest.mark.parametrize("limit", ["SSE41", "AVX", "AVX2", "avx2", "AVX2_VNNI_2"])
def test_onednn_s_limit_is_heeded(limit, monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    monkeypatch.setattr(processor, "is_intel", lambda: False)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    assert has_avx512() and has_bfloat16(CPU)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert not has_avx512() and not has_bfloat16(CPU)
    for limit, answer in (("AVX512_CORE", False), ("AVX512_CORE_BF16", True)):
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
        assert has_avx512() and has_bfloat16(CPU) == answer


@pytest.mark.parametrize(
    "intel, amx, limit, answer",
    [
        (False, False, "", True),
        (True, False, "", False),  # its instruction for bfloat16 has half of float32's rate
        (True, True, "", True),
        (True, True, "AVX512_CORE_AMX", True),
        (True, True, "AVX512_CORE_BF16", False),
        (False, True, "AVX512_CORE_BF16", True),
    ],
)
def test_bfloat16_is_faster_by_amx_or_where_it_is_not_intel_s(intel, amx, limit, answer, monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(processor, "is_intel", lambda: intel)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert has_bfloat16(CPU) == answer


@pytest.mark.parametrize("vendor, answer", [("GenuineIntel", True), ("AuthenticAMD", False)])
def test_the_processor_names_its_vendor(vendor, answer, tmp_path, monkeypatch):
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nvendor_id\t: {vendor}\n")
    monkeypatch.setattr(processor, "Path", lambda _: tmp_path / "cpuinfo")
    processor.is_intel.cache_clear()
    assert processor.is_intel() == answer
    monkeypatch.setattr(processor, "Path", lambda _: tmp_path / "none")  # as on Windows
    monkeypatch.setattr(processor.platform, "processor", lambda: f"x64 Family 6 Model 85 Stepping 7, {vendor}")
    processor.is_intel.cache_clear()
    assert processor.is_intel() == answer
    processor.is_intel.cache_clear()
