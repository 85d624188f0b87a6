"""BM3D by its authors' program, the package bm3d, which is closed and for non-commercial use only."""

from typing import Annotated

LABEL = "BM3D (package)"
LOOK = ("#000000", "d")
PACKAGE = "bm3d"
REPEATABLE = False  # to the last bit
QUICK = {"iterations": 2}
ENOUGH = {"iterations": 3}
SMALLEST = 9  # pixels a side: the blocks are 8 × 8


def needs(image_mb, *, iterations, **_):
    """Return (MB of memory, minutes) for an image of so many MB: measured at 512 pixels, with a margin."""
    return 1000 + 400 * image_mb, 5 + (iterations or 30) * image_mb / 3


def recover(
    y,
    A,
    sigma,
    *,
    start: Annotated[float | None, "> 0"] = None,
    strength: Annotated[float | None, "> 0"] = None,
    rho: Annotated[float | None, "> 0"] = None,
    iterations: Annotated[int | None, ">= 1"] = None,
    clipped: bool = False,
    callback=None,
):
    """Return BM3D (one channel) or CBM3D (three) of y if A = I, else the image that is found with it as the prior.

    start, strength, rho, iterations   how it is plugged in, with the defaults of steps/methods/bm3d.py.
    clipped  undo what clipping the noisy image to [0, 1] did to its mean; for denoising only, same function.

    sigma is the noise's standard deviation; the package's default profile is used. Raises BadInput if the package bm3d,
    a closed binary free for non-commercial use only, is not installed, and for sides below 9 pixels.
    Source: Dabov et al. (2007), Mäkinen et al. (2020).
    """
    import torch

    from steps.base.errors import BadInput
    from steps.inverse.solvers import denoise_or_plug_in

    try:
        import bm3d
    except (ImportError, OSError) as error:  # OSError: its binary is not for this machine
        raise BadInput(
            "the package bm3d is not installed (pip install bm3d; free for non-commercial use only)"
        ) from error

    if min(A.shape[-2:]) < SMALLEST:
        raise BadInput(f"the {A.shape[-2]}x{A.shape[-1]} image is too small; bm3d needs {SMALLEST} pixels a side")

    def denoise(v, noise):
        image = v.movedim(0, -1).cpu().numpy().astype("float64")
        filter_image = bm3d.bm3d_rgb if image.shape[-1] == 3 else bm3d.bm3d
        result = filter_image(image if image.shape[-1] == 3 else image[..., 0], max(noise, 1e-4))
        return torch.from_numpy(result.reshape(image.shape)).movedim(-1, 0).to(v)

    schedule = {"start": start, "strength": strength, "rho": rho, "iterations": iterations}
    admm = (0.4, 0.02 if A.pictures else 0.06, 30)
    return denoise_or_plug_in(y, A, sigma, denoise, **schedule, admm=admm, callback=callback, clipped=clipped)
