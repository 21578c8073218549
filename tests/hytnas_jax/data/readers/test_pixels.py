"""Run lengths as COCO's own code writes them, and polygons."""

import numpy as np
import pytest

from hytnas_jax.data.readers.pixels import decode_rle, fill_polygon

RECTANGLE = np.zeros((5, 7), bool)
RECTANGLE[1:4, 2:6] = True


def test_both_ways_to_write_run_lengths() -> None:
    """The string is what pycocotools.mask.encode makes of the rectangle."""
    np.testing.assert_array_equal(decode_rle({"size": [5, 7], "counts": ";32000004"}), RECTANGLE)
    counts = [11, 3, 2, 3, 2, 3, 2, 3, 6]
    np.testing.assert_array_equal(decode_rle({"size": [5, 7], "counts": counts}), RECTANGLE)


@pytest.mark.parametrize(
    ("segmentation", "said"),
    [
        ({"size": [5, 7], "counts": [11, 3]}, "counts add up to 14 pixels, size 5x7 has 35"),
        ({"size": 5, "counts": [11, 3]}, r"size is 5; wanted \[height, width\]"),
        (
            {"size": [5, 7], "counts": [1.5]},
            r"counts is \[1.5\]; wanted a list of whole numbers, or a string",
        ),
        ({"size": [5, 7], "counts": "a b"}, "counts has the character ' ', which COCO's string never has"),
        ({"size": [5, 7], "counts": "P"}, "counts ends in the middle of a number"),
    ],
)
def test_wrong_run_lengths(segmentation: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        decode_rle(segmentation)


def test_a_polygon_has_the_pixels_whose_centres_it_holds() -> None:
    corners = np.array([[2, 1], [6, 1], [6, 4], [2, 4]], float)
    np.testing.assert_array_equal(fill_polygon(corners, 7, 5), RECTANGLE)
    np.testing.assert_array_equal(fill_polygon(corners[::-1] + 0.4, 7, 5), RECTANGLE)


def test_a_polygon_beyond_the_image_is_cut() -> None:
    corners = np.array([[-3, -3], [4, -3], [4, 9], [-3, 9]], float)
    found = fill_polygon(corners, 7, 5)
    assert found[:, :4].all()
    assert not found[:, 4:].any()


def test_the_inside_of_a_concave_polygon() -> None:
    corners = np.array([[0, 0], [6, 0], [6, 6], [4, 6], [4, 2], [2, 2], [2, 6], [0, 6]], float)
    found = fill_polygon(corners, 6, 6)
    assert found.sum() == 36 - 8
    assert not found[2:, 2:4].any()
