"""The image files in a folder and below, and finding one by the path that an annotation file gives."""

import os
import re
from pathlib import Path

from hytnas_jax.data.readers.listing import extensions

_PASSED_OVER = (".", "__")


class ImageFiles:
    """names: the paths of all images in `folder` and below, relative to it, with "/", sorted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names = sorted(_images_below(folder))
        self._known = set(self.names)

    def find(self, path: str) -> str | None:
        """The file that a path means, of this machine or another: the longest end of it that is there."""
        parts = [part for part in re.split(r"[/\\]+", path) if part not in ("", ".", "..")]
        for start in range(len(parts)):
            name = "/".join(parts[start:])
            if name in self._known:
                return name
        return None

    def by_stem(self) -> dict[str, list[str]]:
        """The files of each name without its folders and extension."""
        found: dict[str, list[str]] = {}
        for name in self.names:
            found.setdefault(os.path.splitext(os.path.basename(name))[0], []).append(name)
        return found


def is_image(name: str) -> bool:
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in extensions()


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, sorted by name; none where it is no folder."""
    if not folder.is_dir():
        return []
    return sorted(
        path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(_PASSED_OVER)
    )


def child(folder: Path, *names: str) -> Path | None:
    """The first folder in `folder` that is called as one of `names`, upper and lower case alike."""
    there = {path.name.lower(): path for path in subfolders(folder)}
    return next((there[name.lower()] for name in names if name.lower() in there), None)


def _images_below(folder: Path) -> list[str]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(_PASSED_OVER)]
        inside = Path(place).relative_to(folder).as_posix()
        prefix = "" if inside == "." else f"{inside}/"
        found += [prefix + name for name in names if is_image(name)]
    return found
