"""What is said of boxes in layouts that no reader knows, and whether following it helps."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hytnas_jax.data.readers.advice import advice_on
from hytnas_jax.data.readers.recognise import open_folder, task_of
from hytnas_jax.data.readers.voc import VocSource

Save = Callable[..., Path]
Refusal = Callable[[Callable[[], Any]], str]
BOX = "0 .5 .5 .2 .2\n"


@pytest.mark.parametrize(
    ("images", "labels", "lines"),
    [
        (["images"], ["labels"], "train: images"),
        (["."], ["."], "train: ."),
        (["obj_train_data"], ["obj_train_data"], "train: obj_train_data"),
        (
            ["train/images", "valid/images"],
            ["train/labels", "valid/labels"],
            "train: train/images\n  val: valid/",
        ),
        (
            ["images/train/b", "images/test"],
            ["labels/train/b", "labels/test"],
            "train: images/train\n  test: ",
        ),
        (["data/a b", "data/c"], ["data/a b", "data/c"], "train: [data/a b, data/c]"),
    ],
)
def test_yolo_without_its_yaml(
    tmp_path: Path, save_image: Save, refusal: Refusal, images: list[str], labels: list[str], lines: str
) -> None:
    for number, (image_folder, label_folder) in enumerate(zip(images, labels, strict=True)):
        save_image(f"{image_folder}/a{number}.jpg")
        (tmp_path / label_folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / label_folder / f"a{number}.txt").write_text(BOX)
    (tmp_path / "classes.txt").write_text("cat\nno\n")
    text = refusal(lambda: open_folder(tmp_path, None))
    assert text.startswith("DIR: this looks like YOLO without data.yaml, which says where the images are and")
    _, yaml = text.split("write DIR/data.yaml, as\n")
    assert yaml.startswith(f"  {lines}")
    (tmp_path / "data.yaml").write_text(yaml.removesuffix("with the names in the order of their numbers"))
    source = open_folder(tmp_path, None)
    assert source.task == "detection"
    assert source.class_names == ("cat", "no")
    assert sum(source.sizes.values()) == len(images)


def test_yolo_without_names_or_images(save_yolo: Save, tmp_path: Path) -> None:
    save_yolo({"a": BOX})
    (tmp_path / "data.yaml").unlink()
    assert "as\n  train: images\n  names: [NAME, NAME]\n" in advice_on(tmp_path)
    shutil.rmtree(tmp_path / "images")
    assert advice_on(tmp_path).startswith("this looks like YOLO without data.yaml; a data.yaml is\n  train: ")


@pytest.mark.parametrize(
    ("images", "place", "to"),
    [
        ("images", "annotations/xmls", "DIR/Annotations, with the images in DIR/images"),
        ("JPEGImages/sub", "Annotations/sub", "DIR/Annotations, with the images in DIR/images"),
        ("images", "labels", "DIR/Annotations, with the images in DIR/images"),
        ("train/JPEGImages", "train/Annotations", "DIR/train, beside their images"),
    ],
)
def test_voc_elsewhere(
    save_voc: Save, tmp_path: Path, refusal: Refusal, images: str, place: str, to: str
) -> None:
    save_voc("a", [("cat", (11, 21, 40, 30))])
    for old, new in (("Annotations", place), ("JPEGImages", images)):
        (tmp_path / old).rename(tmp_path / "moved")
        (tmp_path / new).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "moved").rename(tmp_path / new)
    assert refusal(lambda: open_folder(tmp_path, None)).startswith(
        f"DIR: this looks like Pascal VOC, but the XML files lie in {place}; move them directly into {to}: "
        "the layouts are DIR/Annotations/a.xml with"
    )
    assert f"is in no layout that is known (this looks like Pascal VOC, but the XML files lie in {place}" in (
        refusal(lambda: open_folder(tmp_path, "detection"))
    )


def test_a_folder_too_far_up(save_voc: Save, tmp_path: Path, refusal: Refusal) -> None:
    save_voc("a", [("cat", (11, 21, 40, 30))])
    (tmp_path / "devkit" / "VOC2007").mkdir(parents=True)
    for name in ("Annotations", "JPEGImages"):
        (tmp_path / name).rename(tmp_path / "devkit" / "VOC2007" / name)
    assert refusal(lambda: open_folder(tmp_path / "devkit", None)) == (
        "DIR/devkit: neither boxes nor masks lie here, but in VOC2007 do: boxes in Annotations/a.xml; give "
        "DIR/devkit/VOC2007"
    )
    assert isinstance(open_folder(tmp_path / "devkit" / "VOC2007", None), VocSource)


def test_there_is_no_advice_on_other_folders(save_images: Save, tmp_path: Path) -> None:
    save_images("cat", 2)
    (tmp_path / "cat" / "notes.txt").write_text("a cat, photographed at home\n")
    (tmp_path / "cat" / "page.xml").write_text("<page/>")
    assert advice_on(tmp_path) == ""
    assert task_of(tmp_path) == (None, "neither boxes, nor masks, nor class folders are found")
