"""Boxes around things on images, and what every source of them has in common."""

import dataclasses
from typing import Protocol

import numpy as np

from hytnas_jax.data.readers.source import Source, Split


@dataclasses.dataclass(frozen=True, eq=False)
class Boxes:
    """The boxes of one image, or of many in a row.

    corners: float32 [M, 4], left, top, right, bottom as parts 0..1 of the image as shown, which is after its
    EXIF orientation is applied. classes: int32 [M]. ignored: bool [M], boxes that are neither wanted nor
    wrong: crowds in COCO, difficult ones in VOC.
    """

    corners: np.ndarray
    classes: np.ndarray
    ignored: np.ndarray

    def __len__(self) -> int:
        return len(self.classes)

    def take(self, rows: np.ndarray | slice) -> "Boxes":
        return Boxes(self.corners[rows], self.classes[rows], self.ignored[rows])

    def areas(self) -> np.ndarray:
        """float32 [M], parts 0..1 of the image."""
        left, top, right, bottom = self.corners.T
        return (right - left) * (bottom - top)


class BoxSource(Source, Protocol):
    """Images with boxes. An image may have none; a split of the source has at least one.

    `labels` are the strata by which splits are carved: the class of the image's boxes that the fewest
    training images hold, and len(class_names) for an image without a box.
    """

    def boxes(self, split: Split, position: int) -> Boxes:
        """The boxes of one image; those of a corrupt image too."""
        ...

    def all_boxes(self, split: Split) -> tuple[np.ndarray, Boxes]:
        """The position of each box's image, int64 [M] in ascending order, and all boxes of a split.

        No image is looked at: corners are not turned as the image may be, areas are right.
        """
        ...


def images_with(rows: np.ndarray, classes: np.ndarray, num_classes: int) -> np.ndarray:
    """int64 [num_classes]: on how many images a class has a box; box m is on the image rows[m]."""
    pairs = np.unique(np.stack([rows, classes]), axis=1)
    return np.bincount(pairs[1], minlength=num_classes)


def strata(rows: np.ndarray, classes: np.ndarray, num_images: int, *, holding: np.ndarray) -> np.ndarray:
    """int32 [num_images]: the rarest class on each image, len(holding) where there is none.

    holding: int [K], how many training images hold each class; of equally rare classes the first is taken.
    """
    order = np.argsort(holding, kind="stable")
    rank = np.empty(len(order) + 1, np.int64)
    rank[order] = np.arange(len(order))
    best = np.full(num_images, len(order))
    np.minimum.at(best, rows, rank[classes])
    return np.append(order, len(order))[best].astype(np.int32)
