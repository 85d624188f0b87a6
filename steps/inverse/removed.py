"""What a recovery has removed from a measurement that is a picture: y − A x̂. Of a perfect one it is the noise."""

from steps.inverse.measurement import load


def removed(measurement, images):
    """Return ({name: y − A x̂}, sigma) of images {name: x̂ (C, H, W)} and the file of the measurement that they are of.

    Each is an array (C, H, W), or (1, H, W) if y has one channel; sigma is what methods were told of the noise. If y
    has fewer pixels, it is shown as the input is (`backproject`): what a mask does not see is 0, a large pixel many
    small, and around a picture that is smaller than the image its border goes on.
    """
    import torch

    y, A, sigma, _ = load(measurement)
    found = {}
    for name, image in images.items():
        left = y - A.forward(torch.from_numpy(image).to(y))
        found[name] = (left if left.shape[-2:] == A.shape[-2:] else A.backproject(left)).numpy()
    return found, sigma
