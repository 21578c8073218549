"""One mask file to the class of each of its pixels."""

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from hytnas_jax.data.decode import Unreadable, open_image, refusing
from hytnas_jax.data.readers.class_table import FORMS, NOT_ALLOWED, ClassTable
from hytnas_jax.numbers import counted
from supernet.errors import UserError
from supernet.tasks.segmentation import IGNORED

_AS = "save masks as PNG with the number of a class as each pixel's value, grey or with a palette"
_GREY = 0x010101  # times a level from 0 to 255: the colour of that grey


class StoredMask(NamedTuple):
    """The pixels of a mask file, before a table says what they mean.

    values: [H, W], uint8 of grey and palette images; of colours, places in `shown`.
    shown: int [V], the colour of each value, r * 65536 + g * 256 + b; -1 for one that the palette lacks.
    """

    kind: Literal["grey", "palette", "colours"]
    values: np.ndarray
    shown: np.ndarray


def read_stored(path: Path, place: str) -> StoredMask:
    """Raises UserError, which begins with `place`, for JPEG, transparent pixels, or 16 bits."""
    try:
        with refusing():
            image = open_image(path)
    except Unreadable as error:
        raise _broken(place, error) from error
    with image:
        _refuse_kind(image, place)
        try:
            with refusing():
                image.load()
        except Unreadable as error:
            raise _broken(place, error) from error
        image = _opaque(image, place)
        if image.mode == "RGB":
            return _of_colours(np.asarray(image))
        values = np.asarray(image).astype(np.uint8)
        if image.mode == "P":
            return _of_palette(values, image.getpalette() or [])
        levels = np.arange(256)
        if bits := _few_bits(path, image):  # Pillow makes 0 to 3 of two bits 0 to 255
            step = 255 // (2**bits - 1)
            values = values if image.mode == "1" else values // step
            levels = np.minimum(levels * step, 255)
        return StoredMask("grey", values, levels * _GREY)


def by_value(stored: StoredMask, place: str, table: ClassTable) -> np.ndarray:
    """uint8 [H, W], the class of each pixel or IGNORED. Raises UserError for a value that is no class."""
    classes = table.classes[stored.values]
    if (classes == NOT_ALLOWED).any():
        value = int(stored.values[classes == NOT_ALLOWED].max())
        pixels = counted(int((stored.values == value).sum()), "pixel")
        raise UserError(
            f"{place}: has the value {value} ({pixels}); by {table.place} {_allowed(table)} are allowed; "
            f"correct the mask, or name all classes in classes.txt: {FORMS}"
        )
    return classes.astype(np.uint8)


def by_colour(stored: StoredMask, place: str, table: ClassTable | None) -> np.ndarray:
    """As `by_value`, by the colour in which each pixel is shown; IGNORED where the value is, unless the
    table has its colour. Raises UserError for colours without a table of them, or one that is not in it."""
    if table is None or not table.colours:
        grey = (stored.shown % 256 * _GREY == stored.shown).all()
        also = " (its three channels are alike: saved as grey it would be one)" if grey else ""
        raise UserError(
            f"{place}: is in colours (RGB), and no file says which class a colour means{also}; put a table "
            f"of them beside the masks ({FORMS}), or {_AS}"
        )
    meant = np.array([table.colours.get(code, NOT_ALLOWED) for code in stored.shown.tolist()])
    if stored.kind != "colours" and meant[IGNORED] == NOT_ALLOWED:
        meant[IGNORED] = IGNORED
    classes = meant[stored.values]
    if (classes == NOT_ALLOWED).any():
        raise UserError(_unknown_colour(stored, meant, place, table))
    return classes.astype(np.uint8)


