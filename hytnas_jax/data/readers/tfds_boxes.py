"""Boxes in data sets of TensorFlow Datasets, prepared as ArrayRecord."""

import functools
from typing import Any

import numpy as np

from hytnas_jax.data.readers.boxes import Boxes, images_with, strata
from hytnas_jax.data.readers.source import Split, Task, evenly
from hytnas_jax.data.readers.tfds import TfdsSource
from supernet.errors import UserError

_LABELS = ("label", "category")
_IGNORED = ("is_crowd", "is_difficult")
_LOOKED_AT, _FOR_RARITY, _AT_ONCE = 20, 2000, 256
_NEEDED = "objects, with bbox and label in it"


class TfdsBoxes(TfdsSource):
    """A `BoxSource` of a prepared data set with `objects`, each of them a `bbox` and a class `label`.

    Objects with is_crowd or is_difficult are ignored ones. A stored split without boxes counts as missing.
    Since boxes lie beside the encoded images, rare classes are told by at most 2000 training images.

    Raises UserError as `TfdsSource`, and where the data set has no such objects or no boxes.
    """

    task: Task = "detection"

    def labels(self, split: Split, positions: np.ndarray) -> np.ndarray:
        rows, boxes = self._flat(split, positions)
        kept = ~boxes.ignored
        return strata(rows[kept], boxes.classes[kept], len(positions), holding=self._holding)

    def boxes(self, split: Split, position: int) -> Boxes:
        return self._boxes_of(self._read(split, np.array([position]))[0], self.image_name(split, position))

    def all_boxes(self, split: Split) -> tuple[np.ndarray, Boxes]:
        return self._flat(split, np.arange(self.sizes[split]))

    def _read_classes(self, features: Any) -> tuple[str, ...]:
        objects = dict(features.items()).get("objects")
        inside = getattr(objects, "feature", None) or {}
        key = next((key for key in _LABELS if key in inside and hasattr(inside[key], "names")), None)
        if "bbox" not in inside or key is None:
            raise UserError(
                f"{self._folder}: has no {_NEEDED} (its keys: {', '.join(sorted(features))}); choose a "
                "data set for "
                "detection, or another task"
            )
        self._class_key = key
        self._ignored_key = next((key for key in _IGNORED if key in inside), None)
        return tuple(inside[key].names)

    def _is_unlabelled(self, records: Any) -> bool:
        places = evenly(len(records), _LOOKED_AT)
        looked_at = records.__getitems__(places.tolist())
        return all(len(record["objects"]["bbox"]) == 0 for record in looked_at)

    def _boxes_of(self, record: dict[str, Any], name: str) -> Boxes:
        objects = record["objects"]
        top, left, bottom, right = np.asarray(objects["bbox"], np.float32).reshape(-1, 4).T
        corners = np.stack([left, top, right, bottom], axis=1)
        is_wrong = ~(
            (corners[:, :2] < corners[:, 2:]).all(axis=1) & (np.abs(corners - 0.5) <= 0.5).all(axis=1)
        )
        if is_wrong.any():
            values = ", ".join(f"{value:g}" for value in objects["bbox"][int(is_wrong.argmax())])
            raise UserError(
                f"{self._folder}: {name}: bbox [{values}]; wanted ymin, xmin, ymax, xmax as parts 0..1 of "
                "the "
                "image, the first two below the last two; prepare the data set again without it"
            )
        classes = np.asarray(objects[self._class_key], np.int32)
        ignored = np.asarray(objects[self._ignored_key]) if self._ignored_key else np.zeros(len(classes))
        return Boxes(corners, classes, ignored.astype(bool))

    def _flat(self, split: Split, positions: np.ndarray) -> tuple[np.ndarray, Boxes]:
        """Of the images at these positions: which of them each box is on, and the boxes."""
        each = [
            self._boxes_of(record, self.image_name(split, int(position)))
            for start in range(0, len(positions), _AT_ONCE)
            for chunk in [positions[start : start + _AT_ONCE]]
            for position, record in zip(chunk, self._read(split, chunk), strict=True)
        ]
        rows = np.repeat(np.arange(len(each)), [len(boxes) for boxes in each])
        return rows, Boxes(
            np.concatenate([boxes.corners for boxes in each]),
            np.concatenate([boxes.classes for boxes in each]),
            np.concatenate([boxes.ignored for boxes in each]),
        )

    @functools.cached_property
    def _holding(self) -> np.ndarray:
        """int [K]: how many of the training images looked at have a box of each class."""
        size = self.sizes["train"]
        positions = evenly(size, _FOR_RARITY)
        rows, boxes = self._flat("train", positions)
        kept = ~boxes.ignored
        if not kept.any():
            raise UserError(f"{self._folder}: not one of {len(positions)} training images has a box")
        return images_with(rows[kept], boxes.classes[kept], len(self.class_names))
