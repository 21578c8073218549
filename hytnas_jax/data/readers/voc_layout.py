"""Where a folder of PASCAL VOC's kind has its XML files, its images and its splits."""

import dataclasses
import os
import re
from collections.abc import Container, Mapping
from pathlib import Path

from hytnas_jax.data.readers.image_files import ImageFiles, child, is_image, subfolders
from hytnas_jax.data.readers.source import Split
from hytnas_jax.data.readers.split_folders import split_named
from hytnas_jax.data.readers.words import some
from hytnas_jax.files.text import decode
from hytnas_jax.numbers import counted
from supernet.errors import UserError

LAYOUT = (
    "the layouts are DIR/Annotations/a.xml with DIR/JPEGImages/a.jpg and, where splits are stored, their "
    "names in DIR/ImageSets/Main/train.txt, val.txt and test.txt; or DIR/train/a.xml beside DIR/train/a.jpg"
)
_LISTS: Mapping[Split, tuple[str, ...]] = {
    "train": ("train.txt", "trainval.txt"),
    "validation": ("val.txt", "valid.txt", "validation.txt"),
    "test": ("test.txt",),
}


@dataclasses.dataclass(frozen=True)
class Annotated:
    """An XML file and its image, both relative to the folder."""

    xml: str
    image: str


@dataclasses.dataclass(frozen=True)
class VocLayout:
    """places: how to name each split. notes: what is not used."""

    splits: Mapping[Split, list[Annotated]]
    places: Mapping[Split, str]
    notes: tuple[str, ...]


def read_layout(folder: Path) -> VocLayout:
    """Raises UserError for an unknown layout, an XML file without its image, and unknown names in a list."""
    notes: list[str] = []
    xml_folder = child(folder, "Annotations", "annotation", "xml", "xmls")
    if xml_folder is None:
        return _beside(folder, notes)
    images = child(folder, "JPEGImages", "images", "image", "imgs") or folder
    ones = _paired(folder, xml_folder, images, notes)
    lists = split_lists(folder, "Main")
    if not lists:
        return VocLayout({"train": list(ones.values())}, {"train": xml_folder.name}, tuple(notes))
    splits: dict[Split, list[Annotated]] = {}
    for split, path in lists.items():
        place = path.relative_to(folder).as_posix()
        splits[split] = []
        for number, name in read_list(path, place, ones):
            if name not in ones:
                raise UserError(
                    f"{place}, line {number}: {xml_folder.name}/{name}.xml is not there; add it, or delete "
                    "the line"
                )
            splits[split].append(ones[name])
    unused = sorted(set(ones) - {Path(one.xml).stem for part in splits.values() for one in part})
    if unused:
        notes.append(f"{counted(len(unused), 'XML file')} in no list left out ({some(unused)})")
    return VocLayout(splits, {s: p.relative_to(folder).as_posix() for s, p in lists.items()}, tuple(notes))


def split_lists(folder: Path, kind: str) -> dict[Split, Path]:
    """The text file in ImageSets/`kind` of each split; empty where there is none for train."""
    sets = child(folder, "ImageSets")
    place = child(sets, kind) if sets is not None else None
    if place is None:
        return {}
    found: dict[Split, Path] = {}
    for split, names in _LISTS.items():
        path = next((place / name for name in names if (place / name).is_file()), None)
        if path is not None:
            found[split] = path
    if "train" in found and found["train"].name == "trainval.txt":
        found.pop("validation", None)
    return found if "train" in found else {}


def read_list(path: Path, place: str, known: Container[str]) -> list[tuple[int, str]]:
    """The line and the name of each image that a list holds, without its extension.

    A name is the whole line where that is among those that are `known`, since names may have spaces; else its
    first word, which in lists of a class stands before 1 or -1.
    """
    found = []
    for number, line in enumerate(decode(path.read_bytes(), place).splitlines(), 1):
        if line.strip():
            whole = _listed_name(line.strip().strip("'\""))
            found.append((number, whole if whole in known else _listed_name(line.split()[0])))
    return found


def _listed_name(path: str) -> str:
    name = re.split(r"[/\\]", path)[-1]
    return os.path.splitext(name)[0] if is_image(name) else name


def _beside(folder: Path, notes: list[str]) -> VocLayout:
    """XML files beside their images, in a folder a split, or in `folder` itself."""
    splits: dict[Split, list[Annotated]] = {}
    places: dict[Split, str] = {}
    for inner in subfolders(folder):
        split = split_named(inner.name)
        if split is not None and xml_files(inner):
            if split in splits:
                raise UserError(f"{folder}: both {places[split]} and {inner.name} are of one split; keep one")
            splits[split] = list(_paired(folder, inner, inner, notes).values())
            places[split] = inner.name
    if not splits and xml_files(folder):
        splits["train"], places["train"] = list(_paired(folder, folder, folder, notes).values()), folder.name
    if "train" not in splits:
        there = ", ".join(places.values())
        what = f"has {there} but no train folder" if there else "has no Annotations folder, and no XML files"
        raise UserError(f"{folder}: {what}; {LAYOUT}")
    return VocLayout(splits, places, tuple(notes))


def _paired(folder: Path, xml_folder: Path, image_folder: Path, notes: list[str]) -> dict[str, Annotated]:
    """The XML files of a folder with their images, by name."""
    files = ImageFiles(image_folder)
    images, found = files.by_stem(), {}
    prefix, inside = _prefix(xml_folder, folder), _prefix(image_folder, folder)
    for xml in xml_files(xml_folder):
        names = images.pop(xml.stem, [])
        if not names:
            raise UserError(
                f"{prefix}{xml.name}: no image in {inside or 'DIR/'} is called {xml.stem}; add it, or delete "
                "the XML file"
            )
        if len(names) > 1:
            raise UserError(f"{prefix}{xml.name}: is of {inside}{names[0]} or {inside}{names[1]}; keep one")
        found[xml.stem] = Annotated(prefix + xml.name, inside + names[0])
    if not found:
        raise UserError(f"{xml_folder}: holds no XML files; {LAYOUT}")
    if images:
        first = inside + min(names[0] for names in images.values())
        notes.append(f"{counted(len(images), 'image')} without an XML file left out (the first: {first})")
    return found


def xml_files(folder: Path) -> list[Path]:
    """Directly in a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".xml")


def _prefix(path: Path, folder: Path) -> str:
    return "" if path == folder else path.relative_to(folder).as_posix() + "/"
