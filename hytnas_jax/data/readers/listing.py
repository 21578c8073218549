"""Which files of a folder are images, and which are left out: names are read, no file is opened."""

import dataclasses
import functools
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from PIL import Image

# Pillow's names of formats for images; HEIF is there where a plugin is registered. Pillow knows others:
# scientific ones, icons, films, PostScript (by running another program).
_FORMATS = {
    *("AVIF", "BMP", "DIB", "GIF", "HEIF", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "QOI", "TGA"),
    *("TIFF", "WEBP"),
}
# Files that lie beside images and are none: nobody misses them.
_NOTES = {
    *(".bat", ".cache", ".cfg", ".css", ".csv", ".db", ".htm", ".html", ".ini", ".ipynb", ".json", ".jsonl"),
    *(".lnk", ".log", ".md", ".md5", ".py", ".rst", ".sh", ".sha256", ".sql", ".toml", ".tsv", ".txt"),
    *(".url", ".xls", ".xlsx", ".xml", ".yaml", ".yml"),
}
_NOTES_WITHOUT_EXTENSION = {
    *("authors", "changelog", "icon\r", "licence", "license", "makefile", "notice", "readme"),
}

HIDDEN, BROKEN, BARE = "hidden", "broken links", "without extension"
_PASSED_OVER = (".", "__")


@dataclasses.dataclass(frozen=True)
class Listing:
    """What lies directly in a folder: the names of its images and of its folders, sorted.

    `left_out` counts the other files by reason: an extension as first seen (".HEIC"), HIDDEN, BROKEN or BARE.
    In none of them are notes, labels and thumbnails, nor folders whose names begin with "." or "__".
    """

    images: list[str]
    folders: list[str]
    left_out: Counter[str]


@functools.cache
def extensions() -> frozenset[str]:
    """The extensions, in lower case, of images that the Pillow at hand opens."""
    return frozenset(e for e, name in Image.registered_extensions().items() if name in _FORMATS)


def list_folder(folder: Path | str) -> Listing:
    """See `Listing`. Raises OSError where the folder may not be read."""
    known = extensions()
    images, folders, left_out = [], [], Counter[str]()
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            extension = os.path.splitext(name)[1]
            is_known = extension.lower() in known
            if _holds(entry.is_dir):
                if not name.startswith(_PASSED_OVER):
                    folders.append(name)
            elif name.startswith("."):
                left_out[HIDDEN] += is_known and not name.startswith("._")  # those are notes of macOS
            elif not _holds(entry.is_file):
                left_out[BROKEN] += 1
            elif is_known:
                images.append(name)
            elif not _is_note(name):
                left_out[extension or BARE] += 1
    return Listing(sorted(images), sorted(folders), _spelled_alike(left_out))


def count_files(folder: Path | str) -> int:
    """How many files in a folder and below are images, or might be; links to folders are not followed."""
    count = 0
    for _, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(_PASSED_OVER)]
        count += sum(not name.startswith(".") and not _is_note(name) for name in names)
    return count


def _holds(question: Callable[[], bool]) -> bool:
    """What a directory entry says of itself: no, where it is a link that leads nowhere or in a circle."""
    try:
        return question()
    except OSError:
        return False


def _is_note(name: str) -> bool:
    extension = os.path.splitext(name)[1].lower()
    return extension in _NOTES or (not extension and name.lower() in _NOTES_WITHOUT_EXTENSION)


def _spelled_alike(counts: Counter[str]) -> Counter[str]:
    """Without what was counted 0 times, and .heic with .HEIC."""
    spelling: dict[str, str] = {}
    together = Counter[str]()
    for reason, count in sorted((+counts).items()):
        together[spelling.setdefault(reason.lower(), reason)] += count
    return together
