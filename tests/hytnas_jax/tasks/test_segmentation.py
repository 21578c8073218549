"""What is told of a segmenter, and drawn, of outputs made by hand: three classes, a cell a pixel."""

import numpy as np
import pytest

from hytnas_jax.on_device.drawing import class_colour
from hytnas_jax.tasks.segmentation import segmentation

TASK = segmentation((1.0, 1.0, 1.0))
NAMES = ["background", "bright", "dark"]
MASKS = np.array([[[0, 0], [1, 255]], [[1, 1], [1, 1]]], np.uint8)
NAMED = np.array([[[0, 1], [1, 2]], [[1, 2], [2, 2]]])
OUTPUTS = 9 * np.eye(3, dtype=np.float32)[NAMED]


def test_what_is_told() -> None:
    """Of 2 pixels of the background 1 is right; of 5 bright ones 2 are, and 3 are called dark."""
    told = TASK.examine([(OUTPUTS, {"mask": MASKS})])
    assert told.error == pytest.approx(1 - (1 / 2 + 2 / 6) / 2)
    assert told.details["pixel_accuracy"] == pytest.approx(3 / 7)
    assert told.details["share_of_pixels_by_class"] == pytest.approx([2 / 7, 5 / 7, 0])
    assert told.details["IoU_by_class"][2] is None
    assert told.details["confusions"] == [
        {"class": 1, "taken_for": 2, "pixels": 3, "share": 3 / 5},
        {"class": 0, "taken_for": 1, "pixels": 1, "share": 1 / 2},
    ]
    assert told.by_image == pytest.approx([(1 / 2 + 1 / 2) / 2, 1 / 4])


def test_truth_and_what_is_found_are_drawn() -> None:
    assert TASK.draw is not None
    black, targets = np.zeros((2, 2, 3), np.uint8), {"mask": MASKS[0]}
    truth, found = (TASK.draw(black, output, targets, NAMES) for output in (None, OUTPUTS[0]))
    for image, classes in ((truth, (0, 0, 1, 0)), (found, (0, 1, 1, 2))):
        assert image.width == 256
        for (row, column), number in zip(((20, 20), (20, 230), (230, 20), (230, 230)), classes, strict=True):
            half = tuple(value // 2 for value in class_colour(number)) if number else (0, 0, 0)
            assert image.getpixel((column, row)) == half


def test_decoding_is_that_of_the_script() -> None:
    assert TASK.decode is not None
    np.testing.assert_array_equal(TASK.decode(OUTPUTS[0], 2), NAMED[0])
