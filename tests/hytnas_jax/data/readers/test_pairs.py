"""Images with masks are not taken for classes, and classes not for images with masks."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hytnas_jax.data.readers.recognise import open_folder, task_of

Refusal = Callable[[Callable[[], Any]], str]
RNG = np.random.default_rng(0)


def save_photos(folder: Path, names: Sequence[str], *, side: int = 24) -> None:
    folder.mkdir(parents=True)
    for name in names:
        Image.fromarray(RNG.integers(0, 256, (20, side, 3)).astype(np.uint8)).save(folder / name)


def save_masks(folder: Path, names: Sequence[str]) -> None:
    folder.mkdir(parents=True)
    for name in names:
        Image.fromarray(RNG.integers(0, 3, (20, 24)).astype(np.uint8)).save(folder / name)


def named(text: str, count: int = 5) -> list[str]:
    """named("a{}.jpg"): a0.jpg, a1.jpg, ..."""
    return [text.format(number) for number in range(count)]


@pytest.mark.parametrize(
    ("images", "masks", "name"),
    [
        ("images", "masks", "{}.jpg"),
        ("images", "masks", "{}.bmp"),
        ("images", "masks", "{}_mask.tif"),
        ("train/images", "train/masks", "{}.jpg"),
        ("JPEGImages", "SegmentationClass", "{}.jpg"),
        ("train", "masks", "{}.png"),
        *(("images", name, "{}.png") for name in ("gt", "GT", "targets", "groundtruth", "seg", "ann")),
        ("images", "mask_images", "mask{}.png"),
        ("images", "ground_truth", "{}.jpg.png"),
        ("scans", "wounds", "{}.png"),  # by what they hold
    ],
)
def test_images_with_masks_are_no_classes(
    tmp_path: Path, refusal: Refusal, images: str, masks: str, name: str
) -> None:
    save_photos(tmp_path / images, named("{}.jpg"))
    save_masks(tmp_path / masks, named(name))
    assert refusal(lambda: open_folder(tmp_path, None)) == (
        f"DIR: {Path(images).name} and {Path(masks).name} look like images and their masks, not like "
        "classes: the names of 5 files are the same in both. If they are classes, give --task "
        "classification. If they are masks, give --task segmentation; they lie in DIR/masks, "
        "beside DIR/images, as PNG files"
    )
    assert open_folder(tmp_path, "classification").sizes == {"train": 10}


def test_a_third_folder_changes_nothing(tmp_path: Path) -> None:
    for name in ("images", "masks", "overlays"):
        save_photos(tmp_path / name, named("{}.jpg"))
    assert task_of(tmp_path).reason.startswith("images and masks look like images and their masks")


@pytest.mark.parametrize(
    ("one", "other"),
    [("cats", "dogs"), ("mask", "no_mask"), ("face", "masked"), ("target", "clutter"), ("train", "bus")],
)
def test_classes_may_have_equal_names_of_files(tmp_path: Path, one: str, other: str) -> None:
    save_photos(tmp_path / one, named("{:03}.jpg"))
    save_photos(tmp_path / other, named("{:03}.jpg"))
    assert task_of(tmp_path).task == "classification"


def test_drawings_of_other_sizes_or_names_may_be_a_class(tmp_path: Path) -> None:
    save_photos(tmp_path / "a" / "photo", named("{}.png"), side=30)
    save_masks(tmp_path / "a" / "sketch", named("{}.png"))
    assert task_of(tmp_path / "a").task == "classification"
    save_photos(tmp_path / "b" / "photo", named("{}.png"))
    save_masks(tmp_path / "b" / "sketch", named("x{}.png"))
    assert task_of(tmp_path / "b").task == "classification"
    for name in ("blank", "black"):  # both have few colours
        save_masks(tmp_path / "c" / name, named("{}.png"))
    assert task_of(tmp_path / "c").task == "classification"


def test_files_that_cannot_be_read_say_nothing(tmp_path: Path) -> None:
    save_photos(tmp_path / "scans", named("{}.jpg"))
    save_masks(tmp_path / "wounds", named("{}.png"))
    (tmp_path / "wounds" / "0.png").write_bytes(b"")
    assert task_of(tmp_path).task is None
    for name in named("{}.png"):
        (tmp_path / "wounds" / name).write_bytes(b"")
    assert task_of(tmp_path).task == "classification"


def test_folders_that_are_called_so_are_no_classes(tmp_path: Path, refusal: Refusal) -> None:
    save_photos(tmp_path / "images", named("a{}.jpg"))
    save_photos(tmp_path / "masks", named("b{}.jpg"))
    assert refusal(lambda: open_folder(tmp_path, None)) == (
        "DIR: images and masks are no classes by their names; if they are, give --task classification"
    )
    assert open_folder(tmp_path, "classification").class_names == ("images", "masks")
