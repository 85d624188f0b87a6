"""Large pictures by tiles: a local denoiser sees one after another, so that its memory does not grow with the picture.

A method that says LOCAL, in pixels, is one whose estimate of a pixel hardly depends on what is farther away. Tiles are
equally large, since defaults may depend on the size, and share at least LOCAL pixels with their neighbours. There the
estimates are cross-faded, so that no seam is seen.
"""

import time

LARGEST = 3 * 2**19  # pixels of a picture that is recovered whole: 1.5 megapixels, more than a tile has
SIDE = 768  # of a tile, in pixels
GRID = 12  # tiles, but for the last, begin at multiples of it: BM3D's references are 2, 3 or 4 pixels apart
SECONDS_BETWEEN_LINES = 2


def join(y, overlap, solve):
    """Return the image of a measurement y (C, H, W) with A = I, of which solve(part) is that of a part (C, h, w).

    overlap is the least number of pixels that two tiles share. Prints which tile it is and how many seconds are left.
    """
    import torch

    axes = [_axis(n, overlap) for n in y.shape[1:]]
    total, started, printed = len(axes[0]) * len(axes[1]), time.monotonic(), 0.0
    image, done = torch.zeros(y.shape, dtype=torch.float32), 0
    for rows, down in axes[0]:
        for columns, across in axes[1]:
            part = solve(y[:, rows, columns].contiguous())
            image[:, rows, columns] += part * down[:, None] * across
            done += 1
            now = time.monotonic()
            if now - printed >= SECONDS_BETWEEN_LINES or done == total:
                printed, left = now, (now - started) / done * (total - done)
                print(f"tile {done}/{total}  {left:.0f} s left", flush=True)
    return image


def _axis(n, overlap):
    """Return [(slice, weights)] of the tiles along a side of n pixels; weights are ramps at overlaps and sum to 1."""
    import torch

    side = min(SIDE, n)
    step = max((side - overlap) // GRID * GRID, 1)
    starts = [*range(0, n - side, step), n - side]
    raw = torch.zeros(len(starts), n, dtype=torch.float64)
    for row, start in zip(raw, starts, strict=True):
        place = torch.arange(side, dtype=torch.float64) + 0.5
        from_left = place if start else torch.full_like(place, overlap)
        from_right = side - place if start + side < n else torch.full_like(place, overlap)
        row[start : start + side] = torch.minimum(from_left, from_right).clamp(max=overlap)
    weights = (raw / raw.sum(0)).float()
    return [(slice(start, start + side), row[start : start + side]) for start, row in zip(starts, weights, strict=True)]
