"""What a processor multiplies fast: the engine's choices rest on this, and on no measurement, which load would change.

These environment variables, set before torch is imported, make a processor behave, and these functions answer, as if it
had no AVX-512: ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2.
"""

import functools
import importlib.util
import os
import shutil

import torch


def has_avx512():
    """Return whether torch and oneDNN use AVX-512."""
    return torch.backends.cpu.get_cpu_capability() == "AVX512" and not _limit().startswith(("SSE", "AVX2", "AVX_"))


def has_bfloat16(device):
    """Return whether a device multiplies bfloat16 in hardware, faster than float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if not has_avx512() or _limit() in ("AVX512_CORE_", "AVX512_CORE_VNNI_"):
        return False
    checks = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(check() for check in checks if check)


def has_triton(device):
    """Return whether steps/prior/fused.py can run there: on CUDA, with Triton and the C compiler that it needs.

    Triton comes with torch for CUDA on Linux; it takes $CC, else gcc or clang.
    """
    return device.type == "cuda" and _compiles()


@functools.cache
def _compiles():
    compilers = filter(None, (os.environ.get("CC"), "gcc", "clang"))
    return importlib.util.find_spec("triton") is not None and any(map(shutil.which, compilers))


def _limit():
    return os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() + "_"
