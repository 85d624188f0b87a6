"""BM3D: similar blocks are put together in groups, each group is shrunk in a three-dimensional transform domain.

Dabov, Foi, Katkovnik, Egiazarian (2007), "Image denoising by sparse 3-D transform-domain collaborative filtering", in
their order: groups by block matching (`matching.match`), collaborative filtering of each group (`shrink`), aggregation
of what the groups say of each pixel (`aggregate`). All of it is done twice: first by a hard threshold, then, matched on
the first estimate, by the Wiener filter that the first estimate gives. Colour as in their CBM3D (2007): opponent
colours with one set of groups, found on the luminance. Noise may be coloured (2008).

On one device the same input gives the same bits, whatever the number of threads or processes.
"""

import math

from steps.base.errors import BadInput
from steps.inverse.matching import SIDE, match

SMALLEST = 16  # pixels a side: 81 positions of a block, more than a group has
WEAK = 0.05  # noise: what is weaker hides less of a colour difference, whose threshold is lower then
PROFILES = {
    "fast": {"step": 4, "reach": (12, 12), "size": (16, 16), "threshold": (2.6, 3.0), "kaiser": 2.0},
    "normal": {"step": 3, "reach": (19, 19), "size": (16, 32), "threshold": (2.6, 3.0), "kaiser": 2.0},
    "high": {"step": 2, "reach": (22, 22), "size": (16, 32), "threshold": (2.6, 3.0), "kaiser": 2.0},
}
OPPONENT = ((1 / 3, 1 / 3, 1 / 3), (1 / 2, 0, -1 / 2), (1 / 4, -1 / 2, 1 / 4))


def denoise(y, noise, profile="normal"):
    """Return the BM3D estimate of images (…, C, H, W) with additive Gaussian noise.

    noise    its standard deviation, on the scale of y; or, if it is coloured, its power spectral density (H, W),
             E |FFT(noise)|² / (H W), which is sigma² everywhere for white noise; or those of the opponent colours, (3,
             H, W). A coefficient's is at least 1e-8.
    profile  "fast", "normal" or "high", a key of PROFILES.

    Three channels are taken for RGB, others are filtered one by one. Raises BadInput for sides below 16 pixels.
    """
    basic = estimate(y, noise, PROFILES[profile])
    return estimate(y, noise, PROFILES[profile], basic)


def estimate(y, noise, settings, pilot=None):
    """Return the first estimate of y, by a hard threshold; with a pilot the second, by the Wiener filter that it gives.

    settings  step       distance of the reference blocks in pixels
              reach      how far from a reference block others are looked for, in pixels at most 22; in either estimate
              size       blocks in a group, a power of two up to 64; in either estimate
              threshold  in standard deviations of a coefficient's noise: of luminance or gray, and of the other colours
                         in noise of at least WEAK; between them, in proportion, for weaker noise
              kaiser     beta of the window that weights the pixels of a block
    """
    import torch

    height, width = y.shape[-2:]
    if min(height, width) < SMALLEST:
        raise BadInput(f"the {height}x{width} image is too small; BM3D needs {SMALLEST} pixels a side")
    each = torch.is_tensor(noise) and noise.ndim == 3
    if not each:
        covariance = block_covariance(noise) if torch.is_tensor(noise) else noise**2 * torch.eye(SIDE**2).double()
    opponent = torch.tensor(OPPONENT if y.shape[-3] == 3 else [[1.0]], dtype=torch.float64)
    to, back = opponent.to(y), opponent.inverse().to(y)
    of = noise if each else opponent
    covariances = [block_covariance(row) if each else covariance * row.square().sum() for row in of]
    images = y.reshape(-1, len(to), height, width)
    pilots = [None] * len(images) if pilot is None else pilot.reshape(images.shape)
    results = []
    for image, guide in zip(images, pilots, strict=True):
        planes = torch.tensordot(to, image, 1)
        guides = None if guide is None else torch.tensordot(to, guide, 1)
        results.append(torch.tensordot(back, estimate_planes(planes, covariances, guides, settings), 1))
    return torch.stack(results).view(y.shape)


def estimate_planes(planes, covariances, pilots, settings):
    """Return the estimate of planes (C, H, W) with the groups of the first; covariances[c] is of a block's noise."""
    import torch

    second = pilots is not None
    groups = match(
        (pilots if second else planes)[0], settings["reach"][second], settings["size"][second], settings["step"]
    )
    transform = cosine() if second else biorthogonal()
    transform = torch.kron(transform, transform)  # of an 8 × 8 block, (64, 64)
    estimates = []
    for c, covariance in enumerate(covariances):
        deviation = (transform @ covariance * transform).sum(1).clamp(min=1e-8).sqrt()
        whiten = transform / deviation[:, None]
        pilot = coefficients(pilots[c], whiten) if second else None
        least, most = settings["threshold"]
        threshold = least + (most - least) * min(covariance.diagonal().mean().sqrt().item() / WEAK, 1) * (c > 0)
        total, weight = shrink(groups, coefficients(planes[c], whiten), pilot, deviation, threshold)
        estimates.append(aggregate(total, weight, whiten.inverse(), planes.shape[1:], settings["kaiser"]))
    return torch.stack(estimates)


