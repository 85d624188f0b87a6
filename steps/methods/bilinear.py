"""Bilinear interpolation: each missing colour of a pixel is the mean of the neighbours that have it."""

LABEL = "Bilinear"
LOOK = ("#786048", "p")
TASKS = ("demosaicking",)


def needs(image_mb, **_):
    """Return (MB of memory, minutes) for an image of so many MB: measured at 512 pixels, with a margin."""
    return 1000 + 50 * image_mb, 5


def recover(y, A, sigma):
    """Return x̂ = Aᵀ y where a colour is seen, else (w * Aᵀ y) / (w * Aᵀ 1): (3, H, W), for a Bayer mosaic y (1, H, W).

    The kernel w = (1, 2, 1)ᵀ (1, 2, 1) gives the mean of the two or four nearest pixels that have the colour; the
    denominator, at the border, that of those inside the image. sigma is not used: noise is left as it is.
    """
    import torch

    seen, zero_filled = A.adjoint(torch.ones_like(y)), A.adjoint(y)
    line = y.new_tensor([1.0, 2.0, 1.0])
    kernel = torch.outer(line, line)[None, None]

    def smooth(planes):
        return torch.nn.functional.conv2d(planes[:, None], kernel, padding=1)[:, 0]

    return torch.where(seen > 0, zero_filled, smooth(zero_filled) / smooth(seen))
