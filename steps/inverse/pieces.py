"""An array in pieces, one after another, so that arithmetic on a large picture needs no second array of its size."""

VALUES = 2**20  # of a piece


def pieces(array):
    """Return views of VALUES values each that an array in C order has, in that order; the last may have fewer."""
    flat = array.reshape(-1)
    return [flat[start : start + VALUES] for start in range(0, len(flat), VALUES)]
