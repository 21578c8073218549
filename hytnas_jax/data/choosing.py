"""How all images of a data set become arrays, chosen once from some of them: never for an image."""

import dataclasses
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from hytnas_jax.data.decode import ImageRule, RawImage, shape, wide_values
from hytnas_jax.data.readers.source import Source, look
from hytnas_jax.numbers import counted
from supernet.errors import UserError

FITS = ("auto", "crop", "stretch", "pad")
Kind = Literal["integer", "float"]

# Images have one shape where nine of ten are within this of the median width / height, and a clear one
# where that is as far from a square as 4:3 is.
_ONE_SHAPE, _NOT_SQUARE = math.log(1.25), math.log(1.3)
_NEARLY_ALL = 0.9
HARDLY_USED = 1 / 8  # of the range, by the largest value
_MANY = 0.1  # of the images, for a warning
_WIDEST = 32  # bits


@dataclasses.dataclass(frozen=True)
class Wish:
    """What a user may say of how images are read.

    fit: "crop", "stretch" or "pad", as `ImageRule` has it; "auto": by the images' shapes.
    bit_depth: N where values of more than 8 bits, or floats, are 0 to 2^N-1; None: by the values.
    """

    fit: str = "auto"
    bit_depth: int | None = None

    def check(self) -> None:
        """Raises UserError for a fit that there is not, and for a number of bits out of range."""
        if self.fit not in FITS:
            raise UserError(f"fit={self.fit!r} (--fit): wanted one of {', '.join(FITS)}")
        if self.bit_depth is not None and not 1 <= self.bit_depth <= _WIDEST:
            raise UserError(
                f"bit_depth={self.bit_depth} (--bit-depth): wanted 1 to {_WIDEST}, the bits of a value"
            )


@dataclasses.dataclass(frozen=True, eq=False)
class Looked:
    """Of the images looked at, of `source`: [n, 2] width and height; the largest value of those of each
    wide kind. `again` opens the source once more, None where nobody needs to."""

    source: Source
    shapes: np.ndarray
    peaks: Mapping[Kind, Sequence[float]]
    again: Callable[[], Source] | None = None

    @property
    def cut(self) -> float:
        """Median share of an image's area that lies outside its middle square."""
        return float(np.median(1 - self.shapes.min(axis=1) / self.shapes.max(axis=1)))

    def native_side(self, fit: str) -> int:
        """Median side, in pixels, of the square that an image fills: the longer side where it is padded."""
        sides = self.shapes.max(axis=1) if fit == "pad" else self.shapes.min(axis=1)
        return int(np.median(sides))


def look_at(source: Source) -> Looked:
    """Looks at up to 200 training images: at their headers, and at the values of more than 8 bits.

    Raises UserError where not one of them can be read.
    """
    peaks: dict[Kind, list[float]] = {"integer": [], "float": []}

    def find(image: RawImage) -> tuple[int, int]:
        size = shape(image)
        wide = wide_values(image)
        if wide is not None and len(numbers := wide[np.isfinite(wide)]):
            peaks["float" if wide.dtype.kind == "f" else "integer"].append(float(numbers.max()))
        return size

    return Looked(source, np.array(look(source, find)), peaks)


def choose_rule(looked: Looked, wish: Wish, *, side: int) -> ImageRule:
    """The rule for a data set."""
    task = looked.source.task
    if task != "classification" and wish.fit not in ("auto", "stretch"):
        raise UserError(f"fit={wish.fit!r} (--fit): {task} stretches images, and takes auto or stretch only")
    fit = wish.fit
    if fit == "auto":
        fit = "stretch" if task != "classification" else choose_fit(looked.shapes)
    whites = {kind: _white(kind, peaks, wish.bit_depth) for kind, peaks in looked.peaks.items()}
    return ImageRule(side, looked.source.channels, fit, whites["integer"], whites["float"])


def warn_if_hardly_used(looked: Looked, rule: ImageRule) -> None:
    """Warns where the values looked at leave most of the rule's range unused."""
    _warn_of_kind("integer", np.array(looked.peaks["integer"]), rule.integer_white)
    _warn_of_kind("float", np.array(looked.peaks["float"]), rule.float_white)


def choose_fit(shapes: np.ndarray) -> str:
    """ "stretch" where nearly all images have one shape, which is clearly not square; else "crop".

    All of each image is kept then, and all are distorted alike. shapes: [n, 2], width and height.
    """
    aspects = np.log(shapes[:, 0] / shapes[:, 1])
    median = np.median(aspects)
    alike = np.abs(aspects - median) <= _ONE_SHAPE
    return "stretch" if abs(median) >= _NOT_SQUARE and alike.mean() >= _NEARLY_ALL else "crop"


def _white(kind: Kind, peaks: Sequence[float], bit_depth: int | None) -> int:
    """The value of white: for integers 65535 or 255, for floats 1 or 255, as most images have it."""
    if bit_depth is not None:
        return 2**bit_depth - 1
    typical = np.median(peaks) if peaks else math.inf
    if kind == "integer":
        return 255 if typical <= 255 else 65535
    return 255 if 255 * HARDLY_USED <= typical < 255.5 else 1


def _warn_of_kind(kind: Kind, peaks: np.ndarray, white: int) -> None:
    dim = peaks[peaks < white * HARDLY_USED]
    if len(dim) <= _MANY * len(peaks):
        return
    bits = max(1, int(dim.max()).bit_length())
    remedy = (
        f"give bit_depth={bits} (--bit-depth {bits}) if that is how many bits they have"
        if kind == "integer" and len(dim) == len(peaks)
        else "where they are on another scale, store all images on one"
    )
    among = f"of {counted(len(peaks), f'{kind} image')} looked at"
    warnings.warn(
        f"{counted(len(dim), f'{among} uses', f'{among} use')} less than an eighth of the range 0 to "
        f"{white} (the largest value is {dim.max():g}), of which little is left in 8 bits: {remedy}",
        stacklevel=3,
    )
