"""Which task a folder is for, as far as that is certain, and the reader for a folder and a task."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from hytnas_jax.data.decode import Unreadable, open_image, refusing
from hytnas_jax.data.readers.boxes import BoxSource
from hytnas_jax.data.readers.chosen_classes import as_classification, only_classes, only_masks
from hytnas_jax.data.readers.coco import CocoSource
from hytnas_jax.data.readers.coco_layout import LAYOUT as COCO_LAYOUT
from hytnas_jax.data.readers.coco_layout import json_files
from hytnas_jax.data.readers.coco_masks import CocoMasks
from hytnas_jax.data.readers.folder import FolderSource
from hytnas_jax.data.readers.image_files import child, subfolders
from hytnas_jax.data.readers.listing import list_folder
from hytnas_jax.data.readers.mask_folder import MaskFolder
from hytnas_jax.data.readers.mask_layout import LAYOUT as MASK_LAYOUT
from hytnas_jax.data.readers.mask_layout import mask_folders
from hytnas_jax.data.readers.masks import MaskSource
from hytnas_jax.data.readers.source import Source, Task
from hytnas_jax.data.readers.split_folders import LAYOUT as CLASS_LAYOUT
from hytnas_jax.data.readers.split_folders import split_named
from hytnas_jax.data.readers.voc import VocSource
from hytnas_jax.data.readers.voc_layout import LAYOUT as VOC_LAYOUT
from hytnas_jax.data.readers.yolo import YoloSource
from hytnas_jax.data.readers.yolo_layout import EXAMPLE, find_yaml
from supernet.errors import UserError

_LOOKED_AT = 20  # label files
_NOTHING = "neither boxes, nor masks, nor class folders are found"
_PRESENCE = ", or --classes NAME for whether an image has one"
_OTHER_FOLDERS = ("images", "labels", "masks", "annotations", "jpegimages", "segmentationclass", "imagesets")
_LAYOUTS: dict[Task, str] = {
    "classification": f"for classification {CLASS_LAYOUT}",
    "detection": f"for detection: {COCO_LAYOUT}. {VOC_LAYOUT}. {EXAMPLE}",
    "segmentation": f"for segmentation {MASK_LAYOUT}, or the polygons of a JSON file as COCO has it",
}


class Guess(NamedTuple):
    """task: None where it is not certain. reason: what the guess is made by, or why there is none."""

    task: Task | None
    reason: str


def task_of(folder: Path) -> Guess:
    """Of a folder's names, and a few of its small files; no image is decoded."""
    has_masks, boxes = _has_masks(folder), _boxes_in(folder)
    if boxes and has_masks:
        return Guess(None, f"{boxes}, and masks: it may be for detection or segmentation")
    if boxes:
        return Guess("detection", boxes)
    if has_masks:
        return Guess("segmentation", f"masks in {has_masks}")
    if (yaml := find_yaml(folder)) is not None:
        return Guess(None, f"{yaml.name}, but no label files with boxes alone")
    classes = _class_folders(folder)
    if len(classes) >= 2:
        return Guess("classification", f"one folder a class: {', '.join(classes[:3])}")
    return Guess(None, _NOTHING)


def open_folder(
    folder: Path, task: Task | None, *, classes: Sequence[str] = ()
) -> Source | BoxSource | MaskSource:
    """The source for a task: a `BoxSource` for detection, a `MaskSource` for segmentation.

    task: None for what the folder is recognised as. classes: of boxes or masks, those that are used; for
    classification, the question is whether an image has one of them.

    Raises UserError where the folder is for another task, and says for which; where it may be for several
    and `task` is None; and what the reader raises.
    """
    guess = task_of(folder) if task is None or task == "classification" else Guess(task, "")
    if task is None:
        if guess.task is None and guess.reason != _NOTHING:
            raise UserError(f"{folder}: {guess.reason}; say which with --task")
        task = guess.task or "classification"
    if task == "segmentation":
        return only_masks(open_masks(folder), classes) if classes else open_masks(folder)
    if task == "detection":
        return only_classes(open_boxes(folder), classes) if classes else open_boxes(folder)
    if classes:
        return as_classification(open_boxes(folder), classes)
    if guess.task not in (None, "classification"):
        raise _other_task(folder, task, guess)
    return FolderSource(folder)


