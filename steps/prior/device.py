"""What a fit asks of the device it runs on: its algorithms, its memory, its types."""

import contextlib
import os

import torch

from steps.base.errors import BadInput


@contextlib.contextmanager
def algorithms(device, deterministic):
    """Inside, on CUDA, torch's deterministic algorithms if asked for, else the fastest of cuDNN."""
    if device.type != "cuda":
        yield
        return
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is deterministic only with it
    torch.use_deterministic_algorithms(deterministic)
    torch.backends.cudnn.benchmark = not deterministic
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        torch.backends.cudnn.benchmark = before[1]


@contextlib.contextmanager
def enough_memory(device, shape):
    """Turn a lack of memory, in any of torch's words for it, into BadInput; no other error."""
    words = ("allocate memory", "out of memory", "ALLOC_FAILED")
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not (isinstance(error, MemoryError) or any(word in str(error) for word in words)):
            raise
        elsewhere = "" if device.type == "cpu" else ", or set device: cpu"
        raise BadInput(
            f"out of memory on {device} for a {'x'.join(map(str, shape))} image; lower channels, inputs or skip, "
            f"crop or resize the image{elsewhere} ({str(error).splitlines()[0][:100]})"
        ) from error


def narrow(*tensors):
    """Return float32 tensors in bfloat16, all of them in one go, as are their gradients; autocast takes them singly."""
    return _Narrow.apply(*tensors)


class _Narrow(torch.autograd.Function):
    @staticmethod
    def forward(ctx, *tensors):
        narrow = [torch.empty_like(tensor, dtype=torch.bfloat16) for tensor in tensors]
        torch._foreach_copy_(narrow, tensors)
        return tuple(narrow)

    @staticmethod
    def backward(ctx, *gradients):
        wide = [torch.empty_like(gradient, dtype=torch.float32) for gradient in gradients]
        torch._foreach_copy_(wide, gradients)
        return tuple(wide)
