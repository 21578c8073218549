"""Boxes and masks of images that are stored turned, and shown upright by their EXIF orientation."""

import contextlib
from pathlib import Path

import numpy as np
from PIL import Image

from hytnas_jax.data.decode import TURN, open_image, orientation, quiet, refusing, shape
from supernet.errors import UserError

_SAME_SHAPE = 0.01  # the difference of two ratios of sides that is rounding


def size_as_shown(path: Path, *, place: str) -> tuple[int, int]:
    """Width and height, from the file's header. Raises UserError, which begins with `place`."""
    try:
        with refusing(), open_image(path) as image:
            return shape(image)
    except ValueError as error:
        raise UserError(
            f"{place}: the size of the image is to be read from {path}, which cannot be read ({error}); "
            "repair the file, or delete it and what is noted of it"
        ) from error


def turn_to_show(path: Path, size: tuple[int, int]) -> int | None:
    """The orientation (5 to 8) to apply to annotations that were made on the image as stored, else 1.

    size: width and height to which the annotations refer. Annotations of an image that is stored turned by a
    quarter were made on it as stored where that is the stored size, and as shown where it is the shown one;
    so are those of an image that was made smaller or larger since. None: the image has another shape. A half
    turn cannot be told by sizes: annotations are then taken to be of the image as shown, as those of an image
    that cannot be read.
    """
    with contextlib.suppress(ValueError), quiet(), refusing(), open_image(path) as image:
        shown = shape(image)
        if size == shown:
            return 1
        has_exif = isinstance(image, Image.Image) and (image.format == "TIFF" or "exif" in image.info)
        turn, stored = orientation(image) if has_exif else 1, shown[::-1]
        if turn >= 5 and (size == stored or (_alike(size, stored) and not _alike(size, shown))):
            return turn
        return 1 if _alike(size, shown) else None
    return 1


def _alike(size: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two sizes have the same shape, as far as whole pixels allow."""
    (width, height), (other_width, other_height) = size, other
    ratio = width * other_height / (height * other_width)
    return abs(ratio - 1) <= 1 / min(*size, *other) + _SAME_SHAPE


def turn_corners(corners: np.ndarray, orientation: int) -> np.ndarray:
    """float32 [M, 4] of the image as shown, of corners on it as stored, by an orientation of 5 to 8."""
    left, top, right, bottom = corners.T
    turned = {
        5: (top, left, bottom, right),
        6: (1 - bottom, left, 1 - top, right),
        7: (1 - bottom, 1 - right, 1 - top, 1 - left),
        8: (top, 1 - right, bottom, 1 - left),
    }
    return np.stack(turned[orientation], axis=1) if orientation in turned else corners


def turn_image(image: Image.Image, orientation: int) -> Image.Image:
    """The same for an image, whatever its mode."""
    return image.transpose(TURN[orientation]) if orientation in TURN else image
