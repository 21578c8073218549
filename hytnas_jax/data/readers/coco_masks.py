"""Masks drawn from the polygons and run lengths of JSON files as COCO has them."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from hytnas_jax.data.readers.coco import CocoFolder
from hytnas_jax.data.readers.masks import MaskFiles
from hytnas_jax.data.readers.pixels import decode_rle, fill_polygon
from hytnas_jax.data.readers.source import Split
from supernet.errors import UserError
from supernet.tasks.segmentation import IGNORED

BACKGROUND = "background"
_WANTED = "segmentation is a list of polygons [x, y, x, y, x, y, ...] in pixels, or run lengths"


@dataclasses.dataclass(frozen=True)
class _Thing:
    index: int  # in the file's annotations
    value: int  # of its pixels
    segmentation: Any


class CocoMasks(MaskFiles):
    """Images with masks that are drawn from a JSON file; folders as for `CocoSource`.

    The classes are those of the categories, and "background" before them where no category is called so.
    Smaller things are drawn over larger ones; crowds (`iscrowd`) are ignored where nothing else is.

    Raises UserError for what `CocoSource` refuses, and an annotation without a segmentation.
    """

    def __init__(self, folder: Path) -> None:
        coco = CocoFolder(folder)
        super().__init__(folder, coco.paths, {split: file.place for split, file in coco.files.items()})
        self.left_out = coco.left_out
        names = coco.class_names
        self.class_names = names if BACKGROUND in names else (BACKGROUND, *names)
        self._background = self.class_names.index(BACKGROUND)
        if len(self.class_names) > IGNORED:
            raise UserError(
                f"{self.name}: has {len(names)} categories; at most {IGNORED - 1} are allowed, since "
                f"{IGNORED} is ignored"
            )
        self._coco = coco
        index = {name: number for number, name in enumerate(self.class_names)}
        self._things = {split: self._read(split, index) for split in coco.files}
        for file in coco.files.values():
            file.annotations[:] = [{"id": a["id"]} if "id" in a else {} for a in file.annotations]
        self.remarks = (*coco.remarks, *self.lacking())

    def mask_name(self, split: Split, position: int) -> str:
        return f"{self._coco.files[split].place}: the annotations of {self.image_name(split, position)}"

    def read_mask(self, split: Split, position: int) -> np.ndarray:
        file = self._coco.files[split]
        width, height = self._coco.size(split, position)
        mask = np.full((height, width), self._background, np.uint8)
        drawn = []
        for thing in self._things[split][position]:
            try:
                drawn.append((_draw(thing.segmentation, width, height), thing.value))
            except ValueError as error:
                raise UserError(
                    f"{file.tell(thing.index)}: {error}; correct it, or delete the annotation"
                ) from None
        drawn.sort(key=lambda pair: (pair[1] != IGNORED, -int(pair[0].sum())))
        for where, value in drawn:
            mask[where] = value
        return self.as_shown(mask, split, position)

    def _read(self, split: Split, index: dict[str, int]) -> list[list[_Thing]]:
        """What is to be drawn on each image of a split."""
        file = self._coco.files[split]
        found: list[list[_Thing]] = [[] for _ in file.images]
        for number, annotation in enumerate(file.annotations):
            segmentation = annotation.get("segmentation")
            if not isinstance(segmentation, list | dict) or not segmentation:
                raise UserError(
                    f"{file.tell(number)}: segmentation is {segmentation!r:.40}; {_WANTED}: a file of boxes "
                    "alone is for detection"
                )
            value = IGNORED if file.is_crowd(number) else file.class_index(number, index)
            found[file.row(number)].append(_Thing(number, value, segmentation))
        return found


def _draw(segmentation: Any, width: int, height: int) -> np.ndarray:
    """bool [H, W]. Raises ValueError, which says what is wrong."""
    if isinstance(segmentation, dict):
        mask = decode_rle(segmentation)
        if mask.shape != (height, width):
            raise ValueError(
                f"the run lengths are of {mask.shape[1]}x{mask.shape[0]} pixels, the image of "
                f"{width}x{height}"
            )
        return mask
    mask = np.zeros((height, width), bool)
    polygons = segmentation if isinstance(segmentation[0], list) else [segmentation]
    for polygon in polygons:
        is_numbers = all(isinstance(value, int | float) and abs(value) < 1e9 for value in polygon)
        if not is_numbers or len(polygon) < 6 or len(polygon) % 2:
            raise ValueError(f"the polygon {polygon!r:.40} has {len(polygon)} values; {_WANTED}")
        mask |= fill_polygon(np.array(polygon, np.float64).reshape(-1, 2), width, height)
    return mask
