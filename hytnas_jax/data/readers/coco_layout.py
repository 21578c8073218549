"""Where a folder of COCO's kind has its JSON files and the images of each."""

import re
from pathlib import Path
from typing import Any

from hytnas_jax.data.readers.coco_json import is_coco, peek
from hytnas_jax.data.readers.image_files import ImageFiles, subfolders
from hytnas_jax.data.readers.source import Split
from hytnas_jax.data.readers.split_folders import split_named
from hytnas_jax.data.readers.words import some
from supernet.errors import UserError

LAYOUT = (
    "the layouts are DIR/annotations/instances_train.json with the images in DIR/train or DIR/images/train, "
    "DIR/train/_annotations.coco.json beside the images (val and test likewise where they exist), or one "
    "DIR/instances.json with DIR/images"
)
_LOOKED_AT = 50


def json_files(folder: Path) -> list[Path]:
    """The JSON files that may hold annotations, directly in `folder` or in its folders."""
    found = [path for place in (folder, *subfolders(folder)) for path in sorted(place.glob("*.json"))]
    instances = [path for path in found if path.name.lower().startswith("instances")]
    return instances or [path for path in found if path.name != "workdir.json"]


def read_splits(folder: Path) -> tuple[dict[Split, tuple[Path, dict[str, Any]]], list[str]]:
    """The JSON file of each split with what it holds, and those that are not used.

    Raises UserError where there is none, none is train's, or two are of the same split.
    """
    found: list[tuple[Path, dict[str, Any]]] = []
    unused = []
    for path in json_files(folder):
        data = peek(path)
        if is_coco(data):
            found.append((path, data))
        else:
            unused.append(path.relative_to(folder).as_posix())
    if not found:
        there = f"not {some(unused)}" if unused else "there is no .json file"
        raise UserError(
            f"{folder}: no JSON file holds images, annotations and categories ({there}); {LAYOUT}"
        )
    if len(found) == 1:
        return {"train": found[0]}, unused
    splits: dict[Split, tuple[Path, dict[str, Any]]] = {}
    for path, data in found:
        split = split_of(path, folder)
        if split is None:
            raise UserError(
                f"{path}: of which split this is cannot be told, beside {some(_others(path, found))}: its "
                "name holds none of train, val and test; rename it, or move it elsewhere"
            )
        if split in splits:
            raise UserError(f"{path}: is of the same split as {splits[split][0]} ({split}); keep one of both")
        splits[split] = path, data
    if "train" not in splits:
        raise UserError(f"{folder}: none of {some([p.name for p, _ in found])} is of train; {LAYOUT}")
    return splits, unused


def split_of(path: Path, folder: Path) -> Split | None:
    """By a word of the file's name, else by the name of its folder."""
    words = re.split(r"[^a-z]+", path.stem.lower())
    if path.parent != folder:
        words.append(re.sub(r"[^a-z]+$", "", path.parent.name.lower()))
    return next((split for word in words if (split := split_named(word)) is not None), None)


def find_images(folder: Path, path: Path, split: Split, names: list[str]) -> ImageFiles:
    """The folder that holds most of the images that `path` lists, of those where they may be.

    Raises UserError where none of them does.
    """
    best, most = None, 0
    places = _places(folder, path, split)
    for place in places:
        hits = sum((place / name.replace("\\", "/")).is_file() for name in names[:_LOOKED_AT])
        if hits > most:
            best, most = place, hits
    if best is None:  # the listed paths may be those of another machine
        for place in places:
            files = ImageFiles(place)
            hits = sum(files.find(name) is not None for name in names[:_LOOKED_AT])
            if hits > most:
                best, most = place, hits
    if best is None:
        there = ", ".join(_named(place, folder) for place in places)
        raise UserError(
            f"{path}: images[0]: file_name '{names[0]}' and those that follow are in none of {there}; "
            f"put the images there. {LAYOUT}"
        )
    return ImageFiles(best)


def _places(folder: Path, path: Path, split: Split) -> list[Path]:
    roots = [path.parent] if path.parent == folder else [path.parent, folder]
    above = [place for root in roots for place in (root, root / "images", root / "data")]
    of_split = [
        inner
        for place in above
        for inner in subfolders(place)
        if split_named(re.sub(r"[^a-zA-Z]+$", "", inner.name)) == split
    ]
    both = [*of_split, *(inner / "images" for inner in of_split), *above]
    return [place for place in both if place.is_dir()]


def _named(place: Path, folder: Path) -> str:
    return folder.name if place == folder else place.relative_to(folder).as_posix()


def _others(path: Path, found: list[tuple[Path, dict[str, Any]]]) -> list[str]:
    return [other.name for other, _ in found if other != path]
