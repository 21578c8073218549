"""PASCAL VOC's XML files: layouts, conventions, and everything that may be wrong in one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hytnas_jax.data.readers.voc import VocSource

SaveVoc = Callable[..., Path]
SaveList = Callable[..., None]
Refusal = Callable[[Callable[[], Any]], str]
WANTED = "bndbox is xmin, ymin, xmax, ymax in pixels, of which the first is number 1"
CAT = [("cat", (11, 21, 40, 30))]


def test_pixels_are_counted_from_1(save_voc: SaveVoc) -> None:
    save_voc("a", [("dog", (11, 21, 40, 30)), ("cat", (1, 1, 100, 50))], extra="<difficult>1</difficult>")
    source = VocSource(save_voc("b", [("cat", ("11.5", 21, 40, 30))]))
    assert source.class_names == ("cat", "dog")
    boxes = source.boxes("train", 0)
    np.testing.assert_allclose(boxes.corners, [[0.1, 0.4, 0.4, 0.6], [0, 0, 1, 1]])
    np.testing.assert_array_equal(boxes.classes, [1, 0])
    assert boxes.ignored.all()
    assert source.boxes("train", 1).corners[0, 0] == pytest.approx(0.105)
    np.testing.assert_array_equal(source.labels("train", np.arange(2)), [2, 0])


def test_stored_splits_and_what_is_in_none(save_voc: SaveVoc, save_list: SaveList) -> None:
    for name in "abc":
        folder = save_voc(name, CAT)
    save_list("Main", "train", ["a.jpg"])
    save_list("Main", "val", ["b  1"])
    source = VocSource(folder)
    assert source.sizes == {"train": 1, "validation": 1}
    assert source.image_name("validation", 0) == "JPEGImages/b.jpg"
    assert source.left_out == "1 XML file in no list left out (c)"


def test_trainval_alone_is_carved(save_voc: SaveVoc, save_list: SaveList) -> None:
    folder = save_voc("a", CAT)
    save_list("Main", "trainval", ["a"])
    assert VocSource(folder).sizes == {"train": 1}


def test_xml_files_beside_the_images(save_voc: SaveVoc, tmp_path: Path) -> None:
    for split, name in (("train", "a"), ("valid", "b")):
        save_voc(name, CAT)
        (tmp_path / split).mkdir()
        (tmp_path / "Annotations" / f"{name}.xml").rename(tmp_path / split / f"{name}.xml")
        (tmp_path / "JPEGImages" / f"{name}.jpg").rename(tmp_path / split / f"{name}.jpg")
    (tmp_path / "Annotations").rmdir()
    assert VocSource(tmp_path).sizes == {"train": 1, "validation": 1}


@pytest.mark.parametrize("filename", ["z.jpg", "C:\\data\\a.png", "/home/me/other.jpg"])
def test_the_name_of_the_xml_file_counts(save_voc: SaveVoc, filename: str) -> None:
    assert VocSource(save_voc("a", CAT, filename=filename)).image_name("train", 0) == "JPEGImages/a.jpg"


def test_without_a_size_the_image_is_asked(save_voc: SaveVoc) -> None:
    source = VocSource(save_voc("a", CAT, size=(0, 0)))
    np.testing.assert_allclose(source.boxes("train", 0).corners, [[0.1, 0.4, 0.4, 0.6]])


def test_images_without_xml_are_told(save_voc: SaveVoc, save_image: Callable[..., Path]) -> None:
    save_image("JPEGImages/z.jpg")
    source = VocSource(save_voc("a", CAT))
    assert source.left_out == "1 image without an XML file left out (the first: JPEGImages/z.jpg)"


@pytest.mark.parametrize(
    ("edges", "said"),
    [
        (
            (11, 21, 140, 30),
            "xmin 11, ymin 21, xmax 140, ymax 30: reaches 40 pixels (40.0%) beyond the right side of the "
            "image of "
            f"100x50 pixels, more than 1%; {WANTED}; correct the box or delete it",
        ),
        (
            (40, 21, 11, 30),
            "xmin 40, ymin 21, xmax 11, ymax 30: its width is -28, which is negative; "
            f"{WANTED}; correct the box or delete it",
        ),
        (
            ("nan", 21, 11, 30),
            f"xmin nan, ymin 21, xmax 11, ymax 30: a value is not a finite number; {WANTED}; correct the "
            "box or "
            "delete it",
        ),
        (("left", 21, 40, 30), f"xmin is 'left', which is no number; {WANTED}"),
    ],
)
def test_wrong_boxes(save_voc: SaveVoc, refusal: Refusal, edges: tuple[Any, ...], said: str) -> None:
    folder = save_voc("a", [*CAT, ("dog", edges)])
    assert refusal(lambda: VocSource(folder)) == f"Annotations/a.xml, line 7 ('dog'): {said}"


def test_zero_is_one_pixel_outside_and_clipped(save_voc: SaveVoc) -> None:
    source = VocSource(save_voc("a", [("cat", (0, 0, 40, 30))], size=(60, 40)))
    assert source.remarks == (
        "1 box reached beyond the image by at most 1% or one pixel: clipped (the first: "
        "Annotations/a.xml, line 4 "
        "('cat'): xmin 0, ymin 0, xmax 40, ymax 30)",
    )


def test_wrong_files(save_voc: SaveVoc, save_list: SaveList, tmp_path: Path, refusal: Refusal) -> None:
    folder = save_voc("a", CAT)
    save_list("Main", "train", ["a", "gone"])
    assert refusal(lambda: VocSource(folder)) == (
        "ImageSets/Main/train.txt, line 2: Annotations/gone.xml is not there; add it, or delete the line"
    )
    (tmp_path / "JPEGImages" / "a.jpg").unlink()
    assert refusal(lambda: VocSource(folder)) == (
        "Annotations/a.xml: no image in JPEGImages/ is called a; add it, or delete the XML file"
    )
    save_voc("a", CAT)
    (tmp_path / "ImageSets" / "Main" / "train.txt").unlink()
    (tmp_path / "Annotations" / "a.xml").write_text("<annotation>\n<object>\n</annotation>")
    assert refusal(lambda: VocSource(folder)) == (
        "Annotations/a.xml, line 3: not readable as XML (mismatched tag: line 3, column 2); write the "
        "file anew"
    )
    (tmp_path / "Annotations" / "a.xml").write_text("<html/>")
    assert refusal(lambda: VocSource(folder)) == (
        "Annotations/a.xml: begins with <html>; wanted <annotation>, as PASCAL VOC has it"
    )


def test_an_object_without_name_or_box(save_voc: SaveVoc, tmp_path: Path, refusal: Refusal) -> None:
    folder = save_voc("a", CAT)
    path = tmp_path / "Annotations" / "a.xml"
    path.write_text(
        "<annotation>\n<!-- <object> -->\n<object/></annotation>".replace("<object/>", "<object></object>")
    )
    assert refusal(lambda: VocSource(folder)) == (
        "Annotations/a.xml, line 3: the object has no name; give that of its class"
    )
    path.write_text("<annotation><object><name>cat</name></object></annotation>")
    assert refusal(lambda: VocSource(folder)) == (
        f"Annotations/a.xml, line 1 ('cat'): xmin is missing; {WANTED}"
    )


def test_an_image_in_two_lists_and_a_class_that_train_lacks(
    save_voc: SaveVoc, save_list: SaveList, refusal: Refusal
) -> None:
    save_voc("a", CAT)
    folder = save_voc("b", [("cats", (11, 21, 40, 30))])
    save_list("Main", "train", ["a"])
    save_list("Main", "val", ["b"])
    assert refusal(lambda: VocSource(folder)) == (
        "Annotations/b.xml, line 4: the class 'cats' is not among those of train (did you mean cat?); "
        "correct the "
        "name, or add images of it to train"
    )
    save_list("Main", "val", ["a"])
    assert refusal(lambda: VocSource(folder)).startswith(
        "JPEGImages/a.jpg: is in ImageSets/Main/train.txt and in ImageSets/Main/val.txt; an image may be in"
    )


def test_no_layout_at_all(tmp_path: Path, refusal: Refusal) -> None:
    assert refusal(lambda: VocSource(tmp_path)).startswith(
        "DIR: has no Annotations folder, and no XML files; the"
    )


def test_names_with_spaces_and_capitals(save_voc: SaveVoc, save_list: SaveList, tmp_path: Path) -> None:
    for name in ("im 0", "im 1"):
        folder = save_voc(name, CAT)
    (tmp_path / "Annotations" / "im 1.xml").rename(tmp_path / "Annotations" / "im 1.XML")
    save_list("Main", "train", ["im 0"])
    save_list("Main", "val", ['"im 1.jpg"'])
    source = VocSource(folder)
    assert source.image_name("train", 0) == "JPEGImages/im 0.jpg"
    assert source.image_name("validation", 0) == "JPEGImages/im 1.jpg"


def test_encodings_that_the_parser_does_not_know(save_voc: SaveVoc, tmp_path: Path, refusal: Refusal) -> None:
    folder = save_voc("a", [("猫", (11, 21, 40, 30))])
    path = tmp_path / "Annotations" / "a.xml"
    text = path.read_text()
    path.write_bytes(f'<?xml version="1.0" encoding="gb2312"?>\n{text}'.encode("gb2312"))
    assert VocSource(folder).class_names == ("猫",)
    path.write_bytes(b'<?xml version="1.0" encoding="klingon"?>\n<annotation/>')
    assert refusal(lambda: VocSource(folder)) == (
        "Annotations/a.xml: not in the encoding that it declares (unknown encoding: klingon); save it as "
        "UTF-8"
    )


@pytest.mark.parametrize(("size", "is_its_shape"), [((200, 100), True), ((50, 100), False), ((99, 50), True)])
def test_a_size_that_is_not_the_image_s(
    save_voc: SaveVoc, refusal: Refusal, size: tuple[int, int], is_its_shape: bool
) -> None:
    source = VocSource(save_voc("a", CAT, size=size))
    if is_its_shape:  # the image was made smaller since
        assert len(source.boxes("train", 0)) == 1
        return
    assert refusal(lambda: source.boxes("train", 0)) == (
        "Annotations: the boxes of JPEGImages/a.jpg are for an image of 50x100 pixels, but it has 100x50; "
        "correct width and height there, or delete them: the boxes are then taken to be of the image as it "
        "is shown"
    )
