"""Networks whose structure is the prior."""

import torch
from torch import nn
from torch.nn import functional

from steps.errors import BadInput


def smallest_side(scales):
    """Return the smallest image side in pixels that `scales` halvings leave at least 2 pixels of."""
    return 2**scales + 1


class Hourglass(nn.Module):
    """The hourglass without skips of Ulyanov et al. (2018), which Anderson calls the network-structure prior.

    Maps a code (B, inputs, H, W) to an image (B, outputs, H, W) in (0, 1). Each of `scales` times down is
    conv3×3/2 – norm – LeakyReLU(0.2) – conv3×3 – norm – LeakyReLU, each time up is bilinear ×2 – norm – conv3×3 –
    norm – LeakyReLU – conv1×1 – norm – LeakyReLU, and the end is conv1×1 – sigmoid. Convolutions have biases and
    reflection padding; norm is batch normalisation in training mode always: an image is normalised by itself.

    Sizes that are no multiple of 2^scales are padded by reflection and cropped again. Raises BadInput for sides below
    `smallest_side(scales)`, where the coarsest scale would be a single pixel.
    """

    def __init__(self, inputs, outputs, channels, scales):
        super().__init__()
        self.scales = scales
        layers = []
        for scale in range(scales):
            layers += [*_block(inputs if scale == 0 else channels, channels, 3, 2), *_block(channels, channels, 3)]
        for _ in range(scales):
            layers += [nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False), nn.BatchNorm2d(channels)]
            layers += [*_block(channels, channels, 3), *_block(channels, channels, 1)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, outputs, 1), nn.Sigmoid())

    def forward(self, code):
        """Return the image (B, outputs, H, W) of the code (B, inputs, H, W)."""
        height, width = code.shape[-2:]
        if min(height, width) < smallest_side(self.scales):
            fitting = (min(height, width) - 1).bit_length() - 1
            raise BadInput(
                f"the {height}x{width} image is too small for scales={self.scales}, which needs "
                f"{smallest_side(self.scales)} pixels a side"
                + (f"; use scales={fitting} or fewer" if fitting > 0 else "")
            )
        step = 2**self.scales
        padded = functional.pad(code, (0, -width % step, 0, -height % step), mode="reflect")
        return self.layers(padded)[..., :height, :width]


def _block(inputs, outputs, size, stride=1):
    convolution = nn.Conv2d(inputs, outputs, size, stride, size // 2, padding_mode="reflect" if size > 1 else "zeros")
    return [convolution, nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2, inplace=True)]


def build(network, seed):
    """Return network() with weights drawn from `seed`, leaving torch's global random state as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return network()
