"""JSON files of COCO's kind: layouts, conventions, and everything that may be wrong in one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hytnas_jax.data.readers.coco import CocoSource
from supernet.errors import UserError

SaveCoco = Callable[..., Path]
Refusal = Callable[[Callable[[], Any]], str]
WANTED = "bbox is [left, top, width, height] in pixels of the image; correct the box or delete it"


def test_boxes_classes_and_strata(save_coco: SaveCoco) -> None:
    def change(data: dict[str, Any]) -> None:
        data["annotations"][1] |= {"category_id": 90, "iscrowd": 1}

    source = CocoSource(save_coco([[10, 20, 30, 10], [0, 0, 100, 50]], change=change))
    assert source.class_names == ("cat", "dog")
    assert source.sizes == {"train": 2}
    boxes = source.boxes("train", 0)
    np.testing.assert_allclose(boxes.corners, [[0.1, 0.4, 0.4, 0.6], [0, 0, 1, 1]])
    np.testing.assert_array_equal(boxes.classes, [0, 1])
    np.testing.assert_array_equal(boxes.ignored, [False, True])
    assert len(source.boxes("train", 1)) == 0
    np.testing.assert_array_equal(source.labels("train", np.arange(2)), [0, 2])
    assert source.image_name("train", 1) == "images/b.jpg"
    assert source.left_out == ""
    assert source.remarks == ("no box in instances.json is of 1 class: dog",)
    with source.openers("train", np.array([0]))[0]() as image:
        assert image.size == (100, 50)


def test_the_official_layout(save_coco: SaveCoco, tmp_path: Path) -> None:
    box = [[10, 20, 30, 10]]
    save_coco(box, name="annotations/instances_train2017.json", folder="train2017")
    save_coco(box, name="annotations/instances_val2017.json", folder="val2017", images=("c.jpg",))
    (tmp_path / "annotations" / "captions_train2017.json").write_text("{}")
    source = CocoSource(tmp_path)
    assert source.sizes == {"train": 2, "validation": 1}
    assert source.image_name("validation", 0) == "val2017/c.jpg"


def test_roboflows_layout_and_first_category(save_coco: SaveCoco, tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["categories"] = [
            {"id": 0, "name": "animals", "supercategory": "none"},
            {"id": 3, "name": "cat", "supercategory": "animals"},
        ]

    for split, image in (("train", "a.jpg"), ("valid", "b.jpg")):
        name = f"{split}/_annotations.coco.json"
        save_coco([[1, 1, 9, 9]], name=name, folder=split, images=(image,), change=change)
    source = CocoSource(tmp_path)
    assert source.class_names == ("cat",)
    assert source.sizes == {"train": 1, "validation": 1}
    assert source.remarks == ("the category 'animals' has no box and only groups others: left out",)


def test_an_id_may_be_0_and_a_path_that_of_another_machine(save_coco: SaveCoco) -> None:
    def change(data: dict[str, Any]) -> None:
        data["categories"][1]["id"] = data["annotations"][0]["category_id"] = 0
        data["images"][0] |= {"id": 0, "file_name": "C:\\data\\images\\a.jpg"}
        data["annotations"][0]["image_id"] = 0

    source = CocoSource(save_coco([[10, 20, 30, 10]], change=change))
    assert source.image_name("train", 0) == "images/a.jpg"
    assert source.class_names == ("cat", "dog")


def test_what_no_json_lists_is_told(save_coco: SaveCoco, save_image: Callable[..., Path]) -> None:
    save_image("images/z.jpg")
    source = CocoSource(save_coco([[10, 20, 30, 10]]))
    assert source.left_out == "images: 1 image in no JSON file left out (the first: images/z.jpg)"


def test_a_little_outside_is_clipped_and_duplicates_are_dropped(save_coco: SaveCoco) -> None:
    box = [10, 20, 30, 10]
    source = CocoSource(save_coco([[-1, 20, 30, 10], box, box]))
    np.testing.assert_allclose(source.boxes("train", 0).corners, [[0, 0.4, 0.29, 0.6], [0.1, 0.4, 0.4, 0.6]])
    assert source.remarks[:2] == (
        "1 box reached beyond the image by at most 1% or one pixel: clipped (the first: instances.json: "
        "annotations[0] (id 500): bbox [-1, 20, 30, 10])",
        "1 box drawn twice with the same class: one of each kept (the first: instances.json: annotations[2] "
        "(id 502): bbox [10, 20, 30, 10])",
    )


def test_one_empty_box_in_a_thousand_is_left_out(save_coco: SaveCoco) -> None:
    many = [[0.01 * n, 20, 30, 10] for n in range(1000)]
    source = CocoSource(save_coco([*many, [10, 20, 30, 0]]))
    assert len(source.boxes("train", 0)) == 1000
    assert source.remarks[0].startswith("1 box without width or height: left out (the first: instances.json:")


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ([10, 20, -5, 8], "bbox [10, 20, -5, 8]: its width is -5, which is negative"),
        ([10, 20, 5, 0], "bbox [10, 20, 5, 0]: its height is 0, so that there is nothing in it"),
        ([float("nan"), 20, 5, 8], "bbox [nan, 20, 5, 8]: a value is not a finite number"),
        ([10, float("inf"), 5, 8], "bbox [10, inf, 5, 8]: a value is not a finite number"),
        (
            [90, 20, 15, 8],
            "bbox [90, 20, 15, 8]: reaches 5 pixels (5.0%) beyond the right side of the image of 100x50 "
            "pixels, "
            "more than 1%",
        ),
        (
            [10, -4, 15, 8],
            "bbox [10, -4, 15, 8]: reaches 4 pixels (8.0%) beyond the top side of the image of 100x50 "
            "pixels, "
            "more than 1%",
        ),
        ([200, 20, 15, 8], "bbox [200, 20, 15, 8]: lies outside the image of 100x50 pixels"),
    ],
)
def test_wrong_boxes(save_coco: SaveCoco, refusal: Refusal, box: list[float], said: str) -> None:
    folder = save_coco([[10, 20, 30, 10], box])
    expected = f"instances.json: annotations[1] (id 501): {said}; {WANTED}"
    assert refusal(lambda: CocoSource(folder)) == expected


def change_annotation(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data["annotations"][0].update(fields)


def repeat_image(data: dict[str, Any]) -> None:
    data["images"][1]["id"] = 7


def lose_image(data: dict[str, Any]) -> None:
    data["images"].append({"id": 20, "file_name": "gone.jpg", "width": 9, "height": 9})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            change_annotation(bbox=[1, 2, 3]),
            "annotations[0] (id 500): bbox is [1, 2, 3]; bbox is [left, top, width, height] in pixels of "
            "the image",
        ),
        (
            change_annotation(bbox=["1", 2, 3, 4]),
            "annotations[0] (id 500): bbox is ['1', 2, 3, 4]; bbox is [left, top, width, height] in "
            "pixels of the "
            "image",
        ),
        (
            change_annotation(category_id=4),
            "annotations[0] (id 500): category_id 4 is the id of no category; categories has 3 (cat), 90 "
            "(dog): "
            "correct the id, or add the category",
        ),
        (
            change_annotation(image_id=8),
            "annotations[0] (id 500): image_id 8 is the id of none of the 2 images; add that image to "
            "images, or "
            "delete the annotation",
        ),
        (change_annotation(iscrowd=3), "annotations[0] (id 500): iscrowd is 3; wanted 0 or 1"),
        (repeat_image, "images[1]: id 7 is that of images[0] already; give each its own"),
        (
            lose_image,
            "images[2] (id 20): file_name 'gone.jpg' is not in DIR/images (1 of 3 listed images are "
            "missing); add "
            "the files, or remove these images and their annotations from the JSON file",
        ),
        (
            lambda data: data["annotations"].clear(),
            "not one of the 2 images has a box; images without a box are allowed, but a split needs some "
            "with: "
            "add the boxes, or remove this split",
        ),
        (
            lambda data: data["categories"][0].update(name="cat"),
            "two categories are called 'cat'; give each name once",
        ),
    ],
)
def test_wrong_entries(
    save_coco: SaveCoco, refusal: Refusal, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    folder = save_coco([[10, 20, 30, 10]], change=change)
    assert refusal(lambda: CocoSource(folder)) == f"instances.json: {said}"


def test_an_image_in_two_splits(save_coco: SaveCoco, tmp_path: Path, refusal: Refusal) -> None:
    for split in ("train", "val"):
        save_coco([[10, 20, 30, 10]], name=f"annotations/{split}.json")
    assert refusal(lambda: CocoSource(tmp_path)) == (
        "images/a.jpg: is in annotations/train.json and in annotations/val.json; an image may be in one "
        "split "
        "only: remove it from one, or give train alone, from which the other splits are then carved"
    )


def test_a_class_that_train_lacks(save_coco: SaveCoco, tmp_path: Path, refusal: Refusal) -> None:
    save_coco([[10, 20, 30, 10]], name="train.json", folder="train")

    def change(data: dict[str, Any]) -> None:
        data["categories"][1]["name"] = "cats"

    save_coco([[10, 20, 30, 10]], name="val.json", folder="val", images=("c.jpg",), change=change)
    assert refusal(lambda: CocoSource(tmp_path)) == (
        "val.json: annotations[0] (id 500): the category 'cats' is not among those of train (did you "
        "mean cat?); "
        "name categories alike in all files"
    )


def test_damaged_json_and_none(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "notes.json").write_text("[1, 2]")
    assert refusal(lambda: CocoSource(tmp_path)).startswith(
        "DIR: no JSON file holds images, annotations and categories (not notes.json); the layouts are "
    )
    (tmp_path / "instances.json").write_text('{"images": [\n1,')
    assert refusal(lambda: CocoSource(tmp_path)) == (
        "DIR/instances.json, line 2: not readable as JSON (Expecting value); write the file anew"
    )


def test_images_that_are_nowhere(save_coco: SaveCoco, tmp_path: Path) -> None:
    folder = save_coco([[10, 20, 30, 10]])
    for image in (tmp_path / "images").iterdir():
        image.unlink()
    with pytest.raises(
        UserError, match=r"images\[0\]: file_name 'a.jpg' and those that follow are in none of"
    ):
        CocoSource(folder)


@pytest.mark.parametrize(
    ("size", "corners"), [((50, 100), [0.1, 0.2, 0.4, 0.3]), ((100, 50), [0.4, 0.1, 0.6, 0.4])]
)
def test_a_turned_image(
    save_coco: SaveCoco,
    save_image: Callable[..., Path],
    size: tuple[int, int],
    corners: list[float],
) -> None:
    """It is stored as 100x50 and shown as 50x100: the size in the JSON file says which of both is meant."""

    def change(data: dict[str, Any]) -> None:
        data["images"][0] |= {"width": size[0], "height": size[1]}

    box = [5, 20, 15, 10] if size == (50, 100) else [10, 20, 30, 10]
    folder = save_coco([box], change=change)
    save_image("images/a.jpg", orientation=6)
    np.testing.assert_allclose(CocoSource(folder).boxes("train", 0).corners, [corners], atol=1e-6)


def test_a_turned_tiff(save_coco: SaveCoco, save_image: Callable[..., Path]) -> None:
    """Its size as Pillow tells it is that shown already."""
    folder = save_coco([[10, 20, 30, 10]], images=("a.tif",))
    save_image("images/a.tif", orientation=6)
    corners = [[0.4, 0.1, 0.6, 0.4]]
    np.testing.assert_allclose(CocoSource(folder).boxes("train", 0).corners, corners, atol=1e-6)


def test_a_size_that_is_not_the_image_s(save_coco: SaveCoco, refusal: Refusal) -> None:
    def change(data: dict[str, Any]) -> None:
        data["images"][0] |= {"width": 64, "height": 64}

    source = CocoSource(save_coco([[10, 20, 30, 10]], change=change))
    assert refusal(lambda: source.boxes("train", 0)).startswith(
        "instances.json: the boxes of images/a.jpg are for an image of 64x64 pixels, but it has 100x50"
    )


def test_a_number_beyond_all_floats(save_coco: SaveCoco, refusal: Refusal) -> None:
    folder = save_coco([[10**400, 20, 30, 10]])
    assert refusal(lambda: CocoSource(folder)).startswith(
        "instances.json: annotations[0] (id 500): bbox is [1000"
    )


def test_without_sizes_the_images_are_asked(save_coco: SaveCoco, tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        del data["images"][0]["width"]

    folder = save_coco([[10, 20, 30, 10]], change=change)
    np.testing.assert_allclose(CocoSource(folder).boxes("train", 0).corners, [[0.1, 0.4, 0.4, 0.6]])
    (tmp_path / "images" / "a.jpg").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"instances.json: images\[0\]: the size of the image is to be read"):
        CocoSource(folder)


def test_no_image_is_opened_where_sizes_are_given(save_coco: SaveCoco, tmp_path: Path) -> None:
    folder = save_coco([[10, 20, 30, 10]])
    for image in (tmp_path / "images").iterdir():
        image.write_bytes(b"no image")
    source = CocoSource(folder)
    assert len(source.boxes("train", 0)) == 1
    assert json.loads((folder / "instances.json").read_text())["images"][0]["id"] == 7
