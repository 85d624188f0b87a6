"""What a processor multiplies fast: the engine's choices rest on this, and on no measurement, which load would change.

These environment variables, set before torch is imported, make a processor behave, and these functions answer, as if it
had no AVX-512: ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2.
"""

import functools
import importlib.util
import os
import platform
import shutil
from pathlib import Path

import torch


def has_avx512():
    """Return whether torch and oneDNN use AVX-512."""
    return torch.backends.cpu.get_cpu_capability() == "AVX512" and not _limit().startswith(("SSE", "AVX2", "AVX_"))


def has_bfloat16(device):
    """Return whether a device multiplies bfloat16 in hardware, faster than float32.

    A processor does if it has AMX, or AVX-512's own instruction for it and is not Intel's, where that has half of
    float32's rate (docs/prior.md).
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if not has_avx512() or _limit() in ("AVX512_CORE_", "AVX512_CORE_VNNI_"):
        return False
    amx = _limit() in ("_", "ALL_", "DEFAULT_") or "AMX" in _limit()
    return (amx and _supports("amx_tile")) or (_supports("avx512_bf16") and not is_intel())


@functools.cache
def is_intel():
    """Return whether the processor says that it is Intel's."""
    about = Path("/proc/cpuinfo")
    return "GenuineIntel" in (about.read_text() if about.exists() else platform.processor())


def has_triton(device):
    """Return whether steps/prior/fused.py can run there: on CUDA, with Triton and the C compiler that it needs.

    Triton comes with torch for CUDA on Linux; it takes $CC, else gcc or clang.
    """
    return device.type == "cuda" and _compiles()


@functools.cache
def _compiles():
    compilers = filter(None, (os.environ.get("CC"), "gcc", "clang"))
    return importlib.util.find_spec("triton") is not None and any(map(shutil.which, compilers))


def _supports(feature):
    return getattr(torch.cpu, f"_is_{feature}_supported", lambda: False)()


def _limit():
    return os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() + "_"
