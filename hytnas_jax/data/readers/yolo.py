"""Boxes in text files as YOLO has them: one file an image, `class cx cy width height` a line."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hytnas_jax.data.readers.box_checks import RawBoxes
from hytnas_jax.data.readers.box_files import BoxFiles, BoxSplit
from hytnas_jax.data.readers.source import Split
from hytnas_jax.data.readers.yolo_layout import YoloLayout, label_file, read_layout
from hytnas_jax.files.text import decode
from hytnas_jax.numbers import counted
from supernet.errors import UserError

WANTED = "a line is `class cx cy width height`, the last four as parts 0..1 of the image"
_PIXELS = 2.0  # above that a value can only be pixels
NO_LABELS = ("classes.txt", "labels.txt", "train.txt", "val.txt", "test.txt", "readme.txt")


class YoloSource(BoxFiles):
    """Images with boxes in text files; data.yaml names the classes and the splits, see `yolo_layout`.

    An image without a label file has no box. Of a polygon (`class x y x y x y ...`) the box around it is
    taken. Where data.yaml has `kpt_shape`, keypoints follow each box and are not used. Boxes refer to the
    image as shown.

    Raises UserError for whatever is wrong in the files, with the line.
    """

    def __init__(self, folder: Path) -> None:
        layout = read_layout(folder)
        found = _Found()
        splits = {split: _read_split(folder, layout, split, found) for split in layout.images}
        super().__init__(folder, layout.class_names, splits)
        self.are_named = layout.are_named
        self.left_out = "; ".join([*layout.notes, *_without_image(folder, found.labels)])
        if polygons := found.polygons:
            boxes = counted(len(polygons), "polygon")
            self.remarks = (
                *self.remarks,
                f"{boxes}: the box around each is taken (the first: {polygons[0]})",
            )


@dataclasses.dataclass
class _Found:
    """polygons: where they stand. labels: a folder -> the label files in it that images may have."""

    polygons: list[str] = dataclasses.field(default_factory=list)
    labels: dict[Path, set[str]] = dataclasses.field(default_factory=dict)


def _read_split(folder: Path, layout: YoloLayout, split: Split, found: _Found) -> BoxSplit:
    images = layout.images[split]
    places: list[tuple[Path, int]] = []
    rows: list[int] = []
    classes: list[int] = []
    edges: list[tuple[float, float, float, float]] = []
    for row, image in enumerate(images):
        path = label_file(image, folder)
        found.labels.setdefault(path.parent, set()).add(path.name)
        lines = _lines(path)
        short = _short(path, folder) if lines else ""
        for number, line in lines:
            at = f"{short}, line {number}"
            index, box, is_polygon = _parse(line, at, layout)
            if is_polygon:
                found.polygons.append(at)
            places.append((path, number))
            rows.append(row)
            classes.append(index)
            edges.append(box)
    raw = RawBoxes(
        rows=np.array(rows, np.int64),
        edges=np.array(edges, np.float64).reshape(-1, 4),
        sides=np.ones((len(rows), 2)),
        classes=np.array(classes, np.int32),
        ignored=np.zeros(len(rows), bool),
        tell=_teller(places, folder),
        wanted=WANTED,
        in_pixels=False,
    )
    return BoxSplit(images, raw, np.zeros((len(images), 2), np.int64), layout.places[split])


def _lines(path: Path) -> list[tuple[int, str]]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    lines = decode(data, str(path)).splitlines()
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _parse(line: str, at: str, layout: YoloLayout) -> tuple[int, tuple[float, float, float, float], bool]:
    """The class, left, top, right and bottom, and whether the line is a polygon."""
    words = line.split()
    try:
        values = [float(word) for word in words[1:]]
    except ValueError:
        raise UserError(f"{at}: '{line.strip():.60}' has a value that is no number; {WANTED}") from None
    if layout.keypoints and len(words) == 5 + layout.keypoints:
        words, values = words[:5], values[:4]
    is_polygon = len(words) >= 7 and len(words) % 2 == 1 and not layout.keypoints
    if len(words) != 5 and not is_polygon:
        also = " (the sixth may be a score, as in files of predictions)" if len(words) == 6 else ""
        if layout.keypoints:
            also = f" (kpt_shape of {layout.file.name} allows 5 and {5 + layout.keypoints})"
        raise UserError(f"{at}: '{line.strip():.60}' has {len(words)} values{also}; {WANTED}")
    index = _class(words[0], at, layout)
    if any(value > _PIXELS for value in values):
        raise UserError(
            f"{at}: '{line.strip():.60}' has {max(values):g}, as if it were in pixels; {WANTED}: divide cx "
            "and width by the image's width, cy and height by its height"
        )
    if is_polygon:
        return index, (min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2])), True
    x, y, width, height = values
    return index, (x - width / 2, y - height / 2, x + width / 2, y + height / 2), False


def _class(word: str, at: str, layout: YoloLayout) -> int:
    names = layout.class_names
    try:
        index = float(word)
    except ValueError:
        known = f"; '{word}' is number {names.index(word)} there" if word in names else ""
        raise UserError(
            f"{at}: the class is '{word}'; wanted its number, 0 to {len(names) - 1}, in names of "
            f"{layout.file.name}{known}"
        ) from None
    if index not in range(len(names)):
        raise UserError(
            f"{at}: the class is {word}, but names of {layout.file.name} has {len(names)}, so that 0 to "
            f"{len(names) - 1} are allowed; correct the number, or add the name"
        )
    return int(index)


def _teller(places: list[tuple[Path, int]], folder: Path) -> Callable[[int], str]:
    def tell(index: int) -> str:
        path, number = places[index]
        line = dict(_lines(path))[number]
        return f"{_short(path, folder)}, line {number}: '{' '.join(line.split()):.60}'"

    return tell


def _short(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _without_image(folder: Path, labels: dict[Path, set[str]]) -> list[str]:
    """In a line a folder, the label files that no image has."""
    notes = []
    for place, known in labels.items():
        there = (path.name for path in place.glob("*.txt")) if place.is_dir() else ()
        lost = sorted(name for name in there if name not in known and name.lower() not in NO_LABELS)
        if lost:
            files = counted(len(lost), "label file")
            notes.append(f"{_short(place, folder)}: {files} without an image left out (the first: {lost[0]})")
    return notes
