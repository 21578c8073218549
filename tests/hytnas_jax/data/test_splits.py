"""Splits: disjoint, stratified, repeatable, and the same whatever else is loaded."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pytest

from hytnas_jax.data.readers.source import Opener, Split, Task
from hytnas_jax.data.splits import carved_fractions, keep_together, make_splits, quotas
from supernet.errors import UserError


class Labels:
    """A source of labels alone."""

    name = "labels"
    channels = 1

    def __init__(self, *, classes: int, task: Task = "classification", **splits: list[int]) -> None:
        self.task = task
        self._labels = {split: np.array(values, np.int32) for split, values in splits.items()}
        self.class_names = tuple("abcdefgh"[:classes])
        self.sizes: Mapping[Split, int] = {s: len(x) for s, x in self._labels.items()}  # type: ignore[misc]
        self.looked_at = 0

    def labels(self, split: Split, positions: np.ndarray) -> np.ndarray:
        self.looked_at += len(positions)
        return self._labels[split][positions]

    def openers(self, split: Split, positions: np.ndarray) -> list[Opener]:
        raise AssertionError("splitting opens no images")

    def image_name(self, split: Split, position: int) -> str:
        return f"{split}[{position}]"


def split(source: Labels, *, seed: int = 0, max_images: int | None = None) -> dict:
    fractions = carved_fractions(source.sizes, validation_fraction=0.2, test_fraction=0.1)
    return make_splits(source, fractions=fractions, max_images=max_images, seed=seed)


def test_carved_splits_are_disjoint_complete_and_stratified() -> None:
    source = Labels(classes=2, train=[0] * 40 + [1] * 10)
    splits = split(source)
    positions = np.concatenate([selection.positions for selection in splits.values()])
    assert sorted(positions) == list(range(50))
    counted = {name: Counter(selection.labels.tolist()) for name, selection in splits.items()}
    assert counted == {"train": {0: 28, 1: 7}, "validation": {0: 8, 1: 2}, "test": {0: 4, 1: 1}}
    for selection in splits.values():
        np.testing.assert_array_equal(selection.labels, source.labels("train", selection.positions))
        assert (np.diff(selection.positions) > 0).all()


def test_the_seed_decides() -> None:
    source = Labels(classes=2, train=[0, 1] * 50)
    first, again, other = split(source), split(source), split(source, seed=1)
    np.testing.assert_array_equal(first["test"].positions, again["test"].positions)
    assert set(first["test"].positions) != set(other["test"].positions)


def test_only_the_missing_split_is_carved() -> None:
    splits = split(Labels(classes=2, train=[0, 1] * 10, validation=[1, 0, 1]))
    np.testing.assert_array_equal(splits["validation"].positions, [0, 1, 2])
    assert splits["validation"].stored == "validation"
    assert splits["test"].stored == "train"
    assert not set(splits["test"].positions) & set(splits["train"].positions)
    assert len(splits["train"]) + len(splits["test"]) == 20


def test_the_smallest_class_that_can_be_carved_has_three() -> None:
    splits = split(Labels(classes=2, train=[0] * 30 + [1] * 3))
    assert [int((splits[name].labels == 1).sum()) for name in ("train", "validation", "test")] == [1, 1, 1]
    with pytest.raises(UserError, match="class 'b' has 2 images, too few"):
        split(Labels(classes=2, train=[0] * 30 + [1] * 2))


def test_large_fractions_leave_one_to_train_on() -> None:
    source = Labels(classes=2, train=[0, 1] * 3)
    splits = make_splits(source, fractions={"validation": 0.5, "test": 0.49}, max_images=None, seed=0)
    for selection in splits.values():
        assert Counter(selection.labels.tolist()) == {0: 1, 1: 1}


def test_max_images_thins_every_split_alike() -> None:
    source = Labels(classes=2, train=[0] * 80 + [1] * 20, validation=[0, 1] * 20, test=[0, 1] * 10)
    whole, few = split(source), split(source, max_images=25)
    assert {name: len(selection) for name, selection in few.items()} == {
        "train": 25,
        "validation": 10,
        "test": 5,
    }
    assert Counter(few["train"].labels.tolist()) == {0: 20, 1: 5}
    for name in ("train", "validation", "test"):
        assert set(few[name].positions) <= set(whole[name].positions)
        assert (np.diff(few[name].positions) > 0).all()


def test_a_small_split_keeps_an_image_of_each_class() -> None:
    few = split(Labels(classes=4, train=[0, 1, 2, 3] * 25, validation=[0, 1, 2, 3]), max_images=8)
    assert Counter(few["validation"].labels.tolist()) == {0: 1, 1: 1, 2: 1, 3: 1}


def test_a_stored_split_without_a_class_is_refused() -> None:
    with pytest.raises(UserError, match=r"class 'b' has 0 images in the validation split \(1 image\)"):
        split(Labels(classes=2, train=[0, 1] * 10, validation=[0]))


def test_max_images_above_the_size_changes_nothing() -> None:
    source = Labels(classes=2, train=[0, 1] * 20)
    assert len(split(source, max_images=1000)["train"]) == len(split(source)["train"])


def test_few_labels_are_read_of_a_huge_source() -> None:
    source = Labels(classes=2, train=[0, 1] * 50_000)
    splits = split(source, max_images=100)
    assert source.looked_at == 20_000
    assert len(splits["train"]) == 100
    source.looked_at = 0
    assert len(split(source, max_images=2000)["train"]) == 2000
    assert source.looked_at == 40_000


def test_quotas_by_hand() -> None:
    np.testing.assert_array_equal(quotas(np.array([50, 30, 20]), 10), [5, 3, 2])
    np.testing.assert_array_equal(quotas(np.array([97, 2, 1]), 10), [8, 1, 1])
    np.testing.assert_array_equal(quotas(np.array([1, 1, 4]), 6), [1, 1, 4])


@pytest.mark.parametrize(
    ("validation_fraction", "test_fraction", "message"),
    [
        (0.0, 0.2, "validation_fraction=0.0: wanted a number between 0 and 1"),
        (0.2, 1.5, "test_fraction=1.5"),
        (1.0, 0.2, "validation_fraction=1.0: wanted a number between 0 and 1"),
        (0.6, 0.4, "leave nothing to train on"),
    ],
)
def test_fractions_out_of_range(validation_fraction: float, test_fraction: float, message: str) -> None:
    with pytest.raises(UserError, match=message):
        carved_fractions({"train": 9}, validation_fraction=validation_fraction, test_fraction=test_fraction)


def test_a_fraction_that_is_not_needed_is_not_checked() -> None:
    sizes: dict[Split, int] = {"train": 9, "validation": 3}
    assert carved_fractions(sizes, validation_fraction=0.0, test_fraction=0.2) == {"test": 0.2}


def together(assigned: list[int], labels: list[int], groups: list[int], *, seed: int = 0) -> list[int]:
    return keep_together(np.array(assigned), np.array(labels), np.array(groups), seed=seed).tolist()


def test_groups_in_one_split_stay_where_they_are() -> None:
    assigned = [0, 0, 1, 2, 0, 0, 1, 2]
    assert together(assigned, [0] * 4 + [1] * 4, [0, 0, 1, 2, 3, 4, 5, 6]) == assigned


def test_a_divided_group_goes_where_images_lack() -> None:
    """One of validation is a copy of one of train: validation, which then has none, gets both."""
    assert together([0, 0, 0, 0, 1], [0] * 5, [0, 1, 2, 3, 3]) == [0, 0, 0, 1, 1]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_pairs_of_several_classes_keep_the_proportions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.repeat([0, 1, 2], [400, 200, 60])
    assigned = np.concatenate([rng.permutation(np.arange(n) % 5 % 3) for n in (400, 200, 60)])
    groups = rng.permutation(len(labels)) // 2  # every image has one copy, in any class
    placed = keep_together(assigned, labels, groups, seed=seed)
    first = np.full(330, -1)
    first[groups] = placed
    np.testing.assert_array_equal(first[groups], placed)
    for label in range(3):
        before, now = (np.bincount(x[labels == label], minlength=3) for x in (assigned, placed))
        np.testing.assert_allclose(now, before, atol=8)
    np.testing.assert_array_equal(keep_together(assigned, labels, groups, seed=seed), placed)
    assert (keep_together(assigned, labels, groups, seed=seed + 1) != placed).any()


def test_the_largest_group_is_placed_first_and_counts_as_often_as_it_has_images() -> None:
    """Eight copies fill the one split, so that the four pairs go to the other; all of them were divided."""
    placed = together([0, 1] * 8, [0] * 16, [0] * 8 + [1, 1, 2, 2, 3, 3, 4, 4])
    assert len(set(placed[:8])) == 1
    assert set(placed[8:]) == {1 - placed[0]}


def test_a_group_stays_divided_where_a_class_would_be_lacking() -> None:
    assigned, labels = [0, 0, 1, 2, 0, 0, 1, 2], [0] * 4 + [1] * 4
    assert together(assigned, labels, [0, 0, 0, 0, 1, 2, 3, 4]) == assigned
    placed = together(assigned, labels, [0, 0, 0, 0, 1, 2, 2, 3])  # the other class's copies do not
    assert placed[:4] == assigned[:4]
    assert placed[5] == placed[6]
    assert set(placed[4:]) == {0, 1, 2}
