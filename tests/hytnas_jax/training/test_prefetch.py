"""Batches that are decoded ahead of their steps: those that would be cut from held images."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from made_up_tasks import save_boxes, save_masks
from photographs import photographs
from PIL import Image

from hytnas_jax.data import LabelledImages, load_dataset
from hytnas_jax.runtime import mesh
from hytnas_jax.training.order import Order
from hytnas_jax.training.prefetch import PrefetchedBatches
from hytnas_jax.training.step import holds, sent
from supernet.errors import UserError

BATCH, STEPS = 8, 9


def save_classes(path: Path) -> Path:
    for seed, label in enumerate(("cat", "dog")):
        (path / label).mkdir(parents=True)
        for number, image in enumerate(photographs(15, side=12, seed=seed)):
            Image.fromarray(image).save(path / label / f"{number}.png")
    return path


def trained_on(path: Path, *, streamed: bool) -> LabelledImages:
    return load_dataset(str(path), side=16, stream="always" if streamed else "never").train


def order_of(images: LabelledImages) -> Order:
    return Order(seed=5, num_images=len(images), batch_size=BATCH, num_steps=STEPS)


def assert_equal(ours: Any, theirs: Any) -> None:
    for mine, other in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        assert mine.dtype == other.dtype
        np.testing.assert_array_equal(mine, other)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_classes(tmp_path / "data")


@pytest.mark.parametrize("save", [save_classes, save_boxes, save_masks])
def test_each_step_has_the_batch_of_held_images(tmp_path: Path, save: Callable[[Path], Path]) -> None:
    path = save(tmp_path / "data")
    held, streamed = (trained_on(path, streamed=is_streamed) for is_streamed in (False, True))
    order, batches = order_of(held), PrefetchedBatches(streamed, order_of(streamed))
    for number in range(STEPS):
        assert_equal(batches(number, 0), sent(held)(order.at(number, 0)))
    with pytest.raises(StopIteration):
        batches(STEPS, 0)


@pytest.mark.parametrize(
    "places",
    [
        [(4, 0), (5, 0), (6, 0)],  # resumed
        [(0, 0), (1, 0), (2, 0), (1, 1), (2, 1)],  # rolled back
        [(7, 2), (8, 2), (0, 0)],
        [(3, 0), (3, 0)],
    ],
    ids=str,
)
def test_it_begins_anywhere(folder: Path, places: list[tuple[int, int]]) -> None:
    images = trained_on(folder, streamed=True)
    order, batches = order_of(images), PrefetchedBatches(images, order_of(images))
    for place in places:
        assert_equal(batches(*place), sent(images)(order.at(*place)))
    batches.close()


def test_rows_do_not_depend_on_the_number_of_hosts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each host decodes its own rows, and those of all in their order are one host's."""
    images = trained_on(folder, streamed=True)
    order, decoded = order_of(images), list[int]()
    whole = [sent(images)(order.at(number, 0)) for number in range(STEPS)]
    monkeypatch.setattr(mesh, "is_split", lambda: True)
    monkeypatch.setattr(mesh, "joined", lambda own: own)
    take = LabelledImages.take

    def counted(self: LabelledImages, rows: np.ndarray) -> LabelledImages:
        decoded.append(len(rows))
        return take(self, rows)

    monkeypatch.setattr(LabelledImages, "take", counted)
    halves = []
    for half in (slice(0, BATCH // 2), slice(BATCH // 2, BATCH)):
        monkeypatch.setattr(mesh, "own_rows", lambda chosen, half=half: chosen[half])
        batches = PrefetchedBatches(images, order)
        halves.append([batches(number, 0) for number in range(STEPS)])
    assert decoded == 2 * STEPS * [BATCH // 2]
    for number, expected in enumerate(whole):
        parts = [half[number] for half in halves]
        assert_equal(jax.tree.map(lambda *rows: np.concatenate(rows), *parts), expected)


def test_an_image_that_has_changed_ends_the_training_with_its_name(folder: Path) -> None:
    images = trained_on(folder, streamed=True)
    batches = PrefetchedBatches(images, order_of(images))
    batches(0, 0)
    for path in folder.glob("*/*.png"):
        Image.new("RGB", (12, 12)).save(folder / "other.png")
        (folder / "other.png").replace(path)  # at once: batches are decoded meanwhile
    with pytest.raises(UserError, match=r"^data: the image (cat|dog)/\d+\.png has changed since it was"):
        _ = [batches(number, 0) for number in range(1, STEPS)]  # some were decoded before


def test_no_device_holds_streamed_images(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert not holds(trained_on(folder, streamed=True))
