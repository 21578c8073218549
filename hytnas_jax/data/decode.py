"""One image of any size and kind to a square uint8 array, by one rule for a whole data set.

Needs NumPy and Pillow, and nothing of this package: `infer.py` beside an exported model contains this file.
"""

import contextlib
import dataclasses
import logging
import os
import re
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

# What Pillow has opened, the pixels not yet decoded; or the pixels, [H, W] or [H, W, 3] of any numbers.
RawImage = Image.Image | np.ndarray
Opener = Callable[[], AbstractContextManager[RawImage]]

ORIENTATION = 0x0112  # the EXIF tag
TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
logging.getLogger("PIL").setLevel(logging.CRITICAL)  # what it has to say of a file is in its error


class Unreadable(ValueError):
    """The text says in one line what is wrong with an image."""


class OutOfRange(Unreadable):
    """The values of an image are not those of its data set."""


@dataclasses.dataclass(frozen=True)
class ImageRule:
    """How every image of a data set, and every image that its networks are shown, becomes an array.

    side: in pixels. channels: 1 (grey) or 3 (RGB).
    fit: "crop" (the middle square), "stretch" (to a square) or "pad" (with black, to a square).
    integer_white, float_white: which value is white in images of integers of more than 8 bits, and of
    floats; 0 is black.
    """

    side: int
    channels: int
    fit: str = "crop"
    integer_white: int = 65535
    float_white: int = 1

    def white(self, dtype: np.dtype) -> int:
        return self.float_white if dtype.kind == "f" else self.integer_white


def open_image(path: Path) -> Image.Image:
    """Opens a file; only its header is read. Raises whatever Pillow raises, and Unreadable."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):  # of a pipe nothing may ever come
        raise Unreadable("it is a folder" if stat.S_ISDIR(status.st_mode) else "it is no regular file")
    if status.st_size == 0:
        raise Unreadable("the file is empty")
    return Image.open(path)


def read_image(opener: Opener, rule: ImageRule) -> np.ndarray:
    """uint8 [side, side, channels] of one image; see `to_array`. Raises Unreadable, whatever is wrong."""
    with refusing(), opener() as image:
        return to_array(image, rule)


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Every exception of a decoder becomes Unreadable: on damaged bytes they have no common base."""
    try:
        yield
    except Unreadable:
        raise
    except UnidentifiedImageError as error:
        raise Unreadable("it is in no format that Pillow knows") from error
    except Exception as error:
        text = " ".join(str(error).split())
        if not text or not isinstance(error, OSError | SyntaxError | ValueError):
            text = f"{type(error).__name__}: {text}"
        raise Unreadable(text) from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Warnings of Pillow, and what libtiff prints, are not shown inside, in no thread: the errors say it.

    Several threads may be inside at a time: the first one in turns it off, the last one out on.
    """
    global _threads_inside
    with _turning:
        if not _threads_inside:
            _loud.append(_silenced())
        _threads_inside += 1
    try:
        yield
    finally:
        with _turning:
            _threads_inside -= 1
            if not _threads_inside:
                _loud.pop()()


_turning, _threads_inside = threading.Lock(), 0
_loud: list[Callable[[], None]] = []  # what turns it on again


def _silenced() -> Callable[[], None]:
    """Silences Pillow and libtiff; gives what undoes that."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        stderr = os.dup(2)
    except OSError:  # it is closed, as by `2>&-`
        stderr = os.dup(nowhere)
    os.dup2(nowhere, 2)
    warned = warnings.catch_warnings()
    warned.__enter__()
    warnings.simplefilter("ignore")

    def undo() -> None:
        warned.__exit__(None, None, None)
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)

    return undo


def to_array(image: RawImage, rule: ImageRule) -> np.ndarray:
    """Decode into uint8 [side, side, channels]: `as_shown`, then resized as the rule's `fit` says.

    Resizing is bilinear over the source pixels' area, so antialiased.

    Raises OutOfRange for values that the rule does not allow, and anything for a corrupt image.
    """
    if isinstance(image, Image.Image):  # lets JPEG's decoder skip detail far below a pixel
        image.draft(None, (2 * rule.side, 2 * rule.side))
    square = _square(as_shown(image, rule), rule)
    return np.asarray(square, np.uint8).reshape(rule.side, rule.side, rule.channels)


def as_shown(image: RawImage, rule: ImageRule) -> Image.Image:
    """All pixels of an image as people see it, in 8 bits, grey or RGB as the rule says.

    Of several frames the first is taken; the EXIF orientation is applied, and nothing else of the metadata
    is read. Values of more than 8 bits are scaled to 8, transparent pixels are laid on white. Raises as
    `to_array` does.
    """
    if isinstance(image, np.ndarray):
        image = Image.fromarray(_eight_bits(image, rule))
    else:
        image = _decoded(image, rule)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L" if rule.channels == 1 else "RGB")


def shape(image: RawImage) -> tuple[int, int]:
    """Width and height as shown, from the header alone."""
    if isinstance(image, np.ndarray):
        return image.shape[1], image.shape[0]
    width, height = image.size
    # Pillow gives a TIFF's as shown; the EXIF block of a PNG without one at its head lies behind the pixels.
    is_turned = "exif" in image.info and orientation(image) >= 5
    return (height, width) if is_turned else (width, height)


