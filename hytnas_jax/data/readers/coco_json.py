"""One JSON file of annotations as COCO has them: what must be in it, and where what is wrong stands."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

from hytnas_jax.data.readers.words import did_you_mean
from hytnas_jax.files.text import decode
from supernet.errors import UserError

_LISTS = ("images", "annotations", "categories")
_LARGEST = 65_535  # sides of images; JPEG's
WANTED = "bbox is [left, top, width, height] in pixels of the image"


@dataclasses.dataclass(frozen=True, eq=False)
class CocoFile:
    """rows: image id -> its place in `images`. names: category id -> its name, by ascending id."""

    place: str
    images: list[dict[str, Any]]
    annotations: list[dict[str, Any]]
    rows: dict[Any, int]
    names: dict[Any, str]
    parents: frozenset[str]

    def tell(self, index: int) -> str:
        """The place of an annotation: "instances.json: annotations[17] (id 512)"."""
        return f"{self.place}: {_told('annotations', index, self.annotations[index])}"

    def row(self, index: int) -> int:
        """The place in `images` of an annotation's image. Raises UserError for an unknown one."""
        found = self.annotations[index].get("image_id")
        if not _is_key(found) or found not in self.rows:
            raise UserError(
                f"{self.tell(index)}: image_id {found!r} is the id of none of the {len(self.images)} images; "
                "add that image to images, or delete the annotation"
            )
        return self.rows[found]

    def category(self, index: int) -> str:
        """The name of an annotation's category. Raises UserError for an unknown one."""
        found = self.annotations[index].get("category_id")
        if not _is_key(found) or found not in self.names:
            known = ", ".join(f"{key} ({name})" for key, name in list(self.names.items())[:10])
            raise UserError(
                f"{self.tell(index)}: category_id {found!r} is the id of no category; categories has {known}"
                f"{', ...' if len(self.names) > 10 else ''}: correct the id, or add the category"
            )
        return self.names[found]

    def class_index(self, index: int, class_names: Mapping[str, int]) -> int:
        """The index of an annotation's class. Raises UserError for a category that train does not have."""
        name = self.category(index)
        if name not in class_names:
            raise UserError(
                f"{self.tell(index)}: the category '{name}' is not among those of train "
                f"({did_you_mean(name, class_names)}); name categories alike in all files"
            )
        return class_names[name]

    def is_crowd(self, index: int) -> bool:
        found = self.annotations[index].get("iscrowd", 0)
        if found not in (0, 1, None):
            raise UserError(f"{self.tell(index)}: iscrowd is {found!r}; wanted 0 or 1")
        return bool(found)


def peek(path: Path) -> Any:
    """What a JSON file holds. Raises UserError, with the line, where it is none."""
    try:
        text = decode(path.read_bytes(), str(path))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(
            f"{path}, line {error.lineno}: not readable as JSON ({error.msg}); write the file anew"
        ) from error
    except RecursionError:
        raise UserError(f"{path}: not readable as JSON: lists in lists, too deep for annotations") from None


def is_coco(data: Any) -> bool:
    return isinstance(data, dict) and all(isinstance(data.get(key), list) for key in _LISTS)


def parse(data: dict[str, Any], place: str) -> CocoFile:
    """Raises UserError for entries that are no mappings, and ids that are missing or stand twice."""
    for key in _LISTS:
        for index, entry in enumerate(data[key]):
            if not isinstance(entry, dict):
                raise UserError(f"{place}: {key}[{index}] is {entry!r:.40}; wanted a mapping with its fields")
    names = {
        key: _name(entry, index, place) for key, (index, entry) in _by_id("categories", data, place).items()
    }
    twice = [name for name in names.values() if list(names.values()).count(name) > 1]
    if twice:
        raise UserError(f"{place}: two categories are called '{twice[0]}'; give each name once")
    order = sorted(names, key=lambda key: (str(type(key)), key))
    parents = frozenset(str(entry.get("supercategory")) for entry in data["categories"])
    rows = {key: index for key, (index, _) in _by_id("images", data, place).items()}
    for index, image in enumerate(data["images"]):
        if not isinstance(image.get("file_name"), str) or not image["file_name"]:
            raise UserError(
                f"{place}: {_told('images', index, image)}: file_name is {image.get('file_name')!r}; wanted "
                "the name of the image's file"
            )
    return CocoFile(
        place, data["images"], data["annotations"], rows, {key: names[key] for key in order}, parents
    )


def image_size(file: CocoFile, row: int) -> tuple[int, int]:
    """Width and height as the file gives them, (0, 0) where it does not."""
    width, height = (file.images[row].get(key) for key in ("width", "height"))
    return (int(width), int(height)) if _is_side(width) and _is_side(height) else (0, 0)


def _is_side(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and 1 <= value <= _LARGEST


def _by_id(key: str, data: dict[str, Any], place: str) -> dict[Any, tuple[int, dict[str, Any]]]:
    found: dict[Any, tuple[int, dict[str, Any]]] = {}
    for index, entry in enumerate(data[key]):
        number = entry.get("id")
        if not _is_key(number):
            raise UserError(f"{place}: {key}[{index}]: id is {number!r}; wanted a whole number")
        if number in found:
            raise UserError(
                f"{place}: {key}[{index}]: id {number!r} is that of {key}[{found[number][0]}] already; "
                "give each its own"
            )
        found[number] = index, entry
    return found


def _name(entry: dict[str, Any], index: int, place: str) -> str:
    if not isinstance(entry.get("name"), str) or not entry["name"]:
        raise UserError(
            f"{place}: {_told('categories', index, entry)}: name is {entry.get('name')!r}; wanted a text"
        )
    return entry["name"]


def _is_key(found: Any) -> bool:
    return isinstance(found, int | str) and not isinstance(found, bool)


def _told(key: str, index: int, entry: dict[str, Any]) -> str:
    return f"{key}[{index}]" + (f" (id {entry['id']})" if "id" in entry else "")
