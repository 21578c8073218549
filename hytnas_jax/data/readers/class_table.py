"""Which class a value or a colour of a mask means, as a file beside the masks says."""

import csv
import dataclasses
from pathlib import Path

import numpy as np

from hytnas_jax.files.text import decode
from supernet.errors import UserError
from supernet.tasks.segmentation import IGNORED

NOT_ALLOWED = -1
_NO_CLASS = ("void", "ignore", "ignored", "unlabeled", "unlabelled", "dontcare")
FILES = ("classes.csv", "class_dict.csv", "_classes.csv", "labelmap.txt", "classes.txt", "labels.txt")
FORMS = (
    "classes.csv holds `name,r,g,b` or `value,name` a line, labelmap.txt `name:r,g,b::`, classes.txt one "
    "name a line, that of value 0 first"
)


@dataclasses.dataclass(frozen=True, eq=False)
class ClassTable:
    """place: the file, or what stands for one. classes: int [256], the class of each value of a mask, IGNORED
    or NOT_ALLOWED. colours: r * 65536 + g * 256 + b -> class, empty where the file names no colours."""

    place: str
    names: tuple[str, ...]
    are_named: bool
    classes: np.ndarray
    colours: dict[int, int]


@dataclasses.dataclass(frozen=True)
class _Entry:
    line: int
    name: str
    value: int
    colour: tuple[int, int, int] | None


def find_table(folders: list[Path]) -> Path | None:
    """The first file of FILES in the first of the folders that has one."""
    for folder in folders:
        for name in FILES:
            if (folder / name).is_file():
                return folder / name
    return None


def read_table(path: Path) -> ClassTable:
    """Raises UserError, with the line, for what is no table of classes.

    A class called void, ignore or unlabelled is none: its pixels are IGNORED.
    """
    lines = decode(path.read_bytes(), str(path)).splitlines()
    entries: list[_Entry] = []
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            entry = _entry(path, number, line, len(entries))
            if entry is not None:
                entries.append(entry)
    _check(path, entries)
    table = np.full(256, NOT_ALLOWED, np.int64)
    table[IGNORED] = IGNORED
    names: list[str] = []
    colours = {}
    for entry in entries:
        is_class = entry.name.lower().replace(" ", "") not in _NO_CLASS
        index = len(names) if is_class else IGNORED
        if is_class:
            names.append(entry.name)
        table[entry.value] = index
        if entry.colour is not None:
            red, green, blue = entry.colour
            colours[red << 16 | green << 8 | blue] = index
    if not names:
        raise UserError(f"{path}: names no class; {FORMS}")
    return ClassTable(path.name, tuple(names), True, table, colours)


def numbered(count: int, place: str) -> ClassTable:
    """Classes that nobody has named: 0 to count - 1."""
    table = np.full(256, NOT_ALLOWED, np.int64)
    table[:count] = np.arange(count)
    table[IGNORED] = IGNORED
    return ClassTable(place, tuple(str(number) for number in range(count)), False, table, {})


def _entry(path: Path, number: int, line: str, count: int) -> _Entry | None:
    """One line; None for a heading."""
    if path.suffix.lower() == ".csv":
        cells = [cell.strip() for cell in next(csv.reader([line]))]
    elif path.name == "labelmap.txt":
        name, *rest = line.split(":")
        cells = [
            name.strip(),
            *(cell.strip() for cell in (rest[0] if rest else "").split(",") if cell.strip()),
        ]
    else:
        return _Entry(number, line.strip(), count, None)
    if len(cells) == 2 and path.suffix.lower() == ".csv":  # Roboflow's: pixel value, class
        if not cells[0].isdigit():
            if count == 0:
                return None
            raise UserError(f"{path}, line {number}: '{line}' does not begin with a pixel's value; {FORMS}")
        return _Entry(number, cells[1], _byte(path, number, cells[0]), None)
    if len(cells) != 4:
        raise UserError(f"{path}, line {number}: '{line}' is no name with three numbers; {FORMS}")
    if count == 0 and not any(cell.isdigit() for cell in cells[1:]):
        return None
    red, green, blue = (_byte(path, number, cell) for cell in cells[1:])
    return _Entry(number, cells[0], count, (red, green, blue))


def _byte(path: Path, number: int, cell: str) -> int:
    if cell.isdigit() and int(cell) <= 255:
        return int(cell)
    raise UserError(f"{path}, line {number}: {cell!r} is no whole number from 0 to 255; {FORMS}")


def _check(path: Path, entries: list[_Entry]) -> None:
    if len(entries) > 255:
        raise UserError(
            f"{path}: names {len(entries)} classes; at most 255 are allowed, since 255 is ignored"
        )
    for what in ("name", "value", "colour"):
        seen: dict[object, int] = {}
        for entry in entries:
            found = getattr(entry, what)
            if found is not None and found in seen:
                raise UserError(
                    f"{path}, line {entry.line}: the {what} {found} stands in line {seen[found]} already; "
                    "give each class its own"
                )
            seen[found] = entry.line
