"""Rows of integers as keys of a dict."""

import numpy as np


def row_keys(rows: np.ndarray) -> list[bytes]:
    """One hashable key a row of integers [N, K]; equal rows have equal keys."""
    rows = np.ascontiguousarray(rows, np.int64)
    if rows.size == 0:
        return [b""] * len(rows)
    keys: list[bytes] = rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize)))[:, 0].tolist()
    return keys
