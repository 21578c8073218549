"""Some classes only of a source of boxes or masks; or of boxes, the question whether there is one."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from hytnas_jax.data.decode import Opener
from hytnas_jax.data.readers.boxes import Boxes, BoxSource, images_with, strata
from hytnas_jax.data.readers.masks import MaskSource
from hytnas_jax.data.readers.source import Source, Split, Task
from hytnas_jax.data.readers.words import did_you_mean
from hytnas_jax.numbers import counted
from supernet.errors import UserError
from supernet.tasks.segmentation import IGNORED

SMALLEST = 0.005  # of the image: the rule of Visual Wake Words
_AT_ONCE = 64  # masks


def only_classes(source: BoxSource, names: Sequence[str]) -> BoxSource:
    """The source with the boxes of these classes only, in this order; all images stay.

    Raises UserError for an unknown class, and a split that has no box of them.
    """
    return _Chosen(source, names)


def only_masks(source: MaskSource, names: Sequence[str]) -> MaskSource:
    """The source with these classes only, in this order; pixels of others are ignored, all images stay.

    Raises UserError for an unknown class, fewer than two, a split that has no pixel of them, and masks of
    train that have pixels of one alone.
    """
    return _ChosenMasks(source, names)


def as_classification(source: BoxSource, names: Sequence[str]) -> "PresenceSource":
    """The question whether a box of one of the classes is on the image, by the rule of Visual Wake Words.

    1 where one covers at least 0.5% of the image, 0 where there is none; images with smaller ones alone, or
    ignored ones, are left out and counted.

    Raises UserError for an unknown class, and a split that lacks one of the two answers.
    """
    return PresenceSource(source, names)


class _Chosen:
    task: Task = "detection"

    def __init__(self, source: BoxSource, names: Sequence[str]) -> None:
        index = _indices(source, names)
        self._source = source
        self.name, self.channels, self.sizes = source.name, source.channels, source.sizes
        self.are_named, self.left_out, self.remarks = source.are_named, source.left_out, source.remarks
        self.class_names = tuple(names)
        self._number = np.full(len(source.class_names), -1, np.int32)
        self._number[index] = np.arange(len(index))
        kept = {}
        for split in source.sizes:
            rows, boxes = self.all_boxes(split)
            kept[split] = rows[~boxes.ignored], boxes.classes[~boxes.ignored]
        for split, (rows, _) in kept.items():
            if not len(rows):
                raise UserError(
                    f"{source.name}: not one of the {counted(source.sizes[split], 'image')} of {split} has "
                    "a box "
                    f"of {' or '.join(names)}; choose other classes, or add images with them"
                )
        holding = images_with(*kept["train"], len(names))
        self._strata = {
            split: strata(rows, numbers, source.sizes[split], holding=holding)
            for split, (rows, numbers) in kept.items()
        }

    def labels(self, split: Split, positions: np.ndarray) -> np.ndarray:
        return self._strata[split][positions]

    def openers(self, split: Split, positions: np.ndarray) -> list[Opener]:
        return self._source.openers(split, positions)

    def image_name(self, split: Split, position: int) -> str:
        return self._source.image_name(split, position)

    def boxes(self, split: Split, position: int) -> Boxes:
        boxes = self._source.boxes(split, position)
        numbers = self._number[boxes.classes]
        kept = numbers >= 0
        return Boxes(boxes.corners[kept], numbers[kept], boxes.ignored[kept])

    def all_boxes(self, split: Split) -> tuple[np.ndarray, Boxes]:
        rows, boxes = self._source.all_boxes(split)
        numbers = self._number[boxes.classes]
        kept = numbers >= 0
        return rows[kept], Boxes(boxes.corners[kept], numbers[kept], boxes.ignored[kept])


class _ChosenMasks:
    task: Task = "segmentation"

    def __init__(self, source: MaskSource, names: Sequence[str]) -> None:
        index = _indices(source, names)
        if len(index) < 2:
            raise UserError(f"classes: '{names[0]}' alone; segmentation tells at least two classes apart")
        self._source = source
        self.name, self.channels, self.sizes = source.name, source.channels, source.sizes
        self.are_named, self.left_out, self.remarks = source.are_named, source.left_out, source.remarks
        self.class_names = tuple(names)
        self._number = np.full(IGNORED + 1, IGNORED, np.uint8)
        self._number[index] = np.arange(len(index))
        for split in source.sizes:
            self._refuse_without(split)

    def _refuse_without(self, split: Split) -> None:
        """Reads masks, in any order, until there are enough classes. Raises UserError where there are not."""
        size, least = self.sizes[split], 2 if split == "train" else 1
        order = np.random.default_rng(0).permutation(size)  # neighbours look alike
        held: set[int] = set()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, size, _AT_ONCE):
                masks = pool.map(lambda n: self.mask(split, int(n)), order[start : start + _AT_ONCE])
                held |= {int(number) for mask in masks for number in np.unique(mask)} - {IGNORED}
                if len(held) >= least:
                    return
        if held:
            (only,) = held
            others = [name for name in self.class_names if name != self.class_names[only]]
            why = (
                f"has a pixel of {' or '.join(others)}, so that '{self.class_names[only]}' is alone; "
                "segmentation tells at least two classes apart"
            )
        else:
            why = f"has a pixel of {' or '.join(self.class_names)}"
        raise UserError(
            f"{self.name}: not one of {counted(size, 'mask')} of {split} {why}; choose other classes, or add "
            "images with them"
        )

    def labels(self, split: Split, positions: np.ndarray) -> np.ndarray:
        """The chosen class of each image's label; of one that is not chosen, len(class_names)."""
        labels = self._number[self._source.labels(split, positions)]
        return np.where(labels == IGNORED, len(self.class_names), labels).astype(np.int32)

    def openers(self, split: Split, positions: np.ndarray) -> list[Opener]:
        return self._source.openers(split, positions)

    def image_name(self, split: Split, position: int) -> str:
        return self._source.image_name(split, position)

    def mask(self, split: Split, position: int) -> np.ndarray:
        return self._number[self._source.mask(split, position)]


