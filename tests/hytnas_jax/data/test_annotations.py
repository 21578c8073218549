"""Boxes and masks as arrays, and their digests, by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up_tasks import save_boxes, save_masks
from PIL import Image

from hytnas_jax.data import Wish, annotations, load_dataset
from hytnas_jax.data.annotations import class_pixels, digest_annotations, nearest_pixels
from hytnas_jax.data.changes import changes
from supernet.errors import UserError


def test_nearest_pixels_are_those_of_the_centres() -> None:
    mask = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(nearest_pixels(mask, 2), [[1, 3], [9, 11]])  # (0.75, 2.25) x (1, 3)
    np.testing.assert_array_equal(nearest_pixels(np.array([[0, 1]]), 4)[0], [0, 0, 1, 1])


def test_pixels_without_a_class_are_not_counted() -> None:
    assert class_pixels(np.array([[[0, 2], [255, 2]]], np.uint8), 3).tolist() == [1, 0, 2]


def test_digests_do_not_see_the_padding() -> None:
    boxes = np.zeros((2, 2, 4), np.float32)
    boxes[:, 0] = [0.1, 0.2, 0.3, 0.4]
    one = {
        "boxes": boxes,
        "classes": np.array([[0, -1], [1, -1]], np.int32),
        "ignored": np.zeros((2, 2), bool),
    }
    wider = {name: np.concatenate([array, array[:, -1:]], 1) for name, array in one.items()}
    first = digest_annotations(one)
    np.testing.assert_array_equal(first, digest_annotations(wider))
    assert first[0] != first[1]
    moved = {**one, "boxes": boxes + np.float32(1e-6)}
    assert (digest_annotations(moved) != first).all()
    assert (digest_annotations({**one, "ignored": ~one["ignored"]}) != first).all()


@pytest.mark.parametrize("save", [save_boxes, save_masks])
def test_targets_go_with_their_images(tmp_path: Path, save: Callable[..., Path]) -> None:
    """Rectangles are bright or dark, so that the pixels tell where they are."""
    dataset = load_dataset(str(save(tmp_path / "data")), side=32)
    assert dataset.rule.fit == "stretch"
    for split in (dataset.train, dataset.validation, dataset.test):
        rows = np.arange(len(split))[::-1]
        for image, targets in zip(split.take(rows).images, _each(split.take(rows).targets), strict=True):
            bright = image[..., 0] > 200
            if "mask" in targets:
                np.testing.assert_array_equal(targets["mask"] == 1, bright)
                continue
            expected = np.zeros((32, 32), bool)
            for box, label in zip(targets["boxes"], targets["classes"], strict=True):
                left, top, right, bottom = np.rint(32 * box).astype(int)
                if label >= 0:
                    expected[top:bottom, left:right] = label == 0
            np.testing.assert_array_equal(expected, bright)


def _each(targets: Any) -> list[dict[str, np.ndarray]]:
    rows = zip(*targets.values(), strict=True)
    return [dict(zip(targets, row, strict=True)) for row in rows]


def test_other_masks_are_a_change(tmp_path: Path) -> None:
    folder = save_masks(tmp_path / "data")
    before = load_dataset(str(folder), side=32)
    noted = before.splits_to_json()
    assert sum(noted["class_pixels"]) == len(before.train) * 32 * 32
    assert changes(noted, load_dataset(str(folder), side=32)) == []
    other = load_dataset(str(folder), side=32, classes=("background", "dark"))
    assert any("other boxes or masks" in line for line in changes(noted, other))
    assert (other.train.targets["mask"] == 255).any()


@pytest.mark.parametrize("stream", ["never", "always"])
def test_a_split_without_a_pixel_of_the_classes(tmp_path: Path, stream: Any) -> None:
    """At a side of 1 pixel all masks are background: the one of each class lies in a corner."""
    folder = save_masks(tmp_path / "data")
    mask = np.zeros((32, 32), np.uint8)
    mask[0, :2] = 1, 2
    for path in (folder / "masks").iterdir():
        Image.fromarray(mask).save(path)
    with pytest.raises(UserError, match=r"data: not one of \d+ train images has a pixel of bright or dark; "):
        load_dataset(str(folder), side=1, classes=("bright", "dark"), stream=stream)


@pytest.mark.parametrize("stream", ["never", "always"])
def test_more_pixels_to_evaluate_by_than_can_be_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: Any
) -> None:
    """Told before anything is decoded, and the number of images that it names is allowed."""
    folder = save_masks(tmp_path / "data")
    monkeypatch.setattr(annotations, "MOST_PIXELS", 3 * 8 * 8 + 1)
    with pytest.raises(
        UserError, match=r"\d+ masks of the validation split .* --max-validation 3, or smaller"
    ):
        load_dataset(str(folder), side=8, stream=stream, progress=lambda *_: pytest.fail("decoded"))
    assert len(load_dataset(str(folder), side=8, stream=stream, max_validation=3).validation) <= 3


def test_only_stretching_is_for_boxes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="detection stretches images"):
        load_dataset(str(save_boxes(tmp_path / "data")), side=32, wish=Wish("crop"))


def test_neither_boxes_nor_masks(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--task detection: source='digits' has neither"):
        load_dataset("digits", side=8, task="detection")
    with pytest.raises(UserError, match=r"--classes: source='digits' has neither"):
        load_dataset("digits", side=8, classes=("1",))
