"""Folders of picture files, one folder a class."""

import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hytnas_jax.data.decode import Opener, open_picture
from hytnas_jax.data.source import SPLIT_NAMES, Split, median_side
from supernet.errors import UserError

EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm"}
)

_LAYOUT = (
    "the layout is DIR/train/<class>/<pictures>, with DIR/val and DIR/test likewise where they exist, "
    "or DIR/<class>/<pictures>"
)


class FolderSource:
    """DIR/train/<class>/*, optionally DIR/val (valid, validation) and DIR/test; or DIR/<class>/*.

    Always RGB. Files whose extension is not a picture's, and names that begin with "." or "__", are
    ignored. Classes are the folders under train, sorted by name.

    Raises UserError for an empty class folder, fewer than two classes, a class that train lacks, or a
    layout that is neither of the two.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        split_folders = _split_folders(folder)
        classes = {split: _class_folders(path) for split, path in split_folders.items()}
        self.name = folder.resolve().name
        self.class_names = tuple(path.name for path in classes["train"])
        self.channels = 3
        if len(self.class_names) < 2:
            raise UserError(
                f"{split_folders['train']}: found {len(self.class_names)} class folders "
                f"({', '.join(self.class_names) or 'none'}), a classifier needs at least 2; {_LAYOUT}"
            )
        for split, paths in classes.items():
            _check_known(self.class_names, paths, split_folders[split])
        self._files: dict[Split, list[Path]] = {}
        self._labels: dict[Split, np.ndarray] = {}
        for split, paths in classes.items():
            files = [_pictures(path) for path in paths]
            labels = [self.class_names.index(path.name) for path in paths]
            self._files[split] = [file for of_class in files for file in of_class]
            self._labels[split] = np.repeat(labels, [len(f) for f in files]).astype(np.int32)
        self.sizes: Mapping[Split, int] = {split: len(files) for split, files in self._files.items()}

    def labels(self, split: Split, positions: np.ndarray) -> np.ndarray:
        return self._labels[split][positions]

    def openers(self, split: Split, positions: np.ndarray) -> list[Opener]:
        files = self._files[split]
        return [functools.partial(open_picture, files[position]) for position in positions]

    def picture_name(self, split: Split, position: int) -> str:
        return self._files[split][position].relative_to(self._folder).as_posix()

    def native_side(self) -> int:
        return median_side(self)


def _subfolders(folder: Path) -> list[Path]:
    inside = sorted(folder.iterdir(), key=lambda path: path.name)
    return [p for p in inside if p.is_dir() and not p.name.startswith((".", "__"))]


def _split_folders(folder: Path) -> dict[Split, Path]:
    """The folder of each stored split; DIR itself is "train" where there are no split folders."""
    named = [path for path in _subfolders(folder) if path.name.lower() in SPLIT_NAMES]
    # A class may be called "train" (and "test" would be one beside "car" and "bus"): a split holds folders.
    holding_classes = [path for path in named if _subfolders(path)]
    if not holding_classes:
        if named and len(named) == len(_subfolders(folder)):
            raise UserError(f"{named[0]}: holds no class folders; {_LAYOUT}")
        return {"train": folder}
    splits: dict[Split, Path] = {}
    for path in named:
        split = SPLIT_NAMES[path.name.lower()]
        if split in splits:
            raise UserError(
                f"{folder}: both {splits[split].name} and {path.name} are there, and mean the same "
                "split; keep one"
            )
        splits[split] = path
    if "train" not in splits:
        names = ", ".join(path.name for path in named)
        raise UserError(f"{folder}: has {names} but no train folder; {_LAYOUT}")
    return splits


def _class_folders(split_folder: Path) -> list[Path]:
    folders = _subfolders(split_folder)
    if not folders:
        raise UserError(f"{split_folder}: holds no class folders; {_LAYOUT}")
    return folders


def _check_known(class_names: tuple[str, ...], paths: list[Path], split_folder: Path) -> None:
    for path in paths:
        if path.name not in class_names:
            raise UserError(
                f"{path}: class '{path.name}' is not among the classes of train "
                f"({', '.join(class_names)}); add pictures of it there, or remove it from "
                f"{split_folder.name}"
            )


def _pictures(class_folder: Path) -> list[Path]:
    files = sorted(class_folder.iterdir(), key=lambda path: path.name)
    pictures = [f for f in files if f.suffix.lower() in EXTENSIONS and not f.name.startswith(".")]
    if not pictures:
        raise UserError(
            f"{class_folder}: class '{class_folder.name}' has no pictures directly in its folder "
            f"(known extensions: {', '.join(sorted(EXTENSIONS))}); {_LAYOUT}"
        )
    return pictures
