"""Mean structural similarity, Gaussian window of sigma 1.5 (Wang et al. 2004), mean over channels."""

LABEL = "SSIM"
DECIMALS = 3
BETTER = "higher"
SMALLEST = 11  # pixels a side: the window


def measure(truth, estimate):
    """Return the mean structural similarity of two (C, H, W) images, data_range 1; None below 11 pixels a side."""
    from skimage.metrics import structural_similarity

    if min(truth.shape[-2:]) < SMALLEST:
        return None
    return structural_similarity(
        truth,
        estimate.astype(truth.dtype),
        data_range=1,
        channel_axis=0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
