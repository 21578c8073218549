"""By what copies of an image are known, whatever the number of images: a few numbers of each."""

import functools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from hytnas_jax.data.digest import digest_few

# Below this side, in pixels, different images may look like near copies (scikit-learn's digits do): there
# only copies to the last pixel count.
SMALLEST_SIDE = 16
BRIGHTNESS = {1: (1,), 3: (2, 5, 1)}  # of red, green and blue; whole numbers are added up without rounding

_CHUNK = 128


class Marks(NamedTuple):
    """Of N images: digests of their mirror images, uint64 [N]; difference hashes of them and of their mirror
    images, uint64 [N, 2]; contrast [N]. Without near copies, the last two are 0."""

    mirrors: np.ndarray
    hashes: np.ndarray
    contrast: np.ndarray

    @staticmethod
    def joined(parts: list["Marks"]) -> "Marks":
        """Of several arrays as one."""
        return Marks(*map(np.concatenate, zip(*parts, strict=True)))


def are_near_ones_known(side: int, held_side: int) -> bool:
    """Whether near copies are looked for among images stored and held at these sides."""
    return min(side, held_side) >= SMALLEST_SIDE


def marks_of(images: np.ndarray, *, near: bool) -> Marks:
    """Of images uint8 [N, S, S, C], by several threads; with `near`, all of them."""
    chunks = (images[start : start + _CHUNK] for start in range(0, max(1, len(images)), _CHUNK))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return Marks.joined(list(pool.map(functools.partial(marks_of_few, near=near), chunks)))


def marks_of_few(images: np.ndarray, *, near: bool) -> Marks:
    """The same, by this thread alone."""
    mirrors = digest_few(images, mirrored=True)
    if not near or not len(images):
        return Marks(mirrors, np.zeros((len(images), 2), np.uint64), np.zeros(len(images)))
    return Marks(mirrors, *_hashes(images))


def _hashes(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Difference hashes uint64 [N, 2], of the images and of their mirror images, and contrast [N].

    Contrast is the standard deviation of the cells, in grey levels. Sums of whole numbers throughout, so that
    equal cells are equal on every machine.
    """
    num, side, _, channels = images.shape
    weights = np.array(BRIGHTNESS[channels])
    highest = 255 * weights.sum() * side * side
    kind = np.dtype(np.float32 if highest < 2**24 else np.float64)
    rows = _overlaps(8, side).astype(kind)
    columns = np.kron(_overlaps(9, side), weights).T.astype(kind)
    cells = np.matmul(rows, images.reshape(num, side, side * channels).astype(kind)) @ columns
    bits = [thumbs[:, :, :-1] > thumbs[:, :, 1:] for thumbs in (cells, cells[:, :, ::-1])]
    packed = [np.packbits(part.reshape(num, 64), axis=1).view(np.uint64)[:, 0] for part in bits]
    return np.stack(packed, axis=1), cells.reshape(num, -1).std(axis=1) * (255 / highest)


def _overlaps(cells: int, side: int) -> np.ndarray:
    """int [cells, side]: how much of each pixel lies in each cell, in parts of a pixel; `side` in sum."""
    edges, pixels = np.arange(cells + 1) * side, np.arange(side) * cells
    overlap = np.minimum(edges[1:, None], pixels + cells) - np.maximum(edges[:-1, None], pixels)
    return np.clip(overlap, 0, None)
