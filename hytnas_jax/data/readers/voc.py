"""Boxes in XML files as PASCAL VOC has them, one file an image."""

import dataclasses
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from hytnas_jax.data.readers.box_checks import RawBoxes
from hytnas_jax.data.readers.box_files import BoxFiles, BoxSplit
from hytnas_jax.data.readers.turned import size_as_shown
from hytnas_jax.data.readers.voc_layout import Annotated, read_layout
from hytnas_jax.data.readers.words import did_you_mean
from supernet.errors import UserError

WANTED = "bndbox is xmin, ymin, xmax, ymax in pixels, of which the first is number 1"
_EDGES = ("xmin", "ymin", "xmax", "ymax")


@dataclasses.dataclass(frozen=True)
class VocObject:
    """One object of an XML file: number is its place among the objects of the file, from 1."""

    number: int
    name: str
    is_difficult: bool
    edges: tuple[float, ...]


class VocSource(BoxFiles):
    """Images with boxes in XML files; `voc_layout.LAYOUT` says where these lie.

    The classes are the names of the objects in the training files, sorted. Pixels are counted from 1, as VOC
    has them: 1 is taken from left and top. The image of an XML file is that of the same name, whatever
    `filename` says. `difficult` boxes are ignored ones. Where `size` is 0 or missing, boxes refer to the
    image as shown; else as for COCO.

    Raises UserError for whatever is wrong in the files, with the line.
    """

    def __init__(self, folder: Path) -> None:
        layout = read_layout(folder)
        parsed = {split: [_parse(one, folder) for one in ones] for split, ones in layout.splits.items()}
        names = sorted({thing.name for _, things in parsed["train"] for thing in things})
        splits = {
            split: _box_split(folder, layout.splits[split], parsed[split], names, layout.places[split])
            for split in parsed
        }
        super().__init__(folder, tuple(names), splits)
        self.left_out = "; ".join(layout.notes)


def _parse(one: Annotated, folder: Path) -> tuple[tuple[int, int], list[VocObject]]:
    """The size that an XML file gives, (0, 0) where it gives none, and its objects."""
    path = folder / one.xml
    root = _root(path, one.xml)
    if root.tag != "annotation":
        raise UserError(f"{one.xml}: begins with <{root.tag}>; wanted <annotation>, as PASCAL VOC has it")
    size = [_number(root.findtext(f"size/{side}")) or 0.0 for side in ("width", "height")]
    things = [_object(thing, number, one, path) for number, thing in enumerate(root.findall("object"), 1)]
    if not all(1 <= side <= 65_535 for side in size):
        return (0, 0), things
    return (int(size[0]), int(size[1])), things


def _root(path: Path, place: str) -> ET.Element:
    """What an XML file holds, in whatever encoding it declares."""
    try:
        data = path.read_bytes()
        declared = re.match(rb"\s*<\?xml[^>]*?encoding=[\"']([\w.-]+)[\"'][^>]*\?>", data)
        if declared is None or declared[1].lower() in (b"utf-8", b"utf-16"):
            return ET.fromstring(data)
        return ET.fromstring(data[declared.end() :].decode(declared[1].decode()))  # the parser knows few
    except ET.ParseError as error:
        raise UserError(
            f"{place}, line {error.position[0]}: not readable as XML ({error}); write the file anew"
        ) from None
    except (LookupError, UnicodeDecodeError) as error:
        raise UserError(
            f"{place}: not in the encoding that it declares ({error}); save it as UTF-8"
        ) from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error


def _object(thing: ET.Element, number: int, one: Annotated, path: Path) -> VocObject:
    name = (thing.findtext("name") or "").strip()
    if not name:
        raise UserError(f"{_at(one, path, number)}: the object has no name; give that of its class")
    edges = [_number(thing.findtext(f"bndbox/{edge}")) for edge in _EDGES]
    if None in edges:
        edge = _EDGES[edges.index(None)]
        found = thing.findtext(f"bndbox/{edge}")
        is_there = "is missing" if found is None else f"is '{found.strip():.20}', which is no number"
        raise UserError(f"{_at(one, path, number)} ('{name}'): {edge} {is_there}; {WANTED}")
    is_difficult = (thing.findtext("difficult") or "0").strip() == "1"
    return VocObject(number, name, is_difficult, tuple(edge for edge in edges if edge is not None))


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def _box_split(
    folder: Path,
    ones: Sequence[Annotated],
    parsed: Sequence[tuple[tuple[int, int], list[VocObject]]],
    names: list[str],
    place: str,
) -> BoxSplit:
    index = {name: number for number, name in enumerate(names)}
    rows = [row for row, (_, things) in enumerate(parsed) for _ in things]
    things = [thing for _, things in parsed for thing in things]
    for row, thing in zip(rows, things, strict=True):
        if thing.name not in index:
            raise UserError(
                f"{_at(ones[row], folder / ones[row].xml, thing.number)}: the class '{thing.name}' is not "
                f"among those of train ({did_you_mean(thing.name, names)}); correct the name, or add images "
                "of it to train"
            )
    given = np.array([size for size, _ in parsed], np.int64).reshape(-1, 2)
    sizes = given.copy()
    for row in sorted({row for row in rows if not given[row].all()}):
        sizes[row] = size_as_shown(folder / ones[row].image, place=ones[row].xml)
    edges = np.array([thing.edges for thing in things], np.float64).reshape(-1, 4)
    raw = RawBoxes(
        rows=np.array(rows, np.int64),
        edges=edges - np.array([1, 1, 0, 0]),
        sides=sizes[rows].astype(np.float64).reshape(-1, 2),
        classes=np.array([index[thing.name] for thing in things], np.int32),
        ignored=np.array([thing.is_difficult for thing in things], bool),
        tell=_teller(folder, [ones[row] for row in rows], things),
        wanted=WANTED,
        in_pixels=True,
    )
    return BoxSplit([one.image for one in ones], raw, given, place)


def _teller(folder: Path, ones: list[Annotated], things: list[VocObject]) -> Callable[[int], str]:
    def tell(index: int) -> str:
        thing, one = things[index], ones[index]
        values = ", ".join(f"{name} {value:g}" for name, value in zip(_EDGES, thing.edges, strict=True))
        return f"{_at(one, folder / one.xml, thing.number)} ('{thing.name}'): {values}"

    return tell


def _at(one: Annotated, path: Path, number: int) -> str:
    """ "Annotations/a.xml, line 24"; lines are counted only where something is wrong."""
    text = re.sub(
        r"<!--.*?-->", lambda m: "\n" * m[0].count("\n"), path.read_text("utf-8", "replace"), flags=re.DOTALL
    )
    found = list(re.finditer(r"<object[\s>]", text))
    line = text.count("\n", 0, found[number - 1].start()) + 1 if number <= len(found) else 1
    return f"{one.xml}, line {line}"
