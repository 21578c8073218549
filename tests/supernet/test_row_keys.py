"""Equal rows have equal keys, whatever their memory looks like."""

import numpy as np

from supernet.row_keys import row_keys


def test_equal_rows_have_equal_keys() -> None:
    rows = np.array([[1, 2, 3], [3, 2, 1], [1, 2, 3]])
    first, second, third = row_keys(rows)
    assert first == third != second
    assert row_keys(rows[:, ::-1]) == [second, first, second]
    assert row_keys(rows.astype(np.int8)) == row_keys(np.asfortranarray(rows)) == row_keys(rows)


def test_nothing_has_keys_too() -> None:
    assert row_keys(np.zeros((0, 3), int)) == []
    assert row_keys(np.zeros((2, 0), int)) == [b"", b""]
