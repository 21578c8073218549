"""Which task a folder is for, as far as that is certain, and the reader for a folder and a task."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hytnas_jax.data.readers.advice import advice_on
from hytnas_jax.data.readers.boxes import BoxSource
from hytnas_jax.data.readers.chosen_classes import as_classification, only_classes, only_masks
from hytnas_jax.data.readers.coco import CocoSource
from hytnas_jax.data.readers.coco_layout import LAYOUT as COCO_LAYOUT
from hytnas_jax.data.readers.coco_masks import CocoMasks
from hytnas_jax.data.readers.folder import FolderSource
from hytnas_jax.data.readers.mask_folder import MaskFolder
from hytnas_jax.data.readers.mask_layout import LAYOUT as MASK_LAYOUT
from hytnas_jax.data.readers.mask_layout import mask_folders
from hytnas_jax.data.readers.masks import MaskSource
from hytnas_jax.data.readers.pairs import images_with_masks
from hytnas_jax.data.readers.signs import (
    OTHER_FOLDERS,
    boxes_in,
    class_places,
    find_json,
    find_xml,
    lines_of_labels,
    masks_in,
)
from hytnas_jax.data.readers.source import Source, Task
from hytnas_jax.data.readers.split_folders import LAYOUT as CLASS_LAYOUT
from hytnas_jax.data.readers.voc import VocSource
from hytnas_jax.data.readers.voc_layout import LAYOUT as VOC_LAYOUT
from hytnas_jax.data.readers.yolo import YoloSource
from hytnas_jax.data.readers.yolo_layout import EXAMPLE, find_yaml
from supernet.errors import UserError

_NOTHING = "neither boxes, nor masks, nor class folders are found"
_PRESENCE = ", or --classes NAME for whether an image has one"
_LAYOUTS: dict[Task, str] = {
    "classification": f"for classification {CLASS_LAYOUT}",
    "detection": f"for detection: {COCO_LAYOUT}. {VOC_LAYOUT}. {EXAMPLE}",
    "segmentation": f"for segmentation {MASK_LAYOUT}, or the polygons of a JSON file as COCO has it",
}


class Guess(NamedTuple):
    """task: None where it is not certain. reason: what the guess is made by, or why there is none and what
    to do."""

    task: Task | None
    reason: str


def task_of(folder: Path) -> Guess:
    """Of a folder's names, and a few of its small files. Images are decoded only where names leave it open
    whether two folders are classes, or images and their masks."""
    masks, boxes = masks_in(folder), boxes_in(folder)
    if boxes and masks:
        return Guess(None, f"{boxes}, and masks; say with --task whether it is for detection or segmentation")
    if boxes:
        return Guess("detection", boxes)
    if masks:
        return Guess("segmentation", f"masks in {masks}")
    if (path := find_json(folder, b'"segmentation"')) is not None:
        return Guess("segmentation", f"outlines without boxes in {path.relative_to(folder).as_posix()}")
    if (yaml := find_yaml(folder)) is not None:
        return Guess(None, _no_boxes(folder, yaml))
    return _of_classes(folder)


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
            raise UserError(f"{folder}: {guess.reason}")
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
    if find_xml(folder) is not None:
        return VocSource(folder)
    if find_json(folder, b'"categories"') is not None:
        return CocoSource(folder)
    raise _other_task(folder, "detection", task_of(folder))


def open_masks(folder: Path) -> MaskSource:
    """See `open_folder`."""
    if mask_folders(folder):
        return MaskFolder(folder)
    if find_json(folder, b'"segmentation"') is not None:
        return CocoMasks(folder)
    raise _other_task(folder, "segmentation", task_of(folder))


def _no_boxes(folder: Path, yaml: Path) -> str:
    if lines_of_labels(folder) == "polygons":
        return (
            f"{yaml.name} with polygons in label files; these are for detection only, by the box around each "
            "one: give --task detection. Masks for segmentation are PNG files, or the polygons of a JSON "
            "file as COCO has it"
        )
    return f"{yaml.name}, but no label files with boxes; say with --task what it is for"


def _of_classes(folder: Path) -> Guess:
    places = class_places(folder)
    if masked := images_with_masks(places):
        return Guess(None, masked)
    called_otherwise = [path.name for path in places if path.name.lower() in OTHER_FOLDERS]
    if len(places) >= 2 and not called_otherwise:
        return Guess("classification", f"one folder a class: {', '.join(path.name for path in places[:3])}")
    if advice := advice_on(folder):
        return Guess(None, advice)
    if len(places) >= 2 and len(called_otherwise) == len(places):
        names = " and ".join(called_otherwise)
        return Guess(None, f"{names} are no classes by their names; if they are, give --task classification")
    return Guess(None, _NOTHING)


def _other_task(folder: Path, task: Task, guess: Guess) -> UserError:
    if guess.task not in (None, task):
        return UserError(
            f"{folder}: task={task}, but this looks like {guess.task} ({guess.reason}); give "
            f"--task {guess.task}{_PRESENCE if task == 'classification' else ''}, or another folder: "
            f"{_LAYOUTS[task]}"
        )
    return UserError(f"{folder}: is in no layout that is known ({guess.reason}); {_LAYOUTS[task]}")
