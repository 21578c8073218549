"""Image files with boxes, however these are written: what the readers of COCO, YOLO and VOC become."""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hytnas_jax.data.decode import Opener, open_image
from hytnas_jax.data.readers.box_checks import Changes, RawBoxes, check_boxes
from hytnas_jax.data.readers.boxes import Boxes, images_with, strata
from hytnas_jax.data.readers.source import Split, Task
from hytnas_jax.data.readers.turned import size_as_shown, turn_corners, turn_to_show
from hytnas_jax.data.readers.words import some
from hytnas_jax.numbers import counted
from supernet.errors import UserError


@dataclasses.dataclass(frozen=True, eq=False)
class BoxSplit:
    """One stored split.

    files: of its images, relative to the source's folder, or absolute. raw: their boxes. sizes: int [N, 2],
    width and height that the boxes refer to, 0 where they refer to the image as shown. place: how to name
    the split, "labels/val".
    """

    files: list[str]
    raw: RawBoxes
    sizes: np.ndarray
    place: str


class BoxFiles:
    """A `BoxSource` of image files, always RGB; see there. Opening it reads no pixel.

    Raises UserError for a split without an image or a box, an image in two splits, and a box that cannot be
    trained on.
    """

    task: Task = "detection"

    def __init__(self, folder: Path, class_names: tuple[str, ...], splits: Mapping[Split, BoxSplit]) -> None:
        self._folder = folder
        self.name = folder.resolve().name
        self.channels = 3
        self.left_out = ""
        self.are_named = True
        self.class_names = class_names
        self.sizes: Mapping[Split, int] = {split: len(part.files) for split, part in splits.items()}
        # Of `splits` nothing else is kept: annotations may take gigabytes.
        self._files = {split: part.files for split, part in splits.items()}
        self._given_sizes = {split: part.sizes for split, part in splits.items()}
        self._places = {split: part.place for split, part in splits.items()}
        _refuse_shared(splits)
        changes = Changes()
        self._boxes: dict[Split, Boxes] = {}
        self._rows: dict[Split, np.ndarray] = {}
        for split, part in splits.items():
            _refuse_without_boxes(part)
            self._boxes[split], self._rows[split] = check_boxes(part.raw, changes)
        self._holding = self._images_with("train")
        self._strata = {split: self._strata_of(split) for split in splits}
        self.remarks: tuple[str, ...] = (*changes.remarks(), *self._lacking())

    def labels(self, split: Split, positions: np.ndarray) -> np.ndarray:
        return self._strata[split][positions]

    def openers(self, split: Split, positions: np.ndarray) -> list[Opener]:
        return [functools.partial(open_image, self._path(split, position)) for position in positions]

    def image_name(self, split: Split, position: int) -> str:
        return self._files[split][position]

    def boxes(self, split: Split, position: int) -> Boxes:
        first, last = np.searchsorted(self._rows[split], [position, position + 1])
        boxes = self._boxes[split].take(slice(first, last))
        width, height = self._given_sizes[split][position].tolist()
        if not len(boxes) or not width:
            return boxes
        path, place = self._path(split, position), self._places[split]
        turn = turn_to_show(path, (width, height))
        if turn is None:
            shown = size_as_shown(path, place=place)
            raise UserError(
                f"{place}: the boxes of {self._files[split][position]} are for an image of {width}x{height} "
                f"pixels, but it has {shown[0]}x{shown[1]}; correct width and height there, or delete them: "
                "the boxes are then taken to be of the image as it is shown"
            )
        return dataclasses.replace(boxes, corners=turn_corners(boxes.corners, turn))

    def all_boxes(self, split: Split) -> tuple[np.ndarray, Boxes]:
        return self._rows[split], self._boxes[split]

    def _path(self, split: Split, position: int) -> Path:
        return self._folder / self._files[split][position]

    def _images_with(self, split: Split) -> np.ndarray:
        wanted = ~self._boxes[split].ignored
        return images_with(
            self._rows[split][wanted], self._boxes[split].classes[wanted], len(self.class_names)
        )

    def _strata_of(self, split: Split) -> np.ndarray:
        wanted = ~self._boxes[split].ignored
        rows, classes = self._rows[split][wanted], self._boxes[split].classes[wanted]
        return strata(rows, classes, self.sizes[split], holding=self._holding)

    def _lacking(self) -> list[str]:
        """In a line a split, the classes without a box in it."""
        lines = []
        for split in self.sizes:
            names = [self.class_names[n] for n in np.flatnonzero(self._images_with(split) == 0)]
            if names:
                classes = counted(len(names), "class", "classes")
                lines.append(f"no box in {self._places[split]} is of {classes}: {some(names)}")
        return lines


def _refuse_shared(splits: Mapping[Split, BoxSplit]) -> None:
    seen: dict[str, str] = {}
    for part in splits.values():
        if not part.files:
            raise UserError(f"{part.place}: has no images; add some, or remove this split")
        for file in part.files:
            if file in seen:
                raise UserError(
                    f"{file}: is in {seen[file]} and in {part.place}; an image may be in one split only: "
                    "remove it from one, or give train alone, from which the other splits are then carved"
                    if seen[file] != part.place
                    else f"{part.place}: lists {file} twice; keep one of both"
                )
            seen[file] = part.place


def _refuse_without_boxes(part: BoxSplit) -> None:
    if not len(part.raw.rows):
        raise UserError(
            f"{part.place}: not one of the {counted(len(part.files), 'image')} has a box; images without a "
            "box are allowed, but a split needs some with: add the boxes, or remove this split"
        )
