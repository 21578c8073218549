"""Positions worked out by hand."""

import math

import numpy as np

from supernet.positions import sine_cosine_positions


def test_by_hand() -> None:
    found = sine_cosine_positions(2, 3, 8)
    assert (found.shape, found.dtype) == ((2, 3, 8), np.float32)
    # Frequencies 1 and 1 / 10,000; the pixel in row 1 and column 2.
    column, row = (2, 2e-4), (1, 1e-4)
    expected = [*map(math.sin, column), *map(math.cos, column), *map(math.sin, row), *map(math.cos, row)]
    np.testing.assert_allclose(found[1, 2], expected, atol=1e-6)
    np.testing.assert_array_equal(found[0, 0], [0, 0, 1, 1, 0, 0, 1, 1])


def test_every_pixel_has_its_own() -> None:
    found = sine_cosine_positions(14, 14, 192).reshape(196, 192)
    assert len(np.unique(found.round(3), axis=0)) == 196
