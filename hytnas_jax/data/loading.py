"""Decoding many pictures at once into one array, and what to do about the corrupt ones."""

import os
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from hytnas_jax.data.decode import UNREADABLE, to_array
from hytnas_jax.data.source import Source
from hytnas_jax.data.splits import Selection
from supernet.errors import UserError

_CHUNK = 64
_NAMED_IN_WARNING = 10


def check_memory(num_pictures: int, *, side: int, channels: int) -> None:
    """Raises UserError where uint8 [num_pictures, side, side, channels] exceeds the available memory."""
    needed = num_pictures * side * side * channels
    available = available_memory()
    if available is not None and needed > available:
        raise UserError(
            f"{num_pictures} pictures of {side}x{side}x{channels} need {needed / 1e9:.1f} GB, "
            f"{available / 1e9:.1f} GB of memory are available; choose a smaller resolution, or fewer "
            "pictures with max_pictures (--max-pictures)"
        )


def available_memory() -> int | None:
    """Bytes that can still be had, on Linux (a container's limit counts); None elsewhere."""
    try:
        fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        available = int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):  # no container, or "max": no limit
        return available
    return min(available, limit)


def load_pictures(
    source: Source,
    selection: Selection,
    *,
    side: int,
    skip_corrupt: bool,
    on_decoded: Callable[[int], None],
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Decode the selected pictures by a pool of threads (Pillow decodes outside the interpreter lock).

    Returns images uint8 [N, side, side, C], which rows of the selection they are int64 [N], and the
    names of those skipped. `on_decoded` gets the number of pictures newly dealt with.

    Raises UserError naming the first corrupt picture, unless `skip_corrupt`.
    """
    images = np.empty((len(selection), side, side, source.channels), np.uint8)

    def decode_chunk(start: int) -> list[int]:
        corrupt = []
        positions = selection.positions[start : start + _CHUNK]
        for row, opener in enumerate(source.openers(selection.stored, positions), start):
            try:
                with opener() as image:
                    images[row] = to_array(image, side=side, channels=source.channels)
            except UNREADABLE as error:
                if not skip_corrupt:
                    name = source.picture_name(selection.stored, int(selection.positions[row]))
                    raise UserError(
                        f"{source.name}: the picture {name} cannot be read ({error}); repair or delete "
                        "it, or leave such pictures out with skip_corrupt=True (--skip-corrupt)"
                    ) from error
                corrupt.append(row)
        return corrupt

    starts = range(0, len(selection), _CHUNK)
    corrupt: list[int] = []
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        for start, failed in zip(starts, pool.map(decode_chunk, starts), strict=True):
            corrupt += failed
            on_decoded(min(_CHUNK, len(selection) - start))
    finally:
        pool.shutdown(cancel_futures=True)
    rows = np.setdiff1d(np.arange(len(selection)), corrupt)
    names = [source.picture_name(selection.stored, int(selection.positions[r])) for r in corrupt]
    return (images[rows] if corrupt else images), rows, names


def warn_of_skipped(names: list[str]) -> None:
    """One warning that counts the skipped pictures and names the first ten."""
    if names:
        more = ", ..." if len(names) > _NAMED_IN_WARNING else ""
        listed = ", ".join(names[:_NAMED_IN_WARNING])
        warnings.warn(f"skipped {len(names)} picture(s) that cannot be read: {listed}{more}", stacklevel=3)
