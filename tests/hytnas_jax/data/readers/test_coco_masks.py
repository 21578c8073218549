"""Masks drawn from JSON files of COCO's kind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

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
        "instances.json: annotations[0] (id 500): segmentation is None; segmentation is a list of polygons "
        "[x, y, x, y, x, y, ...] in pixels, or run lengths: a file of boxes alone is for detection"
    )


def test_wrong_segmentations(save_coco: SaveCoco, refusal: Refusal) -> None:
    place = "instances.json: annotations[0] (id 500)"
    for segmentation, said in (
        (
            [[1, 2, 3, 4]],
            "the polygon [1, 2, 3, 4] has 4 values; segmentation is a list of polygons [x, y, x, y, x, "
            "y, ...] in pixels, or run lengths",
        ),
        ({"size": [5, 10], "counts": [50]}, "the run lengths are of 10x5 pixels, the image of 100x50"),
        ({"size": [50, 100], "counts": [50]}, "counts add up to 50 pixels, size 50x100 has 5000"),
    ):
        folder = save_coco([[1, 1, 2, 2]], change=segments({"segmentation": segmentation}))
        text = refusal(lambda folder=folder: CocoMasks(folder))
        assert text == f"{place}: {said}; correct it, or delete the annotation"
