"""Block matching: for each reference block of a picture, the blocks around it that are most similar."""

SIDE = 8  # of a block, in pixels
TILE = 6  # × 6 references share one window and one matrix product


def match(picture, reach, size, step):
    """Return the groups (size, references): the positions of the blocks most similar to each reference, itself first.

    A position is row · (W − 7) + column of a block's upper left pixel. References stand `step` apart, and at the far
    edges; candidates up to `reach` <= 22 pixels from them. Similar is what has a small squared distance of its pixels,
    to 13 significant bits; of equals the first in the window is taken.

    The picture is rounded to 511 levels. So distances are integers below 2²⁴, exact in whatever order they are summed.
    To a block that is not wholly inside they are above 2²⁵, so that none is taken.
    """
    import torch
    from torch.nn.functional import pad

    device = picture.device
    rows, columns = (n - SIDE + 1 for n in picture.shape)
    low, high = picture.min(), picture.max()
    levels = ((picture - (low + high) / 2) * (510 / (high - low).clamp(min=1e-12))).round()
    norms = levels.square().unfold(0, SIDE, 1).sum(2).unfold(1, SIDE, 1).sum(2)

    (down, tops), (across, lefts) = tiles(rows, step), tiles(columns, step)
    corners = [(top, left) for top in tops for left in lefts]
    height, width = (2 * reach + step * (n - 1) + 1 for n in (down, across))  # of a tile's window
    windows = pad(levels, (reach,) * 4).unfold(0, SIDE, 1).unfold(1, SIDE, 1).unfold(0, height, 1).unfold(1, width, 1)
    window_norms = pad(norms, (reach,) * 4, value=2.0**26).unfold(0, height, 1).unfold(1, width, 1)

    side = 2 * reach + 1  # of the window of one reference
    eighth = -(-side * side // 8)
    number = torch.arange(side * side, device=device, dtype=torch.int32).view(side, side)
    grid = torch.arange(down, device=device)[:, None], torch.arange(across, device=device)
    at_once = 256 if picture.is_cuda else 1
    here = [slice(reach, reach + step * (count - 1) + 1, step) for count in (down, across)]
    references = down * across
    keys = torch.full((at_once * references, 8 * eighth), 2**31 - 1, dtype=torch.int32, device=device)
    blocks = torch.empty(at_once, SIDE, SIDE, height, width, device=device)
    distances = torch.empty(at_once, references, height * width, device=device)
    found = []
    for some in (corners[start : start + at_once] for start in range(0, len(corners), at_once)):
        n = len(some)
        b = torch.stack([windows[corner] for corner in some], out=blocks[:n]).view(n, SIDE * SIDE, -1)
        b_norms = torch.stack([window_norms[corner] for corner in some]).view(n, 1, -1)
        a = b.view(n, SIDE * SIDE, height, width)[:, :, here[0], here[1]].reshape(n, SIDE * SIDE, -1).transpose(1, 2)
        # ‖a − b‖² of the tile's references and all blocks of its window, (n, references, height · width)
        d = torch.baddbmm(b_norms, a, b, alpha=-2, out=distances[:n]).add_(a.square().sum(2, keepdim=True))
        # float32 above 0 are ordered as their bits are; the last eleven give way to the candidate's number
        each = (n, down, across, side, side)
        strides = (d.stride(0), across * d.stride(1) + step * width, d.stride(1) + step, width, 1)
        key = keys[: n * references]
        candidates = key[:, : side * side].view(each)
        torch.bitwise_and(d.view(torch.int32).as_strided(each, strides), ~2047, out=candidates)
        candidates |= number
        key[:, reach * side + reach] -= 2048  # itself first
        found.append(smallest(key, size) & 2047)

    found = torch.cat(found).long()
    corner = torch.tensor([top * columns + left for top, left in corners], device=device)
    own = (corner[:, None] + (step * (grid[0] * columns + grid[1])).flatten()).view(-1, 1)
    return (own + (found // side - reach) * columns + found % side - reach).T.contiguous()


def tiles(n, step):
    """Return (references in a tile, the tiles' first positions) of a side of n positions; the last tile ends there."""
    references = min(TILE, (n - 1) // step + 1)
    last = n - 1 - step * (references - 1)
    return references, [*range(0, last, step * references), last]


def smallest(key, size):
    """Return the `size` smallest numbers of each row, in order: they lie in the eights with the smallest minima."""
    import torch

    eighths = key.view(len(key), 8, -1)
    best = eighths.amin(1).topk(size, 1, largest=False, sorted=False).indices
    members = eighths.gather(2, best[:, None].expand(-1, 8, -1)).view(len(key), -1)
    return torch.topk(members, size, 1, largest=False).values
