"""Masks drawn from JSON files of COCO's kind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hytnas_jax.data.readers.coco_masks import CocoMasks

SaveCoco = Callable[..., Path]
Refusal = Callable[[Callable[[], Any]], str]
SMALL, LARGE = [10, 10, 20, 10, 20, 20, 10, 20], [0, 0, 50, 0, 50, 50, 0, 50]


def segments(*wanted: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        for annotation, fields in zip(data["annotations"], wanted, strict=True):
            annotation.update(fields)

    return change


def test_smaller_things_lie_above_and_crowds_below(save_coco: SaveCoco) -> None:
    crowd = {"size": [50, 100], "counts": [50 * 40, 50 * 60]}
    change = segments(
        {"segmentation": [SMALL], "category_id": 90},
        {"segmentation": [LARGE]},
        {"segmentation": crowd, "iscrowd": 1},
    )
    source = CocoMasks(save_coco([[1, 1, 2, 2]] * 3, change=change))
    assert source.class_names == ("background", "cat", "dog")
    mask = source.mask("train", 0)
    assert mask.shape == (50, 100)
    assert (mask[10:20, 10:20] == 2).all()
    assert (mask == 2).sum() == 100
    assert (mask == 1).sum() == 50 * 50 - 100
    assert (mask[:, 50:] == 255).all()
    assert (source.mask("train", 1) == 0).all()
    np.testing.assert_array_equal(source.labels("train", np.arange(2)), [1, 0])


def test_a_turned_image(save_coco: SaveCoco, save_image: Callable[..., Path]) -> None:
    folder = save_coco([[1, 1, 2, 2]], change=segments({"segmentation": [SMALL]}))
    save_image("images/a.jpg", orientation=6)
    mask = CocoMasks(folder).mask("train", 0)
    assert mask.shape == (100, 50)
    assert (mask[10:20, 30:40] == 1).all()


def test_without_a_segmentation(save_coco: SaveCoco, refusal: Refusal) -> None:
    folder = save_coco([[1, 1, 2, 2]])
    assert refusal(lambda: CocoMasks(folder)) == (
        "instances.json: annotations[0] (id 500): segmentation is None, as in all annotations; "
        "segmentation is a list of polygons [x, y, x, y, x, y, ...] in pixels, or run lengths: a file of "
        "boxes alone is for detection"
    )


@pytest.mark.parametrize("lacking", [[], [[]], None])
def test_few_annotations_without_an_outline(save_coco: SaveCoco, refusal: Refusal, lacking: Any) -> None:
    """One of 21 is less than 5%, one of 20 is not."""
    fields = [{"segmentation": [SMALL]}] * 19
    change = segments(fields[0], {"segmentation": lacking}, *fields)
    source = CocoMasks(save_coco([[1, 1, 2, 2]] * 21, change=change))
    assert source.left_out == (
        "instances.json: 1 annotation of 21 without an outline (segmentation) left out, so that the pixels "
        "are background (the first: annotations[1] (id 501))"
    )
    assert (source.mask("train", 0) == 1).sum() == 100
    folder = save_coco([[1, 1, 2, 2]] * 20, change=segments({"segmentation": lacking}, *fields))
    assert refusal(lambda: CocoMasks(folder)) == (
        "instances.json: annotations[0] (id 500): has no outline (segmentation), as 1 of 20 annotations, so "
        "that its pixels would be background; segmentation is a list of polygons [x, y, x, y, x, y, ...] in "
        "pixels, or run lengths: add the outlines, or delete these annotations"
    )


@pytest.mark.parametrize("name", ["background", "Background", "_background_"])
def test_a_category_that_is_the_background(save_coco: SaveCoco, name: str) -> None:
    def change(data: dict[str, Any]) -> None:
        segments({"segmentation": [SMALL]})(data)
        data["categories"][0]["name"] = name  # id 90, after the cat

    source = CocoMasks(save_coco([[1, 1, 2, 2]], change=change))
    assert source.class_names == ("cat", name)
    mask = source.mask("train", 0)
    assert (mask[10:20, 10:20] == 0).all()
    assert (mask == 1).sum() == 50 * 100 - 100


def test_wrong_segmentations(save_coco: SaveCoco, refusal: Refusal) -> None:
    place = "instances.json: annotations[0] (id 500)"
    for segmentation, said in (
        (
            [[1, 2, 3, 4]],
            "the polygon [1, 2, 3, 4] has 4 values; segmentation is a list of polygons [x, y, x, y, x, "
            "y, ...] in pixels, or run lengths",
        ),
        ({"size": [5, 10], "counts": [50]}, "the run lengths are of 10x5 pixels, the image of 100x50"),
        (
            "10 10 20 20",
            "segmentation is '10 10 20 20'; segmentation is a list of polygons [x, y, x, y, x, y, ...] in "
            "pixels, or run lengths",
        ),
        ({"size": [50, 100], "counts": [50]}, "counts add up to 50 pixels, size 50x100 has 5000"),
    ):
        folder = save_coco([[1, 1, 2, 2]], change=segments({"segmentation": segmentation}))
        text = refusal(lambda folder=folder: CocoMasks(folder))
        assert text == f"{place}: {said}; correct it, or delete the annotation"
