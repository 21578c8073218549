"""Which folders of a folder are the splits, by their names."""

import os
import re
from pathlib import Path

from hytnas_jax.data.readers.source import SPLIT_NAMES, Split
from supernet.errors import UserError

LAYOUT = (
    "the layout is DIR/train/<class>/<images>, with DIR/val and DIR/test likewise where they exist, "
    "or DIR/<class>/<images>"
)

# How people call them too. A folder of such a name that holds no folders is none.
_ALSO: dict[str, Split] = {
    "training": "train",
    "validate": "validation",
    "dev": "validation",
    "development": "validation",
    "testing": "test",
    "holdout": "test",
}
# What nobody may see before the end, unless there is another folder for that.
_TEST_OR_VALIDATION = ("eval", "evaluation")


def split_folders(folder: Path, names: list[str]) -> dict[Split, str]:
    """Of the folders `names` in `folder`, that of each stored split; empty, where all are classes.

    A split holds folders, else its name is that of a class: "train" beside "bus" and "car".

    Raises UserError for splits without train, two folders for the same split, or a split without classes.
    """
    meanings = _meanings(folder, names)
    if not any(_holds_folders(folder / name) for name in meanings):
        if names and all(_may_be_split(name) for name in names):
            raise UserError(f"{folder / names[0]}: holds no class folders; {LAYOUT}")
        return {}
    splits: dict[Split, str] = {}
    for name, split in meanings.items():
        if split in splits:
            raise UserError(
                f"{folder}: both {splits[split]} and {name} are there, and mean the same split; keep one"
            )
        splits[split] = name
    if "train" not in splits:
        raise UserError(f"{folder}: has {', '.join(meanings)} but no train folder; {LAYOUT}")
    return splits


def beside_train(folder: Path, class_names: list[str]) -> list[str]:
    """Where `folder` is called as a training split is: other splits beside it, of such classes too."""
    if split_named(folder.name) != "train":
        return []
    try:
        with os.scandir(folder.parent) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir() and entry.name != folder.name)
        meanings = _meanings(folder.parent, names)
        return [name for name in meanings if set(class_names) & set(os.listdir(folder.parent / name))]
    except OSError:  # what is beside it is not ours to read
        return []


def _meanings(folder: Path, names: list[str]) -> dict[str, Split]:
    """The split that a folder's name means, for those that mean one."""
    found = {}
    for name in names:
        split = split_named(name)
        if split is not None and (_plain(name) in SPLIT_NAMES or _holds_folders(folder / name)):
            found[name] = split
    for name in names:
        if _plain(name) in _TEST_OR_VALIDATION and _holds_folders(folder / name):
            found[name] = "validation" if "test" in found.values() else "test"
    return found


def split_named(name: str) -> Split | None:
    """The split that a folder of this name is, None where the name means none: "Val_set" is validation."""
    return SPLIT_NAMES.get(_plain(name)) or _ALSO.get(_plain(name))


def _may_be_split(name: str) -> bool:
    return split_named(name) is not None or _plain(name) in _TEST_OR_VALIDATION


def _plain(name: str) -> str:
    """ "Test_set" as "test"."""
    return re.sub(r"[ _-]?set$", "", name.lower())


def _holds_folders(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return any(entry.is_dir() and not entry.name.startswith((".", "__")) for entry in entries)
