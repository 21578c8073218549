"""Boxes and objects matched by hand."""

import numpy as np
import pytest

from hytnas_jax.quality.average_precision import Found, Truth
from hytnas_jax.quality.object_matching import Matched, match_objects
from hytnas_jax.quality.recall import recall

LEFT, RIGHT, MOST = [0, 0, 0.5, 1], [0.5, 0, 1, 1], [0, 0, 0.8, 1]


def found_of(*boxes: tuple[list[float], float, int]) -> Found:
    return Found(
        np.array([box for box, *_ in boxes], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in boxes]),
        np.array([label for *_, label in boxes], int),
    )


def truth_of(*boxes: tuple[list[float], int, bool]) -> Truth:
    return Truth(
        np.array([box for box, *_ in boxes], np.float32).reshape(-1, 4),
        np.array([label for _, label, _ in boxes], int),
        np.array([ignored for *_, ignored in boxes], bool),
    )


def test_each_object_is_found_once() -> None:
    """The best box takes the left object, by 0.5 / 0.8; an exact one that is less sure comes too late."""
    found = found_of((LEFT, 0.8, 0), (MOST, 0.9, 0), (RIGHT, 0.7, 0), (RIGHT, 0.2, 0))
    matched = match_objects(found, truth_of((LEFT, 0, False), (RIGHT, 0, False)), 0.3)
    np.testing.assert_allclose(matched.iou, [0.625, 1], rtol=1e-6)
    np.testing.assert_allclose(matched.sides, [0.5**0.5] * 2)
    assert matched.wrong == 1
    assert matched.quality == pytest.approx(1.625 / 2.5)


def test_classes_are_kept_apart_and_ignored_boxes_are_no_mistake() -> None:
    """The right half is a crowd: boxes of its class in it are neither right nor wrong."""
    found = found_of((RIGHT, 0.9, 0), ([0.6, 0, 0.7, 1], 0.8, 0), (RIGHT, 0.7, 1), (LEFT, 0.6, 1))
    truth = truth_of((LEFT, 0, False), (RIGHT, 0, True), (LEFT, -1, False))
    matched = match_objects(found, truth, 0.3)
    assert (matched.iou.tolist(), matched.wrong, matched.quality) == ([0], 2, 0)


def test_an_overlap_below_half_is_no_find() -> None:
    matched = match_objects(found_of(([0, 0, 0.24, 1], 0.9, 0)), truth_of((LEFT, 0, False)), 0.3)
    assert (matched.iou.tolist(), matched.wrong) == ([0], 1)


def test_of_images_without_objects_nothing_is_known() -> None:
    for truth in (truth_of(), truth_of((LEFT, 0, True)), truth_of((LEFT, -1, False))):
        matched = match_objects(found_of((LEFT, 0.9, 0)), truth, 0.3)
        assert len(matched.iou) == 0
        assert np.isnan(matched.quality)
    assert match_objects(found_of(), truth_of(), 0.3).wrong == 0


def test_recall_by_size_and_by_number() -> None:
    """Three images: of 2 objects, of 3 and of 10; sizes at the limits belong to the middle."""
    matched = [
        Matched(np.array([0.1, 0.125]), np.array([0.0, 0.9]), 0),
        Matched(np.array([0.25, 0.3, 0.9]), np.array([0.0, 0.5, 0.7]), 4),
        Matched(np.full(10, 0.05), np.array([0.6] + [0.0] * 9), 0),
        Matched(np.zeros(0), np.zeros(0), 2),
    ]
    told = recall(matched)
    assert [tuple(group.values()) for group in told["by_size"]] == [
        ("below 1/8", 11, 1), ("1/8 to 1/4", 2, 1), ("above 1/4", 2, 2)
    ]  # fmt: skip
    assert [tuple(group.values()) for group in told["by_number_in_image"]] == [
        ("1 to 2", 2, 1), ("3 to 9", 3, 2), ("10 or more", 10, 1)
    ]  # fmt: skip
    assert (told["iou"], told["least_score"]) == (0.5, 0.05)
