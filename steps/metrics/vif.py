"""Visual information fidelity in the pixel domain (Sheikh, Bovik 2006), mean over channels."""

LABEL = "VIF"
DECIMALS = 3
BETTER = "higher"
PACKAGE = "torchmetrics"
SMALLEST = 41  # pixels a side: on the fourth scale the window must fit


def memory_mb(image_mb):
    """Return the MB of memory for images of so many MB in float32: measured at 0.25 megapixels, with a margin.

    It is that much since torch lays out the window of every pixel.
    """
    return 600 * image_mb


def measure(truth, estimate):
    """Return the visual information fidelity of two (C, H, W) images, 1 if they are alike; None below 41 pixels a side.

    Its noise of variance 2 is on the scale of images in [0, 255]. None where a channel of the truth is constant.
    """
    import torch
    from torchmetrics.functional.image import visual_information_fidelity

    if min(truth.shape[-2:]) < SMALLEST or any(channel.min() == channel.max() for channel in truth):
        return None
    images = [torch.from_numpy(255 * image.astype("float64"))[None] for image in (estimate, truth)]
    return visual_information_fidelity(*images)