def wide_values(image: RawImage) -> np.ndarray | None:
    """The values of an image that may have more than 8 bits, else None, from the header alone.

    Of colour images of 16 bits Pillow keeps the upper eight: these, times 257.
    """
    if isinstance(image, np.ndarray):
        return image if image.dtype not in (np.uint8, bool) else None
    if _is_deep_colour(image):
        _load(image)
        return np.asarray(image.convert("RGB")).astype(np.uint16) * 257
    if _is_wide(image):
        _load(image)
        return np.asarray(image)
    return None


def _decoded(image: Image.Image, rule: ImageRule) -> Image.Image:
    """With its pixels, turned as its orientation says, in a mode of 8 bits that converts to L and RGB."""
    if _is_deep_colour(image) and rule.integer_white != 65535:
        raise OutOfRange(
            "of its colours of 16 bits Pillow keeps the upper eight only, so that white has to be 65535 and "
            f"not {rule.integer_white}; as uint16 in a .npz file all bits are read"
        )
    _load(image)  # before the orientation is asked for, which loads a PNG and would hide that it is cut
    method = TURN.get(orientation(image))
    shown = _in_eight_bits(image, rule)
    return shown if method is None else shown.transpose(method)


def _in_eight_bits(image: Image.Image, rule: ImageRule) -> Image.Image:
    if _is_wide(image):
        values = np.asarray(image)
        pixels = _eight_bits(values, rule)
        transparent = image.info.get("transparency")
        if isinstance(transparent, int):
            pixels[values == transparent] = 255
        return Image.fromarray(pixels)
    if image.mode == "LAB":
        from PIL import ImageCms

        profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.buildTransform(*profiles, "LAB", "RGB").apply(image)
    return image


def _load(image: Image.Image) -> None:
    """Decodes the pixels. Pillow turns a TIFF's, and would read all other tags for that, broken ones too."""
    if hasattr(image, "tag_v2"):
        exif = Image.Exif()
        with contextlib.suppress(Exception):
            exif[ORIENTATION] = image.tag_v2.get(ORIENTATION)
        image.info.pop("xmp", None)
        image.getexif = lambda: exif  # type: ignore[method-assign]
    image.load()


def orientation(image: Image.Image) -> int:
    """1 (upright) to 8; 1 too where it is missing, out of range or within a broken block."""
    try:
        value = image.getexif().get(ORIENTATION)
    except Exception:  # as many kinds as there are ways to break metadata; the pixels may be sound
        return 1
    return value if isinstance(value, int) and value in TURN else 1


def _is_wide(image: Image.Image) -> bool:
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def _is_deep_colour(image: Image.Image) -> bool:
    """Whether the file, of which nothing is decoded yet, has 16 bits for each of several channels."""
    tile = getattr(image, "tile", [])  # "BGR;16" has 16 bits in all
    return len(image.getbands()) > 1 and re.search(";16[BLN]", str(tile[:1])) is not None


def _eight_bits(values: np.ndarray, rule: ImageRule) -> np.ndarray:
    """uint8 of the values' shape. Raises OutOfRange for what is not black to white, Unreadable for NaN."""
    if values.dtype == np.uint8:
        return values
    if values.dtype == bool:
        return values.astype(np.uint8) * np.uint8(255)
    if num_nan := int(np.count_nonzero(np.isnan(values))):
        what = "is no number" if num_nan == 1 else "are no numbers"
        raise Unreadable(f"{num_nan} of its {values.size} values {what} (NaN)")
    white, is_float = rule.white(values.dtype), values.dtype.kind == "f"
    grey = values * np.float64(255 / white)
    np.rint(grey, out=grey)
    found = f"its values are {values.min():g} to {values.max():g}"
    allowed = f"{'floats' if is_float else 'integers'} are 0 to {white} in this data set"
    if grey.min() < 0 or grey.max() > 255:
        raise OutOfRange(f"{found}; {allowed}")
    if is_float and white > 1 and grey.max() <= 1 and (values % 1).any():
        raise OutOfRange(f"{found}, as if white were 1; {allowed}")
    return grey.astype(np.uint8)


def _square(image: Image.Image, rule: ImageRule) -> Image.Image:
    width, height = image.size
    side, bilinear = rule.side, Image.Resampling.BILINEAR
    if rule.fit == "pad":
        longer = max(width, height)
        inner = max(1, round(side * width / longer)), max(1, round(side * height / longer))
        square = Image.new(image.mode, (side, side))
        place = (side - inner[0]) // 2, (side - inner[1]) // 2
        square.paste(image.resize(inner, bilinear, reducing_gap=2.0), place)
        return square
    box = (0, 0, width, height)
    if rule.fit == "crop":
        shorter = min(width, height)
        left, top = (width - shorter) // 2, (height - shorter) // 2
        box = (left, top, left + shorter, top + shorter)
    return image.resize((side, side), bilinear, box=box, reducing_gap=2.0)
