"""Some classes only, as boxes and as the question of Visual Wake Words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hytnas_jax.data.readers.chosen_classes import as_classification, only_classes, only_masks
from hytnas_jax.data.readers.mask_folder import MaskFolder
from hytnas_jax.data.readers.voc import VocSource
from hytnas_jax.data.readers.yolo import YoloSource

Refusal = Callable[[Callable[[], Any]], str]
LABELS = {
    "train/cat_and_dog": "0 .5 .5 .2 .2\n1 .5 .5 .3 .3",
    "train/cat": "0 .5 .5 .2 .2",
    "train/none": None,
    "train/small_dog": "1 .5 .5 .05 .05",
    "train/large_and_small_dog": "1 .5 .5 .05 .05\n1 .5 .5 .1 .1",
}


@pytest.fixture
def source(save_yolo: Callable[..., Path]) -> YoloSource:
    return YoloSource(save_yolo(LABELS))


def names(source: Any) -> list[str]:
    return [Path(source.image_name("train", n)).stem for n in range(source.sizes["train"])]


def test_boxes_of_a_class(source: YoloSource) -> None:
    dogs = only_classes(source, ("dog",))
    assert dogs.class_names == ("dog",)
    assert names(dogs) == ["cat", "cat_and_dog", "large_and_small_dog", "none", "small_dog"]
    assert [len(dogs.boxes("train", n)) for n in range(5)] == [0, 1, 2, 0, 1]
    assert dogs.boxes("train", 1).classes.tolist() == [0]
    np.testing.assert_array_equal(dogs.labels("train", np.arange(5)), [1, 0, 0, 1, 0])
    assert len(dogs.openers("train", np.arange(2))) == 2
    rows, boxes = dogs.all_boxes("train")
    assert rows.tolist() == [1, 2, 2, 4]
    assert len(boxes) == 4


def test_the_order_of_the_classes_is_that_asked_for(source: YoloSource) -> None:
    both = only_classes(source, ("dog", "cat"))
    assert both.class_names == ("dog", "cat")
    assert both.boxes("train", 1).classes.tolist() == [1, 0]


def test_whether_there_is_one(source: YoloSource) -> None:
    dogs = as_classification(source, ("dog",))
    assert dogs.class_names == ("no dog", "dog")
    assert names(dogs) == ["cat", "cat_and_dog", "large_and_small_dog", "none"]
    np.testing.assert_array_equal(dogs.labels("train", np.arange(4)), [0, 1, 1, 0])
    assert dogs.left_out == "1 image where all boxes of dog are below 0.5% of it left out"
    assert len(dogs.openers("train", np.array([3]))) == 1


def test_ignored_boxes_are_neither(save_voc: Callable[..., Path]) -> None:
    save_voc("a", [("cat", (11, 21, 40, 30))], extra="<difficult>1</difficult>")
    save_voc("b", [("dog", (11, 21, 40, 30))])
    cats_and_dogs = VocSource(save_voc("c", [("cat", (11, 21, 40, 30))]))
    assert names(as_classification(cats_and_dogs, ("cat",))) == ["b", "c"]


def test_unknown_and_repeated_names(source: YoloSource, refusal: Refusal) -> None:
    name = source.name
    for classes, said in (
        (("Dogs",), f"classes: 'Dogs' is no class of {name}; did you mean dog?"),
        (("person",), f"classes: 'person' is no class of {name}; there are cat, dog"),
        (("dog", "dog"), "classes: 'dog' is given twice; give each class once"),
        ((), "classes: none is given; choose of cat, dog"),
    ):
        assert refusal(lambda classes=classes: only_classes(source, classes)) == said
        assert refusal(lambda classes=classes: as_classification(source, classes)) == said


def test_a_split_without_the_class(save_yolo: Callable[..., Path], refusal: Refusal) -> None:
    source = YoloSource(save_yolo({**LABELS, "val/a": "0 .5 .5 .2 .2"}))
    assert refusal(lambda: only_classes(source, ("dog",))) == (
        f"{source.name}: not one of the 1 image of validation has a box of dog; choose other classes, or "
        "add images "
        "with them"
    )
    assert refusal(lambda: as_classification(source, ("dog",))) == (
        f"{source.name}: no image of validation is of the class 'dog' (boxes that cover less than 0.5% of "
        "the image "
        "do not count); add some, or choose other classes"
    )


def test_masks_of_a_class(save_mask: Callable[..., Path]) -> None:
    masks = only_masks(MaskFolder(save_mask("a", [[0, 1, 2]])), ("2", "0"))
    assert masks.class_names == ("2", "0")
    assert masks.mask("train", 0).tolist() == [[1, 255, 0]]


def test_masks_without_the_class(save_mask: Callable[..., Path], tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "classes.txt").write_text("wall\ndoor\nroof\nsky\ncar\n")
    save_mask("a", [[0, 1]])
    save_mask("b", [[0, 2]])
    source = MaskFolder(save_mask("c", [[0, 0]], split="val"))
    end = "; choose other classes, or add images with them"
    assert only_masks(source, ("wall", "roof")).class_names == ("wall", "roof")
    for classes, said in (
        (("door", "roof"), "not one of 1 mask of validation has a pixel of door or roof"),
        (("sky", "car"), "not one of 2 masks of train has a pixel of sky or car"),
        (
            ("sky", "door", "car"),
            "not one of 2 masks of train has a pixel of sky or car, so that 'door' is alone; segmentation "
            "tells at least two classes apart",
        ),
    ):
        text = refusal(lambda classes=classes: only_masks(source, classes))
        assert text == f"{source.name}: {said}{end}"