def coefficients(plane, transform):
    """Return the transforms of the blocks at all positions, (positions, 64)."""
    import torch

    blocks = plane.unfold(0, SIDE, 1).unfold(1, SIDE, 1)
    transform = transform.T.to(plane)
    out = plane.new_empty(*blocks.shape[:2], SIDE**2)
    rows = max(SIDE, 2**10 // blocks.shape[1])  # at once: threads split a product of fewer in a way that changes bits
    for start in range(0, len(blocks), rows):
        some = blocks[start : start + rows]
        torch.mm(some.reshape(-1, SIDE**2), transform, out=out[start : start + rows].view(-1, SIDE**2))
    return out.view(-1, SIDE**2)


def shrink(groups, noisy, pilot, deviation, threshold):
    """Return (Σ weight · filtered coefficients, Σ weight) at each position: what the groups say of the block there.

    noisy and pilot are coefficients in units of the noise's standard deviation. A group's are transformed along its
    blocks, too, multiplied by W, which is 1 or 0 by a threshold, or with a pilot W = pilot² / (pilot² + 1), and
    transformed back. The group's weight is 1 / Σ W² deviation², the inverse variance of what noise is left in it. The
    mean of a group is kept as it is.
    """
    import torch

    size, count = groups.shape
    H = haar(size).to(noisy)
    variance = (deviation**2 / (deviation**2).mean()).to(noisy)
    total, weight = torch.zeros_like(noisy), torch.zeros_like(noisy[:, 0])
    at_once = (2**19 if noisy.is_cuda else 2**11) // size
    for start in range(0, count, at_once):
        at = groups[:, start : start + at_once].reshape(-1)
        z = (H @ noisy.index_select(0, at).view(size, -1)).view(size, -1, SIDE**2)
        if pilot is None:
            W = (z.abs() > threshold).to(z)
        else:
            p = (H @ pilot.index_select(0, at).view(size, -1)).square_().view(z.shape)
            W = p / (p + 1)
        W[0, :, 0] = 1
        w = 1 / (W.square().sum(0) * variance).sum(1)
        z = H.T @ z.mul_(W).mul_(w[:, None]).view(size, -1)
        add(total, at, z.view(len(at), -1))
        add(weight, at, w.expand(size, -1).reshape(-1))
    return total, weight


def add(total, at, values):
    """Add values to total[at], in the order that they have: no atomics, which would leave the order to chance."""
    if total.is_cuda:
        total.index_put_((at,), values, accumulate=True)  # sorts
    else:
        total.index_add_(0, at, values)


def aggregate(total, weight, inverse, shape, kaiser):
    """Return the plane: at each pixel the mean of the blocks' estimates, by weight and a Kaiser window in the block."""
    import torch
    from torch.nn.functional import fold

    line = torch.kaiser_window(SIDE, False, kaiser, dtype=torch.float64)
    estimates = (torch.outer(line, line).view(-1, 1) * inverse).to(total) @ total.T
    weights = weight.view([n - SIDE + 1 for n in shape])
    for _ in shape:  # rows and columns in turn
        spread = weights.new_zeros(len(weights) + SIDE - 1, weights.shape[1])
        for i, value in enumerate(line.tolist()):
            spread[i : i + len(weights)] += value * weights
        weights = spread.T
    return fold(estimates[None], shape, SIDE)[0, 0] / weights


def block_covariance(spectrum):
    """Return the covariance (64, 64) of the pixels of a block in noise with a power spectral density (H, W)."""
    import torch

    covariance = torch.fft.ifft2(spectrum.double()).real.cpu()
    place = torch.arange(SIDE)
    row, column = place.repeat_interleave(SIDE), place.repeat(SIDE)
    return covariance[row[:, None] - row, column[:, None] - column]


def haar(size):
    """Return the orthonormal Haar transform (size, size), size a power of two; its first row is the mean · √size."""
    import torch

    matrix = torch.ones(1, 1, dtype=torch.float64)
    while len(matrix) < size:
        sums, differences = torch.tensor([[1.0, 1.0]]), torch.tensor([[1.0, -1.0]])
        matrix = torch.cat((torch.kron(matrix, sums), torch.kron(torch.eye(len(matrix)), differences))) / math.sqrt(2)
    return matrix


def cosine():
    """Return the orthonormal discrete cosine transform DCT-II, (8, 8)."""
    import torch

    k = torch.arange(SIDE, dtype=torch.float64)
    matrix = torch.cos(math.pi / SIDE * (k + 0.5) * k[:, None]) * math.sqrt(2 / SIDE)
    matrix[0] /= math.sqrt(2)
    return matrix


def biorthogonal():
    """Return the analysis by the wavelet bior1.5 down to one mean, periodic, (8, 8), its rows scaled to norm 1."""
    import torch

    low = torch.tensor([3, -3, -22, 22, 128, 128, 22, -22, -3, 3], dtype=torch.float64) / 256
    matrix = torch.eye(SIDE, dtype=torch.float64)
    for n in (8, 4, 2):
        level = torch.zeros(n, n, dtype=torch.float64)
        for row in range(n // 2):
            level[row].index_add_(0, (torch.arange(-4, 6) + 2 * row) % n, low)
            level[n // 2 + row, 2 * row : 2 * row + 2] = torch.tensor([0.5, -0.5])
        matrix[:n] = level @ matrix[:n]
    return matrix / matrix.norm(dim=1, keepdim=True)
