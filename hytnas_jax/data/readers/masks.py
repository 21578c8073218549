"""Masks, which say the class of each pixel of an image, and what every source of them has in common."""

import abc
import functools
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from hytnas_jax.data.decode import Opener, open_image
from hytnas_jax.data.readers.source import Source, Split, Task, evenly
from hytnas_jax.data.readers.turned import size_as_shown, turn_image, turn_to_show
from hytnas_jax.data.readers.words import some
from hytnas_jax.numbers import counted
from supernet.errors import UserError
from supernet.tasks.segmentation import IGNORED

_AT_ONCE = 64


class MaskSource(Source, Protocol):
    """Images with masks.

    `labels` are the strata by which splits are carved: the class of the image that the fewest of the training
    images looked at hold. They are found by reading the masks.
    """

    def mask(self, split: Split, position: int) -> np.ndarray:
        """uint8 [H, W] of the image as shown: the class of each pixel, 255 where it has none.

        Raises UserError for a mask that is not of its image, or has no class.
        """
        ...


class RarestClass(abc.ABC):
    """The labels of a `MaskSource`, by its masks."""

    class_names: tuple[str, ...]
    sizes: Mapping[Split, int]

    @abc.abstractmethod
    def mask(self, split: Split, position: int) -> np.ndarray:
        """See `MaskSource.mask`."""

    def labels(self, split: Split, positions: np.ndarray) -> np.ndarray:
        chunks = [positions[start : start + _AT_ONCE] for start in range(0, len(positions), _AT_ONCE)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            parts = pool.map(lambda chunk: [self._classes_on(split, int(p)) for p in chunk], chunks)
            held = [classes for part in parts for classes in part]
        rank = np.argsort(np.argsort(self._holding, kind="stable"), kind="stable")
        return np.array([min(classes, key=lambda c: rank[c]) for classes in held], np.int32)

    def lacking(self) -> list[str]:
        """A line on the classes that none of the training masks looked at has; empty where there are none."""
        names = [self.class_names[n] for n in np.flatnonzero(self._holding == 0)]
        classes = counted(len(names), "class", "classes")
        looked_at = counted(len(self._looked_at(self._MOST)), "training mask")
        return [f"no pixel of {looked_at} is of {classes}: {some(names)}"] if names else []

    _MOST = 200  # training masks by which the rare classes are told

    def _looked_at(self, most: int) -> list[int]:
        size = self.sizes["train"]
        return evenly(size, most).tolist()

    @functools.cached_property
    def _holding(self) -> np.ndarray:
        """int [K]: how many of the training masks looked at have a class."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            held = list(pool.map(lambda n: self._classes_on("train", n), self._looked_at(self._MOST)))
        flat = np.array([index for classes in held for index in classes], np.int64)
        return np.bincount(flat, minlength=len(self.class_names))

    def _classes_on(self, split: Split, position: int) -> list[int]:
        counts = np.bincount(self.mask(split, position).ravel(), minlength=IGNORED + 1)
        return np.flatnonzero(counts[:IGNORED]).tolist()


class MaskFiles(RarestClass):
    """A `MaskSource` of image files, always RGB. Whoever extends it says how a mask is read.

    Raises UserError for an image in two splits, and a split without images.
    """

    task: Task = "segmentation"

    def __init__(self, folder: Path, files: Mapping[Split, list[str]], places: Mapping[Split, str]) -> None:
        self._folder = folder
        self._files = files
        self.name = folder.resolve().name
        self.channels = 3
        self.left_out = ""
        self.are_named = True
        self.remarks: tuple[str, ...] = ()
        self.class_names: tuple[str, ...] = ()
        self.sizes: Mapping[Split, int] = {split: len(names) for split, names in files.items()}
        seen: dict[str, str] = {}
        for split, names in files.items():
            if not names:
                raise UserError(f"{places[split]}: has no images; add some, or remove this split")
            for name in names:
                if name in seen:
                    raise UserError(
                        f"{name}: is in {seen[name]} and in {places[split]}; an image may be in one split "
                        "only, and once: remove it from one"
                    )
                seen[name] = places[split]

    @abc.abstractmethod
    def read_mask(self, split: Split, position: int) -> np.ndarray:
        """See `MaskSource.mask`; all pixels may be ignored ones."""

    @abc.abstractmethod
    def mask_name(self, split: Split, position: int) -> str:
        """How to name the mask to a person."""

    def openers(self, split: Split, positions: np.ndarray) -> list[Opener]:
        return [functools.partial(open_image, self.path(split, position)) for position in positions]

    def image_name(self, split: Split, position: int) -> str:
        return self._files[split][position]

    def mask(self, split: Split, position: int) -> np.ndarray:
        mask = self.read_mask(split, position)
        if (mask == IGNORED).all():
            raise UserError(
                f"{self.mask_name(split, position)}: all pixels are ignored ({IGNORED}), so that nothing can "
                "be learned from it; delete the mask and its image"
            )
        return mask

    def as_shown(self, mask: np.ndarray, split: Split, position: int) -> np.ndarray:
        """Turned as its image is. Raises UserError for another size; not for an image that cannot be read,
        which is named where images are loaded."""
        image, (height, width) = self.path(split, position), mask.shape
        try:
            shown = size_as_shown(image, place="")
        except UserError:
            return mask
        if shown == (width, height):
            return mask
        turn = turn_to_show(image, (width, height)) if shown == (height, width) else None
        if turn is None or turn == 1:
            raise UserError(
                f"{self.mask_name(split, position)}: is of {width}x{height} pixels, but its image "
                f"{self.image_name(split, position)} of {shown[0]}x{shown[1]}; make both the same size, "
                "masks by the nearest pixel"
            )
        return np.asarray(turn_image(Image.fromarray(mask), turn))

    def path(self, split: Split, position: int) -> Path:
        return self._folder / self._files[split][position]
