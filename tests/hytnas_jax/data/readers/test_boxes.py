"""Boxes of an image, and the strata by which splits are carved."""

import numpy as np

from hytnas_jax.data.readers.boxes import Boxes, images_with, strata


def test_areas_are_parts_of_the_image() -> None:
    corners = np.array([[0, 0, 0.5, 0.5], [0.25, 0, 0.75, 1]], np.float32)
    boxes = Boxes(corners, np.array([0, 1], np.int32), np.zeros(2, bool))
    np.testing.assert_allclose(boxes.areas(), [0.25, 0.5])
    assert len(boxes.take(np.array([1]))) == 1


def test_an_image_counts_for_its_rarest_class() -> None:
    rows = np.array([0, 0, 1, 2, 2, 2])
    classes = np.array([0, 1, 0, 0, 1, 2])
    holding = images_with(rows, classes, 3)
    np.testing.assert_array_equal(holding, [3, 2, 1])
    found = strata(rows, classes, 4, holding=holding)
    np.testing.assert_array_equal(found, [1, 0, 2, 3])
    assert found.dtype == np.int32
