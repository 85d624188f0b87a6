import numpy as np

from steps.inverse import pieces


def test_pieces_are_all_of_an_array_in_its_order_and_writing_to_them_writes_to_it(monkeypatch):
    monkeypatch.setattr(pieces, "VALUES", 7)
    array = np.arange(60.0).reshape(3, 4, 5)
    parts = pieces.pieces(array)
    assert [len(part) for part in parts] == 8 * [7] + [4]
    np.testing.assert_array_equal(np.concatenate(parts), array.ravel())
    for part in parts:
        part[:] = -part
    np.testing.assert_array_equal(array, -np.arange(60.0).reshape(3, 4, 5))
