"""Folders of image files, one folder a class."""

import functools
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hytnas_jax.data.decode import Opener, open_image
from hytnas_jax.data.readers.left_out import BESIDE, NESTED, LeftOut
from hytnas_jax.data.readers.listing import Listing, count_files, extensions, list_folder
from hytnas_jax.data.readers.source import Split, Task
from hytnas_jax.data.readers.split_folders import LAYOUT, beside_train, split_folders
from hytnas_jax.numbers import counted
from supernet.errors import UserError


class FolderSource:
    """DIR/train/<class>/*, optionally DIR/val and DIR/test likewise; or DIR/<class>/*.

    Always RGB. The images are those of `list_folder`, directly in the folder of their class; the classes
    are the folders under train, sorted by name; `split_folders` says how the splits may be called.
    `left_out` says in a line which files are not used, "" where all are.

    Raises UserError for an empty class folder, fewer than two classes, a class that train lacks, or a
    layout that is neither of the two.
    """

    task: Task = "classification"
    remarks: tuple[str, ...] = ()
    are_named = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.name = folder.resolve().name
        self.channels = 3
        left_out = LeftOut()
        listings = self._read_layout(left_out)
        self.class_names = tuple(listings["train"].folders)
        self._check_classes(listings)
        self._files: dict[Split, list[str]] = {}
        self._labels: dict[Split, np.ndarray] = {}
        for split, listing in listings.items():
            left_out.add(self._paths[split].name, _beside(listing))
            self._read_split(split, listing.folders, left_out)
        self.sizes: Mapping[Split, int] = {split: len(files) for split, files in self._files.items()}
        self.left_out = left_out.in_words()

    def labels(self, split: Split, positions: np.ndarray) -> np.ndarray:
        return self._labels[split][positions]

    def openers(self, split: Split, positions: np.ndarray) -> list[Opener]:
        files = self._files[split]
        return [functools.partial(open_image, self._folder / files[position]) for position in positions]

    def image_name(self, split: Split, position: int) -> str:
        return self._files[split][position]

    def _read_layout(self, left_out: LeftOut) -> dict[Split, Listing]:
        """What lies in the folder of each stored split; notes their paths, and what is in no split."""
        top = list_folder(self._folder)
        splits = split_folders(self._folder, top.folders)
        if not splits:
            self._paths: dict[Split, Path] = {"train": self._folder}
            left_out.elsewhere = beside_train(self._folder.resolve(), top.folders)
            return {"train": top}
        self._paths = {split: self._folder / name for split, name in splits.items()}
        left_out.add(self.name, _beside(top))
        others = [self._folder / name for name in top.folders if name not in splits.values()]
        others = [path for path in others if not (path / "workdir.json").exists()]  # a work folder of ours
        counts = {path.name: count_files(path) for path in others}
        left_out.unused = {name: count for name, count in counts.items() if count}
        return {split: list_folder(path) for split, path in self._paths.items()}

    def _check_classes(self, listings: Mapping[Split, Listing]) -> None:
        for split, listing in listings.items():
            path = self._paths[split]
            if not listing.folders:
                raise UserError(f"{path}: holds no class folders; {LAYOUT}")
            for name in listing.folders:
                if name not in self.class_names:
                    raise UserError(
                        f"{path / name}: class '{name}' is not among the classes of train "
                        f"({', '.join(self.class_names)}); add images of it there, or remove it from "
                        f"{path.name}"
                    )
        if len(self.class_names) < 2:
            raise UserError(
                f"{self._paths['train']}: found {counted(len(self.class_names), 'class folder')} "
                f"({', '.join(self.class_names)}), a classifier needs at least 2; {LAYOUT}"
            )

    def _read_split(self, split: Split, class_names: list[str], left_out: LeftOut) -> None:
        inside = self._paths[split].relative_to(self._folder)
        files: list[str] = []
        counts = []
        for name in class_names:
            folder = (inside / name).as_posix()
            images, others = _images(self._folder / folder)
            left_out.add(folder, others)
            files += [f"{folder}/{image}" for image in images]
            counts.append(len(images))
        index = {name: number for number, name in enumerate(self.class_names)}
        self._files[split] = files
        self._labels[split] = np.repeat([index[name] for name in class_names], counts).astype(np.int32)


def _beside(listing: Listing) -> Counter[str]:
    """What lies where only folders are looked for."""
    return Counter({BESIDE: len(listing.images)}) + listing.left_out


def _images(class_folder: Path) -> tuple[list[str], Counter[str]]:
    """The names of a class's images, and what else is there. Raises UserError where there are none."""
    listing = list_folder(class_folder)
    nested = sum(count_files(class_folder / name) for name in listing.folders)
    others = Counter({NESTED: nested}) + listing.left_out
    if not listing.images:
        found = LeftOut({class_folder.name: others}).in_words() if others else "no other files either"
        raise UserError(
            f"{class_folder}: class '{class_folder.name}' has no images directly in its folder ({found}; "
            f"known extensions: {', '.join(sorted(extensions()))}); {LAYOUT}"
        )
    return listing.images, others
