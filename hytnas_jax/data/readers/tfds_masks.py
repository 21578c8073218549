"""Masks in data sets of TensorFlow Datasets, prepared as ArrayRecord."""

import io
from typing import Any

import numpy as np
from PIL import Image

from hytnas_jax.data.readers.masks import RarestClass
from hytnas_jax.data.readers.source import Split, Task, evenly
from hytnas_jax.data.readers.tfds import TfdsSource
from supernet.errors import UserError
from supernet.tasks.segmentation import IGNORED

_KEYS = ("segmentation_mask", "segmentation_label", "annotation", "mask")
_UNSEEN = 254
_LOOKED_AT, _AT_ONCE = 2000, 64
_WITHOUT = "prepare the data set again without it"


class TfdsMasks(RarestClass, TfdsSource):
    """A `MaskSource` of a prepared data set with a mask of one channel beside each image.

    Such data sets do not name their classes: they are called by the values that 2000 training masks, evenly
    spread, have. 255 is none.

    Raises UserError as `TfdsSource`, and where the data set has no such mask, or no class in it.
    """

    task: Task = "segmentation"
    are_named = False

    def __init__(self, name: str, *, version: str | None, data_dir: str | None) -> None:
        super().__init__(name, version=version, data_dir=data_dir)
        values = self._find_values()
        self.class_names = tuple(map(str, values))
        self._number = np.full(256, _UNSEEN, np.uint8)
        self._number[values] = np.arange(len(values))
        self._number[IGNORED] = IGNORED

    def mask(self, split: Split, position: int) -> np.ndarray:
        (record,) = self._read(split, np.array([position]))
        place = f"{self._folder}: {self.image_name(split, position)}"
        values = record[self._mask_key][..., 0]
        (height, width), size = values.shape, Image.open(io.BytesIO(record["image"])).size
        if size != (width, height):
            raise UserError(
                f"{place}: its mask is of {width}x{height} pixels, the image of {size[0]}x{size[1]}; "
                f"{_WITHOUT}"
            )
        classes = self._number[values]
        if (classes == _UNSEEN).any():
            value = int(values[classes == _UNSEEN].max())
            raise UserError(
                f"{place}: its mask has the value {value}, which no training mask looked at has; {_WITHOUT}"
            )
        if (classes == IGNORED).all():
            raise UserError(f"{place}: all pixels are ignored ({IGNORED}); {_WITHOUT}")
        return classes

    def _read_classes(self, features: Any) -> tuple[str, ...]:
        key = next((key for key in _KEYS if key in features and _is_mask(features[key])), None)
        if key is None:
            raise UserError(
                f"{self._folder}: has no mask of one channel under {', '.join(_KEYS[:-1])} or {_KEYS[-1]} "
                f"(its keys: {', '.join(sorted(features))}); choose a data set for segmentation, or another "
                "task"
            )
        self._mask_key = key
        return ()

    def _is_unlabelled(self, records: Any) -> bool:
        return False

    def _find_values(self) -> list[int]:
        size = self.sizes["train"]
        positions = evenly(size, _LOOKED_AT)
        seen = np.zeros(256, bool)
        for start in range(0, len(positions), _AT_ONCE):
            for record in self._read("train", positions[start : start + _AT_ONCE]):
                seen[np.unique(record[self._mask_key])] = True
        seen[IGNORED] = False
        if not 0 < seen.sum() <= _UNSEEN:
            raise UserError(
                f"{self._folder}: {self._mask_key}: {len(positions)} training masks have {int(seen.sum())} "
                f"values beside {IGNORED}; wanted 1 to {_UNSEEN}, a class each"
            )
        return np.flatnonzero(seen).tolist()


def _is_mask(feature: Any) -> bool:
    return (
        type(feature).__name__ in ("Image", "LabeledImage")
        and feature.shape[-1] == 1
        and feature.np_dtype == np.uint8
    )
