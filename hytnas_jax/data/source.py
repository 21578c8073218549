"""What every place that pictures come from has in common."""

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

import numpy as np
from PIL import Image

from hytnas_jax.data.decode import UNREADABLE
from supernet.errors import UserError

Split = Literal["train", "search", "test"]

# How a split may be called where it is stored. The validation pictures are those the search looks at.
SPLIT_NAMES: Mapping[str, Split] = {
    "train": "train",
    "val": "search",
    "valid": "search",
    "validation": "search",
    "test": "test",
}

_LOOKED_AT = 200

# Gives one picture, its pixels not yet decoded where the format allows that; to be closed after use.
Opener = Callable[[], Image.Image]


class Source(Protocol):
    """Labelled pictures that can be opened one by one, in the splits in which they are stored.

    `sizes` has the number of pictures of each stored split: "train" always, "search" and "test" where
    the source has them. A picture is known by its split and its position 0..sizes[split]-1. `left_out` says
    in one line what lies there and is not used, "" where nothing does.
    """

    name: str
    left_out: str
    class_names: tuple[str, ...]
    channels: int
    sizes: Mapping[Split, int]

    def labels(self, split: Split, positions: np.ndarray) -> np.ndarray:
        """Class indices, int32 [len(positions)]."""
        ...

    def openers(self, split: Split, positions: np.ndarray) -> list[Opener]:
        """What opens each of the pictures.

        Many at once, since record files are read several times faster that way; called from several
        threads. An opener raises one of `decode.UNREADABLE` for a corrupt picture.
        """
        ...

    def picture_name(self, split: Split, position: int) -> str:
        """How to name the picture to a person: a file, or "train[17]"."""
        ...

    def native_side(self) -> int:
        """Median shorter side in pixels, without decoding all pictures."""
        ...


def median_side(source: Source) -> int:
    """Median shorter side of at most 200 training pictures, evenly spread; reads only their headers.

    Raises UserError where not one of them can be read.
    """
    size = source.sizes["train"]
    sides = []
    positions = np.linspace(0, size - 1, min(size, _LOOKED_AT)).astype(int)
    for opener in source.openers("train", positions):
        try:
            with opener() as image:
                sides.append(min(image.size))
        except UNREADABLE:
            continue  # loading names it and decides what to do about it
    if not sides:
        first = source.picture_name("train", 0)
        raise UserError(
            f"{source.name}: not one of the {len(positions)} pictures looked at can be read "
            f"(the first is {first}); check that these files are pictures"
        )
    return int(np.median(sides))