class PresenceSource:
    """A `Source` of two classes: see `as_classification`."""

    task: Task = "classification"
    are_named = True

    def __init__(self, source: BoxSource, names: Sequence[str]) -> None:
        wanted = _indices(source, names)
        self._source = source
        self.name, self.channels, self.remarks = source.name, source.channels, source.remarks
        what = " or ".join(names)
        self.class_names: tuple[str, ...] = (f"no {what}", what)
        self._positions: dict[Split, np.ndarray] = {}
        self._labels: dict[Split, np.ndarray] = {}
        dropped = 0
        for split, size in source.sizes.items():
            answers = _answers(source, split, wanted)
            self._positions[split] = np.flatnonzero(answers >= 0)
            self._labels[split] = answers[self._positions[split]]
            dropped += size - len(self._labels[split])
            for answer, name in enumerate(self.class_names):
                if not (self._labels[split] == answer).any():
                    raise UserError(
                        f"{source.name}: no image of {split} is of the class '{name}' (boxes that cover less "
                        f"than {SMALLEST:.1%} of the image do not count); add some, or choose other classes"
                    )
        self.sizes: Mapping[Split, int] = {split: len(rows) for split, rows in self._positions.items()}
        small = (
            f"{counted(dropped, 'image')} where all boxes of {what} are below {SMALLEST:.1%} of it left out"
        )
        self.left_out = "; ".join(part for part in (source.left_out, small if dropped else "") if part)

    def labels(self, split: Split, positions: np.ndarray) -> np.ndarray:
        return self._labels[split][positions]

    def openers(self, split: Split, positions: np.ndarray) -> list[Opener]:
        return self._source.openers(split, self._positions[split][positions])

    def image_name(self, split: Split, position: int) -> str:
        return self._source.image_name(split, int(self._positions[split][position]))


def _indices(source: Source, names: Sequence[str]) -> list[int]:
    for number, name in enumerate(names):
        if name not in source.class_names:
            raise UserError(
                f"classes: '{name}' is no class of {source.name}; {did_you_mean(name, source.class_names)}"
            )
        if name in names[:number]:
            raise UserError(f"classes: '{name}' is given twice; give each class once")
    if not names:
        raise UserError(f"classes: none is given; choose of {', '.join(source.class_names)}")
    return [source.class_names.index(name) for name in names]


def _answers(source: BoxSource, split: Split, wanted: list[int]) -> np.ndarray:
    """int32 [N]: 1, 0, or -1 for an image that is left out."""
    rows, boxes = source.all_boxes(split)
    is_wanted = np.isin(boxes.classes, wanted)
    is_large = is_wanted & ~boxes.ignored & (boxes.areas() >= SMALLEST)
    answers = np.zeros(source.sizes[split], np.int32)
    answers[rows[is_wanted]] = -1
    answers[rows[is_large]] = 1
    return answers
