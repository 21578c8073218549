"""Masks as files: layouts, kinds of PNG, and everything that may be wrong in one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hytnas_jax.data.readers.mask_folder import MaskFolder

SaveMask = Callable[..., Path]
Refusal = Callable[[Callable[[], Any]], str]
VALUES = [[0, 1, 2], [2, 255, 0]]
AS = "save masks as PNG with the number of a class as each pixel's value, grey or with a palette"
FORMS = (
    "classes.csv holds `name,r,g,b` or `value,name` a line, labelmap.txt `name:r,g,b::`, classes.txt one "
    "name a line, that of value 0 first"
)
TABLE = "say which class each value is in classes.csv, `value,name` a line"


@pytest.mark.parametrize("mode", [None, "P"])
def test_values_are_classes(save_mask: SaveMask, mode: str | None) -> None:
    save_mask("b", [[0, 1]], mode=mode)
    source = MaskFolder(save_mask("a", VALUES, mode=mode))
    assert source.class_names == ("0", "1", "2")
    assert not source.are_named
    assert source.sizes == {"train": 2}
    np.testing.assert_array_equal(source.mask("train", 0), VALUES)
    assert source.mask("train", 0).dtype == np.uint8
    np.testing.assert_array_equal(source.labels("train", np.arange(2)), [2, 0])
    assert source.image_name("train", 0) == "train/images/a.jpg"
    assert source.remarks == ()


def test_names_and_what_is_no_class(save_mask: SaveMask, tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("road\nvoid\ncar\nsky\n")
    source = MaskFolder(save_mask("a", VALUES))
    assert source.class_names == ("road", "car", "sky")
    np.testing.assert_array_equal(source.mask("train", 0), [[0, 255, 1], [1, 255, 0]])
    assert source.remarks == ("no pixel of 1 training mask is of 1 class: sky",)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("class_dict.csv", "name, r, g, b\nroad, 9, 8, 7\nvoid,0,0,0\ncar,200,10,10\n"),
        ("classes.csv", "road,9,8,7\nvoid,0,0,0\ncar,200,10,10\n"),
        ("labelmap.txt", "# label:color_rgb:parts:actions\nroad:9,8,7::\nvoid:0,0,0::\ncar:200,10,10::\n"),
    ],
)
def test_colours(save_mask: SaveMask, tmp_path: Path, table: str, text: str) -> None:
    (tmp_path / table).write_text(text)
    source = MaskFolder(save_mask("a", [[[9, 8, 7], [200, 10, 10]], [[0, 0, 0], [9, 8, 7]]]))
    assert source.class_names == ("road", "car")
    np.testing.assert_array_equal(source.mask("train", 0), [[0, 1], [255, 0]])


def test_roboflows_layout(save_image: Callable[..., Path], tmp_path: Path) -> None:
    save_image("train/a.jpg", size=(2, 1))
    Image.fromarray(np.array([[0, 2]], np.uint8)).save(tmp_path / "train" / "a_mask.png")
    (tmp_path / "train" / "_classes.csv").write_text("Pixel Value, Class\n0, background\n2, car\n")
    source = MaskFolder(tmp_path)
    assert source.class_names == ("background", "car")
    np.testing.assert_array_equal(source.mask("train", 0), [[0, 1]])
    assert source.image_name("train", 0) == "train/a.jpg"


@pytest.mark.parametrize(
    ("text", "values", "wanted"),
    [
        ("0,wall\n255,door\n", [[0, 255]], [[0, 1]]),
        ("wall,0,0,0\ndoor,255,255,255\n", [[0, 255]], [[0, 1]]),
        ("door,255,255,255\nwall,0,0,0\n", [[0, 255]], [[1, 0]]),
        ("wall,0,0,0\ndoor,255,255,255\n", [[0, 1]], [[0, 1]]),  # not its greys: its numbers
        ("wall,0,0,0\ndoor,9,8,7\nroof,3,2,1\n", [[0, 1, 2, 255]], [[0, 1, 2, 255]]),
        ("wall,0,0,0\ndoor,127,127,127\nvoid,255,255,255\n", [[0, 127, 255]], [[0, 1, 255]]),
    ],
)
def test_the_table_says_what_greys_are(
    save_mask: SaveMask, tmp_path: Path, text: str, values: Any, wanted: Any
) -> None:
    (tmp_path / "classes.csv").write_text(text)
    np.testing.assert_array_equal(MaskFolder(save_mask("a", values)).mask("train", 0), wanted)


def test_a_mask_of_background_alone_does_not_make_numbers_colours(
    save_mask: SaveMask, tmp_path: Path
) -> None:
    """Black is a colour of the table, and 0 a number of it."""
    (tmp_path / "classes.csv").write_text("wall,0,0,0\ndoor,9,8,7\n")
    save_mask("a", [[0, 0]])
    source = MaskFolder(save_mask("b", [[0, 1]], split="val"))
    np.testing.assert_array_equal(source.mask("validation", 0), [[0, 1]])


@pytest.mark.parametrize(
    ("images", "masks", "suffix"),
    [
        ("images/train", "masks/train", ""),
        ("images/training", "annotations/training", ""),
        ("train", "train_labels", "_L"),
        ("images", "masks", "_mask"),
    ],
)
def test_other_layouts(
    save_image: Callable[..., Path], tmp_path: Path, images: str, masks: str, suffix: str
) -> None:
    save_image(f"{images}/a.jpg", size=(2, 1))
    (tmp_path / masks).mkdir(parents=True)
    Image.fromarray(np.array([[0, 1]], np.uint8)).save(tmp_path / masks / f"a{suffix}.png")
    source = MaskFolder(tmp_path)
    assert source.sizes == {"train": 1}
    np.testing.assert_array_equal(source.mask("train", 0), [[0, 1]])


def test_voc(save_image: Callable[..., Path], save_list: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "SegmentationClass").mkdir()
    for name in "abc":
        save_image(f"JPEGImages/{name}.jpg", size=(2, 1))
        Image.fromarray(np.array([[0, 1]], np.uint8)).save(tmp_path / "SegmentationClass" / f"{name}.png")
    save_image("JPEGImages/boxes.jpg")
    save_list("Segmentation", "train", ["a"])
    save_list("Segmentation", "val", ["b"])
    source = MaskFolder(tmp_path)
    assert source.sizes == {"train": 1, "validation": 1}
    assert source.image_name("validation", 0) == "JPEGImages/b.jpg"
    assert source.left_out == (
        "JPEGImages: 1 image without a mask left out; 1 image in no list left out (JPEGImages/c.jpg)"
    )


def test_a_turned_image(save_mask: SaveMask, save_image: Callable[..., Path]) -> None:
    """Stored as 3x2 and shown as 2x3: a mask may be of either."""
    save_mask("a", VALUES)
    folder = save_mask("b", np.array(VALUES).T)
    for name in "ab":
        save_image(f"train/images/{name}.jpg", size=(3, 2), orientation=6)
    source = MaskFolder(folder)
    np.testing.assert_array_equal(source.mask("train", 0), np.rot90(VALUES, -1))
    np.testing.assert_array_equal(source.mask("train", 1), np.array(VALUES).T)


def test_a_broken_image_is_named_where_images_are_loaded(save_mask: SaveMask) -> None:
    folder = save_mask("a", VALUES)
    (folder / "train" / "images" / "a.jpg").write_bytes(b"no image")
    np.testing.assert_array_equal(MaskFolder(folder).mask("train", 0), VALUES)


@pytest.mark.parametrize(
    ("values", "fields", "said"),
    [
        (
            [[0, 255]],
            {},
            "DATA: the values of 1 training mask (the first: train/masks/a.png) are 0 and 255 only, as "
            "in binary masks; 255 means ignored, so that one class would be left: write 0 and 1, or "
            f"{TABLE}",
        ),
        (
            [[0, 128]],
            {},
            "DATA: the values of 1 training mask (the first: train/masks/a.png) are 0 and 128 only, as "
            "in binary masks; the values are to be the numbers of classes: write 0 and 1, or "
            f"{TABLE}",
        ),
        ([[0, 0]], {}, "DATA: in 1 training mask all pixels are 0; at least two classes are needed, 0 and 1"),
        (
            [[[0, 0, 0], [3, 4, 5]]],
            {},
            "train/masks/a.png: is in colours (RGB), and no file says which class a colour means; put a "
            "table of "
            f"them beside the masks ({FORMS}), or {AS}",
        ),
        (
            VALUES,
            {"mode": "RGB"},
            "train/masks/a.png: is in colours (RGB), and no file says which class a colour means (its three "
            "channels are alike: saved as grey it would be one); put a table of them beside the masks "
            f"({FORMS}), "
            f"or {AS}",
        ),
        (
            [[0, 127], [127, 255]],
            {},
            "DATA: the values of 1 training mask (the first: train/masks/a.png) are 0, 127, 255: too far "
            "apart for the numbers of classes, as greys to look at are; write 0, 1, 2 and so on, or "
            f"{TABLE}",
        ),
        (
            VALUES,
            {"extension": "jpg"},
            f"train/masks/a.jpg: is a JPEG, which changes values where classes meet; {AS}",
        ),
        (
            np.array(VALUES, np.uint16),
            {},
            f"train/masks/a.png: has more than 8 bits a pixel (I;16); {AS}, 0 to 255",
        ),
        (
            VALUES,
            {"size": (4, 4)},
            "train/masks/a.png: is of 3x2 pixels, but its image train/images/a.jpg of 4x4; make both the "
            "same size, "
            "masks by the nearest pixel",
        ),
    ],
)
def test_wrong_masks(
    save_mask: SaveMask, refusal: Refusal, values: Any, fields: dict[str, Any], said: str
) -> None:
    folder = save_mask("a", values, **fields)
    text = refusal(lambda: MaskFolder(folder).mask("train", 0))
    assert text.replace(f"{folder.name}:", "DATA:") == said


def test_all_pixels_ignored(save_mask: SaveMask, refusal: Refusal) -> None:
    save_mask("a", VALUES)
    folder = save_mask("b", [[255, 255]])
    assert refusal(lambda: MaskFolder(folder)) == (
        "train/masks/b.png: all pixels are ignored (255), so that nothing can be learned from it; delete "
        "the mask "
        "and its image"
    )


def test_a_value_that_is_no_class(save_mask: SaveMask, tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "classes.txt").write_text("road\ncar\n")
    folder = save_mask("a", VALUES)
    assert refusal(lambda: MaskFolder(folder)) == (
        "train/masks/a.png: has the value 2 (2 pixels); by classes.txt 0, 1 and 255 (ignored) are "
        f"allowed; correct the mask, or name all classes in classes.txt: {FORMS}"
    )


def test_a_value_that_only_another_split_has(save_mask: SaveMask, refusal: Refusal) -> None:
    save_mask("a", [[0, 1]])
    source = MaskFolder(save_mask("b", VALUES, split="val"))
    assert refusal(lambda: source.mask("validation", 0)) == (
        "val/masks/b.png: has the value 2 (2 pixels); by the values of 1 training mask 0, 1 and 255 "
        "(ignored) are allowed; correct the mask, or name all classes in classes.txt: "
        f"{FORMS}"
    )


def test_a_colour_that_is_not_in_the_table(save_mask: SaveMask, tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "classes.csv").write_text("road,9,8,7\n")
    folder = save_mask("a", [[[9, 8, 7], [200, 10, 10]]])
    assert refusal(lambda: MaskFolder(folder)) == (
        "train/masks/a.png: the pixel in row 0, column 1 has the colour 200,10,10, which is not in "
        "classes.csv; "
        "add the colour there, or correct the mask"
    )


def test_an_image_without_mask_and_the_reverse(save_mask: SaveMask, refusal: Refusal) -> None:
    save_mask("a", VALUES)
    folder = save_mask("b", VALUES)
    (folder / "train" / "masks" / "b.png").unlink()
    assert refusal(lambda: MaskFolder(folder)) == (
        "train/images/b.jpg: has no mask; train/masks/b.png is looked for, 1 image of 2 without; add it, "
        "or delete "
        "the image"
    )
    save_mask("b", VALUES)
    (folder / "train" / "images" / "b.jpg").unlink()
    assert refusal(lambda: MaskFolder(folder)) == (
        "train/masks/b.png: has no image in train/images (1 mask of 2 without); add it, or delete the mask"
    )


def test_a_broken_mask_and_no_layout(save_mask: SaveMask, tmp_path: Path, refusal: Refusal) -> None:
    assert refusal(lambda: MaskFolder(tmp_path)).startswith(
        "DIR: no images with masks are found; the layouts are"
    )
    folder = save_mask("a", VALUES)
    (folder / "train" / "masks" / "a.png").write_bytes(b"no image")
    assert refusal(lambda: MaskFolder(folder)) == (
        "train/masks/a.png: cannot be read (it is in no format that Pillow knows); repair it, or delete "
        "it and its image (--skip-corrupt leaves out images that cannot be read, and no masks)"
    )
