"""Images that are not held are looked at once: each is decoded, and a few numbers of it are kept."""

import functools
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, cast

import numpy as np

from hytnas_jax.data.annotations import check_pixels
from hytnas_jax.data.copy_marks import Marks, are_near_ones_known, marks_of_few
from hytnas_jax.data.digest import digest_few, digest_of
from hytnas_jax.data.labelled import value_counts
from hytnas_jax.data.loading import Decoding, decode_all
from hytnas_jax.data.mask_size import nearest_pixels
from hytnas_jax.data.readers.masks import MaskSource
from hytnas_jax.data.readers.source import Split
from hytnas_jax.data.split_groups import Loaded
from hytnas_jax.data.splits import Selection
from hytnas_jax.data.streamed import ReopenableSource, StreamedImages, StreamedMasks

_CHUNK = 64


class Scanned(NamedTuple):
    """A split, its images streamed; how often each value occurs, int64 [C, 256]; and what is wrong with those
    that cannot be read, by name."""

    loaded: Loaded
    counts: np.ndarray
    skipped: dict[str, str]


class _Seen(NamedTuple):
    """What is kept of a chunk of images."""

    digests: np.ndarray
    marks: Marks
    counts: np.ndarray


def scan(reopenable: ReopenableSource, selection: Selection, how: Decoding, *, native_side: int) -> Scanned:
    """Decode all images of a selection and keep their digests, what copies are known by, and counts.

    Raises UserError naming the first corrupt image, unless corrupt ones are skipped.
    """
    rule = how.rule
    near = are_near_ones_known(native_side, rule.side)

    def place(rows: slice) -> np.ndarray:
        return np.empty((rows.stop - rows.start, rule.side, rule.side, rule.channels), np.uint8)

    def see(images: np.ndarray) -> _Seen:
        return _Seen(digest_few(images), marks_of_few(images, near=near), value_counts(images))

    seen, rows, skipped = decode_all(selection, how, place, see)
    digests = np.concatenate([chunk.digests for chunk in seen])
    kept = selection.take(rows)
    marks = Marks.joined([chunk.marks for chunk in seen])
    loaded = Loaded(kept, StreamedImages(reopenable, kept, digests, rule), digests, marks)
    counts = functools.reduce(np.add, (chunk.counts for chunk in seen))
    return Scanned(loaded, counts, skipped)


def counts_after(counts: np.ndarray, before: Loaded, after: Loaded) -> np.ndarray:
    """The value counts of a streamed split from which images were taken, and others put there."""
    for one, other, sign in ((after, before, 1), (before, after, -1)):
        moved = np.flatnonzero(~np.isin(one.selection.positions, other.selection.positions))
        images = cast(StreamedImages, one.images)
        for start in range(0, len(moved), _CHUNK):
            counts = counts + sign * value_counts(images[moved[start : start + _CHUNK]])
    return counts


def scan_masks(
    reopenable: ReopenableSource, selections: Mapping[Split, Selection], *, side: int
) -> tuple[dict[Split, StreamedMasks], dict[Split, np.ndarray]]:
    """The masks of each split, read once; and how many pixels have each value, int64 [256].

    Raises UserError for a mask that cannot be read, and a split without any pixel of a class.
    """
    source = cast(MaskSource, reopenable.source)
    masks, pixels = {}, {}
    for split, selection in selections.items():
        digests = np.empty(len(selection), np.uint64)

        def see(start: int, of: Selection = selection, digests: np.ndarray = digests) -> np.ndarray:
            counts = np.zeros(256, np.int64)
            for row in range(start, min(start + _CHUNK, len(of))):
                mask = nearest_pixels(source.mask(of.stored, int(of.positions[row])), side)
                digests[row] = digest_of(mask)
                counts += np.bincount(mask.ravel(), minlength=256)
            return counts

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            pixels[split] = sum(pool.map(see, range(0, len(selection), _CHUNK)), np.zeros(256, np.int64))
        check_pixels(pixels[split][: len(source.class_names)], source, split, len(selection))
        masks[split] = StreamedMasks(reopenable, selection, digests, side)
    return masks, pixels