def open_boxes(folder: Path) -> BoxSource:
    """See `open_folder`."""
    if find_yaml(folder) is not None:
        return YoloSource(folder)
    if _xml(folder) is not None:
        return VocSource(folder)
    if _coco_json(folder, b'"categories"') is not None:
        return CocoSource(folder)
    raise _other_task(folder, "detection", task_of(folder))


def open_masks(folder: Path) -> MaskSource:
    """See `open_folder`."""
    if mask_folders(folder):
        return MaskFolder(folder)
    if _coco_json(folder, b'"segmentation"') is not None:
        return CocoMasks(folder)
    raise _other_task(folder, "segmentation", task_of(folder))


def _other_task(folder: Path, task: Task, guess: Guess) -> UserError:
    if guess.task not in (None, task):
        return UserError(
            f"{folder}: task={task}, but this looks like {guess.task} ({guess.reason}); give "
            f"--task {guess.task}{_PRESENCE if task == 'classification' else ''}, or another folder: "
            f"{_LAYOUTS[task]}"
        )
    return UserError(f"{folder}: is in no layout that is known ({guess.reason}); {_LAYOUTS[task]}")


def _boxes_in(folder: Path) -> str:
    """What boxes are found in, in words; "" where none are."""
    if (yaml := find_yaml(folder)) is not None and _has_box_lines(folder):
        return f"{yaml.name} with boxes in label files"
    if (xml := _xml(folder)) is not None:
        return f"boxes in {xml.relative_to(folder).as_posix()}"
    if (path := _coco_json(folder, b'"bbox"')) is not None:
        return f"boxes in {path.relative_to(folder).as_posix()}"
    return ""


def _has_box_lines(folder: Path) -> bool:
    """Whether the label files looked at hold boxes, and no polygons."""
    lines = [
        line.split()
        for path in islice(folder.glob("**/labels/**/*.txt"), _LOOKED_AT)
        for line in path.read_text("utf-8", "replace").splitlines()
        if line.strip()
    ]
    return bool(lines) and all(len(line) == 5 and _is_number(line[1]) for line in lines)


def _is_number(text: str) -> bool:
    try:
        return float(text) >= 0
    except ValueError:
        return False


def _xml(folder: Path) -> Path | None:
    """An XML file of VOC's kind, where `voc_layout` looks for it."""
    inside = child(folder, "Annotations", "annotation", "xml", "xmls")
    splits = [path for path in subfolders(folder) if split_named(path.name) is not None]
    for place in (inside, *splits, folder):
        path = min(place.glob("*.xml"), default=None) if place is not None else None
        if path is not None:
            try:
                return path if ET.fromstring(path.read_bytes()).tag == "annotation" else None
            except (ET.ParseError, OSError):
                return path if b"<bndbox" in path.read_bytes() else None
    return None


def _coco_json(folder: Path, word: bytes) -> Path | None:
    """A JSON file with the keys of COCO, and `word`. It is not parsed: it may have gigabytes."""
    for path in json_files(folder):
        data = path.read_bytes()
        if all(key in data for key in (b'"images"', b'"annotations"', b'"categories"', word)):
            return path
    return None


def _has_masks(folder: Path) -> str:
    """The folder of the training masks, where the first of them may be one; else ""."""
    found = mask_folders(folder).get("train")
    if found is None:
        return ""
    names = list_folder(found[1]).images
    try:
        with refusing(), open_image(found[1] / names[-1]) as image:
            return found[1].relative_to(folder).as_posix() if image.format == "PNG" else ""
    except (Unreadable, IndexError):
        return ""


def _class_folders(folder: Path) -> list[str]:
    """The folders with images in them, of the folder or of its training split."""
    inner = [path for path in subfolders(folder) if split_named(path.name) == "train"]
    places = [path for place in inner or [folder] for path in subfolders(place)]
    named = [path for path in places if path.name.lower() not in _OTHER_FOLDERS]
    return [path.name for path in named if list_folder(path).images] if len(named) == len(places) else []
