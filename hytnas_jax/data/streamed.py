"""Images and masks that are decoded whenever they are asked for, as if they lay in an array.

Each is checked by its digest: what training sees is what was read first, or an error that names the image.
"""

import abc
import functools
import os
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, cast

import numpy as np

from hytnas_jax.data.decode import ImageRule, Unreadable, read_image
from hytnas_jax.data.digest import digest_of
from hytnas_jax.data.mask_size import nearest_pixels
from hytnas_jax.data.readers.masks import MaskSource
from hytnas_jax.data.readers.source import Source
from hytnas_jax.data.splits import Selection
from supernet.errors import UserError

_AT_ONCE = 64  # images that a thread opens together: record files are read faster that way


class ReopenableSource:
    """An open source, which other processes open again: a source itself cannot be sent to them.

    hint: what else to say where an image has changed, "" for nothing.
    """

    def __init__(
        self, reopen: Callable[[], Source] | None, source: Source | None = None, *, hint: str = ""
    ) -> None:
        self._reopen, self._source, self.hint = reopen, source, hint
        self._opening = threading.Lock()

    @property
    def source(self) -> Source:
        with self._opening:
            if self._source is None:
                assert self._reopen is not None
                self._source = self._reopen()
            return self._source

    def __reduce__(self) -> tuple[Any, ...]:
        if self._reopen is None:
            raise TypeError("nobody has said how the source is opened again")
        return functools.partial(ReopenableSource, hint=self.hint), (self._reopen,)


class Streamed(abc.ABC):
    """uint8 [N, ...] of which rows are decoded by threads when they are asked for, as NumPy would give them.

    digests: uint64 [N], those that the images had when they were read first.
    """

    dtype = np.dtype(np.uint8)
    what = "image"

    def __init__(
        self,
        reopenable: ReopenableSource,
        selection: Selection,
        digests: np.ndarray,
        item_shape: tuple[int, ...],
    ) -> None:
        self.reopenable, self.selection, self.digests = reopenable, selection, digests
        self.shape = (len(selection), *item_shape)

    def __len__(self) -> int:
        return len(self.selection)

    @property
    def nbytes(self) -> int:
        """What all of it would take in memory."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __getitem__(self, key: Any) -> np.ndarray:
        """One row, or those of a slice, of numbers or of a mask."""
        if isinstance(key, int | np.integer):
            return self._read(np.array([range(len(self))[key]]))[0]
        return self._read(_rows(key, len(self)))

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise TypeError("streamed images are not held in memory: take rows of them")

    @abc.abstractmethod
    def of(self, selection: Selection, digests: np.ndarray) -> Self:
        """Other images of the same source, read in the same way."""

    @abc.abstractmethod
    def _decode(self, positions: np.ndarray, out: np.ndarray) -> None:
        """Decode some into `out`, uint8 [len(positions), ...]. Raises UserError for what cannot be read."""

    def _read(self, rows: np.ndarray) -> np.ndarray:
        out = np.empty((len(rows), *self.shape[1:]), np.uint8)
        size = min(_AT_ONCE, -(-len(rows) // (os.cpu_count() or 1))) or 1

        def read(start: int) -> None:
            part = rows[start : start + size]
            own = out[start : start + size]
            self._decode(self.selection.positions[part], own)
            for row, item in zip(part, own, strict=True):
                if digest_of(item) != self.digests[row]:
                    raise UserError(self._changed(int(row)))

        # All are waited for, so that none writes into what nobody reads any more.
        futures = [_threads().submit(read, start) for start in range(0, len(rows), size)]
        errors = [error for future in futures if (error := future.exception()) is not None]
        if errors:
            raise errors[0]
        return out

    def _name(self, position: int) -> str:
        source = self.reopenable.source
        return f"{source.name}: the {self.what} {source.image_name(self.selection.stored, position)}"

    def _changed(self, row: int) -> str:
        name, hint = self._name(int(self.selection.positions[row])), self.reopenable.hint
        return (
            f"{name} has changed since it was first read; restore it, or begin another --workdir"
            f"{f' ({hint})' if hint else ''}"
        )


class StreamedImages(Streamed):
    """uint8 [N, S, S, C], by one rule for all."""

    def __init__(
        self, reopenable: ReopenableSource, selection: Selection, digests: np.ndarray, rule: ImageRule
    ) -> None:
        super().__init__(reopenable, selection, digests, (rule.side, rule.side, rule.channels))
        self.rule = rule

    def of(self, selection: Selection, digests: np.ndarray) -> Self:
        return type(self)(self.reopenable, selection, digests, self.rule)

    def _decode(self, positions: np.ndarray, out: np.ndarray) -> None:
        openers = self.reopenable.source.openers(self.selection.stored, positions)
        for number, opener in enumerate(openers):
            try:
                out[number] = read_image(opener, self.rule)
            except Unreadable as error:
                raise UserError(
                    f"{self._name(int(positions[number]))} can no longer be read ({error}); restore it, or "
                    "begin another --workdir"
                ) from error


class StreamedMasks(Streamed):
    """uint8 [N, S, S]: the class of each pixel, 255 where it has none."""

    what = "mask of"

    def __init__(
        self, reopenable: ReopenableSource, selection: Selection, digests: np.ndarray, side: int
    ) -> None:
        super().__init__(reopenable, selection, digests, (side, side))

    def of(self, selection: Selection, digests: np.ndarray) -> Self:
        return type(self)(self.reopenable, selection, digests, self.shape[1])

    def _decode(self, positions: np.ndarray, out: np.ndarray) -> None:
        source = cast(MaskSource, self.reopenable.source)
        for number, position in enumerate(positions):
            out[number] = nearest_pixels(source.mask(self.selection.stored, int(position)), self.shape[1])


Pixels = np.ndarray | Streamed


def _rows(key: Any, count: int) -> np.ndarray:
    """The rows int64 [n] that NumPy takes for a slice, a mask or numbers."""
    if isinstance(key, slice):
        return np.arange(*key.indices(count))
    rows = np.asarray(key)
    if rows.dtype == bool:
        return np.flatnonzero(rows)
    rows = rows.astype(np.int64)
    if len(rows) and not -count <= rows.min() <= rows.max() < count:
        raise IndexError(f"rows {rows.min()} to {rows.max()} of {count}")
    return np.where(rows < 0, rows + count, rows)


@functools.cache
def _threads() -> ThreadPoolExecutor:
    """Of all streamed arrays; what they run waits for no other task of theirs."""
    # What Pillow warns of was in the images when they were read first, and is no news at each step.
    warnings.filterwarnings("ignore", module="PIL")
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="decode")
