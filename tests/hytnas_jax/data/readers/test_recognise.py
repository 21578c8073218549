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


def test_polygons_in_label_files_are_for_detection_alone(save_yolo: Save, refusal: Refusal) -> None:
    folder = save_yolo({"train/a": "0 .5 .5 .2 .2 .1 .1\n0 .5 .5 .2 .2 .1 .1\n0 .5 .5 .2 .2"})
    reason = (
        "data.yaml with polygons in label files; these are for detection only, by the box around each one: "
        "give --task detection. Masks for segmentation are PNG files, or the polygons of a JSON file as COCO "
        "has it"
    )
    assert refusal(lambda: open_folder(folder, None)) == f"DIR: {reason}"
    assert f"is in no layout that is known ({reason}); " in refusal(
        lambda: open_folder(folder, "segmentation")
    )
    assert isinstance(open_folder(folder, "detection"), YoloSource)


def test_keypoints_behind_boxes_are_no_polygons(save_yolo: Save) -> None:
    yaml = "train: images/train\nnames: [cat]\nkpt_shape: [1, 2]\n"
    assert task_of(save_yolo({"train/a": "0 .5 .5 .2 .2 .1 .1"}, yaml=yaml)).task == "detection"


@pytest.mark.parametrize("line", ["# a comment", "0,.5,.5,.2,.2", "0 .5 .5 .2 .2 .9", "0 .5 .5 .2 .2 # dog"])
@pytest.mark.parametrize("name", ["train/a", "train/z"])
def test_the_reader_says_which_line_of_a_label_file_is_wrong(
    save_yolo: Save, refusal: Refusal, line: str, name: str
) -> None:
    folder = save_yolo({"train/b": "0 .5 .5 .2 .2", "train/c": "0 .5 .5 .2 .2", name: line})
    assert task_of(folder) == ("detection", "data.yaml with boxes in label files")
    assert f"labels/{name}.txt, line 1: '{line}' has" in refusal(lambda: open_folder(folder, None))


def test_names_beside_the_labels_are_no_labels(save_yolo: Save) -> None:
    folder = save_yolo({"train/a": "0 .5 .5 .2 .2"})
    (folder / "labels" / "train" / "classes.txt").write_text("cat\ndog\n")
    (folder / "README.dataset.txt").write_text("A data set.\n" * 30)
    assert isinstance(open_folder(folder, None), YoloSource)


def test_labels_may_lie_beside_the_images(save_yolo: Save, tmp_path: Path) -> None:
    save_yolo({"train/a": "0 .5 .5 .2 .2"}, yaml="train: data\nnames: [cat]\n")
    (tmp_path / "images" / "train").rename(tmp_path / "data")
    (tmp_path / "labels" / "train" / "a.txt").rename(tmp_path / "data" / "a.txt")
    assert task_of(tmp_path).task == "detection"


def test_a_yaml_without_labels_is_not_certain(save_yolo: Save) -> None:
    folder = save_yolo({"train/a": None})
    assert task_of(folder) == (
        None,
        "data.yaml, but no label files with boxes; say with --task what it is for",
    )


def test_outlines_without_boxes_are_masks(save_coco: Save) -> None:
    def change(data: dict[str, Any]) -> None:
        data["annotations"][0]["segmentation"] = [[1, 1, 9, 1, 9, 9]]
        del data["annotations"][0]["bbox"]

    folder = save_coco([[1, 1, 9, 9]], change=change)
    assert task_of(folder) == ("segmentation", "outlines without boxes in instances.json")
    assert isinstance(open_folder(folder, None), CocoMasks)


def test_voc(save_voc: Save) -> None:
    folder = save_voc("a", [("cat", (11, 21, 40, 30))])
    assert task_of(folder) == ("detection", "boxes in Annotations/a.xml")
    assert isinstance(open_folder(folder, "detection"), VocSource)


@pytest.mark.parametrize("first", [b"", b"<page/>", b"\xff"])
def test_one_xml_file_does_not_decide(save_voc: Save, refusal: Refusal, first: bytes) -> None:
    folder = save_voc("b", [("cat", (11, 21, 40, 30))])
    (folder / "Annotations" / "a.xml").write_bytes(first)
    assert task_of(folder) == ("detection", "boxes in Annotations/b.xml")
    assert refusal(lambda: open_folder(folder, None)).startswith("Annotations/a.xml: no image in JPEGImages/")


@pytest.mark.parametrize("encoding", ["gb2312", "foo-8"])
def test_an_encoding_that_is_not_known_to_the_parser(save_voc: Save, encoding: str) -> None:
    folder = save_voc("a", [("cat", (11, 21, 40, 30))])
    path = folder / "Annotations" / "a.xml"
    path.write_text(f'<?xml version="1.0" encoding="{encoding}"?>\n{path.read_text()}')
    assert task_of(folder) == ("detection", "boxes in Annotations/a.xml")


def test_one_mask_that_is_none_does_not_decide(save_mask: Save, refusal: Refusal) -> None:
    for name in "abc":
        folder = save_mask(name, [[0, 1]])
    (folder / "train" / "masks" / "c.png").write_bytes(b"")
    assert task_of(folder) == ("segmentation", "masks in train/masks")
    assert "train/masks/c.png: cannot be read (the file is empty)" in refusal(
        lambda: open_folder(folder, None)
    )


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
        "boxes in Annotations/a.xml, and masks; say with --task whether it is for detection or segmentation",
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
