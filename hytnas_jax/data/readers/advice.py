"""What to do with boxes that lie in a layout that no reader knows: what they look like, and the remedy."""

import json
import re
from collections.abc import Callable
from itertools import chain, islice
from pathlib import Path

from hytnas_jax.data.readers.image_files import ImageFiles, subfolders
from hytnas_jax.data.readers.listing import list_folder
from hytnas_jax.data.readers.signs import (
    boxes_in,
    files_below,
    is_annotation,
    label_files,
    lines_of_labels,
    masks_in,
)
from hytnas_jax.data.readers.source import Split
from hytnas_jax.data.readers.split_folders import split_named
from hytnas_jax.data.readers.voc_layout import LAYOUT as VOC_LAYOUT
from hytnas_jax.data.readers.yolo_layout import EXAMPLE

_XML = 20  # files looked at
_KEYS: dict[Split, str] = {"train": "train", "validation": "val", "test": "test"}  # of data.yaml


def advice_on(folder: Path) -> str:
    """What a folder in no known layout looks like, and what to do; "" where that is not known either."""
    return next((text for looks_like in _LOOKS_LIKE if (text := looks_like(folder))), "")


def _one_folder_down(folder: Path) -> str:
    for inner in subfolders(folder):
        if split_named(inner.name) is None and ImageFiles(inner).names:
            found = boxes_in(inner) or masks_in(inner)
            if found:
                return f"neither boxes nor masks lie here, but in {inner.name} do: {found}; give {inner}"
    return ""


def _voc(folder: Path) -> str:
    xml = next(filter(is_annotation, islice(files_below(folder, ".xml"), _XML)), None)
    if xml is None:
        return ""
    place = xml.parent.relative_to(folder)
    to = "DIR/Annotations, with the images in DIR/images"
    if split_named(place.parts[0]) is not None:
        to = f"DIR/{place.parts[0]}, beside their images"
    return (
        f"this looks like Pascal VOC, but the XML files lie in {place.as_posix()}; move them directly into "
        f"{to}: {VOC_LAYOUT}"
    )


def _yolo(folder: Path) -> str:
    """As Label Studio and LabelImg write it, and CVAT for darknet."""
    if lines_of_labels(folder) != "boxes":
        return ""
    places = _yolo_images(folder)
    if "train" not in places:
        return f"this looks like YOLO without data.yaml; {EXAMPLE}"
    lines = [f"{key}: {_as_yaml(places[split])}" for split, key in _KEYS.items() if split in places]
    text = "\n  ".join([*lines, f"names: {_class_names(folder)}"])
    return (
        "this looks like YOLO without data.yaml, which says where the images are and what the classes are "
        f"called; write {folder / 'data.yaml'}, as\n  {text}\nwith the names in the order of their numbers"
    )


def _yolo_images(folder: Path) -> dict[Split, list[str]]:
    """The folders of the images that have label files, of each split."""
    found: dict[Split, dict[str, None]] = {}
    for place in sorted({path.parent for path in label_files(folder)}):
        parts = place.relative_to(folder).parts
        moved = ["images" if part.lower() == "labels" else part for part in parts]
        images = folder.joinpath(*moved)
        if images.is_dir() and list_folder(images).images:
            splits = [_split_in(part) for part in moved]
            ends = [n for n, part in enumerate(moved, 1) if part == "images" or splits[n - 1]]
            path = "/".join(moved[: ends[-1]] if ends else moved) or "."
            split: Split = next(filter(None, splits), "train")
            found.setdefault(split, {})[path] = None
    return {split: list(paths) for split, paths in found.items()}


def _split_in(name: str) -> Split | None:
    """As "obj_train_data" is of train."""
    words = re.split(r"[^a-z]+", name.lower())
    return next((split for word in words if (split := split_named(word)) is not None), None)


def _as_yaml(paths: list[str]) -> str:
    return paths[0] if len(paths) == 1 else f"[{', '.join(paths)}]"


def _class_names(folder: Path) -> str:
    """As data.yaml has them."""
    path = next(chain(files_below(folder, "classes.txt"), files_below(folder, ".names")), None)
    lines = path.read_text("utf-8", "replace").splitlines() if path is not None else []
    names = [line.strip() for line in lines if line.strip()]
    return json.dumps(names, ensure_ascii=False) if names else "[NAME, NAME]"


_LOOKS_LIKE: tuple[Callable[[Path], str], ...] = (_one_folder_down, _voc, _yolo)
