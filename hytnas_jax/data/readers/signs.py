"""What boxes, masks and class folders lie in a folder, by names and by a few small files."""

import math
import os
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Literal, TypeVar

from hytnas_jax.data.decode import Unreadable, open_image, refusing
from hytnas_jax.data.readers.coco_layout import json_files
from hytnas_jax.data.readers.image_files import ImageFiles, child, subfolders
from hytnas_jax.data.readers.listing import list_folder
from hytnas_jax.data.readers.mask_layout import mask_folders
from hytnas_jax.data.readers.split_folders import split_named
from hytnas_jax.data.readers.voc_layout import xml_files
from hytnas_jax.data.readers.yolo import NO_LABELS
from hytnas_jax.data.readers.yolo_layout import find_yaml

# What folders are called that are no classes.
OTHER_FOLDERS = ("images", "labels", "masks", "annotations", "jpegimages", "segmentationclass", "imagesets")
Item = TypeVar("Item")
_LABELS, _XML, _MASKS = 20, 20, 9  # files looked at


def boxes_in(folder: Path) -> str:
    """What boxes are found in, in words; "" where none are."""
    yaml = find_yaml(folder)
    if yaml is not None and (lines := lines_of_labels(folder)):
        has_keypoints = b"kpt_shape" in yaml.read_bytes()  # behind each box: such lines are as polygons are
        if lines == "boxes" or has_keypoints:
            return f"{yaml.name} with boxes in label files"
    if (xml := find_xml(folder)) is not None:
        return f"boxes in {xml.relative_to(folder).as_posix()}"
    if (path := find_json(folder, b'"bbox"')) is not None:
        return f"boxes in {path.relative_to(folder).as_posix()}"
    return ""


def lines_of_labels(folder: Path) -> Literal["boxes", "polygons", ""]:
    """What most of the lines are, in YOLO's label files; "" where there are none.

    Lines that are neither are boxes with a mistake, if their file lies in "labels": the reader will say it.
    """
    with_lines = (path for path in label_files(folder) if path.stat().st_size)  # images may have no box
    files = list(islice(with_lines, _LABELS))
    widths = [_width(line) for path in files for line in _lines(path)]
    if sum(width > 5 and width % 2 == 1 for width in widths) > len(widths) / 2:
        return "polygons"
    if widths and (_is_in_labels(files[0], folder) or widths.count(5) > len(widths) / 2):
        return "boxes"
    return ""


def label_files(folder: Path) -> Iterator[Path]:
    """The text files that may hold YOLO's boxes: those in "labels", where there are any."""
    inside = (path for path in _text_files(folder) if _is_in_labels(path, folder))
    first = next(inside, None)
    return _text_files(folder) if first is None else chain([first], inside)


def files_below(folder: Path, extension: str) -> Iterator[Path]:
    """The files in a folder and below, by name."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        yield from (Path(place, name) for name in sorted(names) if name.lower().endswith(extension))


def find_xml(folder: Path) -> Path | None:
    """An XML file of VOC's kind, where `voc_layout` looks for it."""
    inside = child(folder, "Annotations", "annotation", "xml", "xmls")
    splits = [path for path in subfolders(folder) if split_named(path.name) is not None]
    for place in (inside, *splits, folder):
        looked_at = xml_files(place)[:_XML] if place is not None else ()
        if (found := next(filter(is_annotation, looked_at), None)) is not None:
            return found
    return None


def is_annotation(xml: Path) -> bool:
    """Whether an XML file is one of VOC's, in whatever encoding, perhaps a broken one."""
    try:
        data = xml.read_bytes()
    except OSError:
        return False
    try:
        return ET.fromstring(data).tag == "annotation"
    except (ET.ParseError, LookupError, ValueError):  # LookupError, ValueError: encodings it does not know
        return b"<annotation" in data or b"<bndbox" in data


def find_json(folder: Path, word: bytes) -> Path | None:
    """A JSON file with the keys of COCO, and `word`. It is not parsed: it may have gigabytes."""
    for path in json_files(folder):
        data = path.read_bytes()
        if all(key in data for key in (b'"images"', b'"annotations"', b'"categories"', word)):
            return path
    return None


def masks_in(folder: Path) -> str:
    """The folder of the training masks, where most of those looked at may be masks; else ""."""
    images, masks = mask_folders(folder).get("train", (None, None))
    if masks is None:
        return ""
    names = [name for name in ImageFiles(masks).names if images != masks or Path(name).stem.endswith("_mask")]
    formats = [_format(masks / name) for name in spread(names, _MASKS)]
    return masks.relative_to(folder).as_posix() if formats.count("PNG") > len(formats) / 2 else ""


def class_places(folder: Path) -> list[Path]:
    """The folders with images directly in them, of the folder or of its training split."""
    inner = [path for path in subfolders(folder) if split_named(path.name) == "train" and subfolders(path)]
    places = [path for place in inner or [folder] for path in subfolders(place)]
    return [path for path in places if list_folder(path).images]


def spread(items: Sequence[Item], count: int) -> Sequence[Item]:
    """At most so many, spread evenly."""
    return items[:: math.ceil(len(items) / count) or 1]


def _text_files(folder: Path) -> Iterator[Path]:
    for path in files_below(folder, ".txt"):
        name = path.name.lower()
        if name not in NO_LABELS and not name.startswith("readme") and path.is_file():
            yield path


def _is_in_labels(path: Path, folder: Path) -> bool:
    return "labels" in (part.lower() for part in path.relative_to(folder).parts[:-1])


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8", "replace").splitlines() if line.strip()]


def _width(line: str) -> int:
    """How many values a line of a label file has; 0 where those behind the first are not all numbers."""
    words = line.split()
    return len(words) if all(map(_is_number, words[1:])) else 0


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _format(path: Path) -> str | None:
    try:
        with refusing(), open_image(path) as image:
            return image.format
    except Unreadable:
        return None
