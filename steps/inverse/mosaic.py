"""Demosaicking of a Bayer mosaic by linear filters: a method of its own, and a first guess for others."""

FILTERS = {  # of a 5 × 5 neighbourhood, times 16; figure 2
    "green": ((0, 0, -2, 0, 0), (0, 0, 4, 0, 0), (-2, 4, 8, 4, -2), (0, 0, 4, 0, 0), (0, 0, -2, 0, 0)),
    "beside": ((0, 0, 1, 0, 0), (0, -2, 0, -2, 0), (-2, 8, 10, 8, -2), (0, -2, 0, -2, 0), (0, 0, 1, 0, 0)),
    "across": ((0, 0, -3, 0, 0), (0, 4, 0, 4, 0), (-3, 0, 12, 0, -3), (0, 4, 0, 4, 0), (0, 0, -3, 0, 0)),
}


def malvar(y, A):
    """Return what four linear 5 × 5 filters make of a Bayer mosaic y (1, H, W): (3, H, W), seen colours kept.

        green    at red and blue pixels
        beside   red at green pixels whose neighbours in the row are red; so, too, blue
        beside   turned by 90°, where those in the column are
        across   red at blue pixels, blue at red ones

    Each is the bilinear mean of neighbours plus a share, 1/2, 5/8 or 3/4, of the Laplacian of the colour that the pixel
    has. Beyond its border the mosaic is mirrored in the outermost pixels, so that each keeps its colour. Values may be
    a little outside [0, 1]. A is the mosaic's operator. Source: Malvar, He, Cutler (2004).
    """
    import numpy as np
    import torch

    rows, columns = (torch.from_numpy(np.pad(np.arange(side), 2, mode="reflect")).to(y.device) for side in y.shape[-2:])
    mirrored = y[:, rows][:, :, columns]
    kernels = y.new_tensor([*FILTERS.values(), tuple(zip(*FILTERS["beside"]))])[:, None] / 16
    green, beside, across, above = torch.nn.functional.conv2d(mirrored[None], kernels)[0]
    y, seen = y[0], A.adjoint(torch.ones_like(y))
    r, g, b = seen
    red_row = r.amax(-1, keepdim=True)
    blue_row = 1 - red_row
    red = r * y + g * (red_row * beside + blue_row * above) + b * across
    blue = b * y + g * (blue_row * beside + red_row * above) + r * across
    return torch.stack((red, g * y + (1 - g) * green, blue))