def _unknown_colour(stored: StoredMask, meant: np.ndarray, place: str, table: ClassTable) -> str:
    is_unknown = meant[stored.values] == NOT_ALLOWED
    y, x = np.argwhere(is_unknown)[0]
    code, others = int(stored.shown[stored.values[y, x]]), len(np.unique(stored.values[is_unknown])) - 1
    colour = f"{code >> 16},{code >> 8 & 255},{code & 255}"
    what = f"the colour {colour}, which is not in {table.place}"
    if code < 0:
        what = f"the value {stored.values[y, x]}, for which its palette has no colour"
    more = f" ({counted(others, 'other')} neither)" if others else ""
    instead = (
        f", or, if not the colours but the values of {stored.kind} masks are meant, name the classes in "
        f"classes.txt instead of {table.place}"
    )
    return (
        f"{place}: the pixel in row {y}, column {x} has {what}{more}; add the colour there, or correct the "
        f"mask{'' if stored.kind == 'colours' else instead}"
    )


def _refuse_kind(image: Image.Image, place: str) -> None:
    if image.format in ("JPEG", "MPO"):
        raise UserError(f"{place}: is a JPEG, which changes values where classes meet; {_AS}")
    if image.mode.startswith("I") or image.mode == "F":
        raise UserError(f"{place}: has more than 8 bits a pixel ({image.mode}); {_AS}, 0 to 255")
    if image.mode not in ("1", "L", "P", "RGB", "LA", "RGBA"):
        raise UserError(f"{place}: is of the mode {image.mode}; {_AS}")


def _opaque(image: Image.Image, place: str) -> Image.Image:
    """Without its alpha channel. Raises UserError where that is not 255 throughout."""
    if image.mode not in ("LA", "RGBA"):
        return image
    if clear := int((np.asarray(image.getchannel("A")) < 255).sum()):
        raise UserError(
            f"{place}: has an alpha channel ({image.mode}) below 255 (opaque) in {counted(clear, 'pixel')}, "
            f"and no table says which class that means; save masks without alpha, pixels of no class with "
            f"the value {IGNORED} or in the colour of a class called void"
        )
    return image.convert(image.mode.removesuffix("A"))


def _of_colours(pixels: np.ndarray) -> StoredMask:
    """Of uint8 [H, W, 3]."""
    codes, places = np.unique(pixels @ np.array([65536, 256, 1]), return_inverse=True)
    return StoredMask("colours", places.reshape(pixels.shape[:2]), codes)


def _of_palette(values: np.ndarray, palette: list[int]) -> StoredMask:
    """A palette of the greys 0, 1, 2 ... says nothing that a grey image does not."""
    shown = np.full(256, -1)
    codes = np.array(palette, np.int64).reshape(-1, 3) @ np.array([65536, 256, 1])
    shown[: len(codes)] = codes
    is_grey = len(codes) > 1 and (codes == np.arange(len(codes)) * _GREY).all()
    return StoredMask("grey" if is_grey else "palette", values, shown)


def _few_bits(path: Path, image: Image.Image) -> int:
    """1, 2 or 4 where a grey image has fewer than eight bits a pixel, else 0."""
    if image.mode == "1":
        return 1
    with path.open("rb") as file:
        head = file.read(26)  # signature, and of the chunk IHDR: width, height, bits, kind of colour
    return head[24] if image.format == "PNG" and head[25] == 0 and head[24] < 8 else 0


def _allowed(table: ClassTable) -> str:
    """ "0 to 11 and 255 (ignored)", or "0, 3, 7"."""
    values = np.flatnonzero(table.classes != NOT_ALLOWED).tolist()
    end = ""
    if table.classes[IGNORED] == IGNORED:
        values, end = values[:-1], f" and {IGNORED} (ignored)"
    if len(values) > 2 and values == list(range(len(values))):
        return f"0 to {values[-1]}{end}"
    return ", ".join(map(str, values)) + end


def _broken(place: str, error: Unreadable) -> UserError:
    return UserError(
        f"{place}: cannot be read ({error}); repair it, or delete it and its image (--skip-corrupt leaves "
        "out images that cannot be read, and no masks)"
    )
