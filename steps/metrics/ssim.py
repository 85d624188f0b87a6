"""Mean structural similarity, Gaussian window of sigma 1.5 (Wang et al. 2004), mean over channels."""

LABEL = "SSIM"
DECIMALS = 3
BETTER = "higher"
SMALLEST = 11  # pixels a side: the window
EDGE = SMALLEST // 2  # pixels at each side around which it does not fit
ROWS = 512  # that are compared at a time, so that a large picture takes little memory


def measure(truth, estimate):
    """Return the mean structural similarity of two (C, H, W) images, data_range 1; None below 11 pixels a side."""
    import numpy as np

    if min(truth.shape[-2:]) < SMALLEST:
        return None
    return np.mean([similarities(*channels).mean() for channels in zip(truth, estimate, strict=True)])


def similarities(x, z):
    """Return the structural similarity at each pixel of two (H, W) images, without EDGE pixels at each side."""
    import numpy as np
    from skimage.metrics import structural_similarity

    found = np.empty(x.shape)
    for top in range(0, len(x) - 2 * EDGE, ROWS):
        rows = slice(top, min(top + ROWS + 2 * EDGE, len(x)))
        x_part, z_part = (channel[rows].astype(np.float64) for channel in (x, z))
        settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "full": True}
        part = structural_similarity(x_part, z_part, data_range=1, **settings)[1]
        found[top + EDGE : rows.stop - EDGE] = part[EDGE:-EDGE]
    return found[EDGE:-EDGE, EDGE:-EDGE]
