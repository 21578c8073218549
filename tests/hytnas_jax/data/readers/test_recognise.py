"""Which task a folder is for, and what is said where it is for another."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hytnas_jax.data.readers.coco import CocoSource
from hytnas_jax.data.readers.coco_masks import CocoMasks
from hytnas_jax.data.readers.folder import FolderSource
from hytnas_jax.data.readers.mask_folder import MaskFolder
from hytnas_jax.data.readers.recognise import open_folder, task_of
from hytnas_jax.data.readers.voc import VocSource
from hytnas_jax.data.readers.yolo import YoloSource

Save = Callable[..., Path]
Refusal = Callable[[Callable[[], Any]], str]


def test_coco(save_coco: Save) -> None:
    folder = save_coco([[1, 1, 9, 9]])
    assert task_of(folder) == ("detection", "boxes in instances.json")
    assert isinstance(open_folder(folder, "detection"), CocoSource)


def test_coco_has_polygons_too(save_coco: Save) -> None:
    def change(data: dict[str, Any]) -> None:
        data["annotations"][0]["segmentation"] = [[1, 1, 9, 1, 9, 9]]

    folder = save_coco([[1, 1, 9, 9]], change=change)
    assert task_of(folder).task == "detection"
    assert isinstance(open_folder(folder, "segmentation"), CocoMasks)


def test_yolo(save_yolo: Save) -> None:
    folder = save_yolo({"train/a": "0 .5 .5 .2 .2"})
    assert task_of(folder) == ("detection", "data.yaml with boxes in label files")
    assert isinstance(open_folder(folder, "detection"), YoloSource)


def test_polygons_in_label_files_are_not_certain(save_yolo: Save) -> None:
    folder = save_yolo({"train/a": "0 .5 .5 .2 .2 .1 .1"})
    assert task_of(folder) == (None, "data.yaml, but no label files with boxes alone")


def test_voc(save_voc: Save) -> None:
    folder = save_voc("a", [("cat", (11, 21, 40, 30))])
    assert task_of(folder) == ("detection", "boxes in Annotations/a.xml")
    assert isinstance(open_folder(folder, "detection"), VocSource)


def test_masks(save_mask: Save) -> None:
    folder = save_mask("a", [[0, 1]])
    assert task_of(folder) == ("segmentation", "masks in train/masks")
    assert isinstance(open_folder(folder, "segmentation"), MaskFolder)


def test_boxes_and_masks_are_not_certain(save_voc: Save, save_mask: Save, tmp_path: Path) -> None:
    save_voc("a", [("cat", (11, 21, 40, 30))])
    save_mask("a", [[0, 1]])
    (tmp_path / "train" / "masks").rename(tmp_path / "SegmentationClass")
    assert task_of(tmp_path) == (
        None,
        "boxes in Annotations/a.xml, and masks: it may be for detection or segmentation",
    )


@pytest.mark.parametrize("split", ["", "train/"])
def test_class_folders(save_images: Save, split: str) -> None:
    save_images(f"{split}cat", 2)
    folder = save_images(f"{split}dog", 2)
    assert task_of(folder) == ("classification", "one folder a class: cat, dog")
    assert isinstance(open_folder(folder, "classification"), FolderSource)


def test_nothing_is_certain_of_other_folders(save_images: Save, tmp_path: Path) -> None:
    assert task_of(tmp_path) == (None, "neither boxes, nor masks, nor class folders are found")
    save_images("images", 2)
    assert task_of(save_images("labels", 0)).task is None


@pytest.mark.parametrize(
    ("task", "also"),
    [("classification", ", or --classes NAME for whether an image has one"), ("segmentation", "")],
)
def test_boxes_for_another_task(save_yolo: Save, refusal: Refusal, task: Any, also: str) -> None:
    folder = save_yolo({"train/a": "0 .5 .5 .2 .2"})
    assert refusal(lambda: open_folder(folder, task)).startswith(
        f"DIR: task={task}, but this looks like detection (data.yaml with boxes in label files); give "
        f"--task detection{also}, or another folder: for {task} the layout"
    )


def test_class_folders_for_another_task(save_images: Save, refusal: Refusal) -> None:
    save_images("cat", 2)
    folder = save_images("dog", 2)
    assert refusal(lambda: open_folder(folder, "detection")).startswith(
        "DIR: task=detection, but this looks like classification (one folder a class: cat, dog); give --task "
        "classification, or another folder: for detection: the layouts are"
    )


def test_masks_for_another_task(save_mask: Save, refusal: Refusal) -> None:
    folder = save_mask("a", [[0, 1]])
    assert refusal(lambda: open_folder(folder, "detection")).startswith(
        "DIR: task=detection, but this looks like segmentation (masks in train/masks); give --task "
        "segmentation"
    )


def test_an_unknown_layout(tmp_path: Path, refusal: Refusal) -> None:
    assert refusal(lambda: open_folder(tmp_path, "detection")).startswith(
        "DIR: is in no layout that is known (neither boxes, nor masks, nor class folders are found); for "
        "detection"
    )
