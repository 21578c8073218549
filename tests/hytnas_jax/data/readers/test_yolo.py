"""YOLO's text files: layouts, and everything that may be wrong in a line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hytnas_jax.data.readers.yolo import YoloSource
from supernet.errors import UserError

SaveYolo = Callable[..., Path]
Refusal = Callable[[Callable[[], Any]], str]
WANTED = "a line is `class cx cy width height`, the last four as parts 0..1 of the image"


def test_boxes_and_missing_label_files(save_yolo: SaveYolo) -> None:
    folder = save_yolo(
        {"train/a": "1 0.5 0.5 0.2 0.4\n\n0 .25 .25 .5 .5\n", "train/b": None, "val/c": "0 .5 .5 1 1"}
    )
    source = YoloSource(folder)
    assert source.class_names == ("cat", "dog")
    assert source.sizes == {"train": 2, "validation": 1}
    boxes = source.boxes("train", 0)
    np.testing.assert_allclose(boxes.corners, [[0.4, 0.3, 0.6, 0.7], [0, 0, 0.5, 0.5]], atol=1e-6)
    np.testing.assert_array_equal(boxes.classes, [1, 0])
    np.testing.assert_array_equal(source.labels("train", np.arange(2)), [0, 2])
    assert source.image_name("validation", 0) == "images/val/c.jpg"


@pytest.mark.parametrize(
    "yaml",
    [
        "path: .\ntrain: images/train\nnames: {0: cat, 1: dog}\n",
        "path: ../elsewhere\ntrain: images/train\nnames:\n- cat\n- dog\n",
        "train: ../images/train\ntest: ../test/images\nnc: 2\nnames: ['cat', 'dog']\n",
        "train: [images/train]\nval:\nnames: [cat, dog]\n",
        "train: list.txt\nnames: [cat, dog]\n",
    ],
)
def test_ways_to_write_data_yaml(save_yolo: SaveYolo, tmp_path: Path, yaml: str) -> None:
    (tmp_path / "list.txt").write_text("./images/train/a.jpg\n")
    source = YoloSource(save_yolo({"train/a": "0 .5 .5 .2 .4"}, yaml=yaml))
    assert source.class_names == ("cat", "dog")
    assert source.sizes == {"train": 1}
    assert len(source.boxes("train", 0)) == 1


def test_labels_in_a_folder_beside_or_in_the_same(save_image: Callable[..., Path], tmp_path: Path) -> None:
    save_image("train/images/a.jpg")
    (tmp_path / "train" / "labels").mkdir()
    (tmp_path / "train" / "labels" / "a.txt").write_text("0 .5 .5 .2 .4")
    save_image("val/b.jpg")
    (tmp_path / "val" / "b.txt").write_text("0 .5 .5 .2 .4")
    (tmp_path / "data.yaml").write_text("train: train/images\nval: val\nnc: 1\n")
    source = YoloSource(tmp_path)
    assert not source.are_named
    assert [len(source.boxes(split, 0)) for split in source.sizes] == [1, 1]


def test_polygons_and_lost_label_files_are_told(save_yolo: SaveYolo, tmp_path: Path) -> None:
    folder = save_yolo({"train/a": "0 .5 .5 .2 .4\n1 .1 .1 .3 .2 .2 .6\n"})
    (tmp_path / "labels" / "train" / "lost.txt").write_text("0 .5 .5 .2 .4")
    source = YoloSource(folder)
    np.testing.assert_allclose(source.boxes("train", 0).corners[1], [0.1, 0.1, 0.3, 0.6])
    assert source.remarks == (
        "1 polygon: the box around each is taken (the first: labels/train/a.txt, line 2)",
    )
    assert source.left_out == "labels/train: 1 label file without an image left out (the first: lost.txt)"


def test_rounding_is_no_clipping(save_yolo: SaveYolo) -> None:
    source = YoloSource(save_yolo({"train/a": "0 0.5 0.5 1.00001 0.4\n1 0.005 0.5 0.02 0.2"}))
    assert source.boxes("train", 0).corners.min() == 0
    assert source.remarks == (
        "1 box reached beyond the image by at most 1% or one pixel: clipped (the first: "
        "labels/train/a.txt, line "
        "2: '1 0.005 0.5 0.02 0.2')",
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "2 .5 .5 .2 .2",
            ": the class is 2, but names of data.yaml has 2, so that 0 to 1 are allowed; correct the "
            "number, or "
            "add the name",
        ),
        (
            "-1 .5 .5 .2 .2",
            ": the class is -1, but names of data.yaml has 2, so that 0 to 1 are allowed; correct "
            "the number, or add the name",
        ),
        (
            "dog .5 .5 .2 .2",
            ": the class is 'dog'; wanted its number, 0 to 1, in names of data.yaml; 'dog' is number 1 there",
        ),
        (
            "0 320 240 100 50",
            f": '0 320 240 100 50' has 320, as if it were in pixels; {WANTED}: divide cx and width by the "
            "image's "
            "width, cy and height by its height",
        ),
        ("0 .5 .5 .2", f": '0 .5 .5 .2' has 4 values; {WANTED}"),
        (
            "0 .5 .5 .2 .2 .9",
            ": '0 .5 .5 .2 .2 .9' has 6 values (the sixth may be a score, as in files of predictions); "
            f"{WANTED}",
        ),
        ("0 .5 .5 x .2", f": '0 .5 .5 x .2' has a value that is no number; {WANTED}"),
        (
            "0 .5 nan .2 .2",
            f": '0 .5 nan .2 .2': a value is not a finite number; {WANTED}; correct the box or delete it",
        ),
        (
            "0 .5 .5 -.2 .2",
            f": '0 .5 .5 -.2 .2': its width is -0.2, which is negative; {WANTED}; correct the box or "
            "delete it",
        ),
        (
            "0 .5 .5 .2 0",
            f": '0 .5 .5 .2 0': its height is 0, so that there is nothing in it; {WANTED}; correct the "
            "box or delete it",
        ),
        (
            "0 .9 .5 .3 .2",
            f": '0 .9 .5 .3 .2': reaches 5.0% beyond the right side of the image, more than 1%; "
            f"{WANTED}; correct the box or delete it",
        ),
    ],
)
def test_wrong_lines(save_yolo: SaveYolo, refusal: Refusal, line: str, said: str) -> None:
    folder = save_yolo({"train/a": f"0 .5 .5 .2 .2\n{line}\n"})
    assert refusal(lambda: YoloSource(folder)) == f"labels/train/a.txt, line 2{said}"


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        (
            "train: images/train\nnames: {0: cat, 2: dog}\n",
            "DIR/data.yaml, line 2: names has the keys 0, 2 but not 1; "
            "number the classes from 0 without a gap",
        ),
        (
            "train: images/train\nnames: [cat, cat]\n",
            "DIR/data.yaml, line 2: two classes are called 'cat'; give each name once",
        ),
        (
            "train: images/train\nnc: 3\nnames: [cat, dog]\n",
            "DIR/data.yaml, line 2: nc is 3, but names has 2; correct one, or delete nc",
        ),
        (
            "train: images/train\n",
            "DIR/data.yaml: names is None; wanted a list of names, or a number and a name a line",
        ),
        (
            "train: images/train\nval: images/train\nnames: [cat, dog]\n",
            "images/train/a.jpg: is in data.yaml: train "
            "(images/train) and in data.yaml: val (images/train); an image may be in one split only: "
            "remove it from "
            "one, or give train alone, from which the other splits are then carved",
        ),
    ],
)
def test_wrong_data_yaml(save_yolo: SaveYolo, refusal: Refusal, yaml: str, said: str) -> None:
    folder = save_yolo({"train/a": "0 .5 .5 .2 .2"}, yaml=yaml)
    assert refusal(lambda: YoloSource(folder)) == said


def test_a_path_that_leads_nowhere_says_where_it_was_looked_for(
    save_yolo: SaveYolo, refusal: Refusal
) -> None:
    yaml = "path: data\ntrain: ../pictures\nnames: [cat]\n"
    folder = save_yolo({"train/a": "0 .5 .5 .2 .2"}, yaml=yaml)
    assert refusal(lambda: YoloSource(folder)).startswith(
        "DIR/data.yaml, line 2: train is ../pictures, which is not there (looked for DIR/data/../pictures, "
        "DIR/../pictures, DIR/pictures); a data.yaml is\n  train: images/train"
    )


def test_no_data_yaml_an_empty_one_and_a_split_without_boxes(
    save_yolo: SaveYolo, tmp_path: Path, refusal: Refusal
) -> None:
    assert refusal(lambda: YoloSource(tmp_path)).startswith("DIR: has no data.yaml; a data.yaml is\n")
    folder = save_yolo({"train/a": "0 .5 .5 .2 .2", "val/b": None}, yaml="")
    assert refusal(lambda: YoloSource(folder)).startswith("DIR/data.yaml: is empty; a data.yaml is\n")
    folder = save_yolo({"train/a": "0 .5 .5 .2 .2", "val/b": None})
    with pytest.raises(UserError, match=r"data.yaml: val \(images/val\): not one of the 1 image has a box"):
        YoloSource(folder)


def test_no_image_is_opened(save_yolo: SaveYolo, tmp_path: Path) -> None:
    folder = save_yolo({"train/a": "0 .5 .5 .2 .2"})
    (tmp_path / "images" / "train" / "a.jpg").write_bytes(b"no image")
    assert len(YoloSource(folder).boxes("train", 0)) == 1


@pytest.mark.parametrize("shape", ["[2, 2]", "[2, 3]"])
def test_keypoints_behind_a_box_are_not_its_corners(save_yolo: SaveYolo, shape: str) -> None:
    points = ".45 .40 .55 .62" if shape == "[2, 2]" else ".45 .40 2 .55 .62 0"
    yaml = f"train: images/train\nkpt_shape: {shape}\nnames: [cat, dog]\n"
    source = YoloSource(save_yolo({"train/a": f"0 .5 .5 .4 .4 {points}\n1 .5 .5 .2 .2"}, yaml=yaml))
    corners = [[0.3, 0.3, 0.7, 0.7], [0.4, 0.4, 0.6, 0.6]]
    np.testing.assert_allclose(source.boxes("train", 0).corners, corners, atol=1e-6)
    assert source.remarks == ()


def test_keypoints_that_are_not_as_said(save_yolo: SaveYolo, refusal: Refusal) -> None:
    yaml = "train: images/train\nkpt_shape: {}\nnames: [cat, dog]\n"
    folder = save_yolo({"train/a": "0 .5 .5 .4 .4 .1 .1"}, yaml=yaml.format("[2, 2]"))
    assert refusal(lambda: YoloSource(folder)) == (
        "labels/train/a.txt, line 1: '0 .5 .5 .4 .4 .1 .1' has 7 values (kpt_shape of data.yaml allows 5 and "
        f"9); {WANTED}"
    )
    folder = save_yolo({"train/a": "0 .5 .5 .4 .4"}, yaml=yaml.format("17"))
    assert refusal(lambda: YoloSource(folder)) == (
        "DIR/data.yaml, line 2: kpt_shape is 17; wanted [number of keypoints, 2 or 3]"
    )


def test_a_label_file_in_capitals(save_yolo: SaveYolo, tmp_path: Path) -> None:
    folder = save_yolo({"train/a": "0 .5 .5 .4 .4"})
    (tmp_path / "labels" / "train" / "a.txt").rename(tmp_path / "labels" / "train" / "a.TXT")
    assert len(YoloSource(folder).boxes("train", 0)) == 1
