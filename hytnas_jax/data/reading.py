"""The images of all splits read for the first time: held, or looked at and streamed."""

import abc
import dataclasses
from collections.abc import Mapping

import numpy as np

from hytnas_jax.data.annotations import Annotations, class_pixels, read_annotations
from hytnas_jax.data.digest import digest_images
from hytnas_jax.data.labelled import value_counts
from hytnas_jax.data.loading import Decoding, load_images, warn_of_skipped
from hytnas_jax.data.readers.source import Source, Split
from hytnas_jax.data.scanning import counts_after, scan, scan_masks
from hytnas_jax.data.split_groups import Loaded
from hytnas_jax.data.splits import Selection, check_classes
from hytnas_jax.data.streamed import ReopenableSource
from supernet.errors import UserError

Selections = Mapping[Split, Selection]
# Of each split, and of the training masks the pixels of each class, int [K].
Annotated = tuple[dict[Split, Annotations | None], tuple[int, ...]]


@dataclasses.dataclass(frozen=True)
class Read(abc.ABC):
    """The splits as they were read, and the names of images that cannot be read."""

    reopenable: ReopenableSource
    splits: Mapping[Split, Loaded]
    skipped: tuple[str, ...]

    @abc.abstractmethod
    def train_counts(self, train: Loaded) -> np.ndarray:
        """The `value_counts` of the training split, into and out of which images may have been moved."""

    def annotations(self, selections: Selections, side: int) -> Annotated:
        """What the source says of the images of each split; `class_pixels` for segmentation alone."""
        return read_annotations(self.reopenable.source, selections, side=side), ()


class _Held(Read):
    def train_counts(self, train: Loaded) -> np.ndarray:
        return value_counts(train.images)

    def annotations(self, selections: Selections, side: int) -> Annotated:
        found, _ = super().annotations(selections, side)
        train = found["train"] or {}
        classes = len(self.reopenable.source.class_names)
        return found, tuple(class_pixels(train["mask"], classes).tolist()) if "mask" in train else ()


@dataclasses.dataclass(frozen=True)
class _Streamed(Read):
    counts: np.ndarray

    def train_counts(self, train: Loaded) -> np.ndarray:
        return counts_after(self.counts, self.splits["train"], train)

    def annotations(self, selections: Selections, side: int) -> Annotated:
        if self.reopenable.source.task != "segmentation":
            return super().annotations(selections, side)
        masks, pixels = scan_masks(self.reopenable, selections, side=side)
        classes = len(self.reopenable.source.class_names)
        return {split: {"mask": own} for split, own in masks.items()}, tuple(
            pixels["train"][:classes].tolist()
        )


def read_held(reopenable: ReopenableSource, selections: Selections, how: Decoding) -> Read:
    """All images in memory. Raises UserError as `load_images`, and for a split that lacks a class."""
    splits: dict[Split, Loaded] = {}
    skipped: dict[str, str] = {}
    for split, selection in selections.items():
        images, rows, corrupt = load_images(selection, how)
        splits[split] = Loaded(selection.take(rows), images, digest_images(images))
        skipped |= corrupt
    _check(reopenable.source, splits, skipped)
    return _Held(reopenable, splits, tuple(skipped))


def read_streamed(
    reopenable: ReopenableSource, selections: Selections, how: Decoding, *, native_side: int
) -> Read:
    """All images decoded once, and none held. Raises UserError as `read_held`."""
    scanned = {
        split: scan(reopenable, selection, how, native_side=native_side)
        for split, selection in selections.items()
    }
    splits = {split: found.loaded for split, found in scanned.items()}
    skipped = {name: reason for found in scanned.values() for name, reason in found.skipped.items()}
    _check(reopenable.source, splits, skipped)
    return _Streamed(reopenable, splits, tuple(skipped), scanned["train"].counts)


def _check(source: Source, splits: Mapping[Split, Loaded], skipped: Mapping[str, str]) -> None:
    """Warns of images that were skipped. Raises UserError for a split that then lacks a class."""
    warn_of_skipped(skipped)
    for split, loaded in splits.items():
        if not len(loaded):
            raise UserError(f"{source.name}: not one image of the {split} split can be read")
        check_classes(loaded.selection.labels, split, source)
