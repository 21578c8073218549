"""Boxes of a few pixels are told of before a supernet is trained for hours."""

import numpy as np
import pytest

from hytnas_jax.data import Dataset, LabelledImages
from hytnas_jax.data.decode import ImageRule
from hytnas_jax.tasks.small_boxes import small_boxes


def dataset(*sides: tuple[float, float], native_side: int = 640) -> Dataset:
    """One image with boxes of these widths and heights, and one more that is ignored."""
    boxes = np.array([[[0, 0, width, height] for width, height in (*sides, (0.01, 0.01))]], np.float32)
    targets = {
        "boxes": boxes,
        "classes": np.zeros(boxes.shape[:2], np.int32),
        "ignored": np.arange(boxes.shape[1])[None] == len(sides),
    }
    images = LabelledImages(np.zeros((1, 8, 8, 3), np.uint8), np.zeros(1, np.int32), targets)
    return _with(images, native_side)


def _with(images: LabelledImages, native_side: int) -> Dataset:
    of_pixels = (0.5,) * 3
    return Dataset(
        "made up", "detection", ("thing",), images, images, images, of_pixels, of_pixels, native_side,
        ImageRule(side=8, channels=3, fit="stretch"), 0.0,
    )  # fmt: skip


def test_the_median_of_the_narrower_sides_counts() -> None:
    """0.05 of 128 pixels are 6.4, of 320 they are 16: two cells of 8."""
    said = small_boxes(dataset((0.05, 0.5), (0.5, 0.04), (0.9, 0.9)), 128, 8)
    assert said is not None
    assert "half of the boxes are narrower than 6.4 pixels at resolution 128" in said
    assert "--resolutions 320 makes them 16 pixels wide, and each step about 6.2 times as long" in said


@pytest.mark.parametrize("width", [0.0625, 0.1, 1.0])
def test_boxes_of_a_cell_are_large_enough(width: float) -> None:
    assert small_boxes(dataset((width, 1.0)), 128, 8) is None


def test_no_more_pixels_are_proposed_than_the_images_have() -> None:
    said = small_boxes(dataset((0.01, 0.01), native_side=200), 128, 8)
    assert said is not None
    assert "--resolutions 200 makes them 2 pixels wide" in said
    assert small_boxes(dataset((0.01, 0.01), native_side=128), 128, 8) is None


def test_without_boxes_nothing_is_said() -> None:
    images = LabelledImages(np.zeros((1, 8, 8, 3), np.uint8), np.zeros(1, np.int32))
    assert small_boxes(_with(images, 640), 128, 8) is None
