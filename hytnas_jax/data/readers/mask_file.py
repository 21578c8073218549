"""One mask file to the class of each of its pixels."""

from pathlib import Path

import numpy as np
from PIL import Image

from hytnas_jax.data.decode import Unreadable, open_image, refusing
from hytnas_jax.data.readers.class_table import FORMS, NOT_ALLOWED, ClassTable
from hytnas_jax.numbers import counted
from supernet.errors import UserError
from supernet.tasks.segmentation import IGNORED

_AS = "save masks as PNG with the number of a class as each pixel's value, grey or with a palette"


def read_values(path: Path, place: str, table: ClassTable | None) -> tuple[np.ndarray, bool]:
    """uint8 [H, W] as stored, and whether its colours are meant.

    Of grey and palette images it is the value of each pixel, of colours the class.

    Raises UserError, which begins with `place`, for JPEG, alpha, 16 bits, colours without a table of them, or
    a colour that is not in it.
    """
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
        return _values(image, place, table), image.mode == "RGB"


def to_classes(values: np.ndarray, place: str, table: ClassTable) -> np.ndarray:
    """uint8 [H, W], the class of each pixel or IGNORED. Raises UserError for a value that is no class."""
    classes = table.classes[values]
    if (classes == NOT_ALLOWED).any():
        value = int(values[classes == NOT_ALLOWED].max())
        pixels = counted(int((values == value).sum()), "pixel")
        raise UserError(
            f"{place}: has the value {value} ({pixels}); by {table.place} {_allowed(table)} and {IGNORED} "
            f"(ignored) are allowed; correct the mask, or name all classes in classes.txt: {FORMS}"
        )
    return classes.astype(np.uint8)


def _refuse_kind(image: Image.Image, place: str) -> None:
    if image.format in ("JPEG", "MPO"):
        raise UserError(f"{place}: is a JPEG, which changes values where classes meet; {_AS}")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        raise UserError(f"{place}: has an alpha channel ({image.mode}), which means no class; {_AS}")
    if image.mode.startswith("I") or image.mode == "F":
        raise UserError(f"{place}: has more than 8 bits a pixel ({image.mode}); {_AS}, 0 to 255")
    if image.mode not in ("1", "L", "P", "RGB"):
        raise UserError(f"{place}: is of the mode {image.mode}; {_AS}")


def _values(image: Image.Image, place: str, table: ClassTable | None) -> np.ndarray:
    if image.mode != "RGB":
        return np.asarray(image).astype(np.uint8)
    pixels = np.asarray(image).astype(np.int64)
    if table is None or not table.colours:
        grey = (pixels == pixels[..., :1]).all()
        also = " (its three channels are alike: saved as grey it would be one)" if grey else ""
        raise UserError(
            f"{place}: is in colours (RGB), and no file says which class a colour means{also}; put a table "
            f"of them beside the masks ({FORMS}), or {_AS}"
        )
    codes, places = np.unique(pixels @ np.array([65536, 256, 1]), return_inverse=True)
    unknown = [int(code) for code in codes if int(code) not in table.colours]
    if unknown:
        y, x = np.argwhere(codes[places].reshape(pixels.shape[:2]) == unknown[0])[0]
        more = f" ({counted(len(unknown) - 1, 'other')} neither)" if len(unknown) > 1 else ""
        raise UserError(
            f"{place}: the pixel in row {y}, column {x} has the colour {_rgb(unknown[0])}, which is not in "
            f"{table.place}{more}; add the colour there, or correct the mask"
        )
    classes = np.array([table.colours[int(code)] for code in codes], np.uint8)
    return classes[places].reshape(pixels.shape[:2])


def _allowed(table: ClassTable) -> str:
    """ "0 to 11", or "0, 3, 7"."""
    values = [int(value) for value in np.flatnonzero(table.classes != NOT_ALLOWED)[:-1]]
    if len(values) > 2 and values == list(range(len(values))):
        return f"0 to {values[-1]}"
    return ", ".join(map(str, values))


def _broken(place: str, error: Unreadable) -> UserError:
    return UserError(f"{place}: cannot be read ({error}); repair it, or delete it and its image")


def _rgb(code: int) -> str:
    return f"{code >> 16},{code >> 8 & 255},{code & 255}"
