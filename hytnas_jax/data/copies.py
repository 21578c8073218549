"""Which images are copies of one another: to the last pixel, nearly, or mirrored.

A copy that was compressed again differs in every pixel, so near copies are looked for by a difference hash
(is each cell of a 9x8 thumbnail brighter than its right neighbour?), of the image and of its mirror
image, and each hit is confirmed by the pixels.
"""

import dataclasses
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from hytnas_jax.data.copy_marks import BRIGHTNESS, Marks, are_near_ones_known
from hytnas_jax.data.streamed import Pixels

# Near copies differ in brightness by at most this part of their contrast, and so many grey levels. In colour,
# which JPEG keeps at half the resolution, by at most that part. All are root mean squares.
NEAR, NEAR_LEVELS, NEAR_COLOUR = 0.08, 8.0, 0.3
# An image with less contrast than this, in grey levels, has no features to know it by.
LEAST_CONTRAST = 4.0

_FLIPPED_BITS = 3  # in which the hashes of near copies may differ; of four bands, one is then equal
_BANDS = 4
_NEIGHBOURS = 8  # looked at in each band's order: bounds the work, whatever the images are
_CHUNK = 128


@dataclasses.dataclass(frozen=True, eq=False)
class Pairs:
    """P pairs of copies: rows int64 [P] of the first and of the second image, and whether mirrored [P]."""

    first: np.ndarray
    second: np.ndarray
    mirrored: np.ndarray

    def groups(self, num: int) -> np.ndarray:
        """For each of `num` images the number of its group: int32 [num]; copies of copies are copies."""
        links = coo_array((np.ones(len(self.first), bool), (self.first, self.second)), (num, num))
        return connected_components(links, directed=False)[1]


def find_copies(
    images: Sequence[Pixels],
    digests: Sequence[np.ndarray],
    marks: Sequence[Marks],
    *,
    side: int,
    apart: np.ndarray,
) -> Pairs:
    """Pairs of copies among the images of several arrays, numbered through.

    Args:
        images: uint8 [N_i, S, S, C] each; N is their sum. Some of them are looked at.
        digests: of `digest_images`, uint64 [N_i] each.
        marks: of `marks_of`.
        side: of the images as they are stored; S may be larger.
        apart: int [N]; two images with the same number, above 0, are not compared with one another
            but by their digests.
    """
    mirrors, hashes, contrast = (np.concatenate(part) for part in zip(*marks, strict=True))
    exact = _join(_equal(np.concatenate(digests)), _equal_to_mirror(np.concatenate(digests), mirrors))
    if not are_near_ones_known(side, images[0].shape[1]):
        return exact
    rows = np.flatnonzero(contrast >= LEAST_CONTRAST)
    near = _candidates(hashes[rows], rows)
    is_wanted = (apart[near.first] != apart[near.second]) | (apart[near.first] == 0)
    near = _take(near, is_wanted)
    return _join(exact, _take(near, _confirmed(Stack(images), near)))


class Stack:
    """Several arrays of images as one, without copying them."""

    def __init__(self, parts: Sequence[Pixels]) -> None:
        self._parts = parts
        self._starts = np.cumsum([0, *(len(part) for part in parts)])

    def take(self, rows: np.ndarray) -> np.ndarray:
        """The images of these rows, uint8 [len(rows), S, S, C]."""
        taken = np.empty((len(rows), *self._parts[0].shape[1:]), np.uint8)
        for part, start in zip(self._parts, self._starts[:-1], strict=True):
            inside = (rows >= start) & (rows < start + len(part))
            taken[inside] = part[rows[inside] - start]
        return taken


def _equal(digests: np.ndarray) -> Pairs:
    """Each image with the first that is equal to it."""
    _, first, inverse = np.unique(digests, return_index=True, return_inverse=True)
    second = np.flatnonzero(first[inverse] != np.arange(len(digests)))
    return Pairs(first[inverse][second], second, np.zeros(len(second), bool))


def _equal_to_mirror(digests: np.ndarray, mirrors: np.ndarray) -> Pairs:
    """Each image with the first that its mirror image is equal to."""
    values, first = np.unique(digests, return_index=True)
    places = np.minimum(np.searchsorted(values, mirrors), len(values) - 1)
    second = np.flatnonzero((values[places] == mirrors) & (mirrors != digests))
    return Pairs(first[places[second]], second, np.ones(len(second), bool))


def _candidates(hashes: np.ndarray, rows: np.ndarray) -> Pairs:
    """Pairs of rows whose hashes uint64 [N, 2] are nearly equal, or one's and the other's mirrored."""
    flat = np.concatenate([hashes[:, 0], hashes[:, 1]])
    owner, is_mirror = np.tile(np.arange(len(rows)), 2), np.repeat([False, True], len(rows))
    found = []
    for band in range(_BANDS):
        turned = np.roll(flat.view(np.uint16).reshape(-1, _BANDS), band, axis=1).reshape(-1)
        order = np.argsort(turned.view(np.uint64), kind="stable")
        ordered = flat[order]
        for offset in range(1, _NEIGHBOURS + 1):
            distance = np.bitwise_count(ordered[:-offset] ^ ordered[offset:])
            near = np.flatnonzero(distance <= _FLIPPED_BITS)
            a, b = order[near], order[near + offset]
            usable = (owner[a] != owner[b]) & ~(is_mirror[a] & is_mirror[b])
            a, b = a[usable], b[usable]
            low, high = np.minimum(owner[a], owner[b]), np.maximum(owner[a], owner[b])
            found.append((low * len(rows) + high) * 2 + (is_mirror[a] | is_mirror[b]))
    keys = np.unique(np.concatenate(found))
    pairs, mirrored = np.divmod(keys, 2)
    first, second = np.divmod(pairs, max(len(rows), 1))
    return Pairs(rows[first], rows[second], mirrored.astype(bool))


def _confirmed(stack: Stack, pairs: Pairs) -> np.ndarray:
    """Which of the pairs are copies by their pixels: bool [P]."""

    def confirm(start: int) -> np.ndarray:
        part = slice(start, start + _CHUNK)
        first, second = stack.take(pairs.first[part]), stack.take(pairs.second[part])
        mirrored = pairs.mirrored[part]
        second[mirrored] = second[mirrored][:, :, ::-1]
        weights = np.array(BRIGHTNESS[first.shape[3]], np.float32)
        grey = [pixels.astype(np.float32) @ (weights / weights.sum()) for pixels in (first, second)]
        contrast = np.minimum(*(pixels.std(axis=(1, 2)) for pixels in grey))
        brightness = _root_mean_square(grey[0] - grey[1])
        colour = _root_mean_square(np.subtract(first, second, dtype=np.float32))
        is_like = brightness <= np.minimum(NEAR_LEVELS, NEAR * contrast)
        return is_like & (colour <= NEAR_COLOUR * contrast)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(confirm, range(0, len(pairs.first), _CHUNK)))
    return np.concatenate([np.zeros(0, bool), *parts])


def _root_mean_square(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.square(values).mean(axis=tuple(range(1, values.ndim))))


def _take(pairs: Pairs, which: np.ndarray) -> Pairs:
    return Pairs(pairs.first[which], pairs.second[which], pairs.mirrored[which])


def _join(*several: Pairs) -> Pairs:
    first, second, mirrored = zip(*((p.first, p.second, p.mirrored) for p in several), strict=True)
    return Pairs(np.concatenate(first), np.concatenate(second), np.concatenate(mirrored))
