"""Boxes in JSON files as COCO has them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hytnas_jax.data.readers.box_checks import RawBoxes
from hytnas_jax.data.readers.box_files import BoxFiles, BoxSplit
from hytnas_jax.data.readers.coco_json import WANTED, CocoFile, image_size, parse
from hytnas_jax.data.readers.coco_layout import find_images, read_splits
from hytnas_jax.data.readers.image_files import ImageFiles
from hytnas_jax.data.readers.source import Split
from hytnas_jax.data.readers.turned import size_as_shown
from hytnas_jax.data.readers.words import some
from hytnas_jax.numbers import counted
from supernet.errors import UserError

_FARTHEST = 2**53  # larger whole numbers are no floats


class CocoSource(BoxFiles):
    """Images with boxes in JSON files of COCO's kind; `coco_layout.LAYOUT` says where these lie.

    The classes are the categories, by ascending id, without one that no box is of and that is only the
    supercategory of others. Boxes of `iscrowd` are ignored ones. Boxes of an image that is stored turned
    refer to it as stored where width and height in the JSON file are those of the image as stored.

    Raises UserError for whatever is wrong in the files, with the place in them.
    """

    def __init__(self, folder: Path) -> None:
        coco = CocoFolder(folder)
        splits = {split: _box_split(coco, split) for split in coco.files}
        super().__init__(folder, coco.class_names, splits)
        self.left_out = coco.left_out
        self.remarks = (*coco.remarks, *self.remarks)


class CocoFolder:
    """The JSON files of a folder and the images they list, before boxes or masks are made of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[Split, CocoFile] = {}
        self.paths: dict[Split, list[str]] = {}
        stored, unused = read_splits(folder)
        notes = [f"{some(unused)} not used: no images, annotations and categories in it"] if unused else []
        known: dict[str, set[str]] = {}
        listed: set[str] = set()
        for split, (path, data) in stored.items():
            file = parse(data, path.relative_to(folder).as_posix())
            self.files[split] = file
            if not file.images:
                raise UserError(f"{path}: images is empty; list the images, or remove this file")
            images = find_images(folder, path, split, [image["file_name"] for image in file.images])
            inside = images.folder.relative_to(folder).as_posix()
            prefix = "" if inside == "." else f"{inside}/"
            self.paths[split] = [prefix + name for name in _found(file, images)]
            listed |= set(self.paths[split])
            known.setdefault(inside, set()).update(prefix + name for name in images.names)
        for inside, names in known.items():
            if unlisted := sorted(names - listed):
                where = "" if inside == "." else f"{inside}: "
                images_told = counted(len(unlisted), "image")
                notes.append(f"{where}{images_told} in no JSON file left out (the first: {unlisted[0]})")
        self.left_out = "; ".join(notes)
        self.class_names, self.remarks = _classes(self.files)

    def size(self, split: Split, row: int) -> tuple[int, int]:
        """Width and height that the annotations of an image refer to: of the JSON file, else as shown."""
        file = self.files[split]
        path = self.folder / self.paths[split][row]
        found = image_size(file, row)
        return found if all(found) else size_as_shown(path, place=f"{file.place}: images[{row}]")


def _found(file: CocoFile, images: ImageFiles) -> list[str]:
    """The file of each listed image. Raises UserError for those that are not there."""
    found = [images.find(image["file_name"]) for image in file.images]
    missing = [row for row, name in enumerate(found) if name is None]
    if missing:
        image = file.images[missing[0]]
        raise UserError(
            f"{file.place}: images[{missing[0]}] (id {image['id']}): file_name '{image['file_name']}' is not "
            f"in {images.folder} ({len(missing)} of {len(found)} listed images are missing); add the files, "
            "or remove these images and their annotations from the JSON file"
        )
    return [name for name in found if name is not None]


def _classes(files: dict[Split, CocoFile]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the classes, and a remark on what is left out of them."""
    used = {file.category(index) for file in files.values() for index in range(len(file.annotations))}
    names = tuple(files["train"].names.values())
    parents = {parent for file in files.values() for parent in file.parents}
    unused = {name for name in names if name in parents and name not in used}
    if not names:
        raise UserError(f"{files['train'].place}: categories is empty; name the classes there")
    told = [f"the category '{name}' has no box and only groups others: left out" for name in sorted(unused)]
    return tuple(name for name in names if name not in unused), tuple(told)


def _box_split(coco: CocoFolder, split: Split) -> BoxSplit:
    file = coco.files[split]
    index = {name: number for number, name in enumerate(coco.class_names)}
    count = range(len(file.annotations))
    rows = np.array([file.row(m) for m in count], np.int64)
    sizes = np.zeros((len(file.images), 2), np.int64)
    for row in range(len(file.images)) if len(rows) else ():
        sizes[row] = image_size(file, row)
    for row in np.unique(rows):
        sizes[row] = coco.size(split, int(row))
    bbox = np.array([_four(file, m) for m in count], np.float64).reshape(-1, 4)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused by name
        edges = np.concatenate([bbox[:, :2], bbox[:, :2] + bbox[:, 2:]], axis=1)
    raw = RawBoxes(
        rows=rows,
        edges=edges,
        sides=sizes[rows].astype(np.float64),
        classes=np.array([file.class_index(m, index) for m in count], np.int32),
        ignored=np.array([file.is_crowd(m) for m in count], bool),
        tell=_teller(file),
        wanted=WANTED,
        in_pixels=True,
    )
    return BoxSplit(coco.paths[split], raw, sizes, file.place)


def _four(file: CocoFile, index: int) -> Sequence[float]:
    found = file.annotations[index].get("bbox")
    if isinstance(found, list) and len(found) == 4 and all(_is_number(value) for value in found):
        return found
    raise UserError(f"{file.tell(index)}: bbox is {found!r:.60}; {WANTED}")


def _is_number(value: Any) -> bool:
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return is_one and not (isinstance(value, int) and abs(value) > _FARTHEST)


def _teller(file: CocoFile) -> Callable[[int], str]:
    def tell(index: int) -> str:
        values = ", ".join(f"{value:g}" for value in file.annotations[index]["bbox"])
        return f"{file.tell(index)}: bbox [{values}]"

    return tell
