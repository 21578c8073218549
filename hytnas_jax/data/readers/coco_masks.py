"""Masks drawn from the polygons and run lengths of JSON files as COCO has them."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from hytnas_jax.data.readers.coco import CocoFolder
from hytnas_jax.data.readers.coco_json import CocoFile
from hytnas_jax.data.readers.masks import MaskFiles
from hytnas_jax.data.readers.pixels import decode_rle, fill_polygon
from hytnas_jax.data.readers.source import Split
from hytnas_jax.numbers import counted
from supernet.errors import UserError
from supernet.tasks.segmentation import IGNORED

BACKGROUND = "background"
_FEW = 0.05  # of a file's annotations: so many may lack an outline
_WANTED = "segmentation is a list of polygons [x, y, x, y, x, y, ...] in pixels, or run lengths"


@dataclasses.dataclass(frozen=True)
class _Thing:
    index: int  # in the file's annotations
    value: int  # of its pixels
    segmentation: Any


class CocoMasks(MaskFiles):
    """Images with masks that are drawn from a JSON file; folders as for `CocoSource`.

    The classes are those of the categories, and "background" before them where no category is called so, or
    "Background", or "_background_". Smaller things are drawn over larger ones; crowds (`iscrowd`) are ignored
    where nothing else is. Few annotations without an outline are left out.

    Raises UserError for what `CocoSource` refuses, and a file in which 5% of the annotations or more have no
    outline.
    """

    def __init__(self, folder: Path) -> None:
        coco = CocoFolder(folder)
        super().__init__(folder, coco.paths, {split: file.place for split, file in coco.files.items()})
        names = coco.class_names
        called_so = [name for name in names if name.strip("_ ").lower() == BACKGROUND]
        self.class_names = names if called_so else (BACKGROUND, *names)
        self._background = self.class_names.index(called_so[0] if called_so else BACKGROUND)
        if len(self.class_names) > IGNORED:
            raise UserError(
                f"{self.name}: has {len(names)} categories; at most {IGNORED - 1} are allowed, since "
                f"{IGNORED} is ignored"
            )
        self._coco = coco
        index = {name: number for number, name in enumerate(self.class_names)}
        without = [_without_outline(file) for file in coco.files.values()]
        self.left_out = "; ".join(note for note in (coco.left_out, *without) if note)
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
            if not isinstance(segmentation, list | dict | None):
                raise UserError(
                    f"{file.tell(number)}: segmentation is {segmentation!r:.40}; {_WANTED}; correct it, or "
                    "delete the annotation"
                )
            value = IGNORED if file.is_crowd(number) else file.class_index(number, index)
            row = file.row(number)
            if not _is_without(annotation):
                found[row].append(_Thing(number, value, segmentation))
        return found


def _is_without(annotation: dict[str, Any]) -> bool:
    return annotation.get("segmentation") in (None, [], [[]], {})


def _without_outline(file: CocoFile) -> str:
    """What to say of the annotations that cannot be drawn, "" where all can. Raises UserError for many."""
    without = [number for number, annotation in enumerate(file.annotations) if _is_without(annotation)]
    if not without:
        return ""
    first, total = file.tell(without[0]), len(file.annotations)
    if len(without) == total:
        found = file.annotations[without[0]].get("segmentation")
        raise UserError(
            f"{first}: segmentation is {found!r}, as in all annotations; {_WANTED}: a file of boxes "
            "alone is for detection"
        )
    if len(without) >= _FEW * total:
        raise UserError(
            f"{first}: has no outline (segmentation), as {len(without)} of {total} annotations, so that its "
            f"pixels would be background; {_WANTED}: add the outlines, or delete these annotations"
        )
    return (
        f"{file.place}: {counted(len(without), 'annotation')} of {total} without an outline (segmentation) "
        f"left out, so that the pixels are background (the first: {first.removeprefix(file.place + ': ')})"
    )


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
