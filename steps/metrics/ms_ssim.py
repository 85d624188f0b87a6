"""Multi-scale structural similarity of five scales (Wang, Simoncelli, Bovik 2003), mean over channels."""

LABEL = "MS-SSIM"
DECIMALS = 4
BETTER = "higher"
PACKAGE = "torchmetrics"
SMALLEST = 176  # pixels a side: on the fifth scale the window of 11 must fit


def memory_mb(image_mb):
    """Return the MB of memory for images of so many MB in float32: measured at 0.25 megapixels, with a margin.

    It is that much since torch lays out the window of every pixel.
    """
    return 1600 * image_mb


def measure(truth, estimate):
    """Return the multi-scale structural similarity of two (C, H, W) images, data_range 1; None below 176 pixels a side.

    Gaussian window of sigma 1.5, weights 0.0448, 0.2856, 0.3001, 0.2363, 0.1333. A negative contrast, as of an estimate
    that has nothing of the truth, counts as 0. Torchmetrics' last scale has the mirrored borders, too, which the
    paper's has not: within 0.001 of the formula.
    """
    import torch
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as ms_ssim

    if min(truth.shape[-2:]) < SMALLEST:
        return None
    channels = [torch.from_numpy(image.astype("float64"))[:, None] for image in (estimate, truth)]
    return ms_ssim(*channels, data_range=1.0, normalize="relu")
