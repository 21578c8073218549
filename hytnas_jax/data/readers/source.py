"""What every place that images come from has in common."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Literal, Protocol, TypeVar

import numpy as np

from hytnas_jax.data.decode import Opener, RawImage, Unreadable, quiet, refusing
from hytnas_jax.shared_flags.task_names import Task
from supernet.errors import UserError

Split = Literal["train", "validation", "test"]

# How a split may be called where it is stored. The validation images are those the search looks at.
SPLIT_NAMES: Mapping[str, Split] = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}

_LOOKED_AT = 200

Found = TypeVar("Found")


class NoSuchSource(UserError):
    """Nothing is where images are looked for: they may have been moved."""


class Source(Protocol):
    """Labelled images that can be opened one by one, in the splits in which they are stored.

    `sizes` has the number of images of each stored split: "train" always, "validation" and "test" where
    the source has them. An image is known by its split and its position 0..sizes[split]-1. `left_out` says
    in one line what lies there and is not used, "" where nothing does. `are_named` says whether somebody has
    named the classes; else a class is called by its number. `remarks` says in a line each what is odd, or was
    changed in reading.
    """

    task: Task
    name: str
    left_out: str
    remarks: tuple[str, ...]
    class_names: tuple[str, ...]
    are_named: bool
    channels: int
    sizes: Mapping[Split, int]

    def labels(self, split: Split, positions: np.ndarray) -> np.ndarray:
        """Class indices, int32 [len(positions)]."""
        ...

    def openers(self, split: Split, positions: np.ndarray) -> list[Opener]:
        """What opens each of the images.

        Many at once, since record files are read several times faster that way; called from several
        threads. An opener may raise anything for a corrupt image: see `decode.refusing`.
        """
        ...

    def image_name(self, split: Split, position: int) -> str:
        """How to name the image to a person: a file, or "train[17]"."""
        ...


def evenly(size: int, most: int) -> np.ndarray:
    """At most so many places of `size`, int, evenly spread from the first to the last."""
    return np.linspace(0, size - 1, min(size, most)).astype(int)


def look(source: Source, find: Callable[[RawImage], Found]) -> list[Found]:
    """What `find` finds in at most 200 training images, evenly spread.

    Those that cannot be read are passed over: loading names them and decides what to do about them.
    Raises UserError where not one of them can be read.
    """
    size = source.sizes["train"]
    found = []
    positions = evenly(size, _LOOKED_AT)
    with quiet():
        for opener in source.openers("train", positions):
            with contextlib.suppress(Unreadable), refusing(), opener() as image:
                found.append(find(image))
    if not found:
        first = source.image_name("train", 0)
        raise UserError(
            f"{source.name}: not one of the {len(positions)} images looked at can be read "
            f"(the first is {first}); check that these files are images"
        )
    return found
